"""Experiments: runner commands that the dashboard starts, each a process of its own with a folder in its study.

The process holds the lock of its folder from before its first instruction until its death, however it dies: a folder
whose lock is free and that has no end on record is lost. Whoever is earliest in the store has the next turn.
"""

import fcntl
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ulid import ULID

from analysis.runlog import layout, line_log
from analysis.runlog.study import RunLogError

PROJECT = Path(__file__).parents[2]  # where `python -m runners.X` finds the runners
FOLDER = ".experiments"  # hidden, so that nobody looks for run logs in it
RECORD_FILE, END_FILE = "experiment.json", "ended.json"
STARTED_FILE, CANCEL_FILE = "started", "cancel"  # empty: that they are there is all they say
OUTPUT_FILE, MESSAGES_FILE, PROGRESS_FILE = "output.txt", "messages.txt", "progress.json"
LAUNCHER = "runners.experiment"
RUNNERS = (
    "runners.probe",
    "runners.check",
    "runners.warmup_sweep",
    "runners.clip_sweep",
    "runners.optimizer_swap",
    "runners.architecture_swap",
    "runners.lower_lr",
    "runners.fix_sweep",
    "runners.lr_sweep",
)
ACTIVE = ("queued", "running", "stopping")
INTERRUPTED = 130  # exit code of a command that was told to stop
LIMIT_VARIABLE = "STEADYSTEP_MAX_EXPERIMENTS"
TAIL_BYTES = 20_000  # ours: as much of an output as a person reads


@dataclass(frozen=True)
class Progress:
    """How far a command is, by its own account.

    Attributes:
        num_done_steps: Training steps done; those that a diverged run does not need count.
        num_steps: Training steps of the plan.
        seconds_left: Estimated time left, None before the first step.
        note: How many runs have ended, in words.
    """

    num_done_steps: int
    num_steps: int
    seconds_left: float | None
    note: str

    def write(self, path: Path) -> None:
        """Replaces the file at `path` in one go."""
        layout.replace_file(path, json.dumps(asdict(self)).encode())


@dataclass(frozen=True)
class Experiment:
    """One experiment, as it stood when it was read.

    Attributes:
        folder: Its folder, named by a ULID: experiments sort by time.
        fix: The fix that it tries.
        argv: Runner module and arguments.
        created_at: When it was asked for, ISO 8601 in UTC.
        state: "queued", "running", "stopping", "done", "failed", "cancelled", or "lost" where the process died
            without a word.
        progress: How far it is, None before its command has said so.
    """

    folder: Path
    fix: str
    argv: tuple[str, ...]
    created_at: str
    state: str
    progress: Progress | None

    @property
    def command(self) -> str:
        """The command line, as the records of the runs that it trains have it."""
        return shlex.join(["python", "-m", *self.argv])

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.state in ACTIVE

    def read_tail(self, name: str) -> str:
        """Returns the end of OUTPUT_FILE or MESSAGES_FILE."""
        with (self.folder / name).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            return file.read().decode(errors="replace").strip()


