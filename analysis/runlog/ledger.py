"""Where the ledger of a study lies: one file an entry, written once and never again.

An entry is a line of strict JSON with its checksum, as in the live log. The ledger lies in the folder of the study; of
a URL store it stays on the machine that ran the experiments.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from ulid import ULID

from analysis.runlog import layout, line_log
from analysis.runlog.study import RunLogError

FOLDER = ".ledger"  # hidden, so that nobody looks for run logs in it
WRITTEN_AT = "written_at"


def add_entry(study: str, entry: Mapping[str, object], store: str | os.PathLike | None = None) -> None:
    """Adds an entry, with the time."""
    folder = layout.study_folder(study, store) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    written_at = datetime.now(UTC).isoformat(timespec="seconds")
    layout.replace_file(folder / f"{ULID()}.json", line_log.encode_line({**entry, WRITTEN_AT: written_at}))


def read_entries(study: str, store: str | os.PathLike | None = None) -> tuple[dict[str, object], ...]:
    """Returns the entries of a study, oldest first.

    Raises:
        RunLogError: An entry is damaged.
    """
    entries = []
    for path in sorted((layout.study_folder(study, store) / FOLDER).glob("[!.]*.json")):
        entry = line_log.decode_line(path.read_bytes())
        if entry is None:
            raise RunLogError(f"{path} is damaged (it does not match its checksum). Delete it; its runs are kept")
        entries.append(entry)
    return tuple(entries)
