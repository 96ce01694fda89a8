"""Figure 6: the losses of one setting by the length of its warmup, beside the learning-rate schedules."""

from dataclasses import dataclass

import numpy as np

from analysis.figures.commands import example_of, experiment_command, is_ours, sweep_command
from analysis.figures.figure import Figure, Missing, make_figure, say_of
from analysis.figures.settings import ended, hold_apart, warmup_of
from analysis.fix_states import LENGTH
from analysis.focus import choose_sweep
from analysis.lr_words import number
from analysis.phases import train_steps
from analysis.results import Diagnosis, RunDiagnosis
from analysis.runlog import schema
from analysis.series import series_key
from analysis.warmup import plan_warmup

NUMBER = "6"


@dataclass(frozen=True)
class WarmupLength:
    """The runs with one length of warmup.

    Attributes:
        warmup_steps: Its length.
        runs: Its runs, one a seed.
        num_holding: Runs that hold: no rise, and no end far above the best of all lengths.
        final_loss: Median final loss over seeds; NaN or infinite where it is not finite.
    """

    warmup_steps: int
    runs: tuple[RunDiagnosis, ...]
    num_holding: int
    final_loss: float

    @property
    def holds(self) -> bool:
        """Whether every seed holds."""
        return self.num_holding == len(self.runs)


@dataclass(frozen=True)
class WarmupLengths:
    """One setting by the length of its warmup.

    Attributes:
        base_lr: Learning rate at the end of the ramp.
        lengths: Ascending in warmup_steps, two or more.
    """

    base_lr: float
    lengths: tuple[WarmupLength, ...]

    @property
    def shortest(self) -> WarmupLength | None:
        """The shortest length from which on all hold; None where the longest does not."""
        broken = [index for index, length in enumerate(self.lengths) if not length.holds]
        after = self.lengths[broken[-1] + 1 :] if broken else self.lengths
        return next(iter(after), None)


def find_warmup_lengths(diagnosis: Diagnosis) -> Figure:
    """Finds the setting that was trained with most lengths of warmup; one where lengths differ in whether they hold."""
    groups: dict[tuple, list[RunDiagnosis]] = {}
    for judged in ended(diagnosis.runs):
        if judged.run.base_lr is not None and len(judged.run.loss[0]) > 1:
            key = tuple(item for item in series_key(judged.run) if item[0] not in {schema.WARMUP_STEPS, *LENGTH})
            groups.setdefault((key, judged.run.base_lr), []).append(judged)
    found = [sort_lengths(lr, runs) for (_, lr), runs in groups.items() if len(set(map(warmup_of, runs))) > 1]
    if not found:
        return Figure(NUMBER, _missing(diagnosis))
    result = min(found, key=_rank)
    return make_figure(NUMBER, result, _say(result), [judged for length in result.lengths for judged in length.runs])


def sort_lengths(base_lr: float, runs: list[RunDiagnosis]) -> WarmupLengths:
    """Sorts the runs of one setting by their warmup. A search run stands for a length only where no full one does."""
    lengths = []
    holds, finals = hold_apart(runs)
    for steps in sorted(set(map(warmup_of, runs))):
        own = [judged for judged in runs if warmup_of(judged) == steps]
        longest = max(train_steps(judged.run) for judged in own)
        own = [judged for judged in own if train_steps(judged.run) == longest]
        ids = [judged.run.run_id for judged in own]
        ends = [finals[run_id] if np.isfinite(finals[run_id]) else np.inf for run_id in ids]
        lengths.append(WarmupLength(steps, tuple(own), sum(holds[run_id] for run_id in ids), float(np.median(ends))))
    return WarmupLengths(base_lr, tuple(lengths))


def _rank(found: WarmupLengths) -> tuple:
    tells_apart = len({length.holds for length in found.lengths}) > 1
    return not tells_apart, -len(found.lengths), -sum(len(length.runs) for length in found.lengths), found.base_lr


def _say(found: WarmupLengths) -> str:
    where = f"At learning rate {number(found.base_lr)}"
    count, shortest, longest = len(found.lengths), found.shortest, found.lengths[-1]
    if shortest is None:
        held = say_of(longest.num_holding, len(longest.runs))
        return (
            f"{where} none of {count} warmup lengths holds in every run: with the longest, {longest.warmup_steps:,} "
            f"steps, {held} {'holds' if longest.num_holding == 1 else 'hold'}"
        )
    if shortest is found.lengths[0]:
        span = f"from {shortest.warmup_steps:,} to {longest.warmup_steps:,} steps"
        return f"{where} all of {count} warmup lengths hold, {span}"
    below = found.lengths[found.lengths.index(shortest) - 1]
    without = f"{below.warmup_steps:,} steps {_say_end(below, 'end')}" if below.warmup_steps else _say_none(below)
    return (
        f"{where} the shortest of {count} warmup lengths that holds is {shortest.warmup_steps:,} steps, which "
        f"{_say_end(shortest)}, and {without}"
    )


def _say_none(length: WarmupLength) -> str:
    return f"training without warmup {_say_end(length)}"


def _say_end(length: WarmupLength, verb: str = "ends") -> str:
    return (
        f"{verb} at a loss of {number(length.final_loss)}"
        if np.isfinite(length.final_loss)
        else f"{verb} at no finite loss"
    )


def _missing(diagnosis: Diagnosis) -> Missing:
    sweep = choose_sweep(diagnosis)
    run = example_of(diagnosis, sweep)
    reason = "It needs runs of one learning rate that differ in warmup_steps."
    planned = plan_warmup(1.0, train_steps(run)).warmup_steps
    if sweep is not None and sweep.unstable_base_lr is not None and is_ours(run) and len(planned) > 1:
        return Missing(reason, experiment_command("runners.warmup_sweep", diagnosis, run))
    own = int(run.record.get(schema.WARMUP_STEPS) or 0)
    steps = planned[-1] if planned[-1] != own else 2 * own
    rate = (sweep.unstable_base_lr or sweep.lr_star) if sweep else run.base_lr
    return Missing(reason, sweep_command(diagnosis, run, [rate] if rate else (), extra=["--warmup-steps", str(steps)]))
