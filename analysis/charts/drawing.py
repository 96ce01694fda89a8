"""A chart as others hold it: programs for text and print as a drawing, the browser as Vega-Lite with Arrow tables."""

import hashlib

import altair as alt
import pandas as pd
import pyarrow as pa
from altair.utils import schemapi

from analysis.charts.theme import ZOOM

CANVAS_FROM = 2_000  # rows; ours: Streamlit paints as many points on a canvas, but counts no lines
WIDTH = 1_200  # pixels of a drawing; its height is the chart's


def write_svg(chart: alt.TopLevelMixin) -> str:
    """Returns a chart as SVG, of the width of a page; nothing is fetched.

    Args:
        chart: The chart, of at most a few thousand points.

    Returns:
        The text of an SVG file.
    """
    import vl_convert

    with alt.data_transformers.enable("default", max_rows=None):
        spec = chart.properties(width=WIDTH).to_dict()
    return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])


def draw_unchecked() -> None:
    """Lets charts be put together without a check of every part against Vega-Lite's schema, in the whole process.

    The tests of the charts check them whole.
    """
    schemapi.disable_debug_mode()


def write_spec(chart: alt.TopLevelMixin) -> dict:
    """Returns a chart as Vega-Lite, each of its tables once, as an Arrow stream.

    Nothing is checked against Vega-Lite's schema, which takes longer than all else; the tests of the charts do that.
    Many points are painted on a canvas, unless they can be zoomed into; few are elements of the page.

    Args:
        chart: The chart, whose channels all name their types.

    Returns:
        The specification; its "datasets" are bytes by name.

    >>> spec = write_spec(alt.Chart(pd.DataFrame({"a": [1, 2]})).mark_point().encode(x="a:Q"))
    >>> [pa.ipc.open_stream(table).read_all().num_rows for table in spec["datasets"].values()]
    [2]
    """
    tables: dict[str, bytes] = {}
    spec = _with_names(chart, tables).to_dict(validate=False)
    rows = sum(pa.ipc.open_stream(content).read_all().num_rows for content in tables.values())
    if rows > CANVAS_FROM and not any(each["name"] == ZOOM for each in spec.get("params", [])):
        spec["usermeta"] = {"embedOptions": {"renderer": "canvas"}}
    return spec | {"datasets": tables}


def _with_names(chart: alt.TopLevelMixin, tables: dict[str, bytes]) -> alt.TopLevelMixin:
    """Returns a chart that names its tables, which go into `tables`."""
    named = chart.copy(deep=False)
    if isinstance(chart.data, pd.DataFrame):
        content = write_table(chart.data)
        name = hashlib.md5(content, usedforsecurity=False).hexdigest()
        tables[name], named.data = content, alt.NamedData(name)
    if isinstance(chart, alt.LayerChart):
        named.layer = [_with_names(each, tables) for each in chart.layer]
    return named


def write_table(table: pd.DataFrame) -> bytes:
    """Returns a table as an Arrow stream without its index; words that repeat are sent once, integers short."""
    short = {name: "int32" for name, each in table.items() if each.dtype == "int64" and each.abs().max() < 2**31}
    drawn = pa.Table.from_pandas(table.reset_index(drop=True).astype(short))
    for place, column in enumerate(drawn.schema):
        words = drawn.column(place)
        if pa.types.is_large_string(column.type) or pa.types.is_string(column.type):
            drawn = drawn.set_column(place, column.name, words.dictionary_encode().combine_chunks())
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, drawn.schema) as writer:
        writer.write_table(drawn)
    return stream.getvalue().to_pybytes()
