"""Losses that loggers stumble over: 20,000 steps with NaN, infinities, 1e36 and rises of one step."""

import math

NUM_STEPS = 20_000
HARD = {
    7: 1e36,
    9: math.nan,
    11: math.inf,
    12: -math.inf,
    5_000: 50.0,
    15_000: 1e-300,
    19_000: 6.6e27,
    19_999: math.nan,
}
LOSSES = [HARD.get(step, 3 - step / NUM_STEPS) for step in range(NUM_STEPS)]
GRAD_NORM = 2.5
