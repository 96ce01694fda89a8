"""The process that parses files from outside: under limits, without network, told what to do on standard input.

It is started by its path, so that the limits stand before the first library is loaded. It writes each run as a sealed
file and says what became of each file in one line of JSON. Nothing it says is believed unchecked: see bounded_import.
"""

import ctypes
import json
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

MEMORY_BYTES = 2 * 2**30  # ours: address space; a CSV of 200 MB needs 1.2 GiB of it
CPU_SECONDS, CPU_SECONDS_PER_MB = 20, 0.5  # ours: a file; the second is twice what reading cell by cell takes
RESULT_BYTES = 512 * 2**20  # ours: of one file that is written
OPEN_FILES = 64  # ours
MAX_COLUMNS_TOLD = 4096  # as readers.csv_table.MAX_COLUMNS
MAX_RUNS = 4096  # ours: of one file; W&B exports 1,000
EXIT_MEMORY = 3
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # Linux, sched.h
FORBIDDEN = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "subprocess.", "os.system")
FORBIDDEN += ("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "pickle.find_class")


def limit_resources() -> None:
    """Sets the limits of the process; that of processor time is set anew for each file."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, RESULT_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def limit_seconds(num_bytes: int) -> None:
    """Allows the processor time of one file from now on; the kernel ends the process that takes more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = CPU_SECONDS + CPU_SECONDS_PER_MB * num_bytes / 1e6
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + allowed) + 1, resource.RLIM_INFINITY))


def leave_network() -> bool:
    """Moves the process to a network without any device; returns whether the kernel allows that."""
    libc = ctypes.CDLL(None)
    return libc.unshare(CLONE_NEWNET) == 0 or libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0


def forbid(event: str, _arguments: tuple) -> None:
    """Audit hook: no connection, no process, no unpickled class, whatever Python code asks for it."""
    if event.startswith(FORBIDDEN):
        raise PermissionError(f"{event} is forbidden while files from outside are read")


def main() -> None:
    """Reads the request and the files."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    request = json.load(sys.stdin)
    limit_resources()
    is_offline = leave_network()
    sys.addaudithook(forbid)
    try:
        answer_all(request, is_offline, answers)
    except MemoryError:
        os._exit(EXIT_MEMORY)


def answer_all(request: Mapping[str, object], is_offline: bool, answers: TextIO) -> None:
    """Reads the files from number `first` on, in the order of their paths."""
    from analysis.runlog.paths import walk

    folder, results = Path(request["folder"]), Path(request["results"])
    paths = list(walk(folder))
    tell(answers, num_files=len(paths), is_offline=is_offline)
    for number, path in enumerate(paths[request["first"] :], request["first"]):
        name = str(path.relative_to(folder))
        tell(answers, path=name)
        limit_seconds(path.stat().st_size)
        tell(answers, **answer(path, name, request, results / str(number)))


def answer(path: Path, name: str, request: Mapping[str, object], target: Path) -> dict[str, object]:
    """Reads one file, writes its runs to TARGET-0.parquet and so on, and returns what became of it."""
    from analysis.runlog import sealing
    from analysis.runlog.paths import find_readers
    from analysis.runlog.readers import pattern_text
    from analysis.runlog.study import RunLogError

    told = {"kinds": [], "num_runs": 0, "reason": "", "columns": [], "roles": {}, "skipped": []}
    try:
        told["kinds"] = [reader.NAME for reader in find_readers(path)]
        choice = request["formats"].get(name) or (not told["kinds"] and request["formats"].get("")) or {}
        chosen = choice.get("format")
        pattern = choice.get("pattern", "") if chosen == pattern_text.NAME else None
        column_map = request["column_maps"].get(chosen or "".join(told["kinds"]))
        study = read_mapped(path, column_map, {"format_name": chosen, "pattern": pattern})
        if len(study) > MAX_RUNS:
            raise RunLogError(f"{path.name} has {len(study)} runs (at most {MAX_RUNS}). Split it")
        for number, run in enumerate(study):
            log = {"notes": list(run.log.notes), "non_finite": run.log.non_finite}
            sealing.write_sealed(Path(f"{target}-{number}.parquet"), run.steps, run.record, log)
    except RunLogError as error:
        return told | {"reason": str(error), "columns": list(getattr(error, "columns", ()))[:MAX_COLUMNS_TOLD]}
    roles = read_roles(study.runs[0])
    columns = [roles.get(name, name) for name in study.runs[0].steps.column_names][:MAX_COLUMNS_TOLD]
    skipped = [(Path(each.path).name, each.reason) for each in study.skipped]
    return told | {"num_runs": len(study), "columns": columns, "roles": roles, "skipped": skipped}


def read_mapped(path: Path, column_map: Mapping[str, str] | None, how: Mapping[str, str | None]):
    """Returns the study in a file; columns that were chosen for other files of its kind count where it has them."""
    from dataclasses import replace

    from analysis.runlog.paths import read_paths
    from analysis.runlog.readers.columns import ColumnError

    try:
        return read_paths([path], column_map=column_map, **how)
    except ColumnError as error:
        if not column_map or set(column_map.values()) <= set(error.columns):
            raise
        note = f"it has not all of the columns that were chosen ({', '.join(column_map.values())}); its own names count"
        study = read_paths([path], **how)
        runs = [replace(run, log=replace(run.log, notes=(*run.log.notes, note))) for run in study]
        return replace(study, runs=tuple(runs))


def read_roles(run) -> dict[str, str]:
    """Returns which column of the file each column of the schema came from."""
    from analysis.runlog import schema

    sources = run.record.get(schema.COLUMNS)
    named = {column.name for column in schema.STEP_COLUMNS}
    roles = {name: name for name in run.steps.column_names if name in named}
    return roles | ({name: sources[name] for name in roles if name in sources} if isinstance(sources, dict) else {})


def tell(answers: TextIO, **answer: object) -> None:
    """Writes one line of JSON."""
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
