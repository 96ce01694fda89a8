"""Figure 4: two variants of one workload on a learning-rate axis, beside their losses at a low and a high rate."""

import itertools
from dataclasses import dataclass

from analysis.figures.commands import example_of, variant_command
from analysis.figures.figure import Figure, Missing, make_figure
from analysis.figures.settings import (
    count_unstable,
    keys_of_sweeps,
    kind_of_variant,
    members_of,
    names_that_differ,
    rates_of,
)
from analysis.focus import choose_sweep, pair_of_lrs, runs_of
from analysis.lr_words import number
from analysis.results import Diagnosis, LrSweep
from analysis.series import shorten_label

NUMBER = "4"


@dataclass(frozen=True)
class TwoVariants:
    """Two variants, the one that breaks at lower rates first.

    Attributes:
        first: Sweep of the first variant.
        second: Sweep of the second.
        low_lr: Highest shared learning rate that is stable for both; the lowest shared one where none is.
        high_lr: Lowest shared learning rate that is unstable for one; the highest shared one where none is.
        names: What tells them apart: ("stride 1x1", "stride 2x2").
    """

    first: LrSweep
    second: LrSweep
    low_lr: float
    high_lr: float
    names: tuple[str, str]


def find_two_variants(diagnosis: Diagnosis) -> Figure:
    """Finds the two variants whose edges differ most, of those with most learning rates in common."""
    keys = keys_of_sweeps(diagnosis)
    pairs = [
        (*_rank(kind, one, other), one, other)
        for one, other in itertools.combinations(diagnosis.sweeps, 2)
        if (kind := kind_of_variant(names_that_differ(keys[one.series], keys[other.series]))) is not None
        and low_and_high(one, other)
    ]
    if not pairs:
        return Figure(NUMBER, _missing(diagnosis))
    *_, one, other = min(pairs, key=lambda pair: pair[:-2])
    first, second = sorted((one, other), key=_edge)
    low, high = low_and_high(first, second)
    names = tuple(
        shorten_label(each.series, [beside.series]).replace("=", " ").replace("_", " ")
        for each, beside in ((first, second), (second, first))
    )
    result = TwoVariants(first, second, low, high, names)
    return make_figure(
        NUMBER, result, _say(diagnosis, result), members_of(diagnosis, first) + members_of(diagnosis, second)
    )


def low_and_high(one: LrSweep, other: LrSweep) -> tuple[float, float] | None:
    """Returns the shared learning rates on both sides of the lower edge, else the ends; None for fewer than two."""
    shared = sorted(set(rates_of(one)) & set(rates_of(other)))
    return pair_of_lrs(one, other) or ((shared[0], shared[-1]) if len(shared) > 1 else None)


def _rank(kind: int, one: LrSweep, other: LrSweep) -> tuple:
    """Ranks pairs: an option of the workload first, told apart by their edges, most learning rates in common."""
    _, high = low_and_high(one, other)
    shared = len(set(rates_of(one)) & set(rates_of(other)))
    return kind > 0, (_edge(one) <= high) == (_edge(other) <= high), -shared, -_gap(one, other), kind


def _edge(sweep: LrSweep) -> float:
    return sweep.unstable_base_lr if sweep.unstable_base_lr is not None else float("inf")


def _gap(one: LrSweep, other: LrSweep) -> float:
    """Returns by how much two edges differ, as a ratio; an edge that was not reached lies above all rates."""
    tops = [min(_edge(each), 2 * rates_of(each)[-1]) for each in (one, other)]
    return max(tops) / min(tops)


def _say(diagnosis: Diagnosis, pair: TwoVariants) -> str:
    said = [f"{name} {_say_variant(each)}" for name, each in zip(pair.names, (pair.first, pair.second), strict=True)]
    return f"{said[0][0].upper()}{said[0][1:]}; {said[1]}; {_say_at(diagnosis, pair)}"


def _say_variant(sweep: LrSweep) -> str:
    best = f"is best at {number(sweep.lr_star)}" if sweep.lr_star else "has no feasible run"
    if sweep.unstable_base_lr is not None:
        return f"{best} and unstable from {number(sweep.unstable_base_lr)}"
    return f"{best} and not unstable up to {number(rates_of(sweep)[-1])}"


def _say_at(diagnosis: Diagnosis, pair: TwoVariants) -> str:
    """Says how many runs of each are unstable at the high learning rate."""
    counts = []
    for sweep in (pair.first, pair.second):
        runs = runs_of(diagnosis, sweep, [pair.high_lr])
        counts.append(f"{count_unstable(sweep, runs)} of {len(runs)}")
    return f"at {number(pair.high_lr)}, {counts[0]} and {counts[1]} runs are unstable"


def _missing(diagnosis: Diagnosis) -> Missing:
    sweep = choose_sweep(diagnosis)
    run = example_of(diagnosis, sweep)
    reason = "It needs two variants of one workload, which differ in one option, at two shared learning rates or more."
    return Missing(reason, variant_command(diagnosis, run, rates_of(sweep) if sweep else ()))
