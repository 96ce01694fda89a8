"""Golden values of Megatron-LM's tests: metric by metric, the text "nan" where nothing was logged."""

import re
from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run
from analysis.runlog.readers.json_file import pick_count, read_object
from analysis.runlog.study import Run, RunLogError

NAME = "megatron golden json"
LOSES = 'NaN: the text "nan" stands for a value that was not logged'
MARK = re.compile(rb'"(start_step|step_interval)"\s*:')
VALUES, START, INTERVAL = "values", "start_step", "step_interval"
NOT_LOGGED = "nan"


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the file starts as an object of series with a start and an interval."""
    return head.lstrip()[:1] == b"{" and bool(MARK.search(head))


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no JSON object of series, or none is a loss.
    """
    by_step: dict[int, dict[str, object]] = {}
    num_not_logged = 0
    for metric, series in read_object(path).items():
        for step, value in _read_series(series, f"{path.name} {metric[:60]}"):
            row = by_step.setdefault(step, {schema.STEP: step})
            if value == NOT_LOGGED:
                num_not_logged += 1
            else:
                row[metric] = value
    rows = GatheredRows(path.name)
    for step in sorted(by_step):
        rows.add(by_step[step])
    notes = ["steps count updates from 1, as Megatron does"]
    if num_not_logged:
        notes.append(f'"nan" {num_not_logged} times, which this format writes for a value that was not logged')
    record = name_run(path, NAME) | {schema.GRAD_NORM_TAKEN: "before-clipping"}
    reading = Reading(record, tuple(notes), non_finite='a NaN cannot be told from the "nan" of a value not logged')
    return (build_gathered_run(rows, path, reading, column_map),)


def _read_series(series: object, place: str) -> list[tuple[int, object]]:
    """Returns (step, value) of a series with values by step, or a list of them."""
    values = series.get(VALUES) if isinstance(series, dict) else None
    if isinstance(values, list):
        start, interval = pick_count(series, START), pick_count(series, INTERVAL)
        if start is None or not interval:
            raise RunLogError(f"{place} has values without {START} and {INTERVAL}. Add them")
        return [(start + interval * at, value) for at, value in enumerate(values)]
    if not isinstance(values, dict):
        raise RunLogError(f"{place} has no values by step. Write it again")
    if not all(step.isascii() and step.isdigit() and len(step) < 16 for step in values):
        raise RunLogError(f"{place} has a step that is no whole number. Write it again")
    return [(int(step), value) for step, value in values.items()]
