from analysis.comparability import compare_runs
from tests.studies import make_run

BASE = {"optimizer": "adam", "base_lr": 0.1, "batch_size": 64, "max_train_steps": 100, "seed": 0}


def compare(**changes):
    """Compares a base run with one that is changed."""
    return compare_runs(make_run([1.0], **BASE), make_run([1.0], **(BASE | changes)))


def test_seeds_alone_are_replicates():
    assert compare(seed=1).verdict == "replicates"


def test_one_changed_factor_can_be_compared():
    found = compare(base_lr=0.3)
    assert (found.verdict, found.differences) == ("one-factor", {"base_lr": (0.1, 0.3)})


def test_two_changed_factors_are_confounded():
    assert compare(base_lr=0.3, optimizer="sgd").verdict == "confounded"


def test_a_changed_batch_size_is_confounded_whatever_else_is_equal():
    found = compare(batch_size=128)
    assert found.verdict == "confounded"
    assert "batch size" in found.reasons[0]


def test_another_budget_is_said():
    assert any("100 and 200 steps" in reason for reason in compare(max_train_steps=200).reasons)
