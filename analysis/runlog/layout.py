"""Where the files of a study lie, which names may become folders, and how files are replaced and locked."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from analysis.runlog.study import RunLogError

RUN_FILE = "run.json"
LIVE_FILE = "steps.jsonl"
SEALED_FILE = "steps.parquet"
LOCK_FILE = "writer.lock"
RUNS_FOLDER = "runs"
STORE_VARIABLE = "STEADYSTEP_STORE"
SPOOL_VARIABLE = "STEADYSTEP_SPOOL"
MAX_NAME_BYTES = 128  # ours: half of what common file systems allow
LOCK_TRIES = 1000  # ours: a reader that looks at a lock holds it for microseconds


def check_name(kind: str, name: str) -> str:
    """Returns the name of a study or run if it can be a folder name, unchanged.

    Raises:
        RunLogError: The name is empty, too long, or could leave the store.
    """
    if not isinstance(name, str) or not name:
        reason = "empty" if isinstance(name, str) else f"a {type(name).__name__}, not text"
    elif name.startswith("."):
        reason = "led by a dot"
    elif bad := next((sign for sign in name if sign in "/\\" or not sign.isprintable()), None):
        reason = f"broken by {bad!r}"
    elif len(name.encode()) > MAX_NAME_BYTES:
        reason = f"{len(name.encode())} bytes long"
    else:
        return name
    raise RunLogError(
        f"{kind} name {str(name)[:40]!r} is {reason}; it becomes a folder name of 1 to {MAX_NAME_BYTES} bytes "
        "without slash, control character or leading dot. Choose another name"
    )


def store_root(store: str | os.PathLike | None = None) -> str | os.PathLike:
    """Returns the store, a folder or a URL: the argument, else $STEADYSTEP_STORE, else ./studies."""
    return store or os.environ.get(STORE_VARIABLE) or "studies"


def is_url(store: str | os.PathLike | None = None) -> bool:
    """Returns whether the store is a URL, and not a folder."""
    return "://" in str(store_root(store))


def store_folder(store: str | os.PathLike | None = None) -> Path:
    """Returns the folder of the store; of a URL store the local one in which runs lie until they end."""
    root = store_root(store)
    if not is_url(root):
        return Path(root)
    spool = os.environ.get(SPOOL_VARIABLE) or Path.home() / ".cache" / "steadystep"
    return Path(spool) / quote(str(root), safe="")


def study_folder(study: str, store: str | os.PathLike | None = None) -> Path:
    """Returns the folder of a study, which need not exist."""
    return store_folder(store) / check_name("study", study)


def run_folder(study: str, run_id: str, store: str | os.PathLike | None = None) -> Path:
    """Returns the folder of a run, which need not exist."""
    return study_folder(study, store) / RUNS_FOLDER / check_name("run", run_id)


def run_folders(folder: Path) -> tuple[Path, ...]:
    """Returns the run folders of a study folder in ascending run_id; see `run_files`."""
    return tuple(run_files(folder))


def run_files(folder: Path) -> dict[Path, dict[str, os.DirEntry]]:
    """Returns the files of each run folder of a study folder by name, in ascending run_id.

    A folder with nothing but a lock is no run: its writer was killed before it wrote the record, so nothing is lost.
    """
    found = {}
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder / RUNS_FOLDER) as entries:
        for path in sorted(entry.path for entry in entries if entry.is_dir()):
            with os.scandir(path) as files:
                own = {file.name: file for file in files}
            if own.keys() - {LOCK_FILE}:
                found[Path(path)] = own
    return found


def sync_folder(folder: Path) -> None:
    """Makes renames and new files in a folder survive a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish_file(temporary: Path, path: Path) -> None:
    """Puts a finished temporary file in the place of `path`: old content or new content, never half of it."""
    handle = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.rename(path)
    sync_folder(path.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Replaces the content of a small file in one go."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(content)
    publish_file(temporary, path)


def lock_run(folder: Path) -> int:
    """Takes the writer's lock of a run; it ends with the file descriptor that is returned, so with the process.

    Raises:
        RunLogError: Another writer holds it.
    """
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    for _ in range(LOCK_TRIES):
        if _takes(handle, fcntl.LOCK_EX):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"pid {os.getpid()} on {socket.gethostname()}".encode(), 0)
            return handle
        if not _takes(handle, fcntl.LOCK_SH):
            break
        fcntl.flock(handle, fcntl.LOCK_UN)  # only a reader was looking
    holder = os.pread(handle, 200, 0).decode(errors="replace") or "another process"
    os.close(handle)
    raise RunLogError(f"run {folder.name} is written by {holder}; a run has one writer. Stop it or use another run_id")


def is_being_written(folder: Path) -> bool:
    """Returns whether a living process holds the writer's lock of a run."""
    with _opened(folder / LOCK_FILE) as handle:
        return handle is not None and not _takes(handle, fcntl.LOCK_SH)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """Yields a file descriptor for reading, or None where there is no such file."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def _takes(handle: int, kind: int) -> bool:
    """Returns whether the lock could be had without waiting."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
