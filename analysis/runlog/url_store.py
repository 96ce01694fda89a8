"""A store behind a URL (S3, GCS, ...): it holds ended runs; a run lies in a local folder while it is written."""

import io
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import NamedTuple

import fsspec

from analysis.runlog import layout
from analysis.runlog.study import RunLogError

Store = str | os.PathLike | None


class Pushed(NamedTuple):
    """A sealed file behind a URL, and what its store says of it (size, time, tag): another file, another mark."""

    path: str
    mark: str


def find_pushed(store: Store, study: str = "") -> Mapping[tuple[str, str], Pushed]:
    """Returns the sealed files of a URL store, or of one study of it, by (study, run_id).

    A store that is a folder has none.

    Raises:
        RunLogError: The URL cannot be reached.
    """
    if not layout.is_url(store):
        return {}
    files, root = _open(store)
    try:
        folder = f"{root}/{study}".rstrip("/")
        found = files.find(folder, detail=True) if files.exists(folder) else {}
    except Exception as error:  # every kind of store has its own
        reason = str(error)[:120]
        raise RunLogError(f"{layout.store_root(store)} cannot be listed ({reason}). Check it and its rights") from error
    pushed = {}
    for path, facts in found.items():
        parts = path.removeprefix(root).strip("/").split("/")
        if len(parts) == 4 and parts[1] == layout.RUNS_FOLDER and parts[3] == layout.SEALED_FILE:
            pushed[parts[0], parts[2]] = Pushed(path, repr(sorted((key, str(fact)) for key, fact in facts.items())))
    return pushed


def read_pushed(root: str, pushed: Pushed) -> io.BytesIO:
    """Returns the content of a sealed file.

    Raises:
        RunLogError: It cannot be fetched.
    """
    try:
        return io.BytesIO(_open(root)[0].cat_file(pushed.path))
    except Exception as error:  # every kind of store has its own
        raise RunLogError(f"{pushed.path} cannot be fetched ({str(error)[:120]}). Check the store") from error


def pushed_at(store: Store, pushed: Pushed) -> float:
    """Returns when a sealed file was written, in seconds since 1970."""
    time = _open(store)[0].modified(pushed.path)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def push_run(folder: Path, store: Store, study: str) -> None:
    """Moves an ended run to a URL store; its sealed file comes last and makes it visible.

    Raises:
        RunLogError: The store did not take it; the run stays in its local folder.
    """
    if not layout.is_url(store):
        return
    files, root = _open(store)
    target = f"{root}/{study}/{layout.RUNS_FOLDER}/{folder.name}"
    try:
        files.makedirs(target, exist_ok=True)
        for name in (layout.RUN_FILE, layout.SEALED_FILE):
            files.pipe_file(f"{target}/{name}", (folder / name).read_bytes())
    except Exception as error:  # every kind of store has its own
        reason = str(error)[:120]
        raise RunLogError(f"{target} did not take the run ({reason}). It is safe in {folder}; copy it") from error
    shutil.rmtree(folder)


def remove_runs(run_ids: Sequence[str], store: Store, study: str) -> None:
    """Removes ended runs from a URL store; the sealed file goes first, which makes the run invisible.

    Raises:
        RunLogError: The store did not remove one; those before it are gone.
    """
    files, root = _open(store)
    for run_id in run_ids:
        target = f"{root}/{study}/{layout.RUNS_FOLDER}/{run_id}"
        try:
            files.rm_file(f"{target}/{layout.SEALED_FILE}")
            files.rm(target, recursive=True)
        except Exception as error:  # every kind of store has its own
            raise RunLogError(f"{target} cannot be removed ({str(error)[:120]}). Check the store") from error


def _open(store: Store) -> tuple[fsspec.AbstractFileSystem, str]:
    root = str(layout.store_root(store))
    try:
        files, path = fsspec.core.url_to_fs(root, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise RunLogError(f"store {root} cannot be opened ({str(error)[:120]}). Install what it names") from error
    return files, path.rstrip("/")
