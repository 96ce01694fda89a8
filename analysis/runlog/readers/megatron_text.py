"""Standard output of Megatron-LM, Megatron-DeepSpeed and NeMo's classic trainer: `iteration 5/ 1000 | key: value |`."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run, to_number
from analysis.runlog.readers.settings import keep_fitting
from analysis.runlog.readers.text_file import holds, read_lines
from analysis.runlog.study import Run, RunLogError

NAME = "megatron text"
LOSES = "steps within log_interval (losses are means over them); losses that are NaN or not above 0 have no key"
MARK = re.compile(rb"iteration\s+\d+/\s*\d+ \|")
TRAIN = re.compile(r"iteration\s+(\d{1,15})/\s*(\d{1,15}) \|(.*)")
EVALUATED = "validation loss at"
EVALUATION = re.compile(r"validation loss at (?:iteration|the end of training)\s*(\d{0,15}).*?\| (.*)")
ARGUMENT = re.compile(r"^\s+([a-z_0-9]+) \.{2,} (\S+)\s*$")
LOSS, EVAL, STEP = " loss", "eval", "iteration"
PREFERRED = ("lm loss", "loss", "reduced_train_loss")
SKIPPED, NAN = "number of skipped iterations", "number of nan iterations"
# Arguments that are printed at the start, and their names in the schema; the others do not tell series apart.
ARGUMENTS = {
    "lr": schema.BASE_LR,
    "optimizer": schema.OPTIMIZER,
    "global_batch_size": schema.BATCH_SIZE,
    "clip_grad": schema.CLIP_THRESHOLD,
    "lr_decay_style": schema.SCHEDULE,
    "lr_warmup_iters": schema.WARMUP_STEPS,
    "train_iters": schema.MAX_TRAIN_STEPS,
    "seed": schema.SEED,
    "adam_beta1": "beta1",
    "adam_beta2": "beta2",
    "adam_eps": "eps",
    "weight_decay": "weight_decay",
    "init_method_std": "init_method_std",
}


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the text has a line of an iteration."""
    return holds(path, head, MARK)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: There is no loss.
    """
    arguments: dict[str, object] = {}
    parsed = []
    for line in read_lines(path):
        if match := TRAIN.search(line):
            parsed.append({STEP: int(match[1]), **_read_pairs(match[3])})
        elif EVALUATED in line and (match := EVALUATION.match(line, line.index(EVALUATED))) and (parsed or match[1]):
            pairs = {f"{EVAL} {name}": value for name, value in _read_pairs(match[2]).items()}
            parsed.append({STEP: int(match[1]) if match[1] else parsed[-1][STEP], **pairs})
        elif (match := ARGUMENT.match(line)) and match[1] in ARGUMENTS:
            arguments.setdefault(ARGUMENTS[match[1]], match[2])
    if not parsed:
        raise RunLogError(f"{path.name} has no whole line of an iteration. Give the whole output of the run")
    return (_build(path, parsed, keep_fitting(arguments), column_map),)


def _build(path: Path, parsed: list[dict], arguments: dict, column_map: Mapping[str, str] | None) -> Run:
    names = {name: None for row in parsed for name in row}
    losses = [name for name in names if name.endswith(LOSS) or name in PREFERRED]
    loss = next((name for name in PREFERRED if name in losses), losses[0] if losses else None)
    steps = [row[STEP] for row in parsed if SKIPPED in row or loss in row]
    gaps = np.diff(steps)
    averaged_over = max(int(np.median(gaps[gaps > 0])), 1) if (gaps > 0).any() else max(steps[:1], default=1)
    notes = ["steps count updates from 1, as Megatron does"]
    if loss:
        _restore_losses(parsed, loss, averaged_over, notes)
    rows = GatheredRows(path.name)
    for row in parsed:
        rows.add(row)
    known = {schema.TRAIN_LOSS: loss} if loss else {}
    evaluated = next((name for name in names if name.startswith(EVAL) and "loss" in name and "PPL" not in name), None)
    known |= {schema.EVAL_LOSS: evaluated} if evaluated else {}
    record = name_run(path, NAME) | arguments | {schema.GRAD_NORM_TAKEN: "before-clipping"}
    if averaged_over > 1:
        record[schema.AVERAGED_OVER] = averaged_over
    lost = "a loss that is NaN or not above 0 has no key in its line; read as NaN unless its updates were skipped"
    reading = Reading(record, tuple(notes), non_finite=lost)
    return build_gathered_run(rows, path, reading, known | dict(column_map or {}))


def _restore_losses(parsed: list[dict], loss: str, averaged_over: int, notes: list[str]) -> None:
    """Puts NaN where a line has no loss, but leaves out lines all of whose updates were skipped."""
    lost, skipped = [], []
    for row in parsed:
        if loss in row or any(name.startswith(EVAL) for name in row):
            continue
        if row.get(SKIPPED, 0) >= averaged_over and not row.get(NAN):
            skipped.append(row[STEP])
        else:
            row[loss] = float("nan")
            lost.append(row[STEP])
    if skipped:
        notes.append(f"no loss in {len(skipped)} lines whose updates were skipped (loss scale), first {skipped[0]}")
    if lost:
        notes.append(f"no loss in {len(lost)} lines, read as NaN, first iteration {lost[0]}")


def _read_pairs(text: str) -> dict[str, float]:
    """Returns the numbers of `key: value | key: value |`; the last one only if its bar is there."""
    pairs = {}
    for part in text.split("|")[:-1]:
        name, _, value = part.rpartition(":")
        number = to_number(value.strip())
        if name.strip() and number is not None:
            pairs[" ".join(name.split())] = number
    return pairs
