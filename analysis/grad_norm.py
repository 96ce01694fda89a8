"""The gradient norm over all steps of a run, and its outliers. Source: PLAYBOOK P3."""

import numpy as np

from analysis.results import GradNorm
from analysis.runlog import Run, schema

OUTLIER_RATIO = 10.0  # of the median of the run (ours, docs/evidence.md#gradient-outliers)


def measure_grad_norm(run: Run) -> GradNorm | None:
    """Measures the percentiles of the finite norms; None where no norm was logged."""
    _, norm = run.series(schema.GRAD_NORM)
    if not len(norm):
        return None
    finite = norm[np.isfinite(norm)]
    if not len(finite):
        return GradNorm(float("nan"), float("nan"), float("nan"), float("nan"), len(norm))
    p50, p90, p99 = np.percentile(finite, [50, 90, 99])
    return GradNorm(float(p50), float(p90), float(p99), float(finite.max()), int(len(norm) - len(finite)))


def find_skipped(run: Run) -> np.ndarray:
    """Returns the steps whose norm is not finite while the loss is, there and later: skipped by mixed precision.

    A step that a clip rule skipped for its large but finite norm is none of them: that norm is a measurement.
    """
    steps, norm = run.series(schema.GRAD_NORM)
    loss_steps, loss = run.loss
    good = loss_steps[np.isfinite(loss)]
    bad = steps[~np.isfinite(norm)]
    return bad[np.isin(bad, good) & (bad < good[-1])] if len(good) else bad[:0]


def may_have_outliers(norm: GradNorm) -> bool:
    """Whether `find_outliers` may find a step, by what was measured of the run; False is certain."""
    clearly = 0.999 * OUTLIER_RATIO * norm.p50  # p50 and the median there may differ in the last digit
    return norm.num_non_finite > 0 or not norm.max <= clearly


def find_outliers(run: Run) -> np.ndarray:
    """Returns the steps whose norm is non-finite or more than OUTLIER_RATIO times the median of the run.

    Steps that mixed precision skipped are left out: their gradient was not used.
    """
    steps, norm = run.series(schema.GRAD_NORM)
    finite = norm[np.isfinite(norm)]
    if not len(finite):
        return steps
    high = steps[~(norm <= OUTLIER_RATIO * np.median(finite))]
    return np.setdiff1d(high, find_skipped(run))
