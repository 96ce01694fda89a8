"""The rounds of a warmup search: the shortest warmup to a peak, a farther peak, then full training."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from analysis.fix_outcomes import Outcome, Setting, compare_checkpoints
from analysis.runlog import RunLogError, schema
from analysis.warmup import (
    FAR_FACTOR,
    FULL_RATES,
    LONGEST_SHARE,
    NEAR_FACTOR,
    PEAK_FACTOR,
    PRECISION,
    SearchStep,
    hold_steps,
    plan_warmup,
    search_shortest,
)
from analysis.warmup_outcome import WarmupFound, judge_warmup
from runners.bench import Bench, Change
from runners.command_line import read_base_lrs
from runners.rounds import Round

SHORTEST_LIMIT = 5  # ours: with its hold, a shorter ramp has too few losses to be judged


def ramp(bench: Bench, base_lr: float, warmup_steps: int) -> Change:
    """Returns the change of a search run: ramp, then hold at a constant rate."""
    return {
        "base_lr": base_lr,
        "warmup_steps": warmup_steps,
        "max_train_steps": hold_steps(warmup_steps, bench.config.max_train_steps),
        "schedule": "constant",
    }


def peak_of(bench: Bench, factor: float) -> float:
    """Returns the end of the ramp: a factor times the unstable learning rate."""
    return float(f"{factor * bench.unstable_base_lr:.6g}")


@dataclass(frozen=True)
class Search:
    """The search for the shortest warmup to one peak, as far as the study holds it.

    Attributes:
        bench: The study and the options.
        base_lr: End of the ramp.
        planned: Lengths to start from, ascending.
        precision: How close the longest that fails and the shortest that holds are to come.
        refuted: The longest length whose full training broke; it and shorter ones are out. 0: none.
    """

    bench: Bench
    base_lr: float
    planned: tuple[int, ...]
    precision: float = PRECISION
    refuted: int = 0

    @cached_property
    def tried(self) -> dict[int, Setting]:
        """What was trained so far, by length."""
        known = {judged.run.record.get(schema.WARMUP_STEPS) for judged in self.bench.diagnosis.runs}
        lengths = sorted(int(length) for length in known if (length or 0) > self.refuted)
        found = {length: self.bench.setting(self.ramp(length), warmup_steps=length) for length in lengths}
        return {length: setting for length, setting in found.items() if setting is not None}

    def ramp(self, warmup_steps: int) -> Change:
        """Returns the change of a run of this search."""
        return ramp(self.bench, self.base_lr, warmup_steps)

    @cached_property
    def step(self) -> SearchStep:
        """What to train next, or the answer."""
        return search_shortest(self.planned, self.tried, len(self.bench.seeds), self.precision)

    def propose(self) -> Round:
        """Returns the next round; the search must not be over."""
        step = self.step
        seeds = self.bench.seeds if step.all_seeds else self.bench.seeds[:1]
        left = self.bench.plan([self.ramp(length) for length in step.lengths], schema.WARMUP_STEPS, seeds)
        lengths = " and ".join(f"{length:,}" for length in step.lengths)
        question = "Does it hold in the other seeds?" if step.all_seeds else "Does it hold in one seed?"
        return Round(left, f"Warmup to {self.base_lr:g} over {lengths} steps. {question}", self.most_steps())

    def most_steps(self) -> int:
        """Returns the steps of the whole experiment at the worst."""
        plan = plan_warmup(self.base_lr, self.bench.config.max_train_steps)
        return len(self.bench.seeds) * plan.most_steps


def propose_search(bench: Bench, refuted: int = 0, spent: Sequence[Setting] = ()) -> Round | Outcome:
    """Proposes the next step of the search; once all is trained, says what it showed.

    The peak is 10 times the unstable learning rate. Where a warmup holds there, 100 times is tried with the same
    length and longer ones; where none does, about 3 times, and the outcome says so. A length that holds there and whose
    full training then breaks is out, too, and the search goes on with the next planned ones.

    Args:
        bench: The study and the options.
        refuted: The longest length whose full training broke.
        spent: What was tried before that was known.
    """
    lengths, given = tuple(length for length in plan_lengths(bench) if length > refuted), bench.arguments.base_lr
    peak = read_base_lrs(given)[0] if given else peak_of(bench, PEAK_FACTOR)
    precision = math.inf if refuted else PRECISION
    searches = [Search(bench, peak, lengths, precision, refuted)]
    if searches[0].step.lengths:
        return searches[0].propose()
    shortest = searches[0].step.shortest
    if not given and shortest is None:
        searches.append(Search(bench, peak_of(bench, NEAR_FACTOR), lengths, precision, refuted))
    if not given and shortest is not None:
        farther = (shortest, *(length for length in lengths if length > shortest))
        searches.append(Search(bench, peak_of(bench, FAR_FACTOR), farther, math.inf, refuted))
    if searches[-1].step.lengths:
        return searches[-1].propose()
    return finish_search(bench, searches, spent)


def finish_search(bench: Bench, searches: Sequence[Search], spent: Sequence[Setting]) -> Round | Outcome:
    """Proposes full training with the warmup that was found, and then says what all of it showed."""
    near = searches[0] if searches[0].step.shortest is not None else searches[-1]
    far = searches[-1] if near is not searches[-1] else None
    warmup_steps = near.step.shortest
    too_short = near.step.too_short or near.refuted or None
    found = WarmupFound(near.base_lr, bench.unstable_base_lr, warmup_steps, too_short)
    if far is not None:
        found = replace(found, far_base_lr=far.base_lr, far_steps=far.step.shortest)
    full: Sequence[Setting] = ()
    if warmup_steps is not None:
        top = far.base_lr if far is not None and far.step.shortest == warmup_steps else near.base_lr
        proposal = propose_full(bench, warmup_steps, top)
        if isinstance(proposal, Round):
            return proposal
        full = proposal
        if near.planned[-1] > warmup_steps and is_refuted(full, bench.lr_star):
            return propose_search(bench, warmup_steps, [*spent, *tried_by(searches, warmup_steps), *full])
    tried = [*spent, *tried_by(searches)]
    return judge_warmup(found, tried, full, bench.baseline, bench.config.max_train_steps)


def tried_by(searches: Sequence[Search], longest: float = math.inf) -> list[Setting]:
    """Returns what searches tried, up to a length."""
    return [setting for search in searches for length, setting in search.tried.items() if length <= longest]


def is_refuted(full: Sequence[Setting], lr_star: float) -> bool:
    """Whether full training breaks at every rate above lr_star, or there where none is: the warmup moved nothing."""
    above = [setting for setting in full if setting.base_lr > lr_star]
    return all(setting.broke for setting in above or full)


def propose_full(bench: Bench, warmup_steps: int, top: float) -> Round | list[Setting]:
    """Proposes full training from lr_star up to the peak: one seed looks, the others repeat the best."""
    rates = [float(f"{bench.lr_star * NEAR_FACTOR**index:.6g}") for index in range(FULL_RATES)]
    below = [rate for rate in rates if rate <= top] or [top]
    changes = [{"base_lr": rate, "warmup_steps": warmup_steps} for rate in below]
    steps = bench.count_steps(changes[0])
    said = f"Full training with a warmup of {warmup_steps:,} steps in front"
    if left := bench.plan(changes, schema.WARMUP_STEPS, bench.seeds[:1]):
        shown = ", ".join(f"{change['base_lr']:g}" for change in changes)
        return Round(left, f"{said}, at {shown}: which learning rate is the best now?", len(changes) * steps)
    settings = [bench.setting(change, warmup_steps=warmup_steps) for change in changes]
    steady = [
        pair
        for pair in zip(compare_checkpoints(bench.baseline, settings)[1:], changes, strict=True)
        if not pair[0].broke
    ]
    if steady:
        best, change = min(steady, key=lambda pair: (math.isnan(pair[0].best_loss), pair[0].best_loss))
        if left := bench.plan([change], schema.WARMUP_STEPS):
            why = f"{said}, at {best.base_lr:g}, the best of one seed: do the others hold, too?"
            return Round(left, why, len(changes) * steps)
    return settings


def plan_lengths(bench: Bench) -> tuple[int, ...]:
    """Returns orders of magnitude from 10 up to 10 % of max_train_steps.

    Raises:
        RunLogError: Where that is too short to be judged.
    """
    lengths = plan_warmup(bench.lr_star, bench.config.max_train_steps).warmup_steps
    if lengths[-1] < SHORTEST_LIMIT:
        raise RunLogError(
            f"{LONGEST_SHARE:.0%} of {bench.config.max_train_steps} training steps is a warmup of {lengths[-1]}, too "
            f"short to be judged. Give --max-train-steps {SHORTEST_LIMIT / LONGEST_SHARE:.0f} or more"
        )
    return lengths
