"""Counts the stable synthetic runs that are called unstable: `make bench-false-alarms` (about ten minutes)."""

import sys

import numpy as np

from analysis.loss_rise import find_loss_rises, make_curve
from tests.curves import LAWS, stable

LENGTHS = {200: 1000, 2_000: 1000, 20_000: 400, 100_000: 60, 1_000_000: 10}  # steps of a run: runs a law
FIRST_SEED = 10_000  # the tests use lower ones


def count(law: str, steps: int, runs: int) -> int:
    """Returns how many of the stable runs of a noise law have a confirmed event."""
    alarms = 0
    for seed in range(FIRST_SEED, FIRST_SEED + runs):
        found = find_loss_rises(make_curve(np.arange(steps), stable(law, steps, seed).loss))
        alarms += any(event.grade == "confirmed" for event in found.events)
    return alarms


def main() -> None:
    """Prints a Markdown table, one row a length, one column a law."""
    print(f"| steps | runs a law | {' | '.join(LAWS)} |\n|{'---|' * (len(LAWS) + 2)}")
    for steps, runs in LENGTHS.items():
        counts = []
        for law in LAWS:
            counts.append(count(law, steps, runs))
            print(f"{steps:,} steps, {law}: {counts[-1]} of {runs}", file=sys.stderr)
        print(f"| {steps:,} | {runs:,} | {' | '.join(map(str, counts))} |", flush=True)


if __name__ == "__main__":
    main()
