"""Counts the stable synthetic runs that are called unstable: `make bench-false-alarms` (about 40 minutes).

Fewer or other lengths: make bench-false-alarms LENGTHS=200:1000,100000:200 (steps of a run : runs a noise law).
"""

import argparse
import sys

import numpy as np

from analysis.loss_rise import find_loss_rises, make_curve
from tests.curves import LAWS, stable

LENGTHS = {200: 1000, 2_000: 1000, 20_000: 400, 100_000: 200, 1_000_000: 10}  # steps of a run: runs a law
FIRST_SEED = 10_000  # the tests use lower ones


def count(law: str, steps: int, runs: int) -> int:
    """Returns how many of the stable runs of a noise law have a confirmed event."""
    alarms = 0
    for seed in range(FIRST_SEED, FIRST_SEED + runs):
        found = find_loss_rises(make_curve(np.arange(steps), stable(law, steps, seed).loss))
        confirmed = [event for event in found.events if event.grade == "confirmed"]
        alarms += bool(confirmed)
        for event in confirmed[:1]:
            where = f"{steps:,} steps, {law}, seed {seed}: {event.rule} rise at step {event.onset_step:,}"
            print(f"{where}, {event.rise:.3g} above {event.level_before:.3g}", file=sys.stderr)
    return alarms


def read_lengths(text: str) -> dict[int, int]:
    """Returns runs a law by steps of a run.

    >>> read_lengths("200:1000,2000:50")
    {200: 1000, 2000: 50}
    """
    return {int(steps): int(runs) for steps, runs in (part.split(":") for part in text.split(","))}


def main() -> None:
    """Prints a Markdown table, one row a length, one column a law; each false alarm goes to standard error."""
    parser = argparse.ArgumentParser(description="Count false alarms on stable synthetic runs.")
    parser.add_argument("--lengths", type=read_lengths, default=LENGTHS, metavar="STEPS:RUNS,...")
    lengths = parser.parse_args().lengths
    print(f"| steps | runs a law | {' | '.join(LAWS)} |\n|{'---|' * (len(LAWS) + 2)}")
    for steps, runs in lengths.items():
        counts = []
        for law in LAWS:
            counts.append(count(law, steps, runs))
            print(f"{steps:,} steps, {law}: {counts[-1]} of {runs}", file=sys.stderr)
        print(f"| {steps:,} | {runs:,} | {' | '.join(map(str, counts))} |", flush=True)


if __name__ == "__main__":
    main()
