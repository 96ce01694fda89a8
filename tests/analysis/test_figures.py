"""The playbook's figures as curves: what the caption says must be the verdict."""

import numpy as np

from analysis.clipping import measure_clipping
from analysis.findings import diagnose
from analysis.judge import judge_one
from analysis.runlog import schema
from tests import curves
from tests.studies import make_run, make_study, sweep

LRS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def sweeps_of(*runs):
    """Diagnoses runs and returns their sweeps by label."""
    return {found.series: found for found in diagnose(make_study([run for group in runs for run in group])).sweeps}


def test_figure_4_the_changed_stride_moves_the_edge_left_and_leaves_low_rates_alone():
    found = sweeps_of(sweep(0.3, LRS, stride="1x1"), sweep(1e9, LRS, best=0.3, stride="2x2"))
    assert found["stride=1x1"].verdict == "edge"
    assert found["stride=2x2"].verdict != "edge"
    assert found["stride=1x1"].lr_star < found["stride=2x2"].lr_star


def test_figure_5_every_step_shows_what_a_sparse_schedule_hides():
    loss = 6.0 * (np.arange(50_000) + 20.0) ** -0.1
    loss *= 1 + 0.03 * np.random.default_rng(0).normal(size=len(loss))
    loss[1:12] = 100 * np.exp(-(np.arange(11) ** 2) / 30)
    assert judge_one(make_run(loss), "s").early == "seen"
    sparse = judge_one(make_run(loss[999::1000], every=1000, first_step=999), "s")
    assert (sparse.early, sparse.verdict) == ("cannot-tell", "cannot-tell")
    averaged = loss.reshape(-1, 500).mean(axis=1)
    assert judge_one(make_run(averaged, every=500, first_step=500, averaged_over=500), "s").early == "cannot-tell"


def test_figure_6_too_short_a_warmup_breaks_as_the_ramp_ends():
    rng = np.random.default_rng(1)
    loss = curves.decline(4000, rng, start=8.0, end=4.0)
    loss[400:] = np.maximum(loss[400:], 7.0 * (1 + 0.02 * rng.normal(size=3600)))
    judged = judge_one(make_run(loss, warmup_steps=500, max_train_steps=3500), "s")
    assert [(event.kind, event.outcome) for event in judged.confirmed] == [("early", "not-recovered")]
    assert abs(judged.confirmed[0].onset_step - 400) <= 5


def test_figure_7a_the_best_rate_sits_at_the_edge():
    (found,) = sweeps_of(sweep(0.3, LRS)).values()
    assert found.at_edge
    assert found.unstable_bracket == (0.1, 0.3)


def test_figure_7b_a_sudden_rise_after_a_steady_decline_does_not_come_back():
    steps = np.arange(0, 50_000, 100)
    loss = 2.28 + 8.1 * np.exp(-steps / 1500)
    rise = (steps >= 10_000) & (steps < 11_000)
    loss[rise] += 1.75 * (steps[rise] - 10_000) / 1000
    loss[steps >= 11_000] = 3.2 + 0.8 * np.exp(-(steps[steps >= 11_000] - 11_000) / 8000)
    loss *= 1 + 0.02 * np.random.default_rng(2).normal(size=len(loss))
    judged = judge_one(make_run(loss, every=100), "s")
    assert [(event.kind, event.outcome) for event in judged.confirmed] == [("mid-training", "not-recovered")]
    assert abs(judged.confirmed[0].onset_step - 10_000) <= 500


def test_figure_8_with_warmup_the_edge_moves_right_and_the_star_with_it():
    found = sweeps_of(sweep(0.1, LRS, best=0.03, warmup_steps=0), sweep(1.0, LRS, best=0.3, warmup_steps=1000))
    before, after = found["warmup_steps=0"], found["warmup_steps=1000"]
    assert before.verdict == after.verdict == "edge"
    assert before.unstable_base_lr < after.unstable_base_lr
    assert before.lr_star < after.lr_star


def test_figure_9_one_threshold_is_too_aggressive_and_one_clips_the_outliers_only():
    rng = np.random.default_rng(3)
    norm = 8 * np.exp(0.3 * rng.normal(size=2000))
    norm[:10] = 1e4
    run = make_run(curves.decline(2000, rng), columns={schema.GRAD_NORM: norm}, base_lr=0.1, clip_threshold=1.0)
    judged = judge_one(run, "s")
    assert judged.clipping.extreme
    assert not measure_clipping(norm, judged.grad_norm.p90).extreme
    assert diagnose(make_study([run])).finding("gradient-outliers").outcome == "found"
