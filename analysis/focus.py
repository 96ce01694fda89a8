"""What a picture of a study looks at: which sweep, which control, which learning rates, which steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.eval_gaps import first_evaluation
from analysis.results import Diagnosis, Event, LrSweep, RunDiagnosis
from analysis.runlog import schema

MULTIPLES = (5.0, 10.0)  # PLAYBOOK P5: double check at 5x or 10x the best
NEAR = (0.6, 1.7)  # ours: a tried learning rate a third of a decade off still shows what 5x or 10x does
EARLY_WINDOW, EARLY_CONTEXT = 32, 5  # steps; and recovery times this (ours: the event fills a fifth of the picture)
MIN_SHARED_LRS = 2  # ours: fewer learning rates in common are no control


@dataclass(frozen=True)
class Band:
    """A stretch of steps in which the loss of at least one run went up.

    Attributes:
        first_step: Onset.
        last_step: Recovery, or end of the picture.
        times: Largest ratio of the peak to the level before.
        num_runs: Runs with such an event.
        kind: "early" or "mid-training".
        cost_steps: Most steps that one of the events cost.
        is_over: Whether every one of the runs came back.
    """

    first_step: int
    last_step: int
    times: float
    num_runs: int
    kind: str
    cost_steps: int = 0
    is_over: bool = True


def choose_sweep(diagnosis: Diagnosis, series: str | None = None) -> LrSweep | None:
    """Chooses the sweep that the first picture shows: the series asked for, else that of the headline.

    The headline speaks of a sweep at the edge, else of the largest that has enough runs.
    """
    by_series = {sweep.series: sweep for sweep in diagnosis.sweeps}
    edges = [sweep for sweep in diagnosis.sweeps if sweep.at_edge]
    enough = [sweep for sweep in diagnosis.sweeps if sweep.verdict != "not-enough-runs"]
    return by_series.get(series) or next(iter(edges or enough or diagnosis.sweeps), None)


def choose_control(diagnosis: Diagnosis, sweep: LrSweep) -> LrSweep | None:
    """Chooses the sweep to compare with: most learning rates in common, then most stable; None without one."""
    own = {run.base_lr for run in sweep.runs}

    def common(other: LrSweep) -> int:
        return len(own & {run.base_lr for run in other.runs})

    others = [other for other in diagnosis.sweeps if other.series != sweep.series and common(other) >= MIN_SHARED_LRS]
    return max(others, key=lambda other: (common(other), other.unstable_base_lr is None), default=None)


def runs_of(diagnosis: Diagnosis, sweep: LrSweep, lrs: Sequence[float] | None = None) -> list[RunDiagnosis]:
    """Returns the judged runs of a sweep, of the learning rates asked for, ascending in base_lr."""
    ids = {run.run_id for run in sweep.runs if lrs is None or run.base_lr in lrs}
    return sorted((j for j in diagnosis.runs if j.run.run_id in ids), key=lambda j: (j.run.base_lr, j.run.run_id))


def lrs_around(sweep: LrSweep) -> tuple[float, ...]:
    """Returns the learning rates to look at: lr_star, the next above, and the nearest to 5 and 10 times lr_star."""
    tried = sorted({run.base_lr for run in sweep.runs})
    if sweep.lr_star is None:
        return tuple(tried[:3])
    above = [lr for lr in tried if lr > sweep.lr_star]
    chosen = {sweep.lr_star, *above[:1]}
    for multiple in MULTIPLES:
        target = multiple * sweep.lr_star
        near = [lr for lr in above if NEAR[0] < lr / target < NEAR[1]]
        chosen |= {min(near, key=lambda lr: abs(np.log(lr / target)))} if near else set()
    return tuple(sorted(chosen))


def has_axis(sweep: LrSweep | None) -> bool:
    """Whether a sweep has at least two learning rates to compare."""
    return sweep is not None and len({run.base_lr for run in sweep.runs}) > 1


def first_lrs(sweep: LrSweep) -> tuple[float, ...]:
    """Returns the learning rates of the first picture: lr_star, and the first unstable one or else the next above."""
    if sweep.lr_star is None:
        return lrs_around(sweep)[:2]
    above = sorted(run.base_lr for run in sweep.runs if run.base_lr > sweep.lr_star)
    return tuple(dict.fromkeys((sweep.lr_star, *([sweep.unstable_base_lr] if sweep.unstable_base_lr else above[:1]))))


def pair_of_lrs(sweep: LrSweep, control: LrSweep) -> tuple[float, float] | None:
    """Returns a low and a high learning rate that both variants were trained at; None without two.

    The low one is the highest that is stable for both, the high one the lowest that is unstable for one of them.
    """
    shared = sorted({run.base_lr for run in sweep.runs} & {run.base_lr for run in control.runs})
    edges = [lr for lr in (sweep.unstable_base_lr, control.unstable_base_lr) if lr is not None]
    high = [lr for lr in shared if edges and lr >= min(edges)] or shared[-1:]
    low = [lr for lr in shared if lr < high[0]] if high else []
    return (low[-1], high[0]) if low else None


def choose_window(runs: Sequence[RunDiagnosis]) -> tuple[int, int]:
    """Chooses the steps that show the finding: the first 32 or so for an early event, the whole run otherwise."""
    end = max((int(judged.run.loss[0][-1]) for judged in runs if len(judged.run.loss[0])), default=1)
    events = [event for judged in runs for event in judged.confirmed if event.rise is not None]
    if not events or any(event.kind != "early" for event in events):
        return 0, end
    over = [event.recovery_step for event in events if event.recovery_step is not None]
    last = max(over or [event.peak_step or event.onset_step for event in events])
    return 0, min(end, max(EARLY_WINDOW, EARLY_CONTEXT * last))


def event_bands(runs: Sequence[RunDiagnosis], window: tuple[int, int]) -> tuple[Band, ...]:
    """Merges the confirmed events of runs into bands that do not overlap, in the order of their steps."""
    spans: list[Band] = []
    for event in sorted((e for judged in runs for e in judged.confirmed), key=lambda e: e.onset_step):
        if event.rise is None or event.onset_step > window[1]:
            continue
        band = _band(event, window[1])
        if spans and band.first_step <= spans[-1].last_step:
            spans[-1] = _merge(spans[-1], band)
        else:
            spans.append(band)
    return tuple(band for band in spans if band.last_step >= window[0])


def _band(event: Event, end: int) -> Band:
    last = event.recovery_step if event.recovery_step is not None else end
    before = event.level_before or 0.0
    times = (before + event.rise) / before if before > 0 else float("nan")
    is_over = event.recovery_step is not None
    return Band(event.onset_step, min(last, end), times, 1, event.kind, event.cost_steps, is_over)


def _merge(one: Band, other: Band) -> Band:
    times = float(np.fmax(one.times, other.times))
    kind = one.kind if one.kind == other.kind else "mid-training"
    last, num_runs = max(one.last_step, other.last_step), one.num_runs + other.num_runs
    cost_steps, is_over = max(one.cost_steps, other.cost_steps), one.is_over and other.is_over
    return Band(one.first_step, last, times, num_runs, kind, cost_steps, is_over)


def start_loss(runs: Sequence[RunDiagnosis]) -> float | None:
    """Returns the median first finite loss of runs that were logged from step 0 or 1; None without one."""
    starts = [j.run.loss[1][0] for j in runs if len(j.run.loss[0]) and j.run.loss[0][0] <= 1]
    finite = [value for value in starts if np.isfinite(value)]
    return float(np.median(finite)) if finite else None


def evaluation_steps(runs: Sequence[RunDiagnosis], window: tuple[int, int]) -> tuple[int, ...]:
    """Returns the steps inside the window at which the first of the runs with evaluations was evaluated."""
    for judged in runs:
        if first_evaluation(judged.run) is not None:
            steps, _ = judged.run.series(schema.EVAL_LOSS)
            return tuple(int(step) for step in steps if max(window[0], 1) <= step <= window[1])
    return ()


def median_objectives(sweep: LrSweep) -> pd.DataFrame:
    """Returns one row per learning rate with feasible runs: base_lr, value (median objective), ascending in base_lr."""
    rows = [(run.base_lr, run.objective) for run in sweep.runs if run.state != "infeasible"]
    table = pd.DataFrame(rows, columns=[schema.BASE_LR, "value"]).astype(float)
    return table.groupby(schema.BASE_LR, as_index=False)["value"].median()
