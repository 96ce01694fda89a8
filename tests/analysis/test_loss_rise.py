import numpy as np
import pytest

from analysis.loss_rise import find_loss_rises, make_curve
from tests import curves

SEEDS = range(20)


def rises(answer: curves.Answer, **facts):
    """Finds the rises of a curve logged every step."""
    return find_loss_rises(make_curve(np.arange(len(answer.loss)), answer.loss, **facts))


def worst(found):
    """Returns the confirmed event that rose most, None without one."""
    confirmed = [event for event in found.events if event.grade == "confirmed"]
    return max(confirmed, key=lambda event: event.rise or 0, default=None)


@pytest.mark.parametrize("law", curves.LAWS)
@pytest.mark.parametrize("n", [200, 2000])
def test_at_most_one_stable_run_in_a_hundred_is_called_unstable(law, n):
    alarms = sum(worst(rises(curves.stable(law, n, seed))) is not None for seed in range(100))
    assert alarms <= 1


@pytest.mark.parametrize("outcome", ["recovered", "not-recovered", "diverged"])
@pytest.mark.parametrize("n", [300, 3000])
def test_a_sudden_rise_after_a_decline_is_found_at_its_step_with_its_outcome(outcome, n):
    found = [(curves.mid(n, seed, outcome), worst(rises(curves.mid(n, seed, outcome)))) for seed in SEEDS]
    right = [event for _, event in found if event and (event.kind, event.outcome) == ("mid-training", outcome)]
    assert len(right) >= 0.95 * len(found)
    errors = [abs(event.onset_step - answer.onset_step) for answer, event in found if event]
    assert np.median(errors) <= 2


def test_an_early_rise_that_recovers_is_found_without_facts_of_the_start():
    found = [worst(rises(curves.early(300, seed))) for seed in SEEDS]
    right = [event for event in found if event and (event.kind, event.outcome) == ("early", "recovered")]
    assert len(right) >= 0.95 * len(found)
    assert np.median([event.onset_step for event in right]) <= 2


def test_a_small_early_rise_needs_the_measured_noise_of_the_start():
    blind = [worst(rises(curves.early(300, seed, height=1.3))) for seed in SEEDS]
    known = [worst(rises(curves.early(300, seed, height=1.3), init_mean=2.4, init_sd=0.05)) for seed in SEEDS]
    assert sum(event is not None for event in known) >= 0.9 * len(known)
    assert sum(event is not None for event in known) > sum(event is not None for event in blind)


def test_a_lesser_early_rise_counts_if_the_gradient_norm_rose_with_it():
    steps, flat = np.arange(300), np.ones(300)
    risen = np.where((steps > 0) & (steps < 6), 3.0, 1.0)
    made = [make_curve(steps, curves.early(300, seed, height=1.5).loss) for seed in SEEDS]
    alone = sum(worst(find_loss_rises(curve, {"grad_norm": (steps, flat)})) is not None for curve in made)
    together = sum(worst(find_loss_rises(curve, {"grad_norm": (steps, risen)})) is not None for curve in made)
    assert together > alone


def test_single_high_points_are_blips_and_not_events():
    loss = curves.decline(1000, np.random.default_rng(3))
    loss[600] = 20.0
    found = rises(curves.Answer(loss))
    assert worst(found) is None
    assert found.blips == (600,)


def test_a_rise_of_noise_near_zero_is_not_news():
    rng = np.random.default_rng(4)
    loss = 2.3 * np.exp(-np.arange(1000) / 60) + 1e-4
    loss[500:] = 0.03 * (1 + 0.1 * rng.normal(size=500))
    assert worst(rises(curves.Answer(loss))) is None


def test_an_event_does_not_hide_a_second_one_behind_it():
    loss = curves.decline(2000, np.random.default_rng(5))
    loss[800:900] += 2.0
    loss[940:1040] += 2.0
    onsets = [event.onset_step for event in rises(curves.Answer(loss)).events]
    assert onsets == pytest.approx([800, 940], abs=3)


def test_a_norm_that_jumps_before_the_loss_is_named():
    answer = curves.mid(1000, 6)
    norm = np.ones(1000) + 0.05 * np.random.default_rng(6).normal(size=1000)
    norm[498:520] = 30.0
    curve = make_curve(np.arange(1000), answer.loss)
    events = find_loss_rises(curve, {"grad_norm": (np.arange(1000), norm)}).events
    assert [event.preceded_by for event in events] == ["grad_norm"]


