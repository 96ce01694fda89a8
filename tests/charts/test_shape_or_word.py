"""No color without a shape or a word: who sees no colors loses nothing but speed."""

import itertools

import pandas as pd
import pytest

from analysis.charts.pictures import first_runs, picture_of_loss, picture_of_sweep
from analysis.charts.theme import DARK, LIGHT
from analysis.findings import diagnose
from analysis.focus import choose_sweep
from analysis.runlog import read_study
from app_pages.studies import PROJECT, SAMPLE
from tests.charts.drawn import spec_of

COLORS = ("color", "fill", "stroke")


@pytest.fixture(scope="module")
def diagnosis():
    return diagnose(read_study(SAMPLE, str(PROJECT)))


def marks_of(spec, node=None, inherited=None):
    """Returns (type of mark, field of each channel, values) of every mark in every part of a chart."""
    node = spec if node is None else node
    name = node.get("data", {}).get("name", inherited)
    parts = [part for kind in ("layer", "hconcat", "vconcat", "concat") for part in node.get(kind, [])]
    found = [mark for part in parts for mark in marks_of(spec, part, name)]
    if "mark" not in node:
        return found
    channels = {
        channel: of["field"] for channel, of in node["encoding"].items() if isinstance(of, dict) and "field" in of
    }
    return [*found, (node["mark"]["type"], channels, pd.DataFrame(spec["datasets"].get(name, [])))]


def colors_alone(spec):
    """Returns what a chart says by nothing but a color: lines without their word, marks of one form in two colors."""
    marks = marks_of(spec)
    words = {word for kind, fields, values in marks if kind == "text" for word in values[fields["text"]]}
    alone = []
    for kind, fields, values in marks:
        colored = [fields[channel] for channel in COLORS if channel in fields]
        if kind == "line" and colored:
            alone += sorted(set(values[colored[0]]) - words)
        if kind == "point" and "stroke" in fields:
            forms = {color: forms_of(rows, fields) for color, rows in values.groupby(fields["stroke"])}
            alone += [pair for pair in itertools.combinations(forms, 2) if forms[pair[0]] & forms[pair[1]]]
    return alone


def forms_of(rows, fields):
    """Returns the forms of marks without their color: shape, and whether it is filled with the color of its edge."""
    is_full = rows[fields["fill"]] == rows[fields["stroke"]]
    return set(zip(rows[fields["shape"]], is_full, strict=True))


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["sweep", "first losses", "all losses", "losses without a sweep"])
def test_every_line_has_its_word_and_every_state_its_shape(diagnosis, name, colors):
    sweep = choose_sweep(diagnosis)
    picture = {
        "sweep": lambda: picture_of_sweep(diagnosis, sweep, colors),
        "first losses": lambda: picture_of_loss(first_runs(diagnosis, sweep), sweep, colors),
        "all losses": lambda: picture_of_loss(diagnosis.runs, sweep, colors, with_lr=True),
        "losses without a sweep": lambda: picture_of_loss(diagnosis.runs[:5], None, colors),
    }[name]()
    assert colors_alone(spec_of(picture.chart)) == []


def test_the_check_sees_a_line_without_its_word(diagnosis):
    sweep = choose_sweep(diagnosis)
    spec = spec_of(picture_of_loss(first_runs(diagnosis, sweep), sweep, LIGHT).chart)
    for row in itertools.chain(*spec["datasets"].values()):
        row["text"] = ""
    assert "stride 2x2, lr 0.2" in colors_alone(spec)


def test_the_check_sees_two_colors_of_one_shape(diagnosis):
    spec = spec_of(picture_of_sweep(diagnosis, choose_sweep(diagnosis), LIGHT).chart)
    for row in itertools.chain(*spec["datasets"].values()):
        row["shape"] = "circle"
    assert len(colors_alone(spec)) > 0
