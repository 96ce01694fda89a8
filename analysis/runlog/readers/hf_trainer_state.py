"""trainer_state.json of the Trainer of Hugging Face (Transformers, TRL, LLaMA-Factory and others)."""

import re
from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers import hf_rows
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run
from analysis.runlog.readers.json_file import pick_count, read_object
from analysis.runlog.readers.settings import keep_fitting
from analysis.runlog.study import Run, RunLogError

NAME = "hf trainer state"
LOSES = "steps within logging_steps (losses are means over them); NaN losses, which the Trainer filters"
MARK = re.compile(rb'"(log_history|best_model_checkpoint)"\s*:')


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the file starts as an object with the keys of a TrainerState."""
    return head.lstrip()[:1] == b"{" and bool(MARK.search(head))


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no JSON object with a log_history of rows with a step and a loss.
    """
    state = read_object(path)
    history = state.get("log_history")
    if not isinstance(history, list) or not all(isinstance(row, dict) for row in history):
        raise RunLogError(f"{path.name} has no log_history of rows. Copy trainer_state.json of the last checkpoint")
    notes = ["steps count updates from 1, as the Trainer does"]
    history = hf_rows.restore_lost([row for row in history if not hf_rows.is_summary(row)], notes)
    rows = GatheredRows(path.name)
    for row in history:
        rows.add(row)
    averaged_over, told = hf_rows.find_averaging(history, pick_count(state, "logging_steps"))
    record = name_run(path, NAME) | hf_rows.GRAD_NORM_TAKEN
    if averaged_over > 1:
        record[schema.AVERAGED_OVER] = averaged_over
    record |= keep_fitting({schema.MAX_TRAIN_STEPS: state.get("max_steps")})
    reading = Reading(record, (*notes, *filter(None, [told])), non_finite=hf_rows.NON_FINITE)
    return (build_gathered_run(rows, path, reading, column_map),)
