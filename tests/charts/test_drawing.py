"""What the browser is sent of a chart: its Vega-Lite form, and its tables as Arrow streams."""

import re

import altair as alt
import pandas as pd
import pyarrow as pa
import pytest

from analysis.charts.crosshair import read_lines
from analysis.charts.drawing import CANVAS_FROM, write_spec
from analysis.charts.pictures import first_runs, names_of, picture_of_loss, picture_of_sweep
from analysis.charts.theme import LIGHT
from analysis.findings import diagnose
from analysis.focus import choose_sweep
from analysis.readings import MOST_PLACES
from tests.charts.drawn import layers_of, spec_of, values_of
from tests.studies import make_study, sweep


@pytest.fixture(scope="module")
def pictures():
    diagnosis = diagnose(make_study([*sweep(0.3, stride="1x1"), *sweep(9.0, stride="2x2", seeds=2)]))
    first = choose_sweep(diagnosis)
    runs = first_runs(diagnosis, first)
    return picture_of_sweep(diagnosis, first, LIGHT), picture_of_loss(runs, first, LIGHT), names_of(diagnosis)


def layers_in(spec):
    """Returns the layers with a mark, and the name of the table of each."""
    inside = [pair for each in spec.get("layer", []) for pair in layers_in({"data": spec.get("data"), **each})]
    return inside or [(spec, spec["data"]["name"])]


def said(column):
    """Returns values as text, numbers in twelve digits."""
    return ["" if pd.isna(each) else each if isinstance(each, str) else f"{each:.12g}" for each in column]


def test_the_browser_is_sent_the_same_chart_and_the_same_values_as_altair_writes(pictures):
    for picture in pictures[:2]:
        sent, checked = picture.spec, spec_of(picture.chart)
        for (layer, name), (other, values) in zip(layers_in(sent), layers_of(picture.chart), strict=True):
            assert {key: layer[key] for key in layer if key != "data"} == {k: other[k] for k in other if k != "data"}
            table = pa.ipc.open_stream(sent["datasets"][name]).read_all().to_pandas()
            assert list(table) == list(values)
            for column in values:
                assert said(table[column]) == said(values[column]), column
        assert sent["config"]["axis"] == checked["config"]["axis"]
        assert (sent["height"], sent["width"], sent["padding"]) == tuple(
            checked[key] for key in ("height", "width", "padding")
        )


def test_a_picture_is_written_once_and_its_chart_can_still_be_drawn(pictures):
    picture = pictures[0]
    assert picture.spec is picture.spec
    assert re.search("continuous", str(write_spec(picture.chart)["config"]["view"]))
    assert len(values_of(picture.chart, "point", "run_id"))


@pytest.mark.parametrize(("rows", "renderer"), [(CANVAS_FROM, None), (CANVAS_FROM + 1, "canvas")])
def test_many_points_are_painted_and_few_are_elements_of_the_page(rows, renderer):
    chart = alt.Chart(pd.DataFrame({"a": range(rows)})).mark_line().encode(x="a:Q", y="a:Q")
    assert write_spec(chart).get("usermeta", {}).get("embedOptions", {}).get("renderer") == renderer


def test_no_point_of_a_line_is_a_mark_of_its_own_and_the_mouse_is_told_all_lines(pictures):
    layers = layers_of(pictures[1].chart)
    lines = {label for layer, values in layers if layer["mark"]["type"] == "line" for label in values["label"]}
    (bars,) = [pair for pair in layers if pair[0]["mark"]["type"] == "rect" and "tooltip" in pair[0]["encoding"]]
    told = {tip["title"] for tip in bars[0]["encoding"]["tooltip"]}
    assert {re.sub(r" \(\d+ runs?\)", "", each) for each in told} == {"step", *lines}
    assert [values for layer, values in layers if layer["mark"]["type"] == "point" and len(values) > 40] == []


def test_every_line_is_read_where_a_point_of_any_stands_and_a_spike_is_among_the_places():
    flat = pd.DataFrame({"step": range(3000), "value": 1.0, "line": "flat"})
    flat.loc[1234, "value"] = 9.0
    short = pd.DataFrame({"step": [0, 2000], "value": [2.0, float("nan")], "line": "short"})
    read = read_lines(pd.concat([flat, short]), "step", "line", "value")
    assert len(read) <= 2 * MOST_PLACES
    assert read.set_index("at").loc[1234, "flat"] == "9"
    assert read["short"].iloc[0] == "2"
    assert read["short"].iloc[-1] == "none"
    assert (read["from"] <= read["at"]).all()
    assert (read["at"] <= read["to"]).all()
    assert read["from"].iloc[1:].tolist() == read["to"].iloc[:-1].tolist()
    assert read_lines(flat.head(0), "step", "line", "value").empty