def start_experiment(fix: str, command: str, study: str, store: str | os.PathLike | None = None) -> Experiment:
    """Starts a command as a process that outlives this one and waits for its turn by itself.

    Args:
        fix: The fix that it tries.
        command: Command line of a runner as `Fix.command` has it; --store and --resume are added.
        study: Study that it trains into.
        store: Folder of the store.

    Raises:
        RunLogError: The store is a URL, the command is none of a runner, or it has been started and has not ended.
    """
    argv = complete_command(command, store)
    parent = layout.study_folder(study, store).resolve() / FOLDER
    if any(each.is_active and each.argv == argv for each in list_experiments(study, store)):
        raise RunLogError(f"this experiment of study {study} has not ended. Wait for it, or cancel it")
    folder = parent / str(ULID())
    hidden = folder.with_name(f".{folder.name}")
    hidden.mkdir(parents=True)
    lock = os.open(hidden / layout.LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        created_at = datetime.now(UTC).isoformat(timespec="seconds")
        record = {"fix": fix, "argv": argv, "created_at": created_at}
        layout.replace_file(hidden / RECORD_FILE, line_log.encode_line(record))
        hidden.rename(folder)
        _spawn(folder, lock)
        return read_experiment(folder)
    finally:
        os.close(lock)


def complete_command(command: str, store: str | os.PathLike | None = None) -> tuple[str, ...]:
    """Returns module and arguments of a runner's command line, with the store, and --resume: what is done stays.

    Raises:
        RunLogError: The store is a URL, or the command is none of a runner.
    """
    if layout.is_url(store):
        raise RunLogError(f"store {layout.store_root(store)} is a URL. Start the command in a terminal")
    words = shlex.split(command)
    if words[:2] != ["python", "-m"] or "".join(words[2:3]) not in RUNNERS:
        raise RunLogError(f"{command[:80]} starts none of {', '.join(RUNNERS)}. Start it in a terminal")
    module, *arguments = words[2:]
    resume = [] if "--resume" in arguments else ["--resume"]
    return (module, *arguments, "--store", str(layout.store_folder(store).resolve()), *resume)


def _spawn(folder: Path, lock: int) -> None:
    """Starts the launcher, which inherits the lock: there is no moment at which nobody holds it."""
    with (folder / OUTPUT_FILE).open("wb") as output, (folder / MESSAGES_FILE).open("wb") as messages:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", LAUNCHER, str(folder)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=messages,
            start_new_session=True,
            pass_fds=(lock,),
        )
    os.pwrite(lock, f"pid {process.pid} on {socket.gethostname()}".encode(), 0)
    threading.Thread(target=process.wait, daemon=True).start()  # buries it, as long as this process lives


def list_experiments(study: str, store: str | os.PathLike | None = None) -> tuple[Experiment, ...]:
    """Returns the experiments of a study, oldest first.

    Raises:
        RunLogError: A record is damaged.
    """
    folders = layout.study_folder(study, store).glob(f"{FOLDER}/[!.]*")
    return tuple(read_experiment(folder) for folder in sorted(folders))


def read_experiment(folder: Path) -> Experiment:
    """Reads an experiment.

    Raises:
        RunLogError: Its record is damaged.
    """
    record = _read(folder / RECORD_FILE)
    state = _read_state(folder)
    progress = folder / PROGRESS_FILE
    known = Progress(**json.loads(progress.read_bytes())) if progress.exists() else None
    return Experiment(folder, record["fix"], tuple(record["argv"]), record["created_at"], state, known)


def _read(path: Path) -> dict[str, object]:
    record = line_log.decode_line(path.read_bytes())
    if record is None:
        raise RunLogError(f"{path} is damaged (it does not match its checksum). Delete its folder")
    return record


def _read_state(folder: Path) -> str:
    if _is_alive(folder):
        if (folder / CANCEL_FILE).exists():
            return "stopping"
        return "running" if (folder / STARTED_FILE).exists() else "queued"
    if not (folder / END_FILE).exists():
        return "lost"
    code = _read(folder / END_FILE)["exit_code"]
    return {0: "done", INTERRUPTED: "cancelled"}.get(code, "failed")


def _is_alive(folder: Path) -> bool:
    """Whether the experiment has not ended; one that ends while its lock is looked at has ended."""
    return not (folder / END_FILE).exists() and layout.is_being_written(folder)


def num_ahead(folder: Path) -> int:
    """Returns the number of experiments of the store that have their turn before the one in a folder."""
    store = folder.parents[2]
    return sum(other.name < folder.name and _is_alive(other) for other in store.glob(f"*/{FOLDER}/[!.]*"))


def read_limit() -> int:
    """Returns the number of experiments that may run at a time in a store: one, for it takes all cores.

    Raises:
        RunLogError: $STEADYSTEP_MAX_EXPERIMENTS is not a whole number above 0.
    """
    text = os.environ.get(LIMIT_VARIABLE) or "1"
    if not text.isdecimal() or int(text) < 1:
        raise RunLogError(f"{LIMIT_VARIABLE}={text} is not a whole number above 0. Set it to 1, or leave it out")
    return int(text)


def cancel_experiment(folder: Path) -> None:
    """Asks an experiment to end: in the queue at once, in training after the current step, with valid logs."""
    (folder / CANCEL_FILE).touch()


def end_experiment(folder: Path, exit_code: int) -> None:
    """Records the end of an experiment."""
    ended_at = datetime.now(UTC).isoformat(timespec="seconds")
    layout.replace_file(folder / END_FILE, line_log.encode_line({"exit_code": exit_code, "ended_at": ended_at}))
