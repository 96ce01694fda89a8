"""Which series differ in what, and the runs of a setting: what several figures choose their runs by."""

from collections.abc import Iterable

from analysis.feasibility import Ending, has_ended, is_too_high, measure_ending, name_objective
from analysis.fix_commands import OPTIMIZER_OPTIONS
from analysis.fix_states import LENGTH
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.series import series_key


def members_of(diagnosis: Diagnosis, sweep: LrSweep) -> list[RunDiagnosis]:
    """Returns the runs that a sweep rests on, ascending in base_lr."""
    ids = {mark.run_id for mark in sweep.runs}
    members = [judged for judged in diagnosis.runs if judged.run.run_id in ids]
    return sorted(members, key=lambda judged: (judged.run.base_lr, judged.run.run_id))


def keys_of_sweeps(diagnosis: Diagnosis) -> dict[str, dict[str, str]]:
    """Returns the metaparameters of every swept series as JSON, by its label; a warmup that is not on record is 0."""
    swept = {mark.run_id for sweep in diagnosis.sweeps for mark in sweep.runs}
    first = {judged.series: judged.run for judged in diagnosis.runs if judged.run.run_id in swept}
    return {series: {schema.WARMUP_STEPS: "0"} | dict(series_key(run)) for series, run in first.items()}


def names_that_differ(one: dict[str, str], other: dict[str, str]) -> set[str]:
    """Returns the metaparameters in which two series differ.

    >>> names_that_differ({"stride": "1"}, {"stride": "2", "width": "8"}) == {"stride", "width"}
    True
    """
    return {name for name in one | other if one.get(name) != other.get(name)}


def kind_of_variant(differing: set[str]) -> int | None:
    """Ranks what makes two series variants of one workload: 0 one of its options, 1 its optimizer, 2 its clipping.

    None: they differ in their warmup or length, which other figures show, in their batch size, or in several factors.
    """
    if not differing or differing & {schema.WARMUP_STEPS, schema.BATCH_SIZE, *LENGTH}:
        return None
    if schema.OPTIMIZER in differing:
        return 1 if differing <= {schema.OPTIMIZER, *OPTIMIZER_OPTIONS} else None
    if all(name.startswith("clip_") for name in differing):
        return 2
    return 0 if len(differing) == 1 else None


def warmup_of(judged: RunDiagnosis) -> int:
    """Returns the length of a run's warmup as its record has it, in steps."""
    return int(judged.run.record.get(schema.WARMUP_STEPS) or 0)


def count_unstable(sweep: LrSweep, runs: Iterable[RunDiagnosis]) -> int:
    """Returns how many runs of a sweep are unstable or infeasible, as `LrSweep` counts them."""
    return sum(judged.verdict == "unstable" or judged.run.run_id in sweep.infeasible for judged in runs)


def rates_of(sweep: LrSweep) -> list[float]:
    """Returns the learning rates of a sweep, ascending."""
    return sorted({mark.base_lr for mark in sweep.runs})


def ended(runs: Iterable[RunDiagnosis]) -> list[RunDiagnosis]:
    """Returns the runs that are over, or had risen before they stopped."""
    return [judged for judged in runs if has_ended(judged) or judged.confirmed]


def hold_apart(runs: list[RunDiagnosis]) -> tuple[dict[str, bool], dict[str, float]]:
    """Says which of several runs hold, and their final losses.

    A run holds where its loss does not rise, and where it does not end far above the best of them.

    Args:
        runs: Runs of one learning rate that may be compared, at least one.

    Returns:
        Whether each holds, and its final loss (NaN or infinite where it is not finite), both by run_id.
    """
    objective = name_objective(runs)
    endings: dict[str, Ending] = {judged.run.run_id: measure_ending(judged, objective) for judged in runs}
    best = min((each.objective for each in endings.values() if not each.reason), default=float("nan"))
    holds = {}
    for judged in runs:
        ending = endings[judged.run.run_id]
        is_bad = ending.reason or judged.confirmed or is_too_high(ending.objective, best, ending.start, 0.0)
        holds[judged.run.run_id] = not is_bad
    return holds, {run_id: ending.objective for run_id, ending in endings.items()}
