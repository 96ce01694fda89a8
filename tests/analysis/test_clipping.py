import numpy as np
import pytest

from analysis.clipping import choose_clip_threshold, healthy_norms, measure_clipping, measure_run_clipping
from analysis.judge import judge_one
from analysis.runlog import LogDescription, schema
from tests import curves
from tests.studies import make_run


def judged(loss, norm, **record):
    """Judges a run with norms."""
    return judge_one(make_run(loss, columns={schema.GRAD_NORM: norm}, **record), "s")


def test_share_and_multiplier_are_those_of_the_formula():
    found = measure_clipping(np.array([0.5, 1.0, 2.0, 8.0]), 1.0)
    assert found.clipped_fraction == 0.5
    assert found.effective_lr_multiplier == pytest.approx((1 + 1 + 0.5 + 0.125) / 4)
    assert not found.extreme


def test_more_than_half_clipped_is_extreme():
    assert measure_clipping(np.array([2.0, 2.0, 0.5]), 1.0).extreme


def test_a_non_finite_norm_counts_as_clipped_to_nothing():
    found = measure_clipping(np.array([np.inf, np.nan, 0.5, 0.5]), 1.0)
    assert (found.clipped_fraction, found.effective_lr_multiplier) == (0.5, 0.5)


def test_the_threshold_is_the_90th_percentile_of_a_healthy_run():
    norm = np.arange(1.0, 301.0)
    proposal = choose_clip_threshold([judged(curves.decline(300, np.random.default_rng(0)), norm)])
    assert proposal.clip_threshold == pytest.approx(np.percentile(norm, 90))
    assert proposal.num_steps == 300


def test_a_failed_run_gives_no_threshold():
    dead = curves.mid(300, 0, "not-recovered")
    assert len(healthy_norms(judged(dead.loss, np.full(300, 0.1)))) == 0
    assert choose_clip_threshold([judged(dead.loss, np.full(300, 0.1))]) is None


def test_the_steps_of_a_recovered_event_are_left_out():
    answer = curves.mid(600, 0)
    norm = np.where(np.arange(600) < 300, 1.0, 1.0)
    norm[300:315] = 500.0
    kept = healthy_norms(judged(answer.loss, norm))
    assert kept.max() == 1.0


def test_clipped_norms_are_refused():
    log = LogDescription(1, 0, None, "after-clipping", "kept")
    run = make_run(np.ones(100), log=log, columns={schema.GRAD_NORM: np.ones(100)}, clip_threshold=1.0)
    assert measure_run_clipping(run) is None
    assert choose_clip_threshold([judge_one(run, "s")]) is None
