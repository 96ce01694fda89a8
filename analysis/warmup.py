"""Warmup: which lengths to try, which to try next, and what a warmup adds to the steps. Source: PLAYBOOK P7."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.fix_outcomes import Setting

PEAK_FACTOR = 10.0  # PLAYBOOK P7: base_lr = 10 x unstable_base_lr (then 100 x)
FAR_FACTOR = 100.0  # PLAYBOOK P7: as a further round
NEAR_FACTOR = math.sqrt(PEAK_FACTOR)  # where 10 x is out of reach: halfway to it on a log scale (ours)
HOLD_FACTOR = 2  # PLAYBOOK P7: post_warmup_steps = 2 x warmup_steps
HOLD_AT_LEAST = 500  # PLAYBOOK P4: as long as a probe; shorter holds end before training could break or learn
HOLD_SHARE = 0.10  # of max_train_steps, where that is less (ours, docs/evidence.md#warmup-holds)
LONGEST_SHARE = 0.10  # PLAYBOOK P7: the largest at most 10 % of max_train_steps
LONG_SHARE = 0.05  # PLAYBOOK P7: longer than 5 %: max_train_steps may have to grow
FULL_RATES = 4  # ours: learning rates of full training, half a decade apart from lr_star up
GRID_RATIO = 10**0.125  # a decade, halved three times on a log scale
PRECISION = 1.35  # the shortest warmup is known to this factor: three halvings of a decade (ours)


@dataclass(frozen=True)
class WarmupPlan:
    """A warmup search.

    Attributes:
        base_lr: End of the ramp.
        warmup_steps: Lengths to try, ascending, in steps.
        max_train_steps: Steps of the baseline; the prepended schedule has max_train_steps + warmup_steps.
    """

    base_lr: float
    warmup_steps: tuple[int, ...]
    max_train_steps: int

    @property
    def post_warmup_steps(self) -> tuple[int, ...]:
        """Steps at base_lr after each ramp."""
        return tuple(hold_steps(steps, self.max_train_steps) for steps in self.warmup_steps)

    @property
    def most_search_steps(self) -> int:
        """Steps of one seed at the worst: the search then trains every length that its halvings can reach."""
        shortest, longest = self.warmup_steps[0], self.warmup_steps[-1]
        spaces = math.ceil(math.log(longest / shortest, GRID_RATIO))
        lengths = [longest / GRID_RATIO**index for index in range(spaces + 1)]
        return sum(math.ceil(length) + hold_steps(math.ceil(length), self.max_train_steps) for length in lengths)

    @property
    def most_steps(self) -> int:
        """Steps of one seed at the worst: two searches, then full training with every planned length in front."""
        full = sum(self.max_train_steps + steps for steps in self.warmup_steps)
        return 2 * self.most_search_steps + FULL_RATES * full


def hold_steps(warmup_steps: int, max_train_steps: int) -> int:
    """Returns post_warmup_steps: 2 x warmup_steps, and no less than training needs to show that it breaks or learns.

    >>> hold_steps(1_000, 100_000), hold_steps(10, 100_000), hold_steps(10, 1_000)
    (2000, 500, 100)
    """
    return max(HOLD_FACTOR * warmup_steps, min(HOLD_AT_LEAST, int(HOLD_SHARE * max_train_steps)))


def plan_warmup(unstable_base_lr: float, max_train_steps: int, factor: float = PEAK_FACTOR) -> WarmupPlan:
    """Plans the search for the shortest warmup.

    Lengths are orders of magnitude from 10 up to 10 % of max_train_steps, that limit included.

    Args:
        unstable_base_lr: Where the workload becomes unstable.
        max_train_steps: Steps of the baseline.
        factor: base_lr over unstable_base_lr.

    Returns:
        The plan.

    >>> plan_warmup(0.2, 10_000).warmup_steps
    (10, 100, 1000)
    >>> plan_warmup(0.2, 200)
    WarmupPlan(base_lr=2.0, warmup_steps=(10, 20), max_train_steps=200)
    """
    longest = max(1, int(LONGEST_SHARE * max_train_steps))
    lengths, steps = {longest}, 10
    while steps < longest:
        lengths.add(steps)
        steps *= 10
    return WarmupPlan(float(f"{factor * unstable_base_lr:.6g}"), tuple(sorted(lengths)), max_train_steps)


@dataclass(frozen=True)
class SearchStep:
    """What a search for the shortest warmup needs next.

    Attributes:
        lengths: Lengths to train, empty where the search is over.
        all_seeds: Whether to train every seed of them; otherwise the first seed looks.
        shortest: The shortest length that holds in every seed, where the search is over; None: no length does.
        too_short: The longest length below it that does not hold, None where none was tried.
    """

    lengths: tuple[int, ...]
    all_seeds: bool = False
    shortest: int | None = None
    too_short: int | None = None


def search_shortest(
    planned: Sequence[int], tried: Mapping[int, Setting], num_seeds: int, precision: float = PRECISION
) -> SearchStep:
    """Decides which warmup to try next.

    One seed looks at every planned length, then at the geometric mean of the longest that fails and the shortest that
    holds, until they are close; the other seeds then confirm the shortest. A length is out as soon as one seed rises,
    or ends its hold at chance level. Where none is left, every seed tries the longest, so that the failure too rests on
    all of them.

    Args:
        planned: Lengths to start from, ascending, in steps.
        tried: What was trained so far, by length.
        num_seeds: Seeds that must hold.
        precision: How close the two are to come, as a ratio.

    Returns:
        The next lengths, or the answer.
    """
    if fresh := tuple(length for length in planned if length not in tried):
        return SearchStep(fresh)
    open_lengths = sorted(length for length, setting in tried.items() if setting.holds_so_far)
    shortest = open_lengths[0] if open_lengths else None
    too_short = max((length for length in tried if shortest is None or length < shortest), default=None)
    if shortest is not None and too_short is not None and shortest > precision * too_short:
        middle = round(math.sqrt(shortest * too_short))
        if too_short < middle < shortest:
            return SearchStep((middle,))
    last = shortest or planned[-1]
    if len(tried[last].runs) < num_seeds:
        return SearchStep((last,), all_seeds=True)
    return SearchStep((), shortest=shortest, too_short=too_short)
