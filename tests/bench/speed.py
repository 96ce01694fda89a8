"""How long diagnosis, watching, writing and reading take; one process, one thread.

Run by `make bench`, or python tests/bench/speed.py [--most STEPS]. Times are the best of three, of runs above 1e5 steps
of two.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.findings import diagnose
from analysis.live_rise import LiveRises
from analysis.runlog import Run, RunWriter, read_paths, read_study, schema
from tests import curves
from tests.studies import make_run, make_study

LENGTHS = (200, 1_000, 10_000, 100_000, 1_000_000)
BASE = 10_000  # the row that others are compared with
TARGETS = {10_000: 0.030, 1_000_000: 2.0}  # seconds on one core (ours)


def make(n: int, unstable: bool) -> Run:
    """Makes a run of n steps with a loss and a gradient norm."""
    loss = curves.mid(n, 0, "not-recovered").loss if unstable else curves.stable("gamma", n, 1).loss
    norm = 1 + 0.1 * np.random.default_rng(0).random(n)
    norm[n // 2 :] *= 5 if unstable else 1
    return make_run(loss, columns={schema.GRAD_NORM: norm}, max_train_steps=n)


def best_of(action: Callable[[], object], times: int) -> float:
    """Returns the shortest time of a call, in seconds."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def time_diagnosis(lengths: Sequence[int]) -> list[str]:
    """Times the diagnosis of a study of one run; returns lines of a table."""
    found = {}
    for n in lengths:
        for unstable in (False, True):
            print(f"diagnosing {n:,} steps", file=sys.stderr, flush=True)
            # a new Run each time: what a run has computed once, it keeps
            runs = iter([make(n, unstable) for _ in range(3 if n <= 100_000 else 2)])
            found[n, unstable] = best_of(lambda runs=runs: diagnose(make_study([next(runs)])), 3 if n <= 100_000 else 2)
    lines = [
        "| steps | stable, s | unstable, s | stable, time per step against 10,000 | unstable | target, s |",
        "|---|---|---|---|---|---|",
    ]
    for n in lengths:
        cells = [f"{found[n, kind]:.4f}" for kind in (False, True)]
        if BASE in lengths:
            cells += [f"{found[n, kind] / n / (found[BASE, kind] / BASE):.2f}" for kind in (False, True)]
        else:
            cells += ["", ""]
        lines.append(f"| {n:,} | " + " | ".join(cells) + f" | {TARGETS.get(n, '')} |")
    return lines


def time_watching(n: int) -> float:
    """Returns the microseconds that `LiveRises.add` takes."""
    print("watching", file=sys.stderr, flush=True)
    losses = curves.stable("gamma", n, 1).loss.tolist()

    def watch() -> None:
        live = LiveRises(n)
        for step, loss in enumerate(losses):
            live.add(step, loss, 1.0)

    return best_of(watch, 3) / n * 1e6


def time_writing_and_reading(n: int) -> tuple[float, float, float, float]:
    """Returns microseconds a `RunWriter.step`, and seconds to seal, to read from the store, and to read a CSV file."""
    print("writing and reading", file=sys.stderr, flush=True)
    losses = curves.stable("gamma", n, 1).loss.tolist()
    with tempfile.TemporaryDirectory() as store:
        writer = RunWriter("bench", store=store, base_lr=0.1)
        started = time.perf_counter()
        for step, loss in enumerate(losses):
            writer.step(step, **{schema.TRAIN_LOSS: loss, schema.GRAD_NORM: 1.0, schema.LR: 0.1})
        written = time.perf_counter()
        writer.finish()
        sealed = time.perf_counter()
        study = read_study("bench", store)
        read = time.perf_counter()
        path = Path(store) / "run.csv"
        study.runs[0].steps.to_pandas().to_csv(path, index=False)
        from_csv = best_of(lambda: read_paths([path]), 3)
    return (written - started) / n * 1e6, sealed - written, read - sealed, from_csv


def main() -> None:
    """Prints the tables; progress goes to standard error."""
    parser = argparse.ArgumentParser(description="Time diagnosis, watching, writing and reading.")
    parser.add_argument("--most", type=int, default=LENGTHS[-1], help="longest run to diagnose (default 1000000)")
    arguments = parser.parse_args()
    before = os.getloadavg()[0]
    diagnosis = time_diagnosis([n for n in LENGTHS if n <= arguments.most])
    watching = time_watching(20_000)
    writing, sealing, reading, from_csv = time_writing_and_reading(20_000)
    print("## Diagnosis of one run (loss and gradient norm)\n")
    print("\n".join(diagnosis))
    print("\n## Watching, writing and reading (20,000 rows of 3 metrics)\n")
    print("| what | measured |\n|---|---|")
    print(f"| `LiveRises.add` | {watching:.1f} us a point (target 30) |")
    print(f"| `RunWriter.step` | {writing:.1f} us a row |")
    print(f"| `RunWriter.finish`: sealing, with its reading back | {1e3 * sealing:.0f} ms |")
    print(f"| `read_study`: a sealed run | {1e3 * reading:.0f} ms |")
    print(f"| `read_paths`: the same rows as CSV | {1e3 * from_csv:.0f} ms |")
    print(f"\nLoad average {before:.1f} before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
