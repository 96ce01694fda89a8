"""MLPerf logs: lines `:::MLLOG {...}`, whose progress counts samples."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run, to_number
from analysis.runlog.readers.json_file import parse
from analysis.runlog.readers.settings import keep_fitting
from analysis.runlog.readers.text_file import holds, read_lines
from analysis.runlog.study import Run, RunLogError

NAME = "mlperf mllog"
LOSES = "gradient norms, which are not logged; steps (samples divided by the batch size)"
MARK = re.compile(rb":::MLLOG \{")
START = ":::MLLOG "
LOSS_KEYS, EVAL_KEYS = ("train_loss", "training_loss", "loss"), ("eval_accuracy", "eval_loss", "eval_error")
TRACKED, ACCURACY = "tracked_stats", "eval_accuracy"
SAMPLES, STEP_KEYS = "samples_count", ("step_num", "step", "iteration")
SETTINGS = {
    "global_batch_size": schema.BATCH_SIZE,
    "seed": schema.SEED,
    "opt_name": schema.OPTIMIZER,
    "opt_base_learning_rate": schema.BASE_LR,
    "opt_gradient_clip_norm": schema.CLIP_THRESHOLD,
    "opt_learning_rate_warmup_steps": schema.WARMUP_STEPS,
    "opt_learning_rate_decay_schedule": schema.SCHEDULE,
    "max_steps": schema.MAX_TRAIN_STEPS,
    "submission_benchmark": schema.WORKLOAD,
}
FURTHER = re.compile(r"^opt_(?:\w+?_)?(beta_?1|beta_?2|epsilon|weight_decay|momentum)$")


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the text has a line of MLLOG."""
    return holds(path, head, MARK)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: There is no loss, or a line that is no JSON.
    """
    record, notes = name_run(path, NAME), []
    points, started = [], None
    for event in _read_events(path, notes):
        key, value = event.get("key"), event.get("value")
        metadata = event["metadata"] if isinstance(event.get("metadata"), dict) else {}
        if key == "run_start":
            started = to_number(event.get("time_ms"))
        elif key == "run_stop":
            record[schema.STATUS] = "finished" if metadata.get("status") == "success" else "interrupted"
        elif isinstance(key, str):
            record |= _read_setting(key, value)
            point = _read_point(key, value, metadata)
            time = to_number(event.get("time_ms"))
            if point and started is not None and time is not None:
                point[schema.ELAPSED_SECONDS] = (time - started) / 1000
            points += [point] if point else []
    if not points:
        raise RunLogError(f"{path.name} logs no {' or '.join(LOSS_KEYS)} and no evaluation. Log the loss of each step")
    rows = GatheredRows(path.name)
    for point in _place(points, record, notes):
        rows.add(point)
    return (build_gathered_run(rows, path, Reading(record, tuple(notes)), column_map),)


def _read_events(path: Path, notes: list[str]) -> Iterator[dict]:
    broken = 0
    for line in read_lines(path):
        at = line.find(START)
        if at < 0:
            continue
        try:
            event = parse(line[at + len(START) :])
        except ValueError:
            event = None
        if isinstance(event, dict):
            yield event
        else:
            broken += 1
    if broken:
        notes.append(f"lines that are no whole JSON are left out: {broken}")


def _read_setting(key: str, value: object) -> dict[str, object]:
    """Returns the field of the record that a key sets, if any."""
    name = SETTINGS.get(key)
    if name is None and (match := FURTHER.match(key)):
        name = match[1].replace("_1", "1").replace("_2", "2").replace("epsilon", "eps")
    return {} if name is None else keep_fitting({name: value})


def _read_point(key: str, value: object, metadata: Mapping[str, object]) -> dict[str, object] | None:
    """Returns the metrics of an event with what it says of its place."""
    if key in (*LOSS_KEYS, *EVAL_KEYS) and to_number(value) is not None:
        metrics = {key: to_number(value)}
    elif key == TRACKED and isinstance(value, dict) and any(name in value for name in LOSS_KEYS):
        metrics = {name: to_number(number) for name, number in value.items() if to_number(number) is not None}
    else:
        return None
    place = {name: to_number(metadata.get(name)) for name in (SAMPLES, *STEP_KEYS, "lr", "grad_norm")}
    return {name: number for name, number in place.items() if number is not None} | metrics


def _place(points: list[dict], record: dict[str, object], notes: list[str]) -> list[dict]:
    """Returns the points with a step: the one they say, or samples divided by the batch size where that is whole."""
    batch = to_number(record.get(schema.BATCH_SIZE)) or 0
    by_samples = all(SAMPLES in point for point in points)
    train = [point for point in points if any(name in point for name in LOSS_KEYS)] or points
    divides = by_samples and batch >= 1 and all(point[SAMPLES] % batch == 0 for point in train)
    if divides:
        notes.append(f"steps are samples divided by the batch size, {batch:.0f}")
    elif by_samples:
        record[schema.STEP_UNIT] = "samples"
        notes.append("steps are samples: they are no multiples of a batch size that the file tells")
    placed = []
    losses_of_accuracy = [point[ACCURACY] for point in points if ACCURACY in point and not point[ACCURACY] <= 1]
    if losses_of_accuracy:
        notes.append(f"{ACCURACY} is above 1 and so a loss, as in MLPerf's language models; read as eval_loss")
    for point in points:
        said = next((point[name] for name in STEP_KEYS if name in point), None)
        step = (point[SAMPLES] // (batch if divides else 1)) if by_samples else said
        row = {name: value for name, value in point.items() if name not in (SAMPLES, *STEP_KEYS, ACCURACY)}
        if ACCURACY in point:
            row |= (
                {schema.EVAL_LOSS: point[ACCURACY]} if losses_of_accuracy else {schema.EVAL_ERROR: 1 - point[ACCURACY]}
            )
        placed.append({schema.STEP: step, **row})
    return placed
