"""One run, judged: its events, what its log can show of the first steps, its norms and its clipping."""

from dataclasses import replace

import numpy as np

from analysis.clipping import measure_run_clipping
from analysis.eval_gaps import judge_early, judge_run
from analysis.grad_norm import measure_grad_norm
from analysis.loss_rise import find_loss_rises, make_curve
from analysis.loss_rise.curve import LossCurve
from analysis.results import RunDiagnosis
from analysis.runlog import Run, schema
from analysis.stuck import find_stuck


def curve_of(run: Run) -> LossCurve | None:
    """Builds the loss curve of a run with the facts that its record has; None without a finite loss."""
    record = run.record
    steps, loss = run.loss
    planned = (record.get(schema.MAX_TRAIN_STEPS) or 0) + (record.get(schema.WARMUP_STEPS) or 0)
    ended = record.get(schema.STATUS) not in ("running",)
    return make_curve(
        steps,
        loss,
        init_mean=record.get(schema.INIT_LOSS_MEAN),
        init_sd=record.get(schema.INIT_LOSS_SD),
        planned_steps=planned if ended else None,
    )


HEAVY_MOMENTUM = 0.95  # below, oscillations die within tens of steps (ours, docs/evidence.md#ringing)
RESTART = 1.5  # a learning rate that jumps by this factor, back to where it has been (ours)
MOMENTUM_FIELDS = ("gamma", "momentum")


def may_ring(run: Run) -> bool:
    """Whether the optimizer has heavy momentum, or may have: neither rule nor momentum is on record."""
    for name in MOMENTUM_FIELDS:
        value = run.record.get(name)
        if isinstance(value, (int, float)):
            return value >= HEAVY_MOMENTUM
    return not run.record.get(schema.OPTIMIZER)


def planned_changes(run: Run) -> tuple[int, ...]:
    """Returns the steps of planned changes: those on record, and restarts of the learning rate in its log."""
    declared = run.record.get(schema.PLANNED_CHANGES) or ()
    steps, lr = run.series(schema.LR)
    if len(lr) < 3:
        return tuple(declared)
    highest = np.maximum.accumulate(np.nan_to_num(lr))
    jumps = np.flatnonzero((lr[1:] >= RESTART * lr[:-1]) & (lr[1:] > 0) & (highest[:-1] >= 0.9 * lr[1:])) + 1
    return (*declared, *(int(step) for step in steps[jumps]))


class JudgedRuns:
    """Remembers the diagnoses of runs, so that a study that grows is not judged anew at each look.

    Keyed by the run object itself, which never changes: reading a study again gives the same objects for the runs
    that have ended.
    """

    def __init__(self, most: int = 1024):
        self._most = most
        self._known: dict[int, RunDiagnosis] = {}  # by id; the diagnosis keeps its run, so no id is used twice

    def judge(self, run: Run, series: str) -> RunDiagnosis:
        """Returns the diagnosis of a run under a label of its series."""
        known = self._known.get(id(run))
        if known is None or known.run is not run:
            known = judge_one(run, series)
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[id(run)] = known
        return known if known.series == series else replace(known, series=series)


def judge_one(run: Run, series: str) -> RunDiagnosis:
    """Judges one run.

    Args:
        run: The run, finished or not.
        series: Label of its series.

    Returns:
        Events, verdict, what can be said of the first steps, norms and clipping.
    """
    curve = curve_of(run)
    norm, clipping = measure_grad_norm(run), measure_run_clipping(run)
    if curve is None:
        return RunDiagnosis(
            run, series, "unstable" if len(run.loss[0]) else "cannot-tell", "cannot-tell", (), (), norm, clipping
        )
    norms = {name: run.series(name) for name in (schema.GRAD_NORM, schema.UPDATE_NORM) if len(run.series(name)[0])}
    rises = find_loss_rises(curve, norms, planned_changes(run), may_ring(run))
    stuck = find_stuck(curve, run.record.get(schema.BASELINE_LOSS))
    events = rises.events
    if stuck is not None and not any(event.outcome != "recovered" for event in events):
        events = (*events, stuck)
    early, _ = judge_early(run, curve, events)
    verdict = judge_run(early, curve, events)
    return RunDiagnosis(run, series, verdict, early, events, rises.blips, norm, clipping)
