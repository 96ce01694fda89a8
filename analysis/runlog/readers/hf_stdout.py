"""Standard output of the Trainer of Hugging Face: Python dicts between progress bars."""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers import hf_rows
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run, to_number
from analysis.runlog.readers.text_file import holds, read_lines
from analysis.runlog.study import Run, RunLogError

NAME = "hf stdout"
LOSES = "steps (read from the progress bar); digits after the 4th; NaN losses, which the Trainer filters"
MARK = re.compile(rb"\{'(?:loss|eval_loss|grad_norm)': ")
BAR = re.compile(r"\| (\d{1,15})/(\d{1,15}) \[")
ROW = re.compile(r"\{'[^{}]*\}")
NON_FINITE_NAME = re.compile(r"(?<=: )-?(?:nan|inf)(?=[,}])")
STEP = "step"
MAX_BARS = 8  # ours: bars of the training, its evaluations and the data that are remembered at a time


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the text has a dict as the Trainer prints it."""
    return holds(path, head, MARK)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: There is no row with a loss.
    """
    found, notes, record = _find_rows(path), [], name_run(path, NAME) | hf_rows.GRAD_NORM_TAKEN
    if any(hf_rows.LOSS in row and STEP not in row for row, _ in found):
        found = _place_rows(found, notes, record)
    history = hf_rows.restore_lost([row for row, _ in found if not hf_rows.is_summary(row)], notes)
    rows = GatheredRows(path.name)
    for row in history:
        rows.add(row)
    if not rows.num_rows:
        raise RunLogError(f"{path.name} has no dict with a loss. Give the whole output of the run")
    averaged_over, told = hf_rows.find_averaging(history, None)
    if averaged_over > 1:
        record[schema.AVERAGED_OVER] = averaged_over
    reading = Reading(record, (*notes, *filter(None, [told])), non_finite=hf_rows.NON_FINITE)
    return (build_gathered_run(rows, path, reading, column_map),)


def _find_rows(path: Path) -> list[tuple[dict, int | None]]:
    """Returns the dicts, each with the step that the progress bar of the training shows.

    The bar is drawn anew behind each dict; the one in front of it is a step behind where steps are fast.
    """
    found, bars = [], {}
    for line in read_lines(path):
        marks = [*BAR.finditer(line), *ROW.finditer(line)]
        for match in sorted(marks, key=lambda match: match.start()):
            if match.re is BAR:
                total, step = int(match[2]), int(match[1])
                others = [each for each in bars.items() if each[0] != total]
                bars = dict([*others[1 - MAX_BARS :], (total, step)])
                if found and len(found[-1][2]) < MAX_BARS:
                    found[-1][2].setdefault(total, step)
            elif (row := _parse(match[0])) is not None:
                found.append((row, bars, {}))
    shown = [(row, before | behind) for row, before, behind in found]
    moves = Counter(total for total, _ in {each for row, bars in shown if hf_rows.LOSS in row for each in bars.items()})
    training = max(moves, key=lambda total: (moves[total], total), default=None)  # the bar that moves most
    return [(row, bars.get(training)) for row, bars in shown]


def _parse(text: str) -> dict | None:
    """Returns the dict of metrics in a text, None where it is something else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python tells the terminal what it thinks of 1and 2
            row = ast.literal_eval(NON_FINITE_NAME.sub(lambda match: f"'{match[0]}'", text))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    known = (hf_rows.LOSS, "eval_loss", hf_rows.NORM, hf_rows.SUMMARY)
    return _as_numbers(row) if isinstance(row, dict) and any(name in row for name in known) else None


def _as_numbers(row: dict) -> dict:
    return {str(name): value if to_number(value) is None else to_number(value) for name, value in row.items()}


def _place_rows(found: list, notes: list[str], record: dict[str, object]) -> list:
    """Returns the rows with the step of the progress bar, or numbered where the bar does not tell them apart."""
    losses = [bar for row, bar in found if hf_rows.LOSS in row]
    repeats = any(bar is None or bar == before for before, bar in zip([None, *losses], losses, strict=False))
    if repeats:
        record[schema.STEP_UNIT] = "log index"
        notes.append("steps are numbers of log rows: no progress bar tells them")
    else:
        notes.append("steps are those of the progress bar, which counts updates from 1")
    placed, number = [], 0
    for row, bar in found:
        number += hf_rows.LOSS in row
        placed.append(({**row, STEP: number if repeats else bar or 0}, bar))
    return placed
