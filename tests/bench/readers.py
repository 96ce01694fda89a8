"""Reader speed beside other ways to read the same file: `python -m tests.bench.readers`.

Processor time and peak memory of one process each, imports left out; every pair is timed in turn, and the ratio is the
median of the pairs. Prints a table in Markdown.
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.runlog import import_runs, read_paths
from tests.bench.peak import peak_megabytes
from tests.runlog.readers import tracker_samples

TAGS = ("loss", "grad_norm", "lr", "eval_loss", "accuracy")
NUM_EVENTS, NUM_WANDB, NUM_CSV = 40_000, 100_000, 1_000_000
PAIRS = 3
FILE_NAME = "events.out.tfevents.1700000000.host.1.0"  # what EventAccumulator wants; our readers look at the content


def write_events(path: Path, num: int = NUM_EVENTS) -> None:
    """Writes an event file with 5 tags, one scalar an event, as SummaryWriter does."""
    from tensorboard.compat.proto.event_pb2 import Event

    from analysis.runlog.readers.crc32c import masked_crc32c

    records = [Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString()]
    for step in range(num):
        for place, tag in enumerate(TAGS):
            event = Event(wall_time=1.7e9 + step, step=step)
            event.summary.value.add(tag=tag, simple_value=3 - step / num + place)
            records.append(event.SerializeToString())
    lengths = [struct.pack("<Q", len(record)) for record in records]
    sums = zip(lengths, masked_crc32c(lengths), records, masked_crc32c(records), strict=True)
    path.write_bytes(
        b"".join(a + struct.pack("<I", int(b)) + record + struct.pack("<I", int(c)) for a, b, record, c in sums)
    )


def write_wandb(path: Path, num: int = NUM_WANDB) -> None:
    """Writes a .wandb file with a summary behind each row, as W&B does."""
    path.write_bytes(tracker_samples.frame_records(tracker_samples.wandb_records(np.linspace(3, 2, num).tolist())))


def write_csv(path: Path, num: int = NUM_CSV) -> None:
    """Writes a table of step, loss, gradient norm and learning rate."""
    with path.open("w") as file:
        file.write("step,loss,grad_norm,lr\n")
        file.writelines(f"{step},{3 - step / num:.6f},{1 + (step % 97) / 97:.6f},0.001\n" for step in range(num))


def read_ours(path: Path) -> int:
    """Reads a file; returns how many values of metrics came out."""
    (run,) = read_paths([path]).runs
    return sum(len(run.steps) - column.null_count for column in run.steps.columns[1:])


def read_accumulator(path: Path) -> int:
    """Reads an event file with TensorBoard's EventAccumulator, every scalar kept."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()
    return sum(len(accumulator.Scalars(tag)) for tag in accumulator.Tags()["scalars"])


def import_ours(path: Path) -> int:
    """Reads a file and writes its run into a store."""
    with tempfile.TemporaryDirectory() as store:
        return sum(len(run.steps) for run in import_runs([path], "s", store=store))


def read_pandas(path: Path) -> int:
    """Reads a table with pandas."""
    import pandas as pd

    return int(pd.read_csv(path).count().sum())


READS: dict[str, Callable[[Path], int]] = {
    each.__name__: each for each in (read_ours, read_accumulator, import_ours, read_pandas)
}


def time_one(name: str, path: Path, small: Path) -> dict[str, float]:
    """Times a way to read in this process, after a small file of the kind has loaded what it needs."""
    read = READS[name]
    read(small)
    before = time.process_time()
    num = read(path)
    seconds = time.process_time() - before
    return {"values": num, "seconds": seconds, "megabytes": peak_megabytes()}


def time_apart(name: str, path: Path, small: Path) -> dict[str, float]:
    """Times a way to read in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.readers", "--one", name, str(path), str(small)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    return json.loads(done.stdout)


def compare(what: str, write: Callable[..., None], ours: str, theirs: str | None, target: str) -> None:
    """Prints a row of the table."""
    with tempfile.TemporaryDirectory(prefix="steadystep-") as folder:
        path, small = (Path(folder) / part / FILE_NAME for part in ("large", "small"))
        for each in (path, small):
            each.parent.mkdir()
        write(path)
        write(small, 50)
        pairs = [
            (time_apart(ours, path, small), time_apart(theirs, path, small) if theirs else None) for _ in range(PAIRS)
        ]
    first = statistics.median(own["seconds"] for own, _ in pairs)
    memory = max(own["megabytes"] for own, _ in pairs)
    row = [what, f"{pairs[0][0]['values']:,.0f}", f"{first:.2f}", f"{memory:,.0f}"]
    if theirs:
        row += [f"{statistics.median(other['seconds'] for _, other in pairs):.2f} ({theirs.removeprefix('read_')})"]
        row += [f"{statistics.median(other['seconds'] / own['seconds'] for own, other in pairs):.1f}"]
        row += [f"{pairs[0][1]['values']:,.0f}"]
    else:
        row += ["", "", ""]
    print(f"| {' | '.join([*row, target])} |", flush=True)


def main() -> None:
    """Prints the table, or times one way to read."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--one", nargs=3, metavar=("WAY", "PATH", "SMALL"), help="time one way in this process")
    args = ask.parse_args()
    if args.one:
        name, *paths = args.one
        print(json.dumps(time_one(name, *map(Path, paths))))
        return
    print(f"Load average {os.getloadavg()[0]:.1f} before.\n")
    print("| file | values | ours, CPU s | peak, MiB | other, CPU s | other / ours | values of the other | target |")
    print("|---|---|---|---|---|---|---|---|")
    compare("TensorBoard, 5 tags x 40,000", write_events, "read_ours", "read_accumulator", "ratio 8, all values")
    compare("`.wandb`, 100,000 rows, imported", write_wandb, "import_ours", None, "2.5 s")
    compare("CSV, 1,000,000 rows of 4 columns", write_csv, "read_ours", "read_pandas", "2 s, 1,024 MiB")
    print(f"\nLoad average {os.getloadavg()[0]:.1f} after.")


if __name__ == "__main__":
    main()
