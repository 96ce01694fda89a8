"""What a warmup costs: its steps, its share of training, and the time they take. Source: PLAYBOOK P7."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.runlog import Run, schema
from analysis.warmup import LONG_SHARE, LONGEST_SHARE, WarmupPlan


@dataclass(frozen=True)
class WarmupBudget:
    """What a warmup adds to training.

    Attributes:
        warmup_steps: Length of the ramp.
        max_train_steps: Steps of training without it.
    """

    warmup_steps: int
    max_train_steps: int

    @property
    def total_steps(self) -> int:
        """Steps with the warmup in front."""
        return self.max_train_steps + self.warmup_steps

    @property
    def share(self) -> float:
        """Length of the ramp over max_train_steps."""
        return self.warmup_steps / self.max_train_steps

    @property
    def is_long(self) -> bool:
        """Whether max_train_steps may have to grow."""
        return self.share > LONG_SHARE

    @property
    def is_too_long(self) -> bool:
        """Whether it is longer than any that the procedure tries."""
        return self.share > LONGEST_SHARE

    @property
    def sentence(self) -> str:
        """The account in words.

        >>> WarmupBudget(1_000, 10_000).sentence
        '10,000 + 1,000 = 11,000 steps. The warmup is 10% of 10,000, above 5%: max_train_steps may have to grow.'
        """
        said = (
            f"{self.max_train_steps:,} + {self.warmup_steps:,} = {self.total_steps:,} steps. "
            f"The warmup is {say_percent(self.share)} of {self.max_train_steps:,}"
        )
        if self.is_too_long:
            return f"{said}, longer than {LONGEST_SHARE:.0%}, the most that the procedure tries. Take a shorter one."
        if self.is_long:
            return f"{said}, above {LONG_SHARE:.0%}: max_train_steps may have to grow."
        return f"{said}, not above {LONG_SHARE:.0%}: max_train_steps can stay."


def say_percent(share: float) -> str:
    """Returns a share in percent, with two digits below 10%.

    >>> say_percent(0.1), say_percent(0.005), say_percent(1 / 3)
    ('10%', '0.5%', '33%')
    """
    return f"{100 * share:.2g}%" if share < 0.995 else f"{share:,.0%}"


def measure_step_seconds(runs: Iterable[Run]) -> float | None:
    """Measures the time that one step takes.

    Args:
        runs: Runs with elapsed_seconds; those that were trained in one program share its time.

    Returns:
        Seconds a step, the median over runs; None where no run tells.
    """
    found = []
    for run in runs:
        steps, seconds = run.series(schema.ELAPSED_SECONDS)
        steps, seconds = steps[np.isfinite(seconds)], seconds[np.isfinite(seconds)]
        if len(steps) > 1 and seconds[-1] > seconds[0]:
            together = int(run.record.get(schema.STACKED_RUNS) or 1)
            found.append((seconds[-1] - seconds[0]) / (steps[-1] - steps[0]) / together)
    return float(np.median(found)) if found else None


def tabulate_plan(plan: WarmupPlan, num_seeds: int, step_seconds: float | None) -> pd.DataFrame:
    """Tabulates what each length of a plan costs.

    Args:
        plan: The plan.
        num_seeds: Seeds of each length.
        step_seconds: Time that one step takes, None where unknown.

    Returns:
        One row per length, ascending: warmup_steps, share (of max_train_steps), post_warmup_steps, search_steps (ramp
        and hold, all seeds), search_seconds (NaN where unknown), total_steps (of full training with it, one seed),
        total_seconds.
    """
    table = pd.DataFrame({"warmup_steps": plan.warmup_steps, "post_warmup_steps": plan.post_warmup_steps})
    table.insert(1, "share", table["warmup_steps"] / plan.max_train_steps)
    seconds = float("nan") if step_seconds is None else step_seconds
    table["search_steps"] = num_seeds * (table["warmup_steps"] + table["post_warmup_steps"])
    table["search_seconds"] = table["search_steps"] * seconds
    table["total_steps"] = plan.max_train_steps + table["warmup_steps"]
    table["total_seconds"] = table["total_steps"] * seconds
    return table
