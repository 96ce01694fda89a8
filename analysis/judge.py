"""One run, judged: its events, what its log can show of the first steps, its norms and its clipping."""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis import judged_file
from analysis.clipping import measure_run_clipping
from analysis.eval_gaps import judge_early, judge_run
from analysis.grad_norm import measure_grad_norm
from analysis.loss_rise import find_loss_rises, make_curve
from analysis.loss_rise.curve import LossCurve
from analysis.results import Event, RunDiagnosis
from analysis.runlog import Run, RunLogError, layout, schema
from analysis.runlog.store import read_sealed_run
from analysis.stopped import find_stop
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
SOON_POINTS = 9  # of a rise: a jump is at its height in most of them (ours, docs/evidence.md#evaluations)
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


def note_overfitting(run: Run, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Takes slow rises of a log without training losses out of the verdict: overfitting looks the same."""
    if len(run.series(schema.TRAIN_LOSS)[0]):
        return events
    return tuple(
        replace(event, grade="suspected", note="a slow rise of the evaluation loss may be overfitting")
        if event.outcome == "not-recovered" and is_slow(run, event)
        else event
        for event in events
    )


def is_slow(run: Run, event: Event) -> bool:
    """Whether a rise has not reached half its height within the first points."""
    steps, loss = run.loss
    first = int(np.searchsorted(steps, event.onset_step))
    return bool(np.median(loss[first : first + SOON_POINTS]) < event.level_before + event.rise / 2)


class JudgedRuns:
    """Remembers the diagnoses of runs, so that a study that grows is not judged anew at each look.

    Keyed by the run object itself, which never changes: reading a study again gives the same objects for the runs
    that have ended. Those can be kept in a file too, under all that a judgment rests on.
    """

    def __init__(self, path: Path | None = None, most: int = 1024):
        """Takes the file that diagnoses of ended runs are kept in, if any, and how many runs to remember."""
        self._path, self._most = path, most
        self._known: dict[int, RunDiagnosis] = {}  # by id; the diagnosis keeps its run, so no id is used twice
        self._kept = judged_file.read_judged(path) if path else {}
        self._used: dict[str, str] = {}

    def judge(self, run: Run, series: str) -> RunDiagnosis:
        """Returns the diagnosis of a run under a label of its series."""
        known = self._known.get(id(run))
        if known is None or known.run is not run:
            ended = run.record.get(schema.STATUS) != "running"
            known = self._judge_once(run, series) if self._path and ended else judge_one(run, series)
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[id(run)] = known
        return known if known.series == series else replace(known, series=series)

    def _judge_once(self, run: Run, series: str) -> RunDiagnosis:
        key = judged_file.key_of_run(run)
        kept = self._kept.get(key)
        known = judge_one(run, series) if kept is None else judged_file.from_text(kept, run, series)
        self._used[key] = kept or judged_file.to_text(known)
        return known

    def keep(self) -> None:
        """Writes what is new to the file, and leaves out what no run has asked for."""
        if self._path and self._used.keys() - self._kept.keys():
            self._kept = dict(self._used)
            judged_file.write_judged(self._path, self._kept)


def keep_judged(study: str, run_ids: Iterable[str], store: str | os.PathLike | None = None) -> None:
    """Judges runs that have just been sealed, so that the first look at their study finds them judged.

    What cannot be read, and what has left for a store behind a URL, is passed over: a look judges it then.

    Args:
        study: Study of the runs.
        run_ids: The runs.
        store: Folder or URL of the store.
    """
    judged = {}
    for run_id in run_ids:
        with contextlib.suppress(RunLogError, OSError):
            run = read_sealed_run(layout.run_folder(study, run_id, store) / layout.SEALED_FILE)
            judged[judged_file.key_of_run(run)] = judged_file.to_text(judge_one(run, ""))
    if judged:
        judged_file.append_judged(judged_file.kept_path(study, store), judged)


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
    rises = find_loss_rises(curve, norms, planned_changes(run), may_ring(run), run.record.get(schema.RESUMED_AT) or ())
    stuck = find_stuck(curve, run.record.get(schema.BASELINE_LOSS))
    events = note_overfitting(run, rises.events)
    if stuck is not None and not any(event.outcome != "recovered" for event in events):
        events = (*events, stuck)
    stop = find_stop(run, curve)
    if stop is not None and not any(event.grade == "confirmed" for event in events):
        events = (*(event for event in events if event.onset_step < stop.onset_step), stop)
    early, _ = judge_early(run, curve, events)
    verdict = judge_run(early, curve, events)
    return RunDiagnosis(run, series, verdict, early, events, rises.blips, norm, clipping)
