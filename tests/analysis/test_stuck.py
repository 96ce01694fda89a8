import numpy as np

from analysis.judge import judge_one
from tests import curves
from tests.studies import make_run

CHANCE = 2.3026


def flat_at(level: float, n: int = 300) -> np.ndarray:
    """Makes a loss that falls to a level in ten steps and stays."""
    rng = np.random.default_rng(0)
    return (level + 3 * np.exp(-np.arange(n) / 2)) * (1 + 0.01 * rng.normal(size=n))


def test_a_run_that_stays_at_chance_is_unstable_with_one_event_without_a_rise():
    judged = judge_one(make_run(flat_at(CHANCE), baseline_loss=CHANCE), "s")
    assert judged.verdict == "unstable"
    assert [(event.rule, event.rise, event.outcome) for event in judged.events] == [("stuck", None, "not-recovered")]


def test_without_the_baseline_loss_a_flat_run_is_not_called_stuck():
    assert judge_one(make_run(flat_at(CHANCE)), "s").events == ()


def test_a_run_that_learns_is_not_stuck():
    loss = curves.decline(300, np.random.default_rng(0))
    assert judge_one(make_run(loss, baseline_loss=CHANCE), "s").verdict == "stable"
