"""Settings that a foreign file tells, as fields of the run record; what does not fit a field is left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.runlog import schema
from analysis.runlog.readers.columns import SETTING_PREFIXES, SETTINGS, fold
from analysis.runlog.readers.numbers import to_number

KINDS = {field.name: field.kind for field in schema.RUN_FIELDS}
POSITIVE = frozenset(
    {schema.BASE_LR, schema.CLIP_THRESHOLD, schema.BATCH_SIZE, schema.MAX_TRAIN_STEPS, schema.WARMUP_STEPS}
)
LARGEST_COUNT = 2.0**53
MAX_TEXT = 200  # ours: characters


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


def _fit(name: str, value: object) -> str | int | float | None:
    if KINDS.get(name) == "text":
        return value if isinstance(value, str) and value.isprintable() and 0 < len(value) <= MAX_TEXT else None
    number = to_number(value)
    if number is None or not abs(number) < float("inf") or (name in POSITIVE and number <= 0):
        return None
    if KINDS.get(name) == "count":
        return int(number) if number == int(number) and abs(number) < LARGEST_COUNT else None
    return number
