"""Runs on a W&B server: copied into files by a process that reaches that server only, and read as those.

The command line reads them here, the import page through bounded_import; both get the same rows.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import bounded_fetch
from analysis.runlog.bounded_process import ReaderEnd, run_reader
from analysis.runlog.readers import wandb_fetched
from analysis.runlog.study import Run, RunLogError, Skipped
from analysis.runlog.wandb_address import KEY, PREFIX, Address, base_url, find_proxy, read_address

NUM_FETCHERS = 2  # ours: at a time, of all visitors
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # OpenSSL's: whom to trust, where a server is one's own
_turns = threading.BoundedSemaphore(NUM_FETCHERS)


def has_key() -> bool:
    """Returns whether the environment, which is the only place for it, holds the key of a server."""
    return bool(os.environ.get(KEY))


def read(text: str, column_map: Mapping[str, str] | None = None) -> tuple[list[tuple[Path, Run]], list[Skipped]]:
    """Reads all rows of the runs that a path or the address of a page names.

    Args:
        text: `wandb:ENTITY/PROJECT`, `wandb:ENTITY/PROJECT/RUN` or the address of a page in the browser.
        column_map: As for `read_paths`.

    Returns:
        The runs with their addresses, and those of a project that were passed over.

    Raises:
        RunLogError: It names no runs, there is no key, or the server does not give them.
    """
    address = read_address(text)
    found: list[tuple[Path, Run]] = []
    skipped: list[Skipped] = []
    with tempfile.TemporaryDirectory(prefix="steadystep-") as folder:
        files, work = Path(folder, "files"), Path(folder, "work")
        files.mkdir(mode=0o700)
        work.mkdir(mode=0o700)
        fetch(address, files, work)
        for path in sorted(files.iterdir()):
            place = Path(f"{PREFIX}{address.entity}/{address.project}/{path.name}")
            try:
                found += [(place, run) for run in wandb_fetched.read(path, column_map)]
            except RunLogError as error:
                if address.run:
                    raise
                skipped.append(Skipped(str(place), str(error)))
    return found, skipped


def fetch(address: Address, folder: Path, work: Path) -> int:
    """Copies the runs of an address from the server of WANDB_BASE_URL into files; returns how many.

    Args:
        address: The runs.
        folder: Empty folder that takes a file for each run.
        work: Empty folder to work in.

    Raises:
        RunLogError: There is no key, or the server does not give the runs.
    """
    if not has_key():
        raise RunLogError(f"{address} needs a key of the W&B server. Set {KEY} in the environment")
    url = base_url()
    request = {"url": url, "proxy": find_proxy(url), "folder": str(folder)}
    request["address"] = [address.entity, address.project, address.run]
    secrets = {name: os.environ[name] for name in (KEY, *CERTIFICATES) if name in os.environ}
    end: Mapping[str, object] = {}
    try:
        with _turns, contextlib.closing(run_reader(request, work, bounded_fetch.__file__, secrets)) as answers:
            for answer in answers:
                end = answer if isinstance(answer, dict) else {}
    except ReaderEnd as error:
        raise RunLogError(f"{address} {error}") from error
    if isinstance(end.get("reason"), str):
        raise RunLogError(f"{address} cannot be fetched: {' '.join(end['reason'].split())}")
    return len(list(folder.iterdir()))