def test_scaling_the_loss_changes_no_verdict():
    for seed in range(5):
        answer = curves.mid(600, seed)
        plain = rises(answer).events
        scaled = rises(curves.Answer(1e6 * answer.loss)).events
        assert [event.onset_step for event in plain] == [event.onset_step for event in scaled]


def test_losses_of_1e36_and_negative_losses_are_judged_and_do_not_break():
    huge = curves.mid(600, 0)
    huge.loss[400:] = 1e36
    assert worst(rises(huge)).outcome == "not-recovered"
    negative = curves.Answer(curves.mid(600, 1, "not-recovered").loss - 5.0)
    assert worst(rises(negative)).onset_step == pytest.approx(300, abs=3)


def test_no_finite_loss_makes_no_curve():
    assert make_curve(np.arange(3), np.array([np.nan, np.inf, np.nan])) is None


def swings(n=2000, period=500, damping=0.998):
    """Makes the damped oscillation of heavy momentum on a quadratic."""
    t = np.arange(n)
    return 100 + 250 * damping**t * np.cos(np.pi * t / period) ** 2 + np.random.default_rng(0).normal(size=n)


def test_a_damped_oscillation_of_momentum_is_noted_and_not_counted():
    found = rises(curves.Answer(swings()))
    assert found.events
    assert worst(found) is None
    assert {event.note for event in found.events} == {"damped oscillation of momentum"}


def test_the_same_swings_count_where_the_optimizer_has_no_heavy_momentum():
    assert worst(find_loss_rises(make_curve(np.arange(2000), swings()), may_ring=False)) is not None


def test_a_rise_at_a_planned_change_is_noted_and_not_counted():
    loss = curves.mid(1000, 0, "not-recovered").loss
    curve = make_curve(np.arange(1000), loss)
    assert worst(find_loss_rises(curve, planned=(500,))) is None
    assert worst(find_loss_rises(curve, planned=(300,))) is not None


def test_a_planned_jump_that_stays_is_one_event_however_long_it_is_held():
    for seed in (3, 24):
        noise = 1 + 0.06 * np.random.default_rng(seed).normal(size=1000)
        loss = (1 + 1.6 * (np.arange(1000) / 20 + 1) ** -0.5) * noise
        loss[200:] *= 2
        assert worst(find_loss_rises(make_curve(np.arange(1000), loss), planned=(200,))) is None


@pytest.mark.parametrize("seed", [23, 53])
def test_an_early_rise_is_held_against_the_start_wherever_it_was_seen(seed):
    (event,) = rises(curves.early(300, seed, height=2.0, lasts=19)).events
    assert (event.kind, event.outcome, event.onset_step) == ("early", "recovered", 1)
    assert event.level_before <= 2.6


def test_a_rise_after_a_steep_start_is_not_hidden_by_the_noise_that_it_makes_itself():
    steep = "2.29 2.49 2.34 2.27 2.30 2.08 1.90 1.85 2.20 1.17 1.33 1.02 0.60 1.24 1.10"  # stride 1x1, base_lr 0.2
    risen = "2.09 2.58 2.56 2.89 2.34 2.32 1.04 1.03 1.18 0.97 0.52"  # the rise ends with 2.32
    rest = np.linspace(0.9, 0.1, 174) * (1 + 0.1 * np.random.default_rng(0).normal(size=174))
    loss = np.concatenate([np.array(f"{steep} {risen}".split(), float), rest])
    event = worst(rises(curves.Answer(loss), init_mean=2.35, init_sd=0.068))
    assert (event.kind, event.onset_step, event.recovery_step) == ("early", 15, 21)


def test_a_smoothed_break_is_no_swing_of_momentum():
    loss = curves.decline(2000, np.random.default_rng(0), noise=0.02)
    loss[1000:1300] += 1.0
    smooth = np.empty(2000)
    mean = loss[0]
    for i, value in enumerate(loss):
        mean += 0.02 * (value - mean)
        smooth[i] = mean
    assert worst(rises(curves.Answer(smooth))).onset_step == pytest.approx(1000, abs=15)
