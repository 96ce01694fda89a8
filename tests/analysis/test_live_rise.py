import math
import time

import numpy as np
import pytest

from analysis.live_rise import LiveRises
from analysis.loss_rise import find_loss_rises, make_curve
from tests import curves

START = {"init_mean": 2.4, "init_sd": 0.05}
OUTCOMES = ("recovered", "not-recovered", "diverged")
MID = [lambda seed, n=n, o=o: curves.mid(n, seed, o) for n in (300, 3000) for o in OUTCOMES]
EARLY = [
    lambda seed, n=n, r=r, h=h: curves.early(n, seed, h, recovers=r)
    for n in (300, 3000)
    for r in (True, False)
    for h in (1.3, 2.0)
]


def watch(answer, **facts):
    """Returns the alarms of a curve, point by point."""
    live = LiveRises(len(answer.loss), **facts)
    found = [live.add(step, loss) for step, loss in enumerate(answer.loss.tolist())]
    return [alarm for alarm in found if alarm is not None]


def judge(answer, **facts):
    """Returns the confirmed events that the diagnosis of the whole log finds."""
    found = find_loss_rises(make_curve(np.arange(len(answer.loss)), answer.loss, **facts))
    return [event for event in found.events if event.grade == "confirmed"]


@pytest.mark.parametrize("law", curves.LAWS)
def test_at_most_one_stable_run_in_a_hundred_alarms(law):
    alarmed = [seed for seed in range(150) if watch(curves.stable(law, (200, 600)[seed % 2], 3000 + seed))]
    assert len(alarmed) <= 1


@pytest.mark.parametrize("make", MID)
def test_a_mid_training_rise_alarms_within_ten_steps_of_its_onset_and_never_before(make):
    for seed in range(20):
        answer = make(seed)
        first = watch(answer)[0]
        assert first.kind == "mid-training"
        assert answer.onset_step <= first.step <= answer.onset_step + 10
        assert abs(first.onset_step - answer.onset_step) <= 2


@pytest.mark.parametrize("make", EARLY)
def test_an_early_rise_over_a_measured_start_alarms_within_ten_steps(make):
    for seed in range(20):
        answer = make(seed)
        first = watch(answer, **START)[0]
        assert first.kind == "early"
        assert answer.onset_step <= first.step <= answer.onset_step + 10
        assert first.onset_step <= 4


def test_an_early_rise_over_an_unmeasured_start_alarms_once_it_has_come_back():
    found = [watch(curves.early(300, seed)) for seed in range(20)]
    assert sum(bool(alarms) for alarms in found) >= 19
    assert all(alarms[0].onset_step <= 3 for alarms in found if alarms)


def test_live_and_offline_agree_on_at_least_98_in_100_runs_on_whether_the_loss_rose():
    same = [
        bool(watch(answer, **facts)) == bool(judge(answer, **facts))
        for makers, facts in ((MID, {}), (EARLY, START))
        for make in makers
        for answer in map(make, range(8))
    ]
    same += [
        bool(watch(answer)) == bool(judge(answer))
        for law in curves.LAWS
        for answer in (curves.stable(law, 400, seed) for seed in range(20))
    ]
    assert np.mean(same) >= 0.98


def test_the_onset_is_where_the_diagnosis_of_the_log_places_it():
    apart = [
        abs(watch(answer)[0].onset_step - judge(answer)[0].onset_step)
        for make in MID
        for answer in map(make, range(10))
    ]
    assert np.quantile(apart, 0.9) <= 2


def test_an_event_alarms_once_and_a_second_one_again():
    loss = curves.decline(2000, np.random.default_rng(5))
    loss[800:900] += 2.0
    loss[1300:1400] += 2.0
    assert [alarm.onset_step for alarm in watch(curves.Answer(loss))] == pytest.approx([800, 1300], abs=3)


def test_a_level_that_stays_is_the_level_that_later_rises_are_held_against():
    loss = curves.decline(3000, np.random.default_rng(6))
    loss[1000:] += 2.0
    loss[2000:] += 2.0
    assert [alarm.onset_step for alarm in watch(curves.Answer(loss))] == pytest.approx([1000, 2000], abs=3)


def test_a_small_sustained_rise_below_the_noise_of_single_points_alarms():
    rng = np.random.default_rng(7)
    loss = 1 + 0.2 * rng.normal(size=4000)
    loss[2000:] += 0.3
    (first, *_) = watch(curves.Answer(loss))
    assert first.rule == "sustained"
    assert 2000 <= first.step < 2400


def test_a_single_high_point_does_not_alarm():
    loss = curves.decline(1000, np.random.default_rng(3))
    loss[600] = 20.0
    assert watch(curves.Answer(loss)) == []


def test_a_loss_that_is_not_finite_alarms_at_its_step_once():
    loss = curves.decline(100, np.random.default_rng(8))
    loss[60:] = math.nan
    (alarm,) = watch(curves.Answer(loss))
    assert (alarm.step, alarm.rule, alarm.height) == (60, "non-finite", None)


def test_a_gradient_norm_that_jumps_first_is_named_and_one_of_nan_is_no_event():
    answer, live = curves.mid(1000, 6), LiveRises(1000)
    norm = 1 + 0.05 * np.random.default_rng(6).normal(size=1000)
    norm[498:520], norm[100] = 30.0, math.nan
    rows = enumerate(zip(answer.loss.tolist(), norm.tolist(), strict=True))
    found = [alarm for step, row in rows if (alarm := live.add(step, *row))]
    assert [alarm.preceded_by for alarm in found] == ["grad_norm"]


def test_scaling_the_loss_changes_no_alarm():
    answer = curves.mid(600, 2)
    scaled = curves.Answer(1e6 * answer.loss)
    assert [alarm.step for alarm in watch(answer)] == [alarm.step for alarm in watch(scaled)]


def test_negative_losses_and_losses_of_1e36_are_watched():
    answer = curves.mid(600, 1, "not-recovered", height=3.0)
    assert watch(curves.Answer(answer.loss - 5.0))[0].onset_step == pytest.approx(300, abs=3)
    answer.loss[300:] = 1e36
    assert watch(answer)[0].onset_step == 300


def test_the_cost_of_a_point_does_not_grow_with_the_run():
    losses = curves.stable("gaussian", 60_000, 1).loss.tolist()
    live, seconds = LiveRises(60_000), []
    for low in range(0, 60_000, 10_000):
        started = time.process_time()
        for step in range(low, low + 10_000):
            live.add(step, losses[step])
        seconds.append(time.process_time() - started)
    assert min(seconds[3:]) <= 1.5 * min(seconds[:3])
