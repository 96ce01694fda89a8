"""Runs on a W&B server become a study: one process copies them into files, another without network reads those."""

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from analysis.runlog import bounded_fetch
from analysis.runlog.bounded_import import Reading, read_fetched
from analysis.runlog.bounded_process import ReaderEnd, run_reader
from analysis.runlog.study import RunLogError
from analysis.runlog.wandb_address import KEY, Address, base_url, read_address

NUM_FETCHERS = 2  # ours: at a time, of all visitors
_turns = threading.BoundedSemaphore(NUM_FETCHERS)


def has_key() -> bool:
    """Returns whether the environment, which is the only place for it, holds the key of a server."""
    return bool(os.environ.get(KEY))


def read_server(
    text: str,
    column_maps: Mapping[str, Mapping[str, str]] | None = None,
    on_file: Callable[[int, int], None] | None = None,
) -> Reading:
    """Reads the runs that a path or address names from the server of WANDB_BASE_URL, and from no other.

    Args:
        text: ENTITY/PROJECT, ENTITY/PROJECT/RUN or the address of a page.
        column_maps: As for `read_files`.
        on_file: Is told how many of how many runs are read.

    Raises:
        RunLogError: It names no runs, there is no key, or the server does not give them.
    """
    address = read_address(text)
    if not has_key():
        raise RunLogError(f"{address} needs a key of the W&B server. Set {KEY} in the environment of the dashboard")
    return read_fetched(
        lambda folder, work: _fetch(address, folder, work), address.run or address.project, column_maps, on_file
    )


def _fetch(address: Address, folder: Path, work: Path) -> int:
    """Copies the runs into files; returns how many."""
    request = {"url": base_url(), "address": [address.entity, address.project, address.run], "folder": str(folder)}
    end: Mapping[str, object] = {}
    try:
        with (
            _turns,
            contextlib.closing(run_reader(request, work, bounded_fetch.__file__, {KEY: os.environ[KEY]})) as answers,
        ):
            for answer in answers:
                end = answer if isinstance(answer, dict) else {}
    except ReaderEnd as error:
        raise RunLogError(f"{address} {error}") from error
    if isinstance(end.get("reason"), str):
        raise RunLogError(f"{address} cannot be fetched: {' '.join(end['reason'].split())}")
    return len(list(folder.iterdir()))
