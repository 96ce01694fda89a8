"""Many people write into one review at once: what is lost, what is doubled? `python -m tests.bench.reviews`."""

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from reviews import Person, ReviewStore, agenda, comments, open_store, people
from tests.reviews.diagnoses import DIAGNOSIS
from tests.reviews.postgresql import Server
from tests.reviews.writer_process import comment_id

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Hammered:
    """What became of the comments, and the processor seconds of the writing processes."""

    num_sent: int
    num_lost: int
    num_doubled: int
    cpu_seconds: float
    seconds: float


def add_writers(store: ReviewStore, num: int) -> tuple[Person, str]:
    """Adds an admin, the writers and a review; returns the admin and the id of the review."""
    admin = people.add_first(store, "admin", "Admin")
    for writer in range(num):
        people.add(store, admin, f"writer-{writer}", f"Writer {writer}", "reviewer")
    return admin, agenda.open_review(store, admin, DIAGNOSIS, "fingerprint").id


def start_writers(url: str, review_id: str, first: int, num_writers: int, num: int) -> subprocess.Popen:
    """Starts one dashboard process."""
    command = [sys.executable, "-m", "tests.reviews.writer_process", review_id, *map(str, (first, num_writers, num))]
    environment = os.environ | {"STEADYSTEP_REVIEWS": url, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT, env=environment
    )


def hammer(url: str, num_writers: int, num: int, num_processes: int) -> Hammered:
    """Has people write at once, from several dashboard processes, and compares what is stored with what was sent."""
    store = open_store(url)
    admin, review_id = add_writers(store, num_writers)
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    share = num_writers // num_processes
    processes = [start_writers(url, review_id, first, share, num) for first in range(0, num_writers, share)]
    acknowledged = [line for process in processes for line in process.communicate()[0].split()]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert [process.returncode for process in processes] == [0] * len(processes)
    sent = {comment_id(writer, number) for writer in range(num_writers) for number in range(num)}
    stored = Counter(thread.root.text for thread in comments.read_threads(store, admin, review_id))
    names = Counter(comment_id(*map(int, reversed(text.split(" by ")))) for text in stored.elements())
    store.close()
    return Hammered(
        num_sent=len(sent),
        num_lost=len((sent | set(acknowledged)) - set(names)),
        num_doubled=sum(times - 1 for times in names.values()),
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        seconds=time.monotonic() - start,
    )


def main() -> int:
    """Prints one line for each database; returns 1 if anything was lost or doubled."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--writers", type=int, default=50, metavar="N", help="people who write at once; %(default)s")
    ask.add_argument("--comments", type=int, default=200, metavar="N", help="each; %(default)s")
    ask.add_argument("--processes", type=int, default=5, metavar="N", help="dashboard processes; %(default)s")
    args = ask.parse_args()
    server, failed = Server(), 0
    server.start()
    with contextlib.ExitStack() as stack:
        stack.callback(server.stop)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        urls = {"SQLite": f"sqlite:///{folder}/reviews.db", "PostgreSQL": server.url(server.make_database())}
        for name, url in urls.items():
            done = hammer(url, args.writers, args.comments, args.processes)
            failed += done.num_lost + done.num_doubled
            print(
                f"{name}: {done.num_sent} sent, {done.num_lost} lost, {done.num_doubled} doubled, "
                f"{done.cpu_seconds:.1f} processor seconds of the writers, {done.seconds:.1f} s",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
