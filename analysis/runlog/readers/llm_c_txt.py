"""Logs of llm.c: its main.log (`s:5 trl:4.2 lr:1e-4 norm:1.1`) and its output (`step 5/100 | loss 4.2 | norm 1.1`)."""

import re
from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run, to_number
from analysis.runlog.readers.text_file import holds, read_lines
from analysis.runlog.study import Run, RunLogError

NAME = "llm.c txt"
LOSES = "digits after the 4th (norm) or 6th (loss); metaparameters; losses of other ranks, where it does not average"
MARK = re.compile(rb"(?m)^(?:s:\d+ (?:trl|tel|eval):\S|step\s+\d+/\d+ \| loss \S+)")
LOG_LINE = re.compile(r"^s:(\d{1,15}) (\S.*)$")
OUTPUT_LINE = re.compile(r"^step\s+(\d{1,15})/(\d{1,15}) \|(.*)")
EVALUATION = re.compile(r"^val loss (\S+)$")
NAMES = {"trl": schema.TRAIN_LOSS, "tel": schema.EVAL_LOSS, "eval": "hellaswag", "norm": schema.GRAD_NORM}
OUTPUT = {"loss": schema.TRAIN_LOSS, "norm": schema.GRAD_NORM, "lr": schema.LR}


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the text has a line of a step."""
    return holds(path, head, MARK)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: There is no whole line of a step.
    """
    rows, notes = GatheredRows(path.name), []
    record = name_run(path, NAME) | {
        schema.GRAD_NORM_TAKEN: "before-clipping"
    }  # the norm is printed, then used to clip
    step = 0
    for line in read_lines(path):
        if match := LOG_LINE.match(line):
            pairs = (word.partition(":") for word in match[2].split())
            rows.add(
                {schema.STEP: int(match[1])} | {NAMES.get(name, name): to_number(value) for name, _, value in pairs}
            )
        elif match := OUTPUT_LINE.match(line):
            step = int(match[1])
            record[schema.MAX_TRAIN_STEPS] = int(match[2])
            words = [part.split() for part in match[3].split("|")[:-1]]  # the last part may be cut short
            found = {OUTPUT[each[0]]: to_number(each[1]) for each in words if len(each) > 1 and each[0] in OUTPUT}
            rows.add({schema.STEP: step, **found})
        elif match := EVALUATION.match(line):
            rows.add({schema.STEP: step, schema.EVAL_LOSS: to_number(match[1])})
    if not rows.num_rows:
        raise RunLogError(f"{path.name} has no whole line of a step. Give the whole log of the run")
    if schema.MAX_TRAIN_STEPS in record:
        notes.append("steps count updates from 1; a validation loss is placed at the last step before it")
    return (build_gathered_run(rows, path, Reading(record, tuple(notes)), column_map),)
