"""Settings that a foreign file tells, as fields of the run record; what does not fit a field is left out."""

from collections.abc import Mapping

from analysis.runlog import schema
from analysis.runlog.readers.gathered_rows import to_number

KINDS = {field.name: field.kind for field in schema.RUN_FIELDS}
POSITIVE = frozenset(
    {schema.BASE_LR, schema.CLIP_THRESHOLD, schema.BATCH_SIZE, schema.MAX_TRAIN_STEPS, schema.WARMUP_STEPS}
)
LARGEST_COUNT = 2.0**53
MAX_TEXT = 200  # ours: characters


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
