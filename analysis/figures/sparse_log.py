"""Figure 5: the same run logged every step and every k steps, judged by the same rules: is its rise still seen?

Source: PLAYBOOK P4. Of a log of every k steps, steps 0, k, 2k, ... are kept; the record stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.eval_gaps import first_evaluation
from analysis.figures.commands import example_of, probe_command
from analysis.figures.figure import Figure, Missing, make_figure, say_of
from analysis.figures.settings import ended
from analysis.focus import choose_sweep
from analysis.judge import judge_one
from analysis.lr_words import number, say_times
from analysis.results import Diagnosis, Event, RunDiagnosis
from analysis.runlog import Run, schema

NUMBER = "5"
POINTS_AT_LEAST = 10  # ours: of a thinned log
LADDER = (1, 2, 5)  # ours: spacings tried, times powers of ten


@dataclass(frozen=True)
class SparseLook:
    """What the rules say of some runs, had their losses been logged every k steps.

    Attributes:
        every: k.
        runs: The thinned runs, judged.
        num_seen: Runs whose rise is still seen: a confirmed rise that overlaps with theirs.
        num_unstable: Runs that are still called unstable, by whatever rule.
        num_stable: Runs that are called stable, wrongly; of the rest the rules say that they cannot tell.
    """

    every: int
    runs: tuple[RunDiagnosis, ...]
    num_seen: int
    num_unstable: int
    num_stable: int


@dataclass(frozen=True)
class SparseLog:
    """Runs that were logged every step and rose, and what sparser logs of them would show.

    Attributes:
        runs: Seeds of one setting, logged every step, each with a confirmed rise.
        looks: What the rules say of sparser logs, ascending in spacing.
        chosen: The spacing to show first: that of the evaluations, else the first that hides a rise, else the sparsest.
        is_evaluation: Whether that is the spacing of the evaluations.
    """

    runs: tuple[RunDiagnosis, ...]
    looks: tuple[SparseLook, ...]
    chosen: int
    is_evaluation: bool

    @property
    def most_every(self) -> int:
        """The sparsest log that can be asked for."""
        return most_every(self.runs)

    @property
    def seen_up_to(self) -> int:
        """The largest spacing of the ladder up to which every run's rise is still seen; 1 is every step."""
        lost = [look.every for look in self.looks if look.num_seen < len(self.runs)]
        return max((look.every for look in self.looks if not lost or look.every < lost[0]), default=1)


def find_sparse_log(diagnosis: Diagnosis) -> Figure:
    """Finds the seeds of a setting that were logged every step and rose, rather early and recovered."""
    settings: dict[tuple, list[RunDiagnosis]] = {}
    for judged in ended(diagnosis.runs):
        if shows_every_step(judged) and rise_of(judged) is not None:
            settings.setdefault((judged.series, judged.run.base_lr or 0.0), []).append(judged)
    sweep = choose_sweep(diagnosis)
    if not settings:
        return Figure(NUMBER, _missing(diagnosis))
    first = sweep.series if sweep else ""
    runs = min(settings.values(), key=lambda runs: _rank(runs, first))
    result = look_at_ladder(runs)
    return make_figure(NUMBER, result, say_sparse(result, _look_of(result)), runs)


def shows_every_step(judged: RunDiagnosis) -> bool:
    """Whether a run has one loss a step, from the start, and enough of them to be thinned."""
    run, (steps, _) = judged.run, judged.run.loss
    is_single = run.log.averaged_over in (None, 1) and schema.STEP_UNIT not in run.record
    return is_single and len(steps) >= 2 * POINTS_AT_LEAST and steps[0] <= 1 and bool(np.median(np.diff(steps)) == 1)


def rise_of(judged: RunDiagnosis) -> Event | None:
    """Returns the first confirmed rise of a run that has a height, None without one."""
    return next((event for event in judged.confirmed if event.rise is not None), None)


def _rank(runs: Sequence[RunDiagnosis], series: str) -> tuple:
    """Ranks settings: early and over first, the headline's series, most seeds, lowest learning rate."""
    rises = [rise_of(judged) for judged in runs]
    early = sum(rise.kind == "early" for rise in rises) / len(runs)
    over = sum(rise.outcome == "recovered" for rise in rises) / len(runs)
    return early < 0.5, over < 0.5, runs[0].series != series, -len(runs), runs[0].run.base_lr or 0.0, runs[0].run.run_id


