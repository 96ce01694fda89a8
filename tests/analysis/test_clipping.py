import numpy as np
import pytest

from analysis.clipping import choose_clip_threshold, healthy_norms, measure_clipping, measure_run_clipping
from analysis.judge import judge_one
from analysis.phases import PhaseShares, split_phases
from analysis.published import publish_clipping
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


def test_the_logged_multiplier_is_believed_before_the_threshold():
    columns = {schema.GRAD_NORM: np.full(100, 9.0), schema.CLIP_MULTIPLIER: np.where(np.arange(100) < 5, 0.5, 1.0)}
    found = measure_run_clipping(make_run(np.ones(100), columns=columns, clip_threshold=1.0))
    assert (found.clip_threshold, found.clipped_fraction) == (1.0, 0.05)
    assert found.effective_lr_multiplier == pytest.approx(0.975)


def test_an_adaptive_rule_is_measured_by_phase_without_a_threshold():
    multiplier = np.ones(100)
    multiplier[[0, 1, 2, 3, 4, 50, 99]] = 0.0
    run = make_run(np.ones(100), columns={schema.CLIP_MULTIPLIER: multiplier}, clip_rule="skip_sigma")
    found = measure_run_clipping(run)
    assert found.clip_threshold is None
    assert found.clipped_fraction_by_phase == PhaseShares(early=0.5, middle=1 / 80, late=0.1)


def test_a_run_without_multipliers_has_shares_by_phase_of_its_planned_steps():
    norm = np.where(np.arange(150) < 10, 5.0, 1.0)
    run = make_run(np.ones(150), columns={schema.GRAD_NORM: norm}, clip_threshold=2.0, max_train_steps=200)
    assert measure_run_clipping(run).clipped_fraction_by_phase == PhaseShares(early=0.5, middle=0.0, late=None)


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


def test_the_published_clipping_names_every_phase():
    norm = np.where(np.arange(100) < 5, 5.0, 1.0)
    phases = split_phases(np.arange(100), 200)
    assert publish_clipping(measure_clipping(norm, 2.0, phases)) == {
        "clip_threshold": 2.0,
        "clipped_fraction": 0.05,
        "effective_lr_multiplier": pytest.approx(0.97),
        "extreme": False,
        "clipped_fraction_by_phase": {"early": 0.25, "middle": 0.0, "late": None},
    }
    assert publish_clipping(None) is None
