"""Standard output of nanoGPT: `iter 100: loss 2.5, time 9.1ms`, with or without lr and norm, and its evaluations."""

import re
from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run, to_number
from analysis.runlog.readers.modded_nanogpt_txt import evaluate
from analysis.runlog.readers.settings import keep_fitting
from analysis.runlog.readers.text_file import holds, read_lines
from analysis.runlog.study import Run, RunLogError

NAME = "nanogpt stdout"
LOSES = "digits after the 4th; steps within log_interval; all micro-batches of a step but the last; gradient norms"
MARK = re.compile(rb"(?m)^iter \d+: loss [^\s,]+")
TRAIN = re.compile(r"^iter (\d{1,15}): (loss .*)$")
EVALUATION = re.compile(r"^step (\d{1,15}): (?:train loss (\S+), )?val loss (\S+)$")
ASSIGNED = re.compile(r"^(\w+)\s*=\s*([^#]+)")
ESTIMATE = "estimated train loss"
# What it prints of the file that overrides its settings. Its batch_size is that of a micro-batch, so it is left out.
SETTINGS = {
    "learning_rate": schema.BASE_LR,
    "max_iters": schema.MAX_TRAIN_STEPS,
    "warmup_iters": schema.WARMUP_STEPS,
    "grad_clip": schema.CLIP_THRESHOLD,
    "weight_decay": "weight_decay",
    "beta1": "beta1",
    "beta2": "beta2",
    "dropout": "dropout",
}


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the text has a line of an iteration."""
    return holds(path, head, MARK)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: There is no whole line of an iteration.
    """
    rows, record = GatheredRows(path.name), name_run(path, NAME)
    for line in read_lines(path):
        if match := TRAIN.match(line):
            rows.add({schema.STEP: int(match[1]), **_read_pairs(match[2])})
        elif match := EVALUATION.match(line):
            estimates = {ESTIMATE: to_number(match[2]), schema.EVAL_LOSS: to_number(match[3])}
            rows.add({schema.STEP: int(match[1]), **estimates})
        elif (match := ASSIGNED.match(line)) and match[1] in SETTINGS:
            record |= keep_fitting({SETTINGS[match[1]]: evaluate(match[2])})
    if not rows.num_rows:
        raise RunLogError(f"{path.name} has no whole line of an iteration. Give the whole output of the run")
    notes = [f"train loss of an evaluation is a mean over batches; kept as the column {ESTIMATE}"]
    return (build_gathered_run(rows, path, Reading(record, tuple(notes)), column_map),)


def _read_pairs(text: str) -> dict[str, float | None]:
    """Returns the numbers of `loss 2.5, time 9.1ms, mfu 12%`; those with a unit are left out."""
    pairs = [part.strip().rpartition(" ") for part in text.split(",")]
    return {name: to_number(value) for name, _, value in pairs if name and to_number(value) is not None}
