"""The fault tests over and over: kills, damaged files, malformed logs, bombs. `make soak`, or with --help.

Kills fall at other moments and generated files are others in every round; a failure is printed and the rest goes on.
"""

import argparse
import math
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from analysis.runlog.bounded_import import read_files
from tests.bench.peak import peak_megabytes
from tests.runlog import hostile
from tests.runlog.readers.fuzzing import fuzz, memory_folder
from tests.runlog.readers.malformed import GOOD

FAULTS = ["tests/runlog", "tests/runners/test_kills.py"]
BOMBS: dict[str, Callable[[], bytes]] = {
    "lines.gz": lambda: hostile.gzip_bomb(3 * 2**30, b"\n"),
    "line.gz": lambda: hostile.gzip_bomb(3 * 2**30, b"9"),
    "members.zip": hostile.zip_bomb,
    "texts.parquet": lambda: hostile.parquet_bomb(8000),
    "deep.json": lambda: hostile.deep_json(1_000_000),
    "deep.jsonl": lambda: hostile.deep_rows(400_000),
    "keys.jsonl": hostile.many_keys,
    "line.csv": lambda: hostile.long_line(150_000_000),
    "columns.csv": lambda: hostile.many_columns(2_000_000),
}
MOST_PARENT_MB = 50  # ours: what the server may grow by while a bomb is read


def main() -> int:
    """Runs everything; returns 1 if anything failed."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rounds", type=int, default=20, metavar="N", help="of the fault tests; %(default)s")
    ask.add_argument("--files", type=int, default=100_000, metavar="N", help="malformed, of each format; %(default)s")
    ask.add_argument("--seconds", type=float, metavar="S", help="of processor time for each format; no limit")
    ask.add_argument("--formats", nargs="+", choices=sorted(GOOD), metavar="NAME", help="of malformed files; all")
    ask.add_argument("--only-files", action="store_true", help="malformed files, neither bombs nor fault tests")
    ask.add_argument("--seed", type=int, default=1, metavar="N", help="of malformed files; %(default)s")
    args = ask.parse_args()
    failed = [fuzz_all(args.formats or sorted(GOOD), args.files, args.seed, args.seconds or math.inf)]
    failed += [] if args.only_files else [explode(), repeat_tests(args.rounds)]
    return 1 if any(failed) else 0


def explode() -> int:
    """Gives every bomb to the process that reads files from outside; returns how many did harm."""
    harmful = 0
    for name, make in BOMBS.items():
        content = make()
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        (outcome,) = read_files([(name, content)]).outcomes
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
        is_safe = bool(outcome.reason) and grown <= MOST_PARENT_MB
        harmful += not is_safe
        told = f"{len(content) >> 10} KiB, {time.monotonic() - start:.1f} s, server +{grown} MiB: {outcome.reason}"
        print(f"bomb {name}: {'' if is_safe else 'HARMFUL '}{told}", flush=True)
    return harmful


def fuzz_all(names: Sequence[str], num: int, seed: int, seconds: float) -> int:
    """Reads malformed files of formats, each format in a process of its own; returns how many showed a bug."""
    kept, num_bugs, num_files = Path(tempfile.mkdtemp(prefix="steadystep-fuzz-")), 0, 0
    for name in names:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            try:
                found, megabytes = process.submit(fuzz_one, name, kept, num, seed, seconds).result()
            except BrokenProcessPool:
                found, megabytes = Counter({"the process crashed": 1}), 0
        bugs = {verdict: times for verdict, times in found.items() if verdict not in ("read", "refused")}
        num_bugs, num_files = num_bugs + sum(bugs.values()), num_files + found.total()
        told = f"{found.total()} files, {found['read']} read, {found['refused']} refused, bugs {bugs or 'none'}"
        print(f"malformed {name}: {told}, process at most {megabytes} MiB", flush=True)
    print(f"{num_bugs} of {num_files} malformed files showed a bug" + (f", see {kept}" if num_bugs else ""))
    return num_bugs


def fuzz_one(name: str, kept: Path, num: int, seed: int, seconds: float) -> tuple[Counter[str], int]:
    """Returns what became of malformed files of a format, and the peak memory of this process in MiB."""
    with memory_folder() as folder:
        found = fuzz(name, folder, num, seconds, seed)
        for path in folder.glob(f"{name.replace(' ', '_')}-*"):
            shutil.move(path, kept)
    return found, peak_megabytes()


def repeat_tests(rounds: int) -> int:
    """Runs the fault tests in rounds; returns in how many of them any failed."""
    failed = 0
    for number in range(1, rounds + 1):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *FAULTS]
        done = subprocess.run([*command, f"--hypothesis-seed={number}"], capture_output=True, text=True, check=False)
        summary = (done.stdout.strip().splitlines() or ["no output"])[-1]
        print(f"round {number} of {rounds}: {summary}", flush=True)
        if done.returncode:
            failed += 1
            print(done.stdout[-4000:], file=sys.stderr)
    print(f"{rounds - failed} of {rounds} rounds without a failure")
    return failed


if __name__ == "__main__":
    sys.exit(main())
