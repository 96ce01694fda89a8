"""Results of DeepOBS: one loss a batch and evaluations an epoch, padded with NaN after a divergence."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.epoch_csv import EPOCHS
from analysis.runlog.readers.foreign_rows import Columns, build_foreign_run, name_run
from analysis.runlog.readers.gathered_rows import to_number
from analysis.runlog.readers.json_file import pick_count, read_object
from analysis.runlog.readers.settings import keep_fitting
from analysis.runlog.study import Run, RunLogError

NAME = "deepobs json"
LOSES = "when a run stopped: the rest is padded with NaN; gradient norms are not logged"
MARK = re.compile(rb'"(minibatch_train_losses|train_losses|testproblem)"\s*:')
BATCHES, EPOCH_TRAIN, EPOCH_EVAL = "minibatch_train_losses", "train_losses", ("valid_losses", "test_losses")
ACCURACIES = {"valid_losses": "valid_accuracies", "test_losses": "test_accuracies"}
OPTIMIZERS = {"gradientdescent": "sgd", "sgd": "sgd", "momentum": "momentum", "adam": "adam", "rmsprop": "rmsprop"}
SETTINGS = ("optimizer_hyperparams", "hyperparams")
FURTHER = ("weight_decay", "l2_reg")
RENAMED = {"epsilon": "eps"}
LR_NAMES = ("learning_rate", "lr")


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the file starts as an object with losses as DeepOBS names them."""
    return head.lstrip()[:1] == b"{" and bool(MARK.search(head))


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no JSON object with lists of losses.
    """
    if column_map:
        raise RunLogError(f"{path.name} is {NAME}, whose losses have fixed names. Leave the map out")
    source = read_object(path)
    series = {name: _numbers(source, name, path.name) for name in (BATCHES, EPOCH_TRAIN, *EPOCH_EVAL)}
    series |= {name: _numbers(source, name, path.name) for name in ACCURACIES.values()}
    notes: list[str] = []
    num_epochs = max(len(series[name]) for name in (EPOCH_TRAIN, *EPOCH_EVAL)) - 1
    record = name_run(path, NAME) | _read_settings(source)
    interval = pick_count(source, "train_log_interval") or 1
    per_epoch = _steps_per_epoch(len(series[BATCHES]) * interval, num_epochs)
    if len(series[BATCHES]) and not per_epoch:
        notes.append("evaluations are left out: their steps cannot be told from the number of batches")
    if not len(series[BATCHES]):
        record[schema.STEP_UNIT] = EPOCHS
        notes.append("no losses of batches; steps are epochs, and the training loss is evaluated after each")
    elif per_epoch:
        record[schema.MAX_TRAIN_STEPS] = per_epoch * num_epochs
    columns = _place(series, interval, per_epoch)
    _note_padding(columns, notes)
    return (build_foreign_run(columns, record, path.name, notes, keeps_nan=True),)


def _numbers(source: Mapping[str, object], name: str, file: str) -> np.ndarray:
    values = source.get(name) or []
    numbers = [to_number(value) for value in values] if isinstance(values, list) else [None]
    if None in numbers:
        raise RunLogError(f"{file} {name} is no list of numbers. Write it again")
    return np.array(numbers, np.float64)


def _steps_per_epoch(num_steps: int, num_epochs: int) -> int:
    """Returns the steps of an epoch, 0 where they do not divide."""
    return num_steps // num_epochs if num_epochs > 0 and num_steps % num_epochs == 0 else 0


def _place(series: Mapping[str, np.ndarray], interval: int, per_epoch: int) -> Columns:
    """Returns columns of rows: one per batch loss, then one per epoch."""
    batches, stride = series[BATCHES], per_epoch or 1
    num_epochs = max(len(values) for name, values in series.items() if name != BATCHES)
    num_evaluated = 0 if len(batches) and not per_epoch else num_epochs
    steps = np.concatenate([np.arange(len(batches)) * interval, np.arange(num_evaluated) * stride])
    columns = {schema.STEP: (steps.astype(float), np.ones(len(steps), bool))}

    def add(name: str, values: np.ndarray, start: int) -> None:
        cells, logged = np.zeros(len(steps)), np.zeros(len(steps), bool)
        cells[start : start + len(values)], logged[start : start + len(values)] = values, True
        columns[name] = (cells, logged)

    add(schema.TRAIN_LOSS, batches, 0)
    if not num_evaluated:
        return columns
    if len(batches):
        add(EPOCH_TRAIN, series[EPOCH_TRAIN], len(batches))
    else:
        add(schema.TRAIN_LOSS, series[EPOCH_TRAIN], 0)
    evaluated = [name for name in EPOCH_EVAL if len(series[name])]
    for name in evaluated[1:]:
        add(name, series[name], len(batches))
    for name in evaluated[:1]:
        add(schema.EVAL_LOSS, series[name], len(batches))
        if len(series[ACCURACIES[name]]):
            add(schema.EVAL_ERROR, 1 - series[ACCURACIES[name]], len(batches))
    return columns


def _note_padding(columns: Columns, notes: list[str]) -> None:
    values, logged = columns[schema.TRAIN_LOSS]
    values, steps = values[logged], columns[schema.STEP][0][logged]
    finite = np.flatnonzero(~np.isnan(values))
    first = finite[-1] + 1 if len(finite) else 0
    if len(values) - first > 1:
        notes.append(
            f"all losses from step {steps[first]:.0f} on are NaN; DeepOBS pads a run that has diverged with them"
        )


def _read_settings(source: Mapping[str, object]) -> dict[str, object]:
    """Returns the metaparameters by the names of the schema."""
    settings = next((source[name] for name in SETTINGS if isinstance(source.get(name), dict) and source[name]), {})
    optimizer = source.get("optimizer_name") or source.get("optimizer")
    fields = {RENAMED.get(name, name): value for name, value in settings.items() if name not in LR_NAMES}
    fields |= {name: source.get(name) for name in FURTHER}
    fields |= {
        schema.WORKLOAD: source.get("testproblem"),
        schema.BASE_LR: next((place[name] for place in (settings, source) for name in LR_NAMES if name in place), None),
        schema.BATCH_SIZE: source.get("batch_size"),
        schema.SEED: source.get("random_seed"),
        schema.SCHEDULE: str(source["lr_sched_factors"]) if source.get("lr_sched_factors") else None,
    }
    if isinstance(optimizer, str):
        name = optimizer.casefold().removesuffix("optimizer")
        is_momentum = OPTIMIZERS.get(name) == "momentum" or (name == "sgd" and settings.get("momentum"))
        nesterov = settings.get("use_nesterov") or settings.get("nesterov")
        fields[schema.OPTIMIZER] = (
            ("nesterov" if nesterov else "momentum") if is_momentum else OPTIMIZERS.get(name, name)
        )
    return keep_fitting(fields)
