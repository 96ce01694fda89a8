"""Runs or series beside each other at their best checkpoints: first whether they may be compared, then the numbers.

Source: PLAYBOOK P7 (retrospective best checkpoint, prepended warmup) and P10 (batch size).
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.checkpoints import Checkpoint, find_best_checkpoints
from analysis.comparability import NOT_A_FACTOR, Comparability, compare_runs
from analysis.focus import runs_of
from analysis.lr_words import number
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.schedule import Schedule, read_schedule

TIE_ALPHA = 0.05  # of all tests that tell sides from the best one (ours, as on the learning-rate axis)


@dataclass(frozen=True)
class Side:
    """Runs that differ in the seed only.

    Attributes:
        label: What tells it from the other sides.
        run_ids: Its runs.
        checkpoints: Best checkpoint of each of its runs that was evaluated.
        schedule: Schedule of its first run; None where no learning rate was logged.
    """

    label: str
    run_ids: tuple[str, ...]
    checkpoints: tuple[Checkpoint, ...]
    schedule: Schedule | None

    @property
    def losses(self) -> np.ndarray:
        """Finite losses of the best checkpoints, ascending."""
        losses = np.array([checkpoint.eval_loss for checkpoint in self.checkpoints])
        return np.sort(losses[np.isfinite(losses)])

    @property
    def mean(self) -> float:
        """Mean loss of the best checkpoints over seeds, NaN without any."""
        return float(self.losses.mean()) if len(self.losses) else math.nan


@dataclass(frozen=True)
class Comparison:
    """Sides beside each other.

    Attributes:
        comparability: Whether they may be compared; differences hold one value a side.
        reasons: What to keep in mind, comparability's own first.
        sides: The sides, in the order of their first runs.
        sentence: What the best checkpoints say, and what they cannot.
    """

    comparability: Comparability
    reasons: tuple[str, ...]
    sides: tuple[Side, ...]
    sentence: str


def compare_series(diagnosis: Diagnosis, sweeps: Sequence[LrSweep]) -> Comparison:
    """Compares series, each at its own lr_star: a learning rate that was swept for each is no factor.

    Args:
        diagnosis: The study, judged.
        sweeps: At least one sweep, each with an lr_star.

    Returns:
        The comparison of the runs at lr_star, means over seeds.
    """
    runs = [judged for sweep in sweeps for judged in runs_of(diagnosis, sweep, [sweep.lr_star])]
    is_tuned = all(sweep.verdict != "not-enough-runs" for sweep in sweeps)
    ends = tuple(
        f"The best learning rate of {sweep.series}, {number(sweep.lr_star)}, lies at the end of its range: "
        "it is not tuned yet."
        for sweep in sweeps
        if sweep.at_range_end
    )
    return compare(runs, (schema.BASE_LR,) if is_tuned else (), ends)


def compare(runs: Sequence[RunDiagnosis], tuned: Collection[str] = (), reasons: tuple[str, ...] = ()) -> Comparison:
    """Compares runs at their best checkpoints; runs that differ in the seed only make one side.

    Args:
        runs: At least one run.
        tuned: Metaparameters that were tuned for each side by itself.
        reasons: More to keep in mind.

    Returns:
        Verdict, sides and sentence.
    """
    groups: dict[tuple, list[RunDiagnosis]] = {}
    for judged in runs:
        groups.setdefault((judged.series, judged.run.base_lr), []).append(judged)
    first = [members[0].run for members in groups.values()]
    comparability = compare_runs(*first, tuned=tuned)
    checkpoints = {each.run_id: each for each in find_best_checkpoints([judged.run for judged in runs])}
    sides = []
    for label, members in zip(name_sides(comparability, len(first)), groups.values(), strict=True):
        ids = tuple(judged.run.run_id for judged in members)
        found = tuple(checkpoints[run_id] for run_id in ids if run_id in checkpoints)
        sides.append(Side(label, ids, found, read_schedule(members[0].run)))
    said = (*comparability.reasons, *reasons, *warmup_reasons(sides), *evaluation_reasons(sides))
    return Comparison(comparability, said, tuple(sides), " ".join(say_best(comparability, sides)))


def name_sides(comparability: Comparability, count: int) -> list[str]:
    """Names each side by what differs: "stride 1x1, base lr 0.1"."""
    factors = {name: pair for name, pair in comparability.differences.items() if name not in NOT_A_FACTOR}
    names = [
        ", ".join(f"{name.replace('_', ' ')} {say(pair[i])}" for name, pair in factors.items()) for i in range(count)
    ]
    return [name or "these runs" for name in names]


def say(value: object) -> str:
    """Returns the value of a metaparameter as a person writes it; "none" for an absent one."""
    if value is None:
        return "none"
    return number(value) if isinstance(value, float) else str(value)


def warmup_reasons(sides: Sequence[Side]) -> list[str]:
    """Names the sides whose warmup shortened their training (PLAYBOOK P7)."""
    taken = [side for side in sides if side.schedule is not None and side.schedule.warmup_from == "taken-from-training"]
    return [
        f"The warmup of {side.label} was taken out of its training: put its {side.schedule.warmup_steps:,} steps in "
        f"front, {side.schedule.total_steps + side.schedule.warmup_steps:,} in all."
        for side in taken
    ]


def evaluation_reasons(sides: Sequence[Side]) -> list[str]:
    """Says which sides were never evaluated, and how many evaluations each run offers."""
    checkpoints = [checkpoint for side in sides for checkpoint in side.checkpoints]
    blind = [side.label for side in sides if not side.checkpoints] if checkpoints else []
    said = [f"Without evaluations, and so without a best checkpoint: {'; '.join(blind)}."] if blind else []
    if any(each.num_considered < each.num_evaluations for each in checkpoints):
        said.append(
            f"Each run offers {checkpoints[0].num_considered:,} of its evaluations, evenly spaced: as many as the run "
            "with the fewest has."
        )
    return said


def say_best(comparability: Comparability, sides: Sequence[Side]) -> list[str]:
    """Says which side is lowest and what that is worth."""
    known = sorted((side for side in sides if len(side.losses)), key=lambda side: side.mean)
    if not known:
        return ["No run has a finite evaluation, so there is no best checkpoint to compare: log eval_loss."]
    best = known[0]
    if len(known) == 1:
        return [f"Best checkpoint of {best.label}: validation loss {say_losses(best)}."]
    others = "; ".join(f"{side.label}: {say_losses(side)}" for side in known[1:])
    said = [f"At the best checkpoints {best.label} is lowest, validation loss {say_losses(best)}. {others}."]
    if comparability.verdict == "confounded":
        return [*said, "The difference has no single cause: the comparison is confounded."]
    ties = find_ties(known)
    if ties is None:
        return [*said, "Too few seeds to tell the difference from luck: train at least 3 of each."]
    if ties:
        return [*said, f"By the spread of the seeds it cannot be told from {'; '.join(side.label for side in ties)}."]
    return [*said, "The difference is beyond the spread of the seeds."]


def say_losses(side: Side) -> str:
    """Returns the mean of a side with its range: "0.12 (mean of 3 seeds, 0.11 to 0.13)"."""
    count, lost = len(side.losses), len(side.run_ids) - len(side.losses)
    seeds = f"mean of {count} seeds, {number(side.losses[0])} to {number(side.losses[-1])}" if count > 1 else "1 run"
    return f"{number(side.mean)} ({seeds}{f'; {lost} without a finite evaluation' * bool(lost)})"


def find_ties(sides: Sequence[Side]) -> list[Side] | None:
    """Returns the sides that the spread of seeds cannot tell from the first; None where it is not known.

    Pooled standard deviation; one-sided t quantile at TIE_ALPHA / (number of sides - 1).

    Args:
        sides: At least two, lowest mean first.
    """
    from scipy.special import stdtrit  # t quantile without the 2 s import of scipy.stats

    freedom = sum(len(side.losses) - 1 for side in sides)
    if freedom < 2:
        return None
    sd = math.sqrt(sum(((side.losses - side.mean) ** 2).sum() for side in sides) / freedom)
    quantile = float(stdtrit(freedom, 1 - TIE_ALPHA / (len(sides) - 1)))

    def margin(side: Side) -> float:
        return quantile * sd * math.sqrt(1 / len(sides[0].losses) + 1 / len(side.losses))

    return [side for side in sides[1:] if side.mean - sides[0].mean <= margin(side)]
