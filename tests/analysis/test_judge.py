import numpy as np

from analysis.judge import JudgedRuns, judge_one, may_ring, planned_changes
from analysis.runlog import schema
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
