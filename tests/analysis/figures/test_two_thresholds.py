"""Figure 9: two clip thresholds, one too aggressive."""

import numpy as np
import pytest

from analysis.clipping import measure_clipping
from analysis.runlog import LogDescription, schema
from tests import curves
from tests.analysis.figures.known import figures_of, norms
from tests.studies import make_run


def test_the_better_threshold_is_the_90th_percentile_and_the_other_clips_three_quarters():
    figure = figures_of([norms(base_lr=0.1, seed=0)])["9"]
    result = figure.result
    assert result.better.clip_threshold == pytest.approx(900.1)
    assert result.better.clipped_fraction == pytest.approx(0.1)
    assert result.aggressive.clip_threshold == pytest.approx(250.75)
    assert result.aggressive.clipped_fraction == pytest.approx(0.75)
    assert figure.caption == (
        "A clip threshold of 251 would clip 75% of the updates and is too aggressive; "
        "900, percentile 90 of the healthy steps, clips 10% (1 seed)."
    )


def test_an_extreme_threshold_that_a_run_was_trained_with_is_the_aggressive_one():
    clipped = norms(run_id="clipped", base_lr=0.1, seed=0, clip_threshold=20.0)
    figure = figures_of([norms(base_lr=0.1, seed=0), clipped])["9"]
    assert figure.result.from_study
    assert figure.result.aggressive.clip_threshold == 20.0
    assert "A clip threshold of 20, which a run was trained with, would clip 98% of the updates" in figure.caption


def test_shares_are_given_over_all_seeds_at_that_learning_rate():
    one, other = norms(run_id="a", base_lr=0.1, seed=0), norms(run_id="b", base_lr=0.1, seed=1)
    doubled = make_run(one.loss[1], columns={schema.GRAD_NORM: 2 * one.series(schema.GRAD_NORM)[1]}, **one.record)
    figure = figures_of([doubled, other])["9"]
    assert figure.seeds == (2, 2)
    low, high = figure.result.shares[1]
    wide = measure_clipping(doubled.series(schema.GRAD_NORM)[1], figure.result.better.clip_threshold)
    assert (low, high) == (pytest.approx(0.1), pytest.approx(wide.clipped_fraction))
    assert "clips 10% to 55% (2 seeds)." in figure.caption


def test_scaling_all_norms_scales_the_thresholds_and_leaves_the_shares():
    run = norms(base_lr=0.1)
    scaled = make_run(run.loss[1], columns={schema.GRAD_NORM: 8 * run.series(schema.GRAD_NORM)[1]}, **run.record)
    one, other = (figures_of([each])["9"].result for each in (run, scaled))
    assert other.better.clip_threshold == pytest.approx(8 * one.better.clip_threshold)
    assert other.shares == one.shares


def test_without_norms_from_before_clipping_it_says_why():
    loss = curves.decline(200, np.random.default_rng(0))
    assert "No gradient norm was logged" in figures_of([make_run(loss, base_lr=0.1)])["9"].result.reason
    after = LogDescription(1, 0, None, "after-clipping", "kept")
    run = make_run(loss, columns={schema.GRAD_NORM: np.ones(200)}, log=after, base_lr=0.1)
    assert "from after clipping" in figures_of([run])["9"].result.reason
    short = make_run(loss[:30], columns={schema.GRAD_NORM: np.ones(30)}, base_lr=0.1)
    assert "50 healthy steps" in figures_of([short])["9"].result.reason


def test_norms_that_are_all_the_same_have_no_threshold_that_clips_too_much():
    run = make_run(curves.decline(200, np.random.default_rng(0)), columns={schema.GRAD_NORM: np.ones(200)}, base_lr=0.1)
    assert not figures_of([run])["9"].applies
