import numpy as np
import pyarrow as pa
import pytest

from analysis.judge import JudgedRuns, judge_one, may_ring, planned_changes
from analysis.runlog import Run, schema
from analysis.runlog.run_building import build_run
from tests import curves
from tests.studies import make_run


def test_a_restart_of_the_learning_rate_is_a_planned_change_and_a_warmup_is_not():
    cosine = 0.05 * (1 + np.cos(np.linspace(0, np.pi, 500)))
    ramp = np.linspace(0, 0.1, 100)
    lr = np.concatenate([ramp, cosine, cosine])
    run = make_run(np.ones(1100), columns={schema.LR: lr})
    assert planned_changes(run) == (600,)


def test_a_loss_that_steps_up_at_a_restart_is_not_called_unstable():
    loss = curves.mid(1200, 0).loss
    cosine = 0.05 * (1 + np.cos(np.linspace(0, np.pi, 600)))
    judged = judge_one(make_run(loss, columns={schema.LR: np.concatenate([cosine, cosine])}), "s")
    assert judged.verdict == "stable"
    assert [event.note for event in judged.events] == ["starts at the planned change at step 600"]


def test_declared_changes_are_taken_from_the_record():
    loss = curves.mid(1200, 0, "not-recovered").loss
    assert judge_one(make_run(loss, planned_changes=[600]), "s").verdict == "stable"
    assert judge_one(make_run(loss), "s").verdict == "unstable"


def resumed(loss, at):
    """Makes a run whose second attempt goes on at step `at`, after an attempt that had gone 20 steps further."""
    steps = np.concatenate([np.arange(at + 20), np.arange(at, len(loss))])
    attempts = np.concatenate([np.ones(at + 20), np.full(len(loss) - at, 2)])
    table = pa.table(
        {
            schema.STEP: steps,
            schema.TRAIN_LOSS: np.asarray(loss, float)[steps],
            schema.ATTEMPT: attempts.astype(np.int64),
        }
    )
    return build_run(table, {schema.RUN_ID: "run", schema.SOURCE: "runner", schema.STATUS: "finished"}, "run")


@pytest.mark.parametrize("outcome", ["recovered", "not-recovered"])
def test_a_rise_at_a_resume_is_noted_and_not_counted(outcome):
    run = resumed(curves.mid(1200, 0, outcome).loss, at=599)
    assert run.record[schema.RESUMED_AT] == (599,)
    judged = judge_one(run, "s")
    assert [event.note for event in judged.events] == [
        "at a resume (step 599): check that optimizer state and data order were restored"
    ]
    assert judged.verdict == "stable"


@pytest.mark.parametrize("at", [500, 590, 700])
def test_a_rise_away_from_a_resume_counts(at):
    judged = judge_one(resumed(curves.mid(1200, 0).loss, at), "s")
    assert judged.verdict == "unstable"
    assert [event.note for event in judged.confirmed] == [""]


def test_a_run_that_is_lost_after_a_resume_counts_and_keeps_the_note():
    judged = judge_one(resumed(curves.mid(1200, 0, "diverged").loss, at=600), "s")
    assert judged.verdict == "unstable"
    assert [event.note.partition(":")[0] for event in judged.confirmed] == ["at a resume (step 600)"]


def test_heavy_momentum_may_ring_and_adam_may_not():
    assert may_ring(make_run([1.0], gamma=0.99))
    assert may_ring(make_run([1.0]))
    assert not may_ring(make_run([1.0], optimizer="adam"))
    assert not may_ring(make_run([1.0], gamma=0.9, optimizer="momentum"))


def test_an_explosion_to_infinity_in_a_few_points_is_unstable():
    loss = np.concatenate([300.0 * 10.0 ** np.arange(30), np.full(600, np.inf)])
    judged = judge_one(make_run(loss, every=10), "s")
    assert judged.verdict == "unstable"
    assert [event.outcome for event in judged.confirmed] == ["diverged"]


def test_a_run_is_judged_once_and_a_run_that_grew_is_judged_again():
    known = JudgedRuns(most=2)
    loss = curves.mid(400, 0, "not-recovered").loss
    short, whole = make_run(loss[:200]), make_run(loss)
    first = known.judge(whole, "a")
    assert known.judge(whole, "a") is first
    assert known.judge(whole, "b").events is first.events
    assert (known.judge(short, "a").verdict, first.verdict) == ("stable", "unstable")
    assert known.judge(make_run(loss), "a").verdict == "unstable"
    assert known.judge(whole, "a").verdict == "unstable"


def of_evaluations(loss):
    """Makes a log that holds evaluation losses only, one every 50 steps."""
    run = make_run(loss, every=50)
    table = run.steps.rename_columns([schema.STEP, schema.EVAL_LOSS])
    return Run(run.record, table, run.log)


def test_a_slow_rise_of_the_evaluation_loss_may_be_overfitting_and_a_jump_is_not():
    share = np.arange(200) / 200
    fall = (0.5 + 1.8 * np.exp(-12 * share)) * (1 + 0.01 * np.random.default_rng(0).normal(size=200))
    slow = judge_one(of_evaluations(fall + np.maximum(share - 0.2, 0)), "s")
    assert (slow.verdict, {event.grade for event in slow.events}) == ("stable", {"suspected"})
    assert judge_one(of_evaluations(fall + 1.0 * (share > 0.5)), "s").verdict == "unstable"
