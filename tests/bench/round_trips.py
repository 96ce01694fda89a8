"""20,000 hard losses through the libraries that log them, and back: `python -m tests.bench.round_trips`.

Trackers log them, trainers train with them (tests.runners.planted), each in a process of its own; trackio in an
environment of its own, which pip fills. Prints a table in Markdown; ends with 1 where something came back otherwise
than expected.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from analysis.runlog import Run, read_paths
from tests.runlog.readers.hard_values import hard_losses
from tests.runlog.readers.round_trips import ROOT, TRACKERS, TRACKIO_ITSELF, log
from tests.runners.planted import STUDY, as_trained

NUM_STEPS = 20_000
TRACKIO = "0.43.0"
SMALLEST = 1e-30  # a training in 32 bits has no 1e-300
TRAINING = """
from pathlib import Path
from tests.runlog.readers.hard_values import hard_losses
from tests.runners.planted import train_{name}
train_{name}(Path({out!r}), hard_losses({num_steps}, {smallest}))
"""


@dataclass(frozen=True)
class Kept:
    """Where a training left its losses.

    Attributes:
        name: What the table calls it.
        pattern: Of the path.
        num_lost: Planted losses that it cannot hold.
        tolerance: Relative; of what it rounds.
    """

    name: str
    pattern: str
    num_lost: int = 0
    tolerance: float = 0.0


OWN = Kept("our run log", f"store/{STUDY}")
FILTERED = 4  # NaN and infinity, which the filter of the Trainer makes 0
TRAININGS = {
    "hf": (
        "transformers",
        (
            OWN,
            Kept("hf trainer state", "trainer_state.json", FILTERED),
            Kept("hf stdout", "train.log", FILTERED, 5e-4),  # 4 digits
        ),
    ),
    "keras": ("keras", (OWN, Kept("keras csv", "training.log"))),
    "lightning": (
        "lightning",
        (OWN, Kept("lightning csv", "csv/*/metrics.csv"), Kept("tensorboard events", "events/*/events.out.*")),
    ),
}


def train(name: str, out: Path, num_steps: int) -> None:
    """Trains in a process of its own."""
    code = TRAINING.format(name=name, out=str(out), num_steps=num_steps, smallest=SMALLEST)
    environment = os.environ | {"HOME": str(out), "OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch"}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, env=environment, stdout=sys.stderr, check=True
    )


def make_trackio(folder: Path) -> str:
    """Returns the Python of a new environment with trackio."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", f"trackio=={TRACKIO}"], check=True)
    return str(python)


def compare(kept: Kept, library: str, run: Run, expected: np.ndarray) -> bool:
    """Prints a row of the table; returns whether what came back is as expected."""
    losses = run.loss[1]
    is_whole = len(losses) == len(expected)
    equal = np.isclose(losses, expected, rtol=kept.tolerance, atol=0, equal_nan=True) if is_whole else np.zeros(1)
    largest = losses[np.isfinite(losses)].max()
    notes = [note for note in run.log.notes if "losses are" in note]
    told = "kept" if run.log.non_finite == "kept" else "; ".join(notes)
    digits = " (4 digits)" if kept.tolerance else ""
    cells = (kept.name, library, f"{len(losses):,}", f"{int(equal.sum()):,}{digits}", np.isnan(losses).sum())
    cells += (np.isinf(losses).sum(), f"{largest:.6g}", f"{(losses == 50).sum()}", told)
    print(f"| {' | '.join(map(str, cells))} |", flush=True)
    return is_whole and int(equal.sum()) == len(expected) - kept.num_lost


def main() -> int:
    """Prints the table."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--steps", type=int, default=NUM_STEPS, help="losses that are logged")
    ask.add_argument("--trackio", metavar="PYTHON", help="a Python that has trackio (default: one is made)")
    args = ask.parse_args()
    print(
        "| read from | written by | losses | equal | NaN, of 2 | infinite, of 2 | largest | rise of one step | told |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="steadystep-") as folder:
        python = args.trackio or make_trackio(Path(folder, "environment"))
        versions = {name: version(tracker.package) for name, tracker in TRACKERS.items()} | {"trackio sqlite": TRACKIO}
        for name, tracker in {**TRACKERS, "trackio sqlite": TRACKIO_ITSELF}.items():
            out = Path(folder, name)
            out.mkdir()
            path = log(tracker, out, args.steps, python if tracker is TRACKIO_ITSELF else sys.executable)
            library = f"{tracker.package} {versions[name]}"
            outcomes.append(compare(Kept(name, ""), library, read_paths([path]).runs[0], hard_losses(args.steps)))
        for name, (package, places) in TRAININGS.items():
            out = Path(folder, name)
            out.mkdir()
            train(name, out, args.steps)
            for kept in places:
                (path,) = out.glob(kept.pattern)
                run, library = read_paths([path]).runs[0], f"{package} {version(package)}"
                outcomes.append(compare(kept, library, run, as_trained(hard_losses(args.steps, SMALLEST))))
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
