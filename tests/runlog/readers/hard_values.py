"""Losses that loggers stumble over: NaN, infinities, 1e36 and rises of one step."""

import math

NAN = math.nan
GRAD_NORM = 2.5
LOSSES = tuple(3.0 - 0.1 * step if step != 9 else 40.0 for step in range(24))


def hard_losses(num_steps: int, smallest: float = 1e-300) -> list[float]:
    """Returns falling losses with hard ones among them, the last one NaN.

    Args:
        num_steps: How many, 40 at least.
        smallest: One of them; training in 32 bits has none below 1e-38.
    """
    hard = {7: 1e36, 9: math.nan, 11: math.inf, 12: -math.inf, num_steps // 4: 50.0, num_steps * 3 // 4: smallest}
    hard |= {num_steps * 19 // 20: 6.6e27, num_steps - 1: math.nan}
    return [hard.get(step, 3 - step / num_steps) for step in range(num_steps)]
