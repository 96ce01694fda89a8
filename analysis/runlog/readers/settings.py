"""Settings that a foreign file tells, as fields of the run record; what does not fit a field is left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.runlog import schema
from analysis.runlog.describe import OWN_WRITERS
from analysis.runlog.readers.columns import SETTING_PREFIXES, SETTINGS, fold
from analysis.runlog.readers.numbers import to_number

KINDS = {field.name: field.kind for field in schema.RUN_FIELDS}
POSITIVE = frozenset({schema.BASE_LR, schema.CLIP_THRESHOLD, schema.BATCH_SIZE, schema.MAX_TRAIN_STEPS})
WARMUP_ELSEWHERE = ("warmup_ratio", "warmup_epochs")  # settings beside which warmup_steps=0 says nothing (HF's Trainer)
LARGEST_COUNT = 2.0**53
MAX_TEXT = 200  # ours: characters
MAX_COMMAND = 4000  # ours: characters
# What the reader itself says of a run, whatever its configuration repeats.
TOLD_BY_READER = frozenset({schema.RUN_ID, schema.NAME, schema.STUDY, schema.SOURCE, schema.STATUS, schema.STARTED_AT})


@dataclass(frozen=True)
class Settings:
    """Columns that hold one setting.

    Attributes:
        columns: Names of the columns.
        fields: Fields of the run record.
    """

    columns: tuple[str, ...]
    fields: Mapping[str, object]


def find_settings(constants: Mapping[str, object], known: Mapping[str, object] | None = None) -> Settings:
    """Returns which of the columns that never change are settings of the run, by their names, and not known yet.

    >>> find_settings({"Batch Size": 64.0, "config/depth": 12.0, "accuracy": 0.0}).fields
    {'batch_size': 64, 'depth': 12.0}
    """
    columns, fields = [], {}
    for column, value in constants.items():
        name = name_setting(column)
        fitting = keep_fitting({name: value}) if name and name not in {**fields, **(known or {})} else {}
        columns += [column] * len(fitting)
        fields |= fitting
    if fields.get(schema.WARMUP_STEPS) == 0 and any(fields.get(name) for name in WARMUP_ELSEWHERE):
        del fields[schema.WARMUP_STEPS]
    return Settings(tuple(columns), fields)


def name_setting(column: str) -> str | None:
    """Returns the field of the run record that a column name stands for, None where it is no setting.

    >>> name_setting("config/learning_rate"), name_setting("Optimizer"), name_setting("lr")
    ('base_lr', 'optimizer', None)
    """
    name = fold(column)
    bare = next((name.removeprefix(prefix) for prefix in SETTING_PREFIXES if name.startswith(prefix)), "")
    if bare in ("lr", "learning_rate"):
        return schema.BASE_LR
    found = next((field for field, aliases in SETTINGS.items() if (bare or name) in aliases), None)
    return found or (bare if bare.isidentifier() and bare not in schema.FACTS else None)


def keep_fitting(found: Mapping[str, object]) -> dict[str, object]:
    """Returns the settings whose value fits the field of their name; further ones must be numbers.

    >>> keep_fitting({"base_lr": "3e-4", "seed": 7.0, "batch_size": "many", "optimizer": "adam", "beta1": None})
    {'base_lr': 0.0003, 'seed': 7, 'optimizer': 'adam'}
    """
    fitting = {name: _fit(name, value) for name, value in found.items()}
    return {name: value for name, value in fitting.items() if value is not None}


def keep_own(config: Mapping[str, object]) -> dict[str, object]:
    """Returns the run record that our runners or RunWriter gave to a tracker, nothing of anybody else's configuration.

    Foreign texts may be of a person or machine, so they are left out; in ours every field has a meaning.

    >>> keep_own({"source": "runner", "norm": "none", "warmup_steps": 0, "command": "python -m runners.lr_sweep"})
    {'norm': 'none', 'warmup_steps': 0, 'command': 'python -m runners.lr_sweep', 'grad_norm_taken': 'before-clipping'}
    >>> keep_own({"norm": "none", "warmup_steps": 0})
    {}
    """
    if config.get(schema.SOURCE) not in OWN_WRITERS:
        return {}
    kept = {name: _fit_own(name, value) for name, value in config.items() if name not in TOLD_BY_READER}
    return {name: value for name, value in kept.items() if value is not None} | {
        schema.GRAD_NORM_TAKEN: "before-clipping"
    }


def _fit_own(name: str, value: object) -> object:
    """Returns a value of our own record if it is of the kind of its field, else None."""
    kind = KINDS.get(name)
    if not name.isidentifier() or name.startswith("_"):
        return None
    if kind == "record":
        return value if isinstance(value, dict | list) else None
    if kind is None and isinstance(value, bool | int):
        return value
    if isinstance(value, str) and kind in ("text", None):
        longest = MAX_COMMAND if name == schema.COMMAND else MAX_TEXT
        return value if value.isprintable() and 0 < len(value) <= longest else None
    return _fit(name, value)


def _fit(name: str, value: object) -> str | int | float | None:
    if KINDS.get(name) == "text":
        return value if isinstance(value, str) and value.isprintable() and 0 < len(value) <= MAX_TEXT else None
    number = to_number(value)
    if number is None or not abs(number) < float("inf") or (name in POSITIVE and number <= 0):
        return None
    if KINDS.get(name) == "count":
        return int(number) if number == int(number) and abs(number) < LARGEST_COUNT else None
    return number
