import numpy as np
import pytest

from analysis.checkpoints import find_best_checkpoints
from analysis.runlog import schema
from tests.studies import make_run


def evaluated(run_id, losses, every=10):
    """Makes a run with these evaluation losses, one every `every` steps."""
    column = np.full(len(losses) * every, np.nan)
    column[every - 1 :: every] = losses
    return make_run(np.ones(len(column)), run_id=run_id, columns={schema.EVAL_LOSS: column})


def test_the_best_evaluation_counts_and_not_the_last():
    (best,) = find_best_checkpoints([evaluated("a", [3.0, 1.0, 2.0])])
    assert (best.step, best.eval_loss, best.final_loss) == (19, 1.0, 2.0)


def test_runs_with_more_evaluations_offer_as_many_as_the_one_with_the_fewest():
    losses = [5.0, 0.1, 4.0, 3.0, 3.5, 2.0]
    best = find_best_checkpoints([evaluated("many", losses), evaluated("few", [3.0, 2.5], every=30)])
    assert [checkpoint.num_considered for checkpoint in best] == [2, 2]
    assert best[0].eval_loss == 2.0  # the lucky 0.1 is not among every third


def test_more_evaluations_of_the_same_noise_gain_nothing():
    rng = np.random.default_rng(0)
    gains = []
    for seed in range(200):
        many, few = evaluated(f"many{seed}", rng.normal(size=60)), evaluated(f"few{seed}", rng.normal(size=6))
        first, second = find_best_checkpoints([many, few])
        gains.append(first.eval_loss - second.eval_loss)
    assert np.mean(gains) == pytest.approx(0, abs=0.15)


def test_runs_without_evaluations_have_no_checkpoint():
    assert find_best_checkpoints([make_run([1.0, 2.0])]) == ()
