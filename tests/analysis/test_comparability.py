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


def test_another_budget_is_a_factor():
    assert compare(max_train_steps=200).verdict == "one-factor"
    assert compare(max_train_steps=200, base_lr=0.3).verdict == "confounded"


def test_a_learning_rate_that_was_tuned_for_each_is_no_factor():
    runs = (make_run([1.0], **BASE), make_run([1.0], **(BASE | {"base_lr": 0.3, "optimizer": "sgd"})))
    found = compare_runs(*runs, tuned=("base_lr",))
    assert found.verdict == "one-factor"
    assert "base_lr differs because it was tuned for each" in found.reasons[0]


def test_batch_sizes_stay_confounded_although_the_learning_rate_was_tuned_for_each():
    runs = (make_run([1.0], **BASE), make_run([1.0], **(BASE | {"base_lr": 0.3, "batch_size": 128})))
    found = compare_runs(*runs, tuned=("base_lr",))
    assert found.verdict == "confounded"
    assert "tune regularisation and the number of steps for each size" in found.reasons[0]


def test_a_changed_batch_size_says_to_tune_the_learning_rate_for_each_and_that_it_is_no_fix():
    (reason,) = compare(batch_size=128).reasons
    assert "tune learning rate and regularisation for each size" in reason
    assert "no fix" in reason


def test_three_runs_that_differ_in_one_factor_have_a_value_each():
    runs = [make_run([1.0], **(BASE | {"clip_threshold": threshold})) for threshold in (None, 1.0, 2.0)]
    found = compare_runs(*runs)
    assert (found.verdict, found.differences) == ("one-factor", {"clip_threshold": (None, 1.0, 2.0)})


def test_a_run_alone_is_a_replicate():
    assert compare_runs(make_run([1.0], **BASE)).verdict == "replicates"


def test_another_clip_rule_is_one_factor_with_all_that_it_brings():
    adaptive = BASE | {"clip_rule": "autoclip", "clip_percentile": 10.0}
    runs = (make_run([1.0], **BASE, clip_threshold=1.0), make_run([1.0], **adaptive))
    assert compare_runs(*runs).verdict == "one-factor"
    assert compare_runs(make_run([1.0], **BASE, clip_threshold=1.0), make_run([1.0], **adaptive, gamma=0.5)).reasons
