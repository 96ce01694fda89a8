"""What a search for the shortest warmup, and full training with it, showed. Source: PLAYBOOK P7."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.fix_outcomes import Outcome, Setting, compare_checkpoints, say_losses
from analysis.lr_words import number, say_times
from analysis.warmup import LONG_SHARE, LONGEST_SHARE


@dataclass(frozen=True)
class WarmupFound:
    """The answer of a search.

    Attributes:
        base_lr: End of the ramp that was reached; the last one tried where none was.
        unstable_base_lr: Where training is unstable without warmup.
        warmup_steps: The shortest length that holds in every seed, None where none does.
        too_short: The longest length below it that does not hold, None where none was tried.
        far_base_lr: A farther end of the ramp that was tried, None where none was.
        far_steps: The length that holds there, None where none does.
    """

    base_lr: float
    unstable_base_lr: float
    warmup_steps: int | None
    too_short: int | None
    far_base_lr: float | None = None
    far_steps: int | None = None


def judge_warmup(
    found: WarmupFound, tried: Sequence[Setting], full: Sequence[Setting], baseline: Setting, max_train_steps: int
) -> Outcome:
    """Judges warmup by the search and by full training with the warmup in front.

    Args:
        found: What the search found.
        tried: Settings of the search, in order.
        full: Settings of full training; empty where the search found nothing.
        baseline: Runs at the best learning rate without warmup.
        max_train_steps: Steps of full training, without warmup.

    Returns:
        "held" where full training holds in every seed, and the best learning rate moves up or ends better.
    """
    baseline, *full = compare_checkpoints(baseline, full)
    settings = (*tried, *full)
    if found.warmup_steps is None:
        verdict = verdict_of(tried)
        said = f"{verdict.capitalize()}: {say_none(found, max_train_steps)}"
        return Outcome("warmup_sweep", verdict, said, settings, baseline)
    held = [setting for setting in full if setting.verdict == "held"]
    reached = say_reached(found, max_train_steps)
    if not held:
        verdict = "failed" if all(setting.broke for setting in full) else "inconclusive"
        said = f"{verdict.capitalize()}: {reached} In front of full training it holds at none of {say_rates(full)}."
        return Outcome("warmup_sweep", verdict, said, settings, baseline)
    best = min(held, key=lambda setting: (math.isnan(setting.best_loss), setting.best_loss))
    helps = best.base_lr > baseline.base_lr or best.best_loss < baseline.best_loss
    verdict = "held" if helps else "failed"
    change = "moves up" if best.base_lr > baseline.base_lr else "stays" if helps else "gains nothing: it stays"
    said = (
        f"{verdict.capitalize()}: {reached} In front of full training ({max_train_steps + found.warmup_steps:,} steps) "
        f"the best learning rate {change} at {number(best.base_lr)}{say_losses(best, baseline)}."
    )
    return Outcome("warmup_sweep", verdict, said.replace("moves up at", "moves up to"), settings, baseline)


def verdict_of(tried: Sequence[Setting]) -> str:
    """Returns `failed` where every seed was given to a length that fails, else `inconclusive`."""
    return "failed" if any(setting.verdict == "failed" for setting in tried) else "inconclusive"


def say_none(found: WarmupFound, max_train_steps: int) -> str:
    """Says that no warmup reaches even the nearest peak."""
    longest = int(LONGEST_SHARE * max_train_steps)
    return (
        f"no warmup up to {longest:,} steps, {LONGEST_SHARE:.0%} of training, reaches "
        f"{say_peak(found, found.base_lr)} without a rise and learns."
    )


def say_reached(found: WarmupFound, max_train_steps: int) -> str:
    """Says which warmup reaches which peak, and what that asks of max_train_steps."""
    said = f"a warmup of {found.warmup_steps:,} steps reaches {say_peak(found, found.base_lr)}"
    if found.too_short is not None:
        said += f" ({found.too_short:,} steps do not)"
    if found.far_base_lr is not None:
        far = "none holds" if found.far_steps is None else f"{found.far_steps:,} steps hold"
        said += f"; at {say_peak(found, found.far_base_lr)}, {far}"
    if found.warmup_steps > LONG_SHARE * max_train_steps:
        said += f". That is more than {LONG_SHARE:.0%} of {max_train_steps:,} steps: these may have to grow"
    return f"{said}."


def say_peak(found: WarmupFound, base_lr: float) -> str:
    """Returns a learning rate with its ratio to the unstable one."""
    return f"learning rate {number(base_lr)}, {say_times(base_lr / found.unstable_base_lr)} times the unstable one"


def say_rates(settings: Sequence[Setting]) -> str:
    """Returns the learning rates of settings."""
    return ", ".join(number(setting.base_lr) for setting in settings)
