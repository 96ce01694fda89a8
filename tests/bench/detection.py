"""How well rises are found: our detector beside published rules, on curves with known answers and on labelled runs.

Run by `make bench-detection`, or python tests/bench/detection.py --runs FOLDER --seeds 20. FOLDER has a labels.csv
with the columns file, kind ("stable", "early", "mid-training"), outcome, onset_step and ambiguous ("True", "False").
"""

import argparse
import csv
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.judge import judge_one
from analysis.live_rise import LiveRises
from analysis.runlog import Run, RunLogError, read_paths, schema
from tests import curves
from tests.bench.published_rules import RULES
from tests.studies import make_run

STABLE_LENGTHS, UNSTABLE_LENGTHS = (200, 2000), (300, 3000)
KINDS = ("early", "mid-training")
RECORD_FACTS = (schema.INIT_LOSS_MEAN, schema.INIT_LOSS_SD, schema.BASELINE_LOSS)


@dataclass(frozen=True)
class Labelled:
    """A run and what is true of it."""

    run: Run
    kind: str
    onset_step: int | None

    @property
    def unstable(self) -> bool:
        """Whether the loss rose, or the run never learned."""
        return self.kind != "stable"


Detector = Callable[[Run], int | None]


def ours(run: Run) -> int | None:
    """Returns the onset of the first confirmed event."""
    return min((event.onset_step for event in judge_one(run, "").confirmed), default=None)


def ours_without_facts(run: Run) -> int | None:
    """Judges the run without what its record says of the untrained model and of chance level."""
    record = {name: value for name, value in run.record.items() if name not in RECORD_FACTS}
    return ours(Run(record, run.steps, run.log))


def ours_live(run: Run) -> int | None:
    """Returns the onset of the first alarm of the streaming form."""
    record = run.record
    planned = int(record.get(schema.MAX_TRAIN_STEPS) or 0) + int(record.get(schema.WARMUP_STEPS) or 0)
    steps, loss = run.loss
    live = LiveRises(planned or int(steps[-1]) + 1, record.get(schema.INIT_LOSS_MEAN), record.get(schema.INIT_LOSS_SD))
    norms = dict(zip(*(values.tolist() for values in run.series(schema.GRAD_NORM)), strict=True))
    for step, value in zip(steps.tolist(), loss.tolist(), strict=True):
        alarm = live.add(step, value, norms.get(step))
        if alarm is not None:
            return alarm.onset_step
    return None


def published(rule: Callable) -> Detector:
    """Gives a published rule what it takes; returns the step of its first alarm."""

    def detect(run: Run) -> int | None:
        steps, loss = run.loss
        _, norm = run.series(schema.GRAD_NORM)
        at = rule(loss, norm if len(norm) == len(loss) else None)
        return None if at is None else int(steps[at])

    return detect


DETECTORS: dict[str, Detector] = {
    "**Steadystep**": ours,
    "Steadystep, without those facts": ours_without_facts,
    "Steadystep, live": ours_live,
} | {name: published(rule) for name, rule in RULES.items()}


def synthetic(seeds: int) -> Iterator[Labelled]:
    """Makes the synthetic set: stable under six noise laws, early rises, mid-training rises."""
    for seed in range(seeds):
        answers = [curves.stable(law, n, 1000 + seed) for law in curves.LAWS for n in STABLE_LENGTHS]
        for n in UNSTABLE_LENGTHS:
            answers += [curves.early(n, seed, height, recovers=recovers) for height in (2, 5) for recovers in (0, 1)]
            answers += [
                curves.mid(n, seed, outcome, height)
                for outcome in ("recovered", "not-recovered", "diverged")
                for height in (0.6, 1.5)
            ]
        for answer in answers:
            yield Labelled(make_run(answer.loss), answer.kind, answer.onset_step)


def read_labelled(folder: Path) -> list[Labelled]:
    """Reads the unambiguous runs of a labelled folder.

    Raises:
        RunLogError: labels.csv is missing or lacks a column, or a file cannot be read.
    """
    path = folder / "labels.csv"
    if not path.exists():
        raise RunLogError(f"{folder} has no labels.csv. Give a folder with one, or none")
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    missing = {"file", "kind", "outcome", "onset_step", "ambiguous"} - set(rows[0] if rows else ())
    if missing:
        raise RunLogError(f"{path} has no column {', '.join(sorted(missing))}. Add it to every row")
    clear = [row for row in rows if row["ambiguous"].lower() not in ("true", "1")]
    labelled = []
    for row in clear:
        (run,) = read_paths([folder / row["file"]]).runs
        onset = int(float(row["onset_step"])) if row["onset_step"] else None
        labelled.append(Labelled(run, row["kind"], onset))
    return labelled


def grade(name: str, detect: Detector, runs: Sequence[Labelled]) -> str:
    """Returns one line of the table."""
    print(name, file=sys.stderr, flush=True)
    found = [detect(labelled.run) for labelled in runs]
    pairs = list(zip(runs, found, strict=True))
    hits = sum(labelled.unstable and at is not None for labelled, at in pairs)
    alarms = sum(at is not None for at in found)
    unstable = sum(labelled.unstable for labelled in runs)
    stable = len(runs) - unstable
    precision, recall = hits / alarms if alarms else np.nan, hits / unstable
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    errors = [abs(at - lab.onset_step) for lab, at in pairs if at is not None and lab.onset_step is not None]
    kinds = [[at is not None for lab, at in pairs if lab.kind == kind] for kind in KINDS]
    shares = [precision, recall, f1, *(np.mean(hit) for hit in kinds)]
    cells = ["none" if np.isnan(share) else f"{share:.3f}" for share in shares]
    error = f"{np.median(errors):.1f}" if errors else "none"
    return f"| {name} | {' | '.join(cells)} | {alarms - hits} of {stable} | {error} |"


def table(title: str, runs: Sequence[Labelled]) -> str:
    """Returns the table of one set of runs in Markdown."""
    print(f"{title}: {len(runs)} runs", file=sys.stderr)
    unstable = sum(labelled.unstable for labelled in runs)
    kinds = ", ".join(f"{sum(labelled.kind == kind for labelled in runs)} {kind}" for kind in KINDS)
    lines = [
        f"## {title}",
        "",
        f"{len(runs) - unstable} stable runs, {unstable} unstable ({kinds}).",
        "",
        "| rule | precision | recall | F1 | recall, early | recall, mid-training | false alarms on stable runs "
        "| onset error, median steps |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [grade(name, detect, runs) for name, detect in DETECTORS.items()])


def main() -> int:
    """Prints the tables; progress goes to standard error."""
    parser = argparse.ArgumentParser(description="Grade detectors of rising losses; prints Markdown tables.")
    parser.add_argument("--runs", type=Path, help="folder of labelled runs with a labels.csv")
    parser.add_argument("--seeds", type=int, default=20, help="synthetic runs of each kind (default 20)")
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    try:
        labelled = read_labelled(arguments.runs) if arguments.runs else []
    except RunLogError as error:
        print(error, file=sys.stderr)
        return 2
    print(table("Synthetic runs with known answers", list(synthetic(arguments.seeds))))
    if labelled:
        print("\n" + table("Labelled runs", labelled))
    return 0


if __name__ == "__main__":
    sys.exit(main())
