"""Tables of several runs below each other, told apart by a column `run`; else as CSV of one run."""

from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.columns import ALIASES, RUN_NAMES, fold
from analysis.runlog.readers.csv_rows import open_rows
from analysis.runlog.readers.csv_table import read_header
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run
from analysis.runlog.study import Run, RunLogError

NAME = "runs csv"
LOSES = "whether an empty cell is a metric that was not logged or a NaN; whether gradient norms are before clipping"
LOSSES = frozenset(alias for name in schema.LOSS_COLUMNS for alias in ALIASES[name])


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header has a run, a step and a loss."""
    header = {fold(name) for name in read_header(head)}
    return all(header.intersection(names) for names in (RUN_NAMES, ALIASES[schema.STEP], LOSSES))


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the runs of a file; the run_id is the stem of the file and the name of the run.

    Raises:
        RunLogError: The file is no table with a run, a step and a loss; a number that is needed is none.
    """
    runs: dict[str, GatheredRows] = {}
    with open_rows(path) as rows:
        header = [" ".join(name.split()) for name in rows.header]
        place = next((place for place, name in enumerate(header) if fold(name) in RUN_NAMES), None)
        double = next((name for name in header if header.count(name) > 1), None)
        if place is None or double is not None:
            what = "no column run" if double is None else f"several columns {double or '(no name)'}"
            raise RunLogError(f"{path.name} has {what}. Rename one")
        for _, row in rows:
            cells = {name: cell.strip() or None for name, cell in zip(header, row, strict=True)}
            name = cells.pop(header[place]) or ""
            runs.setdefault(name, GatheredRows(f"{path.name} run {name}")).add(cells)
        notes = tuple(rows.notes)
    if not runs:
        raise RunLogError(f"{path.name} has a header but no rows. Log at least one step")
    return tuple(_build(path, name, rows, notes, column_map) for name, rows in runs.items())


def _build(
    path: Path, name: str, rows: GatheredRows, notes: tuple[str, ...], column_map: Mapping[str, str] | None
) -> Run:
    record = name_run(path, NAME) | {schema.RUN_ID: f"{path.stem}/{name}", schema.NAME: name}
    return build_gathered_run(rows, path, Reading(record, notes, keeps_nan=False), column_map)
