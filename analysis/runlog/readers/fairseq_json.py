"""Output of fairseq with `--log-format json`: `| INFO | train_inner | {"loss": "9.1", "num_updates": "100", ...}`."""

import re
from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run, to_number
from analysis.runlog.readers.hf_rows import find_averaging
from analysis.runlog.readers.json_file import parse
from analysis.runlog.readers.settings import keep_fitting
from analysis.runlog.readers.text_file import holds, read_lines
from analysis.runlog.study import Run, RunLogError

NAME = "fairseq json"
LOSES = (
    "steps within log_interval (loss, gnorm and clip are means over them); digits after the 3rd; updates that overflow"
)
MARK = re.compile(rb'"num_updates": "\d+"')
ROW = '{"epoch": '
STEP, LOSS = "num_updates", "loss"
EPOCH_MEAN, EVALUATED = "train_", "valid_"
COLUMNS = (  # the last that was logged counts
    (schema.STEP, STEP),
    (schema.TRAIN_LOSS, "epoch train_loss"),
    (schema.TRAIN_LOSS, LOSS),
    (schema.EVAL_LOSS, "valid_loss"),
)
OVERFLOW = "gradient overflow detected"
SETTING = re.compile(
    r"\b'?(clip_norm|seed|warmup_updates|max_update|optimizer|lr_scheduler|weight_decay)'?(?:=|: )'?([\w.+-]+)"
)
SETTINGS_LINE = ("Namespace(", "'clip_norm'")
SETTINGS = {
    "clip_norm": schema.CLIP_THRESHOLD,
    "warmup_updates": schema.WARMUP_STEPS,
    "max_update": schema.MAX_TRAIN_STEPS,
    "lr_scheduler": schema.SCHEDULE,
}


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the text has a row of statistics."""
    return holds(path, head, MARK)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: There is no whole row.
    """
    found, settings, num_overflows, num_broken = [], {}, 0, 0
    for line in read_lines(path):
        if ROW in line:
            row = _parse(line[line.index(ROW) :])
            found += [row] if row else []
            num_broken += not row
        elif OVERFLOW in line:
            num_overflows += 1
        elif not settings and any(mark in line for mark in SETTINGS_LINE):
            settings = {SETTINGS.get(name, name): value for name, value in reversed(SETTING.findall(line))}
    if not found:
        raise RunLogError(f"{path.name} has no whole row of statistics. Give the whole output of the run")
    notes = ["steps count updates from 1; losses are in bits (base 2), as fairseq logs them"]
    if num_overflows:
        notes.append(f"updates that fairseq skipped because the gradient overflowed, not logged: {num_overflows}")
    if num_broken:
        notes.append(f"rows that are no whole JSON are left out: {num_broken}")
    record = name_run(path, NAME) | keep_fitting(settings) | {schema.GRAD_NORM_TAKEN: "before-clipping"}
    averaged_over, told = find_averaging([{**row, "step": row[STEP]} for row in found], None)
    if averaged_over > 1:
        record[schema.AVERAGED_OVER] = averaged_over
        notes.append(told.replace("logging_steps", "log_interval"))
    rows = GatheredRows(path.name)
    for row in found:
        rows.add(row)
    known = {name: column for name, column in COLUMNS if column in rows.num_logged}
    return (build_gathered_run(rows, path, Reading(record, tuple(notes)), known | dict(column_map or {})),)


def _parse(text: str) -> dict[str, object] | None:
    """Returns a row with its number of updates under one name; the means of an epoch get names of their own."""
    try:
        row = parse(text)
    except ValueError:
        return None
    place = next((name for name in (STEP, EPOCH_MEAN + STEP, EVALUATED + STEP) if name in row), None)
    if place is None or to_number(row[place]) is None:
        return None
    named = {
        f"epoch {name}" if name.startswith(EPOCH_MEAN) else name: value for name, value in row.items() if name != place
    }
    return {STEP: row[place], **named}
