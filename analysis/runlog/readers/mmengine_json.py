"""scalars.json of mmengine, and .log.json of the older mmcv: one JSON object a line, training and evaluation mixed."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run
from analysis.runlog.readers.hf_rows import find_averaging
from analysis.runlog.readers.json_file import pick_count
from analysis.runlog.readers.jsonl import read_objects
from analysis.runlog.readers.text_file import holds
from analysis.runlog.study import Run, RunLogError

NAME = "mmengine json"
LOSES = (
    "steps within the logging interval (losses are means over a window of them); digits after the 4th; metaparameters"
)
# Both write these with every training row; `[^\n{]` keeps the search within a line and off the configuration.
MARK = re.compile(rb'(?m)^\{(?=[^\n{]*"data_time": )(?=[^\n{]*"time": )[^\n{]*"iter": \d')
ITERATION, STEP, MODE, EPOCH = "iter", "step", "mode", "epoch"
VALIDATION = "val"


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the text has a row of a training iteration."""
    return holds(path, head, MARK)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: A line is no JSON object, or there is no row of a training iteration.
    """
    record, notes = name_run(path, NAME) | {schema.GRAD_NORM_TAKEN: "before-clipping"}, []
    placed = _place(read_objects(path, notes), record, notes)
    if not placed:
        raise RunLogError(f"{path.name} has no whole row of an iteration. Give the whole log of the run")
    rows = GatheredRows(path.name)
    for row in placed:
        rows.add(row)
    return (build_gathered_run(rows, path, Reading(record, tuple(notes)), column_map),)


def _place(found: Iterable[dict], record: dict[str, object], notes: list[str]) -> list[dict]:
    """Returns the rows with a step: that of training rows, and for evaluations, which count epochs, the one before."""
    placed, last, num_dropped, restarts = [], None, 0, False
    for row in found:
        iteration = pick_count(row, ITERATION)
        is_trained = iteration is not None and row.get(MODE) != VALIDATION
        if is_trained:
            step = iteration if pick_count(row, STEP) is None else pick_count(row, STEP)
            restarts |= last is not None and step < last[0] and row.get(EPOCH) != last[1]
            last = (step, row.get(EPOCH))
        elif last is None:
            num_dropped += 1
            continue
        named = {name: value for name, value in row.items() if name not in (ITERATION, STEP, MODE)}
        evaluated = {f"{VALIDATION}/{name}": value for name, value in named.items() if name != EPOCH}
        placed.append({STEP: last[0], **(named if is_trained else evaluated)})
    if num_dropped:
        notes.append(f"rows before the first training row are left out: {num_dropped}")
    averaged_over, _ = find_averaging(placed, None)
    if averaged_over > 1:
        record[schema.AVERAGED_OVER] = averaged_over
        notes.append(f"losses are taken as means over the {averaged_over} steps between two rows")
    if restarts:
        record[schema.STEP_UNIT] = "log index"
        notes.append("steps are numbers of training rows: the file counts iterations from 1 in each epoch")
        number = 0
        for row in placed:
            number += "data_time" in row
            row[STEP] = number
    return placed
