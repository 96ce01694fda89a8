import math

import pytest

from analysis.judge import judge_one
from analysis.runlog import RunLogError, RunWriter, read_study, schema
from runners.config import RunConfig
from runners.guard import StoppedAtRise, watch_for_rises
from runners.plan import MemoryWriter
from runners.train import train

DIVERGES = RunConfig("mlp", "sgd", 1.0, 60)
STEADY = RunConfig("mlp", "momentum", 0.01, 60)


def guard(config, action, writer=None):
    """Trains under the guard; returns the writer that it guarded and the status."""
    writer = writer or MemoryWriter()
    return writer, train(config, watch_for_rises(writer, action, planned_steps=config.total_steps, name="mlp lr=1"))


def test_warn_says_one_line_a_rise_and_the_training_goes_on(capsys):
    writer, status = guard(DIVERGES, "warn")
    lines = capsys.readouterr().err.splitlines()
    assert status == writer.record[schema.STATUS] == "diverged"
    assert [line.split(":")[0] for line in lines] == ["warning"] * 2
    assert "mlp lr=1: early rise at step" in lines[0]
    assert "not finite at step" in lines[1]
    assert not math.isfinite(writer.rows[-1][schema.TRAIN_LOSS])


def test_stop_ends_the_run_after_the_row_is_written_and_puts_the_rise_on_record():
    writer = MemoryWriter()
    with pytest.raises(StoppedAtRise, match=r"^mlp lr=1 was stopped: early rise at step \d+, loss .* by step 3\. .*$"):
        guard(DIVERGES, "stop", writer)
    assert writer.record[schema.STATUS] == "stopped"
    assert writer.record[schema.STOPPED_AT_RISE]["onset_step"] < 4
    assert [row[schema.STEP] for row in writer.rows] == [0, 1, 2, 3]


def test_a_stopped_run_of_the_store_is_sealed_with_its_rows_and_judged_unstable(tmp_path):
    with pytest.raises(StoppedAtRise), RunWriter("guarded", store=tmp_path, **DIVERGES.to_record()) as writer:
        guard(DIVERGES, "stop", writer)
    (run,) = read_study("guarded", tmp_path)
    assert run.record[schema.STATUS] == "stopped"
    assert run.steps.num_rows == 4
    judged = judge_one(run, "all runs")
    assert (judged.verdict, judged.early) == ("unstable", "seen")


def test_a_run_stopped_at_a_non_finite_loss_is_recorded_as_diverged():
    writer = MemoryWriter()
    guarded = watch_for_rises(writer, "stop", planned_steps=10)
    with pytest.raises(StoppedAtRise, match="not finite at step 0"):
        guarded.step(0, **{schema.TRAIN_LOSS: math.inf})
    assert writer.record[schema.STATUS] == "diverged"


def test_a_function_is_called_with_each_alarm_and_decides():
    alarms = []
    _, status = guard(DIVERGES, alarms.append)
    assert status == "diverged"
    assert [alarm.rule for alarm in alarms] == ["sudden", "non-finite"]


def test_a_steady_training_writes_the_same_rows_with_and_without_the_guard(capsys):
    bare = MemoryWriter()
    train(STEADY, bare)
    guarded, status = guard(STEADY, "stop")
    assert status == "finished"
    assert capsys.readouterr().err == ""
    assert [row[schema.TRAIN_LOSS] for row in guarded.rows] == [row[schema.TRAIN_LOSS] for row in bare.rows]
    assert guarded.record == bare.record


def test_the_guard_learns_the_untrained_loss_from_the_facts_of_the_run():
    alarms, losses = [], [2.4, 3.4, 3.5, 3.6, 2.4, 2.3]
    for facts in ({}, {schema.INIT_LOSS_MEAN: 2.4, schema.INIT_LOSS_SD: 0.05}):
        found = []
        writer = watch_for_rises(MemoryWriter(), found.append, planned_steps=100)
        writer.update(**facts)
        for step, loss in enumerate(losses):
            writer.step(step, **{schema.TRAIN_LOSS: loss})
        alarms.append(len(found))
    assert alarms == [0, 1]


def test_rows_without_a_training_loss_pass_through():
    writer = MemoryWriter()
    watch_for_rises(writer, "stop", planned_steps=10).step(0, **{schema.EVAL_LOSS: 1.0})
    assert writer.rows == [{schema.STEP: 0, schema.EVAL_LOSS: 1.0}]


def test_an_action_that_does_not_exist_is_refused():
    with pytest.raises(RunLogError, match=r"no action 'halt' at a rise\. Take one of warn, stop, or a function"):
        watch_for_rises(MemoryWriter(), "halt", planned_steps=10)
