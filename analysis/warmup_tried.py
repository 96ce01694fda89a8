"""What the warmups that a study holds already show: which length held at which learning rate. Source: PLAYBOOK P7."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.fix_outcomes import SEEDS_AT_LEAST, Setting, compare_checkpoints, is_full
from analysis.fix_states import find_settings
from analysis.lr_words import number, say_times
from analysis.results import Diagnosis, LrSweep
from analysis.runlog import schema


@dataclass(frozen=True)
class TriedWarmup:
    """One length at one learning rate.

    Attributes:
        warmup_steps: Length of the ramp.
        setting: Its runs, one a seed.
        is_full: Whether it was put in front of full training; else held for a search.
    """

    warmup_steps: int
    setting: Setting
    is_full: bool

    @property
    def base_lr(self) -> float:
        """End of the ramp."""
        return self.setting.base_lr

    @property
    def state(self) -> str:
        """`held`: in 3 seeds or more; `holds-so-far`: in fewer; `broke`; `no-learning`: steady, but at chance level."""
        if self.setting.broke:
            return "broke"
        if not self.setting.holds_so_far:
            return "no-learning"
        return "held" if len(self.setting.runs) >= SEEDS_AT_LEAST else "holds-so-far"


def find_tried(diagnosis: Diagnosis, sweep: LrSweep) -> tuple[TriedWarmup, ...]:
    """Finds the runs of a study that differ from a series in their warmup alone.

    Returns:
        One entry a length, learning rate and kind of run, ascending in learning rate, then length.
    """
    members = [judged for judged in diagnosis.runs if judged.series == sweep.series]
    baseline = Setting(sweep.series, tuple(members))
    tried = []
    for setting in find_settings(diagnosis, members[0], "warmup"):
        length = int(setting.runs[0].run.record[schema.WARMUP_STEPS])
        tried.append(TriedWarmup(length, setting, is_full(setting, baseline)))
    return tuple(sorted(tried, key=lambda each: (each.base_lr, each.warmup_steps, each.is_full)))


def lengths_that_hold(tried: Sequence[TriedWarmup], base_lr: float, state: str = "held") -> list[int]:
    """Returns the lengths in a state at a learning rate, ascending; one that broke in search or training is out."""
    own = [each for each in tried if each.base_lr == base_lr]
    broke = {each.warmup_steps for each in own if each.state == "broke"}
    return sorted({each.warmup_steps for each in own if each.state == state} - broke)


def find_shortest(tried: Sequence[TriedWarmup]) -> tuple[float, int] | None:
    """Returns the highest learning rate where a warmup held in 3 seeds or more, and the shortest that did there."""
    for rate in sorted({each.base_lr for each in tried}, reverse=True):
        if lengths := lengths_that_hold(tried, rate):
            return rate, lengths[0]
    return None


def compare_tried(
    diagnosis: Diagnosis, sweep: LrSweep, tried: Sequence[TriedWarmup]
) -> tuple[Setting | None, tuple[TriedWarmup, ...]]:
    """Compares full training with warmup to the best learning rate without, each at its best checkpoint.

    Returns:
        The runs at lr_star without warmup, None where there is no lr_star; and the entries, whose settings hold the
        mean over seeds of the best checkpoint's evaluation loss, NaN where it was not compared.
    """
    runs = tuple(j for j in diagnosis.runs if j.series == sweep.series and j.run.base_lr == sweep.lr_star)
    if not runs:
        return None, tuple(tried)
    baseline, *settings = compare_checkpoints(Setting(sweep.series, runs), [each.setting for each in tried])
    compared = (replace(each, setting=setting) for each, setting in zip(tried, settings, strict=True))
    return baseline, tuple(compared)


def say_tried(tried: Sequence[TriedWarmup], unstable_base_lr: float | None) -> str:
    """Says which was the shortest warmup that held, at every learning rate that was tried.

    Args:
        tried: What `find_tried` returns.
        unstable_base_lr: Where training becomes unstable without warmup, None where unknown.
    """
    if not tried:
        return "This study holds no run that warms this series up."
    return " ".join(say_at(rate, tried, unstable_base_lr) for rate in sorted({each.base_lr for each in tried}))


def say_at(base_lr: float, tried: Sequence[TriedWarmup], unstable_base_lr: float | None) -> str:
    """Says which was the shortest warmup that held at one learning rate."""
    times = 0.0 if unstable_base_lr is None else base_lr / unstable_base_lr
    ratio = ", the unstable one" if times == 1 else f", {say_times(times)} times the unstable one" if times else ""
    where = f"At learning rate {number(base_lr)}{ratio},"
    broke = [each.warmup_steps for each in tried if each.base_lr == base_lr and each.state == "broke"]
    for state, said in (("held", "is the shortest that held"), ("holds-so-far", "holds so far, in fewer than 3 seeds")):
        if lengths := lengths_that_hold(tried, base_lr, state):
            shorter = [length for length in broke if length < lengths[0]]
            rest = f"; {max(shorter):,} broke" if shorter else ""
            return f"{where} a warmup of {lengths[0]:,} steps {said}{rest}."
    return f"{where} no length held" + (f"; the longest that broke is {max(broke):,} steps." if broke else ".")
