"""CSV export of W&B's table of runs: one row a run, no history. Told apart only to be refused with the way out."""

from collections.abc import Mapping
from pathlib import Path

from analysis.runlog.readers.csv_table import read_header
from analysis.runlog.study import Run, RunLogError

NAME = "wandb runs table"
LOSES = "everything: it has the last value of each metric and no history, so it is refused"
ALWAYS = frozenset({"Name", "State"})
USUAL = frozenset({"Runtime", "Created", "User", "Notes", "Tags", "Sweep"})


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header is that of a table of runs."""
    header = set(read_header(head))
    return header >= ALWAYS and bool(header & USUAL)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Refuses the file.

    Raises:
        RunLogError: Always.
    """
    raise RunLogError(
        f"{path.name} is a W&B table of runs, one row each, without history. Export the chart of the loss"
    )
