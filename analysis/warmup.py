"""Warmup: which lengths to try, and what a warmup adds to the steps. Source: PLAYBOOK P7."""

from dataclasses import dataclass

PEAK_FACTOR = 10.0  # PLAYBOOK P7: base_lr = 10 x unstable_base_lr (then 100 x)
HOLD_FACTOR = 2  # PLAYBOOK P7: post_warmup_steps = 2 x warmup_steps
LONGEST_SHARE = 0.10  # PLAYBOOK P7: the largest at most 10 % of max_train_steps
LONG_SHARE = 0.05  # PLAYBOOK P7: longer than 5 %: max_train_steps may have to grow


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
        return tuple(HOLD_FACTOR * steps for steps in self.warmup_steps)

    @property
    def total_steps(self) -> int:
        """Steps of the whole search, one seed."""
        return sum(self.warmup_steps) + sum(self.post_warmup_steps)


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
