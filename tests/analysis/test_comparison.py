from dataclasses import replace

import numpy as np
import pytest

from analysis.comparison import compare, compare_series, find_ties
from analysis.findings import diagnose
from analysis.runlog import schema
from tests.studies import make_run, make_study, sweep

EVERY = 10


def run_with(final, seed=0, evaluations=6, lr=None, **record):
    """Makes a run whose evaluations fall to `final` before the last one, which is a third higher."""
    losses = np.linspace(2.0, final, evaluations - 1)
    column = np.full(evaluations * EVERY, np.nan)
    column[EVERY - 1 :: EVERY] = [*losses, final * 4 / 3]
    columns = {schema.EVAL_LOSS: column} | ({} if lr is None else {schema.LR: lr})
    facts = {"optimizer": "adam", "base_lr": 0.1, "batch_size": 64, "max_train_steps": len(column)} | record
    run_id = "-".join(str(value) for value in (*record.values(), seed, final))
    return make_run(np.linspace(2, 1, len(column)), run_id=run_id, columns=columns, seed=seed, **facts)


def compared(*runs):
    return compare(diagnose(make_study(runs)).runs)


def seeds(middle, spread=0.01, count=3, **record):
    return [run_with(middle + spread * (seed - 1), seed, **record) for seed in range(count)]


def test_seeds_make_one_side_and_their_best_checkpoints_are_averaged():
    found = compared(*seeds(0.5, optimizer="adam"), *seeds(0.9, optimizer="sgd"))
    assert [(side.label, len(side.run_ids)) for side in found.sides] == [("optimizer adam", 3), ("optimizer sgd", 3)]
    assert [side.mean for side in found.sides] == pytest.approx([0.5, 0.9])
    assert found.comparability.verdict == "one-factor"
    assert "optimizer adam is lowest, validation loss 0.5 (mean of 3 seeds, 0.49 to 0.51)" in found.sentence
    assert "beyond the spread of the seeds" in found.sentence


def test_the_best_checkpoint_counts_and_not_the_last():
    (side,) = compared(run_with(0.5)).sides
    assert (side.checkpoints[0].eval_loss, side.checkpoints[0].final_loss) == pytest.approx((0.5, 0.5 * 4 / 3))


def test_a_difference_within_the_spread_of_seeds_is_called_none():
    found = compared(*seeds(0.5, 0.1, optimizer="adam"), *seeds(0.55, 0.1, optimizer="sgd"))
    assert "By the spread of the seeds it cannot be told from optimizer sgd" in found.sentence


def test_one_seed_of_each_cannot_be_told_from_luck():
    assert "train at least 3 of each" in compared(run_with(0.5), run_with(0.9, optimizer="sgd")).sentence


def test_confounded_sides_have_no_single_cause_and_batch_sizes_say_to_tune_for_each():
    found = compared(*seeds(0.5, batch_size=64), *seeds(0.9, batch_size=512))
    assert found.comparability.verdict == "confounded"
    assert "tune learning rate and regularisation for each size" in found.reasons[0]
    assert "batch size is no fix" in found.reasons[0]
    assert "no single cause" in found.sentence
    assert "beyond the spread" not in found.sentence


def test_replicates_are_one_side_and_nothing_is_lowest():
    found = compared(*seeds(0.5))
    assert (found.comparability.verdict, len(found.sides)) == ("replicates", 1)
    assert found.sentence.startswith("Best checkpoint of these runs: validation loss 0.5 (mean of 3 seeds")


def test_runs_with_more_evaluations_offer_as_many_as_the_others_and_it_is_said():
    found = compared(run_with(0.5, evaluations=12), run_with(0.9, optimizer="sgd"))
    assert {each.num_considered for side in found.sides for each in side.checkpoints} == {6}
    assert any("Each run offers 6 of its evaluations" in reason for reason in found.reasons)


def test_a_side_without_evaluations_and_a_seed_that_was_lost_are_named():
    silent = make_run(np.ones(60), run_id="silent", optimizer="sgd", base_lr=0.1, batch_size=64, max_train_steps=60)
    lost = run_with(np.nan, seed=7)
    found = compared(run_with(0.5), lost, silent)
    assert any(reason.startswith("Without evaluations") and "optimizer sgd" in reason for reason in found.reasons)
    assert "1 without a finite evaluation" in compared(run_with(0.5), lost).sentence
    assert compared(silent).sentence.endswith("log eval_loss.")


def test_a_warmup_that_was_taken_out_of_training_is_said_with_the_steps_it_needs():
    lr = np.minimum(1.0, np.arange(60) / 20)
    found = compared(run_with(0.5), run_with(0.9, lr=lr, warmup_steps=20))
    assert any(reason.endswith("put its 20 steps in front, 80 in all.") for reason in found.reasons)
    assert found.sides[1].schedule.warmup_from == "taken-from-training"


def test_series_are_compared_each_at_its_own_best_learning_rate_which_is_no_factor():
    runs = [*sweep(9.0, stride="1x1"), *sweep(9.0, lrs=(0.01, 0.03, 0.3, 1.0), stride="2x2")]
    diagnosis = diagnose(make_study(runs))
    found = compare_series(diagnosis, diagnosis.sweeps)
    best = {sweep_.lr_star for sweep_ in diagnosis.sweeps}
    assert len(best) == 2
    assert found.comparability.differences[schema.BASE_LR] != (0.1, 0.1)
    assert found.comparability.verdict == "one-factor"
    assert any("tuned for each" in reason for reason in found.reasons)
    assert [len(side.run_ids) for side in found.sides] == [3, 3]


def test_a_best_learning_rate_at_the_end_of_its_range_is_not_tuned_yet():
    runs = [*sweep(9.0, stride="1x1"), *sweep(9.0, lrs=(0.001, 0.003, 0.01, 0.03), stride="2x2")]
    diagnosis = diagnose(make_study(runs))
    reasons = compare_series(diagnosis, diagnosis.sweeps).reasons
    assert any("stride=2x2, 0.03, lies at the end of its range" in reason for reason in reasons)


def test_learning_rates_that_were_not_swept_stay_a_factor():
    runs = [*sweep(9.0, lrs=(0.1,), stride="1x1"), *sweep(9.0, lrs=(0.3,), stride="2x2")]
    diagnosis = diagnose(make_study(runs))
    assert compare_series(diagnosis, diagnosis.sweeps).comparability.verdict == "confounded"


def test_equal_sides_are_told_apart_in_one_of_twenty_comparisons_at_most():
    rng, apart = np.random.default_rng(0), 0
    pair = compared(*seeds(0.5), *seeds(0.9, optimizer="sgd")).sides
    for _ in range(200):
        noisy = [_with_losses(side, rng.normal(1.0, 0.1, 3)) for side in pair]
        apart += not find_ties(sorted(noisy, key=lambda side: side.mean))
    assert apart <= 0.15 * 200  # the lower of two is tested: twice the share of a side that is named beforehand


def _with_losses(side, losses):
    points = [replace(point, eval_loss=loss) for point, loss in zip(side.checkpoints, losses, strict=True)]
    return replace(side, checkpoints=tuple(points))
