"""The process that copies runs from a W&B server into files: under limits, and with one server as all its network.

What it writes is read by bounded_read, which has no network at all, as files that somebody gave. Started by its path.
"""

import json
import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from analysis.runlog import bounded_read

MAX_BYTES = 2**30  # ours: of all rows together, as of files that are given to the page
SAFE_ID = re.compile(r"\w[\w-]{0,63}", re.ASCII)
NETWORK = ("socket.connect", "socket.getaddrinfo")
FORBIDDEN = tuple(event for event in bounded_read.FORBIDDEN if event not in NETWORK)


class OnlyServer:
    """Audit hook: no process, no unpickled class, and no connection but to one server, or to the proxy before it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        self._addresses: set[str] = set()

    def __call__(self, event: str, arguments: tuple) -> None:
        """Raises where something else is wanted."""
        is_forbidden = event.startswith(FORBIDDEN)
        if event == "socket.getaddrinfo":
            is_forbidden = arguments[0] != self._host
        elif event == "socket.connect":
            is_forbidden = not self._is_server(arguments[1])
        if is_forbidden:
            raise PermissionError(f"{event} is forbidden while runs are fetched from {self._host}")

    def _is_server(self, address: object) -> bool:
        if not isinstance(address, tuple) or len(address) < 2 or address[1] != self._port:
            return False
        if address[0] not in self._addresses:
            self._addresses |= {found[4][0] for found in socket.getaddrinfo(self._host, self._port)}
        return address[0] in self._addresses


def main() -> None:
    """Reads the request and fetches what it names."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    bounded_read.limit_resources()
    bounded_read.limit_seconds(MAX_BYTES)
    sys.addaudithook(OnlyServer(request["proxy"] or request["url"]))
    try:
        fetch(request, answers)
    except MemoryError:
        os._exit(bounded_read.EXIT_MEMORY)


def fetch(request: Mapping[str, object], answers: TextIO) -> None:
    """Writes a file for each run of an address; tells each page, and at the end how many files or why none."""
    from analysis.runlog.study import RunLogError
    from analysis.runlog.wandb_address import KEY, Address
    from analysis.runlog.wandb_server import WandbServer

    server, address = WandbServer(request["url"], os.environ[KEY], request["proxy"]), Address(*request["address"])
    num_left, num_files = MAX_BYTES, 0
    try:
        for run in server.list_runs(address):
            num_left_of_file = bounded_read.RESULT_BYTES
            with (Path(request["folder"]) / name_file(run, num_files)).open("wb") as file:
                num_left_of_file -= file.write(json.dumps(describe(run, address)).encode() + b"\n")
                for page in server.read_rows(address, run):
                    lines = b"".join(row.replace("\n", " ").encode() + b"\n" for row in page)
                    num_left -= len(lines)
                    num_left_of_file -= len(lines)
                    check_size(num_left, num_left_of_file, Path(file.name).name)
                    file.write(lines)
                    bounded_read.tell(answers, run=num_files)
            num_files += 1
    except RunLogError as error:
        bounded_read.tell(answers, reason=str(error))
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:
        bounded_read.tell(answers, reason=f"the server answers nonsense ({type(error).__name__}). Check WANDB_BASE_URL")
    else:
        bounded_read.tell(answers, num_files=num_files)


def check_size(num_left: int, num_left_of_file: int, name: str) -> None:
    """Refuses more rows than may be written."""
    from analysis.runlog.study import RunLogError

    if num_left < 0:
        raise RunLogError(f"the runs have more than {MAX_BYTES >> 20} MiB of rows together. Name single runs")
    if num_left_of_file < 0:
        most = bounded_read.RESULT_BYTES >> 20
        raise RunLogError(f"{name} has more than {most} MiB of rows. Give the .wandb file that W&B left where it ran")


def name_file(run: Mapping[str, object], number: int) -> str:
    """Returns the name of the file of a run: its id where that can be one."""
    run_id = str(run["name"])
    return run_id if SAFE_ID.fullmatch(run_id) else f"run {number}"


def describe(run: Mapping[str, object], address) -> dict[str, object]:
    """Returns the first line of the file of a run."""
    from analysis.runlog.readers.wandb_fetched import KEY

    names = ("displayName", "state", "createdAt", "config", "summaryMetrics", "historyLineCount")
    told = {name: run.get(name) for name in names}
    return {KEY: {"id": str(run["name"]), "project": address.project, **told}}


if __name__ == "__main__":
    main()
