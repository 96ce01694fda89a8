"""The parent's side of bounded_read: starts the process, hears its answers, ends it."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from analysis.runlog import bounded_read
from analysis.runlog.readers.json_file import parse

WALL_SECONDS = 120  # ours: a file; a machine that is busy with training gives a process a third of a core
EXIT_SECONDS = 60  # ours: after the last answer; a busy machine may take ten to end an interpreter
MAX_LINE = 2**20  # ours: bytes of one answer
PROJECT = Path(__file__).parents[2]


class ReaderEnd(Exception):
    """The process ended, or was ended, while it read a file; the message goes on behind the file's name."""


def run_reader(
    request: Mapping[str, object], work: Path, script: str = "", secrets: Mapping[str, str] | None = None
) -> Iterator[object]:
    """Yields the answers of a process of its own, which is gone when the generator is closed.

    Args:
        request: What bounded_read is told.
        work: Empty folder that is its working directory and takes its temporary files.
        script: Path of another script than bounded_read that is run so.
        secrets: What its environment holds beside the folders.

    Raises:
        ReaderEnd: It ended by a limit or a fault, or was ended for its silence or for an answer that is no JSON.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-B", script or bounded_read.__file__],
        cwd=work,
        env=dict(secrets or {})
        | {"PYTHONPATH": str(PROJECT), "TMPDIR": str(work), "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            process.stdin.write(json.dumps(request).encode())
            process.stdin.close()
            yield from map(parse, _read_lines(process))
            code = process.wait(EXIT_SECONDS)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise ReaderEnd("made its reader answer nonsense. Export it in another format") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if code:
        raise ReaderEnd(_describe_end(code))


def _read_lines(process: subprocess.Popen) -> Iterator[str]:
    """Yields lines as they come; each must come within the time that a file may take."""
    rest, deadline = b"", time.monotonic() + WALL_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0, deadline - time.monotonic())):
            data = os.read(process.stdout.fileno(), MAX_LINE)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > MAX_LINE:
                raise ReaderEnd("made its reader answer without end. Export it in another format")
            for line in lines:
                yield line.decode()
                deadline = time.monotonic() + WALL_SECONDS
    raise ReaderEnd(f"takes longer than {WALL_SECONDS} s to read. Split it")


def _describe_end(code: int) -> str:
    """Returns why a process ended while it read a file, and what to do."""
    if code == bounded_read.EXIT_MEMORY:
        return f"needs more than {bounded_read.MEMORY_BYTES >> 30} GiB of memory to read. Split it"
    if code == -signal.SIGXCPU:
        return f"needs more than {bounded_read.CPU_SECONDS} s of processor time to read. Split it"
    how = signal.Signals(-code).name if code < 0 else f"exit {code}"
    return f"broke its reader ({how}), and nothing of it was kept. Export it in another format"
