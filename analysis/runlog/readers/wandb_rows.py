"""Rows and settings of a W&B run, from a file or from the server, as a run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run
from analysis.runlog.readers.settings import find_settings, keep_fitting, keep_own
from analysis.runlog.readers.tracker_runs import flatten
from analysis.runlog.study import Run

STEP = "_step"
ABOUT_LOSS = (schema.BASELINE_LOSS, schema.INIT_LOSS_MEAN, schema.INIT_LOSS_SD)


@dataclass
class WandbRun:
    """What W&B knows of a run.

    Attributes:
        rows: Its history.
        record: First fields of the run record.
        config: The configuration that the run was started with.
        summary: What was written into its summary by hand.
        notes: Sentences for the reader of a verdict.
    """

    rows: GatheredRows
    record: dict[str, object]
    config: dict[str, object] = field(default_factory=dict)
    summary: dict[str, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def build_wandb_run(found: WandbRun, path: Path, column_map: Mapping[str, str] | None) -> Run:
    """Returns the run. Its steps are a column that counts updates, where every row has one, else W&B's own.

    Raises:
        RunLogError: There is no loss, or a mapped column is missing.
    """
    told = found.config | found.summary
    settings = find_settings(flatten(found.config)).fields | keep_own(found.config)
    facts = keep_fitting({name: told[name] for name in ABOUT_LOSS if name in told})
    if told.get(schema.STATUS) in schema.STATUSES:
        facts[schema.STATUS] = told[schema.STATUS]
    reading = Reading({**settings, **found.record, **facts}, tuple(found.notes))
    run = build_gathered_run(found.rows, path, reading, column_map)
    sources = run.record.get(schema.COLUMNS) or {}
    if sources.get(schema.STEP) != STEP or schema.STEP in (column_map or {}):
        return run
    note = f"steps are W&B's {STEP}, which counts log calls; map another column if updates were logged"
    record = dict(run.record) | {schema.STEP_UNIT: "log index"}
    return replace(run, record=record, log=replace(run.log, notes=(*run.log.notes, note)))


def read_setting(text: str) -> object:
    """Returns what a JSON text of a setting holds, whole numbers as such, and the text itself where it is no JSON.

    >>> read_setting("64"), read_setting('"adam"'), read_setting("adam")
    (64, 'adam', 'adam')
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def read_value(text: str) -> object:
    """Returns what a JSON text holds, and the text itself where it is no JSON.

    >>> read_value("2.5e-3"), read_value("NaN"), read_value('{"a": 1}')
    (0.0025, nan, {'a': 1})
    """
    try:
        return float(text)
    except ValueError:
        return read_setting(text)
