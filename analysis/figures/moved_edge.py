"""Figure 8: the learning-rate axis before and after warmup: the edge moves, and the best rate with it or not."""

import itertools
import json
from dataclasses import dataclass

from analysis.figures.commands import example_of, sweep_command
from analysis.figures.figure import Figure, Missing, make_figure
from analysis.figures.settings import keys_of_sweeps, members_of, names_that_differ, rates_of
from analysis.focus import choose_sweep
from analysis.lr_words import number, say_times
from analysis.phases import train_steps
from analysis.results import Diagnosis, LrSweep
from analysis.runlog import schema
from analysis.warmup import NEAR_FACTOR, PEAK_FACTOR, plan_warmup

NUMBER = "8"
LRS_AT_LEAST = 3  # ours: an edge lies between two rates, and a best rate is better than another


@dataclass(frozen=True)
class MovedEdge:
    """One series before and after warmup.

    Attributes:
        before: Its sweep without warmup, or with the shorter one.
        after: Its sweep with warmup.
        warmup_steps: Length of the warmup before and after.
    """

    before: LrSweep
    after: LrSweep
    warmup_steps: tuple[int, int]

    @property
    def edge_times(self) -> float | None:
        """Ratio of the lowest unstable learning rate after to before; None where one of them was not reached."""
        edges = (self.before.unstable_base_lr, self.after.unstable_base_lr)
        return None if None in edges else edges[1] / edges[0]

    @property
    def star_times(self) -> float:
        """Ratio of the best learning rate after to before."""
        return self.after.lr_star / self.before.lr_star


def find_moved_edge(diagnosis: Diagnosis) -> Figure:
    """Finds two sweeps that differ in their warmup alone; no warmup before and most learning rates are preferred."""
    keys, pairs = keys_of_sweeps(diagnosis), []
    for before, after in itertools.permutations(diagnosis.sweeps, 2):
        both = keys[before.series], keys[after.series]
        steps = tuple(int(json.loads(key[schema.WARMUP_STEPS])) for key in both)
        if steps[0] < steps[1] and names_that_differ(*both) == {schema.WARMUP_STEPS} and _both_swept(before, after):
            fewest = min(len(rates_of(before)), len(rates_of(after)))
            pairs.append((steps[0], -fewest, steps[1], MovedEdge(before, after, steps)))
    if not pairs:
        return Figure(NUMBER, _missing(diagnosis))
    result = min(pairs, key=lambda pair: pair[:3])[-1]
    return make_figure(
        NUMBER, result, _say(result), members_of(diagnosis, result.before) + members_of(diagnosis, result.after)
    )


def _both_swept(*sweeps: LrSweep) -> bool:
    return all(sweep.lr_star is not None and len(rates_of(sweep)) >= LRS_AT_LEAST for sweep in sweeps)


def _say(moved: MovedEdge) -> str:
    short, long = moved.warmup_steps
    instead = f" instead of {short:,}" if short else ""
    return f"With {long:,} steps of warmup{instead} {_say_edge(moved)} and {_say_star(moved)}"


def _say_edge(moved: MovedEdge) -> str:
    before, after = moved.before.unstable_base_lr, moved.after.unstable_base_lr
    tops = [number(rates_of(sweep)[-1]) for sweep in (moved.before, moved.after)]
    if before is None and after is None:
        return f"no edge is seen, up to {tops[1]}, as none was before, up to {tops[0]},"
    if after is None:
        return f"the edge moves from {number(before)} to above {tops[1]}, the highest rate tried,"
    if before is None:
        return f"an edge appears at {number(after)} where none was seen before, up to {tops[0]},"
    if after == before:
        return f"the edge stays at {number(before)}"
    ratio = max(moved.edge_times, 1 / moved.edge_times)
    way = "higher" if moved.edge_times > 1 else "lower"
    return f"the edge moves from {number(before)} to {number(after)}, {say_times(ratio)} times {way},"


def _say_star(moved: MovedEdge) -> str:
    before, after = number(moved.before.lr_star), number(moved.after.lr_star)
    if moved.star_times == 1:
        return f"the best rate stays at {after}"
    unsure = ", which the seeds cannot tell apart" if _are_tied(moved.before, moved.after) else ""
    return f"the best rate moves from {before} to {after}{unsure}"


def _are_tied(*sweeps: LrSweep) -> bool:
    """Whether one of two best rates lies in the band of rates that cannot be told from the other."""
    return any(
        one.tie_band[0] <= other.lr_star <= one.tie_band[1]
        for one, other in itertools.permutations(sweeps, 2)
        if one.tie_band is not None
    )


def rates_with_room(sweep: LrSweep) -> list[float]:
    """Returns the learning rates of a sweep and those up to 10 times its edge, where the edge may move to."""
    edge = sweep.unstable_base_lr
    above = [] if edge is None else [float(f"{factor * edge:.2g}") for factor in (NEAR_FACTOR, PEAK_FACTOR)]
    top = rates_of(sweep)[-1]
    return sorted({*rates_of(sweep), *(rate for rate in above if rate > top)})


def _missing(diagnosis: Diagnosis) -> Missing:
    sweep = choose_sweep(diagnosis)
    run = example_of(diagnosis, sweep)
    reason = f"It needs {LRS_AT_LEAST} learning rates or more with warmup and without, all else equal."
    longest, own = plan_warmup(1.0, train_steps(run)).warmup_steps[-1], int(run.record.get(schema.WARMUP_STEPS) or 0)
    steps = longest if longest != own else 2 * own
    rates = rates_with_room(sweep) if sweep else ()
    return Missing(reason, sweep_command(diagnosis, run, rates, extra=["--warmup-steps", str(steps)]))
