"""The numbers behind a verdict: a series at its edge beside a control, at the same learning rates."""

from collections.abc import Callable, Sequence

import numpy as np

from analysis.focus import runs_of, start_loss
from analysis.lr_words import number, say_times
from analysis.results import Diagnosis, LrSweep, RunDiagnosis

Row = tuple[str, str, str]


def compare_sweeps(diagnosis: Diagnosis, sweep: LrSweep, control: LrSweep | None) -> list[Row]:
    """Compares a series with a control at lr_star and at the learning rate where it becomes unstable.

    Args:
        diagnosis: The study, judged.
        sweep: The series.
        control: The other series, None for none.

    Returns:
        One row per fact: its name, its value in the series, its value in the control ("not trained" where it has no
        run at that learning rate).
    """
    if sweep.lr_star is None:
        return []
    above = sorted(run.base_lr for run in sweep.runs if run.base_lr > sweep.lr_star)
    high = sweep.unstable_base_lr or next(iter(above), None)
    rows: list[Row] = []
    for lr in dict.fromkeys((high, sweep.lr_star)):
        if lr is None:
            continue
        pair = [runs_of(diagnosis, each, [lr]) if each else [] for each in (sweep, control)]
        if lr == high:
            rows.append((f"Peak loss over start, at {number(lr)}", *(_say(_peaks(runs), say_times) for runs in pair)))
            rows.append(
                (f"Largest gradient norm, at {number(lr)}", *(_say(_largest_norms(runs)[-1:]) for runs in pair))
            )
    for lr in dict.fromkeys((sweep.lr_star, high)):
        if lr is not None:
            pair = [_finals(each, lr) if each else [] for each in (sweep, control)]
            rows.append((f"Median final loss, at {number(lr)}", *(_say(_middle(finals)) for finals in pair)))
    return rows


def _peaks(runs: Sequence[RunDiagnosis]) -> list[float]:
    """Returns the highest loss over the start of each run, ascending."""
    peaks = []
    for judged in runs:
        start, (_, loss) = start_loss([judged]), judged.run.loss
        if start is not None and start > 0:
            peaks.append(float(np.max(np.where(np.isfinite(loss), loss, np.inf))) / start)
    return sorted(peaks)


def _largest_norms(runs: Sequence[RunDiagnosis]) -> list[float]:
    return sorted(np.inf if j.grad_norm.num_non_finite else j.grad_norm.max for j in runs if j.grad_norm is not None)


def _finals(sweep: LrSweep, lr: float) -> list[float]:
    return [run.objective if np.isfinite(run.objective) else np.inf for run in sweep.runs if run.base_lr == lr]


def _middle(values: list[float]) -> list[float]:
    return [float(np.median(values))] if values else []


def _say(values: Sequence[float], say: Callable[[float], str] = number) -> str:
    """Returns a range of values in three digits: "2.1 to 2.9"."""
    if not len(values):
        return "not trained"
    ends = [say(value) if np.isfinite(value) else "not finite" for value in (values[0], values[-1])]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
