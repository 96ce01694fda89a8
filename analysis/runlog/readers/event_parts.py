"""Event files of one folder that are one run: a resumed run begins a new file, and so may a second writer of a run."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from analysis.runlog.readers.event_scalars import read_scalars
from analysis.runlog.study import RunLogError

FILE_NAME = re.compile(r"events\.out\.tfevents\.(\d+)")  # a host name and a process number follow
MAX_PARTS = 100  # ours: event files of a folder; with more, each is a run of its own


@dataclass(frozen=True)
class Opening:
    """How an event file begins.

    Attributes:
        first_step: The step of its first scalar.
        stride: Steps from there to the next, 0 where there is no other.
        tags: Names of its first scalars.
    """

    first_step: int
    stride: int
    tags: frozenset[str]


@dataclass(frozen=True)
class Part:
    """An event file of a run.

    Attributes:
        path: The file.
        is_attempt: Whether it goes on with metrics of an earlier one, so that it is the log of a restart.
    """

    path: Path
    is_attempt: bool = False


def list_parts(path: Path) -> tuple[Part, ...]:
    """Returns the event files of the run that begins in a file.

    Raises:
        RunLogError: The file goes on with another one's run.
    """
    if not FILE_NAME.match(path.name):
        return (Part(path),)
    files = [file for file in os.scandir(path.parent or ".") if FILE_NAME.match(file.name) and file.is_file()]
    if not 1 < len(files) <= MAX_PARTS:
        return (Part(path),)
    files.sort(key=lambda file: (int(FILE_NAME.match(file.name)[1]), file.name))
    states = tuple((file.path, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    for run in _group(states):
        names = [part.path.name for part in run]
        if path.name == names[0]:
            return run
        if path.name in names:
            raise RunLogError(f"{path.name} goes on with the run of {names[0]}, and is read with it. Give that one")
    return (Part(path),)


@lru_cache(32)
def _group(states: tuple[tuple[str, int, int], ...]) -> tuple[tuple[Part, ...], ...]:
    """Returns the files of a folder, in the order of their names, as runs."""
    return tuple(map(tuple, _join((Path(path), opening) for path, *_ in states if (opening := _peek(Path(path))))))


def _join(openings: Iterable[tuple[Path, Opening]]) -> Iterator[list[Part]]:
    """Yields runs. A file that starts as a run does from its beginning is a run of its own, so that none is hidden."""
    run: list[Part] = []
    first_step, tags = 0, frozenset()
    for path, opening in openings:
        shares = bool(tags & opening.tags)
        if run and shares and opening.first_step <= max(first_step, opening.stride + 1):
            yield run
            run = []
        if not run:
            first_step, tags, shares = opening.first_step, frozenset(), False
        run.append(Part(path, shares))
        tags |= opening.tags
    if run:
        yield run


def _peek(path: Path) -> Opening | None:
    """Returns how a file begins, None where it has no scalars there or is no event file."""
    try:
        found = read_scalars(path, [], first_only=True)
    except (RunLogError, OSError):
        return None
    if not len(found.steps):
        return None
    of_first = found.steps[found.tags == found.tags[0]]
    gaps = np.diff(of_first)
    stride = int(gaps[gaps > 0][0]) if (gaps > 0).any() else 0
    return Opening(int(found.steps[0]), stride, frozenset(found.names))
