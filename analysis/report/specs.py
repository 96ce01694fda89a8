"""Specifications of charts as a report holds them: tables by column, each word once; JSON that no name can end."""

import json
from collections.abc import Iterable, Sequence

from analysis.charts.pictures import Picture

DIGITS = 6  # ours: of a drawn number; a picture of 2,000 pixels needs four
SHARE = 4  # ours: a column with at most a quarter as many values as rows is written as places in a list


def write_specs(pictures: Iterable[Picture]) -> str:
    r"""Returns the specifications of pictures as the text of one script element of JSON.

    Tables are written as {"size", "columns": {name: [values]}} or {name: [distinct values, places]}; report.js makes
    rows of them again. No text of a run can end the script: "<" is written "\u003c".
    """
    text = json.dumps([pack(picture.chart.to_dict()) for picture in pictures], allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def pack(spec: dict) -> dict:
    """Returns a specification with its tables by column."""
    tables = {name: pack_rows(rows) for name, rows in spec.get("datasets", {}).items()}
    return spec | {"datasets": tables}


def pack_rows(rows: Sequence[dict]) -> list | dict:
    """Returns rows as columns; rows that do not all have the same fields stay as they are.

    >>> pack_rows([{"step": 0, "run": "a"}, {"step": 1, "run": "a"}, {"step": 2, "run": "a"}, {"step": 3, "run": "a"}])
    {'size': 4, 'columns': {'step': [[0, 1, 2, 3]], 'run': [['a'], [0, 0, 0, 0]]}}
    """
    if not rows or any(row.keys() != rows[0].keys() for row in rows):
        return list(rows)
    return {
        "size": len(rows),
        "columns": {name: pack_column([cut(row[name]) for row in rows]) for name in rows[0]},
    }


def pack_column(values: list) -> list[list]:
    """Returns [values], or [distinct values, places] where that is shorter."""
    keys = [json.dumps(value) for value in values]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    if len(places) * SHARE > len(values):
        return [values]
    return [[json.loads(key) for key in places], [places[key] for key in keys]]


def cut(value: object) -> object:
    """Returns a number in six digits, anything else as it is."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
