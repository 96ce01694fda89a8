"""Following running runs: the same alarms as point by point, each row once, and a new verdict only for news."""

import math
import os

import numpy as np
import pytest

from analysis.live_rise import LiveRises
from analysis.live_study import GROWTH, LiveStudy
from analysis.loss_rise import find_loss_rises, make_curve
from analysis.runlog import RunWriter, layout, schema
from tests import curves

OUTCOMES = ("recovered", "not-recovered", "diverged")
GOLDEN = [curves.mid(300, seed, outcome) for seed in range(4) for outcome in OUTCOMES]
GOLDEN += [curves.early(300, seed, 2.0, recovers=seed % 2 == 0) for seed in range(4)]
GOLDEN += [curves.stable(law, 400, 7) for law in curves.LAWS]
START = {schema.INIT_LOSS_MEAN: 2.4, schema.INIT_LOSS_SD: 0.05}


@pytest.fixture
def log(tmp_path):
    """A running run of 300 planned steps in the study "s"."""
    with RunWriter("s", store=tmp_path, run_id="a", name="first", max_train_steps=300) as writer:
        yield writer


def write(log, losses, first_step=0):
    for step, loss in enumerate(losses, first_step):
        log.step(step, train_loss=loss)


@pytest.mark.parametrize("answer", GOLDEN)
def test_a_followed_log_alarms_as_the_rules_do_point_by_point_and_as_the_diagnosis_at_the_end(tmp_path, answer):
    facts = START if answer.kind == "early" else {}
    rules = LiveRises(len(answer.loss), *facts.values())
    expected = [alarm for step, loss in enumerate(answer.loss.tolist()) if (alarm := rules.add(step, loss))]
    follower = LiveStudy("s", tmp_path)
    with RunWriter("s", store=tmp_path, run_id="a", max_train_steps=len(answer.loss), **facts) as log:
        for low in range(0, len(answer.loss), 70):
            write(log, answer.loss[low : low + 70].tolist(), low)
            seen = follower.look().alarms
    assert [alarm.alarm for alarm in seen] == expected[-1:]
    start = {"init_mean": facts.get(schema.INIT_LOSS_MEAN), "init_sd": facts.get(schema.INIT_LOSS_SD)}
    found = find_loss_rises(make_curve(np.arange(len(answer.loss)), answer.loss, **start)).events
    onsets = [event.onset_step for event in found if event.grade == "confirmed"]
    assert bool(onsets) == bool(expected)
    if onsets:
        assert expected[0].onset_step == pytest.approx(onsets[0], abs=4)


def test_every_row_is_read_once_and_no_look_reads_more_than_its_share(tmp_path, log):
    follower = LiveStudy("s", tmp_path, rows_a_look=40)
    write(log, [1.0] * 100)
    read = [rows_read(follower) for _ in range(4)]
    assert read == [40, 40, 20, 0]
    write(log, [1.0] * 7, 100)
    assert rows_read(follower) == 7
    with RunWriter("s", store=tmp_path, run_id="b") as other:
        write(log, [1.0] * 100, 107)
        write(other, [1.0] * 100)
        assert rows_read(follower) == 40
        assert follower.look().share_seen == pytest.approx((107 + 40 + 40) / 307, abs=0.01)


def rows_read(follower):
    before = {folder: run.num_rows for folder, run in follower._followed.items()}
    follower.look()
    return sum(run.num_rows - before.get(folder, 0) for folder, run in follower._followed.items())


def test_a_torn_last_line_waits_until_it_is_whole(tmp_path, log):
    follower = LiveStudy("s", tmp_path)
    write(log, [1.0] * 50)
    path = log.folder / layout.LIVE_FILE
    whole = path.read_bytes()
    os.truncate(path, len(whole) - 10)
    assert rows_read(follower) == 49
    assert rows_read(follower) == 0
    path.write_bytes(whole)
    assert rows_read(follower) == 1


def test_another_log_in_the_place_of_a_followed_one_is_followed_from_its_start(tmp_path, log):
    follower = LiveStudy("s", tmp_path)
    write(log, curves.mid(300, 0).loss[:200].tolist())
    assert follower.look().alarms
    content = (log.folder / layout.LIVE_FILE).read_bytes()
    (log.folder / layout.LIVE_FILE).write_bytes(content.replace(b'"_q":0,', b'"_q":9,')[: len(content) // 2])
    assert follower.look().alarms == ()


def test_an_attempt_that_goes_back_takes_the_place_of_what_it_supersedes(tmp_path):
    loss, follower = curves.mid(300, 0).loss.tolist(), LiveStudy("s", tmp_path)
    log = RunWriter("s", store=tmp_path, run_id="a", max_train_steps=300)
    write(log, loss[:200])
    assert follower.look().alarms[0].alarm.onset_step == pytest.approx(150, abs=3)
    log.finish("interrupted")
    assert follower.look().alarms == ()
    with RunWriter("s", store=tmp_path, run_id="a") as log:
        write(log, loss[:140])
        assert follower.look().alarms == ()
        write(log, [math.nan], 140)
        assert follower.look().alarms[0].alarm.rule == "non-finite"


def test_a_study_of_small_logs_is_judged_anew_for_every_row(tmp_path, log):
    follower, seen = LiveStudy("s", tmp_path), set()
    for step in range(5):
        log.step(step, train_loss=1.0)
        seen |= {follower.look().fingerprint, follower.look().fingerprint}
    assert len(seen) == 5


def test_a_study_of_large_logs_is_judged_anew_for_news_and_a_tenth_more_rows_only(tmp_path, log):
    follower = LiveStudy("s", tmp_path, small=0)
    seen = []

    def is_new():
        seen.append(follower.look().fingerprint)
        return seen[-1] not in seen[:-1]

    write(log, [1.0] * 100)
    assert is_new()
    assert not is_new()
    write(log, [1.0] * int(100 * (GROWTH - 1) - 2), 100)
    assert not is_new()
    write(log, [1.0] * 10, 108)
    assert is_new()
    write(log, [math.nan], 118)
    assert is_new()
    log.update(workload="mlp")
    assert is_new()
    with RunWriter("s", store=tmp_path, run_id="b"):
        assert is_new()
    assert is_new()
    assert not is_new()


def test_an_alarm_names_its_run_and_a_run_that_ended_has_none(tmp_path, log):
    follower = LiveStudy("s", tmp_path)
    write(log, [1.0] * 20 + [math.inf])
    (alarm,) = follower.look().alarms
    assert (alarm.run_id, alarm.name, alarm.alarm.step) == ("a", "first", 20)
    log.finish("diverged")
    assert follower.look().alarms == ()


def test_a_running_run_without_a_record_that_can_be_read_is_passed_over(tmp_path, log):
    follower = LiveStudy("s", tmp_path)
    write(log, [1.0] * 20 + [math.inf])
    content = (log.folder / layout.RUN_FILE).read_bytes()
    (log.folder / layout.RUN_FILE).write_bytes(content[:-5])
    assert follower.look().alarms == ()
    (log.folder / layout.RUN_FILE).write_bytes(content)
    assert follower.look().alarms[0].alarm.step == 20