def most_every(runs: Sequence[RunDiagnosis]) -> int:
    """Returns the largest k that leaves 10 points of the shortest run."""
    return max(1, min(len(judged.run.loss[0]) for judged in runs) // POINTS_AT_LEAST)


def look_at_ladder(runs: Sequence[RunDiagnosis]) -> SparseLog:
    """Thins runs to every 2, 5, 10, 20, ... steps and to the spacing of their evaluations, and judges them again."""
    most, evaluations = most_every(runs), _evaluation_spacing(runs[0].run)
    ladder = {digit * 10**power for digit in LADDER for power in range(len(str(most))) if 1 < digit * 10**power <= most}
    has_evaluations = 1 < evaluations <= most
    ladder |= {evaluations} if has_evaluations else set()
    looks = tuple(look_every(runs, every) for every in sorted(ladder))
    hiding = [look.every for look in looks if look.num_seen < len(runs)]
    chosen = evaluations if has_evaluations else next(iter(hiding), max(ladder, default=1))
    return SparseLog(tuple(runs), looks, chosen, has_evaluations)


def _evaluation_spacing(run: Run) -> int:
    """Returns the steps between two evaluations, 0 without any."""
    if first_evaluation(run) is None:
        return 0
    steps, _ = run.series(schema.EVAL_LOSS)
    return int(np.median(np.diff(steps))) if len(steps) > 1 else 0


def look_every(runs: Sequence[RunDiagnosis], every: int) -> SparseLook:
    """Judges runs as if their losses had been logged every k steps.

    Args:
        runs: Runs that were logged every step and rose.
        every: k, at least 1.

    Returns:
        What the rules say then.
    """
    thinned = tuple(judge_one(thin_run(judged.run, every), judged.series) for judged in runs)
    seen = sum(is_still_seen(rise_of(full), sparse, every) for full, sparse in zip(runs, thinned, strict=True))
    verdicts = [judged.verdict for judged in thinned]
    return SparseLook(every, thinned, seen, verdicts.count("unstable"), verdicts.count("stable"))


def thin_run(run: Run, every: int) -> Run:
    """Returns a run as a logger writes it that logs at steps 0, k, 2k, ..."""
    keep = run.steps[schema.STEP].to_numpy() % every == 0
    steps = run.steps.filter(keep)
    return Run(
        run.record,
        steps,
        replace(run.log, stride=max(run.log.stride, every), first_step=0 if every > 1 else run.log.first_step),
    )


def is_still_seen(rise: Event, sparse: RunDiagnosis, every: int) -> bool:
    """Whether a thinned run has a confirmed rise over the steps of the full log's, a spacing more on both sides."""
    end = rise.recovery_step if rise.recovery_step is not None else np.inf

    def is_same(event: Event) -> bool:
        last = event.recovery_step if event.recovery_step is not None else np.inf
        return event.rise is not None and event.onset_step <= end + every and last >= rise.onset_step - every

    return any(is_same(event) for event in sparse.confirmed)


def _look_of(result: SparseLog) -> SparseLook:
    return next((look for look in result.looks if look.every == result.chosen), look_every(result.runs, result.chosen))


def say_sparse(result: SparseLog, look: SparseLook) -> str:
    """Says what every step shows and whether a log of every k steps would still show it; without the full stop."""
    rises = [rise_of(judged) for judged in result.runs]
    onset, total = min(rise.onset_step for rise in rises), len(rises)
    lr = result.runs[0].run.base_lr
    where = "" if lr is None else f" at learning rate {number(lr)}"
    said = f"Logged every step, the loss{where} rises {_say_height(rises)}from step {onset:,}{_say_over(rises)}"
    if look.every == 1:
        return f"{said}, in {say_of(total, total)}"
    times = " as the evaluations come," if result.is_evaluation and look.every == result.chosen else ""
    thinned = f"logged every {look.every:,} steps,{times}"
    if look.num_seen == total:
        return f"{said}; {thinned} that rise is still seen in {say_of(total, total)}"
    seen = "none" if look.num_seen == 0 else f"{look.num_seen}"
    return f"{said}; {thinned} that rise is seen in {seen} of {total} run{'s' * (total != 1)}{_say_rest(look)}"


def _say_height(rises: Sequence[Event]) -> str:
    ratios = [
        (rise.level_before + rise.rise) / rise.level_before
        for rise in rises
        if rise.level_before and rise.level_before > 0
    ]
    return f"to {say_times(max(ratios))} times its level " if ratios else ""


def _say_over(rises: Sequence[Event]) -> str:
    over = [rise.recovery_step for rise in rises]
    if None in over:
        return " and does not come back" if set(over) == {None} else ""
    return f" and is over by step {max(over):,}"


def _say_rest(look: SparseLook) -> str:
    """Says what the rules say of the thinned runs."""
    total = len(look.runs)
    unsure = total - look.num_unstable - look.num_stable
    by_end = look.num_unstable - look.num_seen
    parts = [
        f"{by_end} {_is(by_end)} called unstable for other reasons" * (by_end > 0),
        f"{look.num_stable} {_is(look.num_stable)} called stable" * (look.num_stable > 0),
        f"of {unsure} the log cannot tell" * (unsure > 0),
    ]
    said = [part for part in parts if part]
    return f": {' and '.join(said)}" if said else ""


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _missing(diagnosis: Diagnosis) -> Missing:
    sweep = choose_sweep(diagnosis)
    run = example_of(diagnosis, sweep)
    every = [judged for judged in diagnosis.runs if shows_every_step(judged)]
    if every:
        reason = (
            f"No run that was logged every step has a rise that sparse logging could hide ({len(every)} looked at)."
        )
    else:
        reason = "It needs a run that was logged every step from the start, and rises."
    return Missing(reason, probe_command(diagnosis, run, sweep.lr_star if sweep else None))
