"""Rows that name their own metrics (JSON lines, dicts on standard output) as columns."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.runlog.readers.columns import MAX_NAMED, plan_columns
from analysis.runlog.readers.foreign_rows import build_foreign_run
from analysis.runlog.readers.numbers import to_number
from analysis.runlog.readers.settings import find_settings
from analysis.runlog.study import Run, RunLogError

MAX_CELLS = 50_000_000  # ours: rows x metrics; 450 MB of columns

Column = tuple[np.ndarray, np.ndarray]  # places of rows, values


class GatheredRows:
    """Collects rows, each a mapping from metric to value, and gives them back as columns.

    Numbers and texts of numbers ("NaN" included) are values; null is not logged; anything else makes its metric text.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.num_rows = 0
        self.text_names: dict[str, tuple[int, object]] = {}
        self._texts: dict[str, set[str]] = {}
        self._cells: dict[str, tuple[array, array]] = {}

    def add(self, row: Mapping[str, object]) -> None:
        """Adds a row."""
        for name, value in row.items():
            if value is None:
                continue
            number = value if type(value) is float else to_number(value)
            if number is None:
                self.text_names.setdefault(name, (self.num_rows, value))
                texts = self._texts.setdefault(name, set())
                if len(texts) < 2:
                    texts.add(str(value))
                continue
            if name not in self._cells:
                self._cells[name] = (array("q"), array("d"))
            places, values = self._cells[name]
            places.append(self.num_rows)
            values.append(number)
        self.num_rows += 1

    def extend(self, num_rows: int, columns: Mapping[str, Column]) -> None:
        """Adds rows of numbers, given as the places within them and the values of each metric."""
        for name, (places, values) in columns.items():
            old_places, old_values = self._cells.setdefault(name, (array("q"), array("d")))
            old_places.frombytes((places + self.num_rows).astype(np.int64).tobytes())
            old_values.frombytes(values.astype(np.float64).tobytes())
        self.num_rows += num_rows

    @property
    def num_logged(self) -> dict[str, int]:
        """How many numbers each metric has."""
        return {name: len(values) for name, (_, values) in self._cells.items()}

    @property
    def constant_texts(self) -> dict[str, str]:
        """The text of each metric that is one text only."""
        return {name: min(texts) for name, texts in self._texts.items() if len(texts) == 1 and name not in self._cells}

    def column(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns (values, whether each was logged) of a metric, one per row."""
        values, logged = np.zeros(self.num_rows), np.zeros(self.num_rows, bool)
        places, cells = self._cells[name]
        values[np.array(places)] = np.array(cells)
        logged[np.array(places)] = True
        return values, logged


def is_unicode(text: str) -> bool:
    """Returns whether a text has no half of a character, as JSON can spell one."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True)
class Reading:
    """What a reader knows of its rows.

    Attributes:
        record: Run record.
        notes: Sentences for the reader of a verdict.
        keeps_nan: Whether the format tells NaN from what was not logged.
        non_finite: What the format does to NaN and infinity; "" where it keeps them.
        restarts: Numbers of the rows at which a later attempt of the run begins, beside those that jump back.
    """

    record: Mapping[str, object]
    notes: tuple[str, ...] = ()
    keeps_nan: bool = True
    non_finite: str = ""
    restarts: tuple[int, ...] = ()


def build_gathered_run(
    rows: GatheredRows, path: Path, reading: Reading, column_map: Mapping[str, str] | None = None
) -> Run:
    """Returns the run of rows.

    Raises:
        RunLogError: There is no step or loss, a value of a column of the schema is no number, or it is all too much.
    """
    names = [name for name in rows.num_logged if is_unicode(name)]
    if rows.num_rows * len(names) > MAX_CELLS:
        raise RunLogError(
            f"{path.name} has {rows.num_rows} rows of {len(names)} metrics (at most {MAX_CELLS} cells). Keep fewer"
        )
    plan = plan_columns(names, column_map, path.name, rows.num_logged)
    columns: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    settings = find_settings(rows.constant_texts, reading.record)
    left_out = [*plan.left_out, *(name for name in rows.text_names if name not in (*names, *settings.columns))]
    left_out += [name for name in rows.num_logged if not is_unicode(name) and name not in left_out]
    for name, position in {**plan.used, **plan.extra}.items():
        if names[position] not in rows.text_names:
            columns[name] = rows.column(names[position])
        elif name in plan.used:
            row, value = rows.text_names[names[position]]
            raise RunLogError(
                f"{path.name} row {row + 1}: {str(value)[:40]!r} as {names[position]} is not a number. Fix the value"
            )
        else:
            left_out.append(names[position])
    notes = [*reading.notes]
    if left_out:
        notes.append(f"metrics that are not numbers or have no free name are left out: {list_names(left_out)}")
    record = {**reading.record, **settings.fields, **plan.facts}
    how = (reading.keeps_nan, reading.non_finite, reading.restarts)
    return build_foreign_run(columns, record, path.name, notes, *how)


def list_names(names: Sequence[str]) -> str:
    """Returns the first names, shortened, and how many more there are."""
    shown = ", ".join(name[:60].encode("utf-8", "replace").decode() for name in names[:MAX_NAMED])
    return shown + (f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else "")
