"""A chart as others hold it: programs for text and print as a drawing, the browser as Vega-Lite with Arrow tables."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import altair as alt
import pandas as pd
import pyarrow as pa
from altair.utils import schemapi

from analysis.charts.theme import ZOOM

CANVAS_FROM = 2_000  # rows; ours: Streamlit paints as many points on a canvas, but counts no lines
WIDTH = 1_200  # pixels of a drawing; its height is the chart's
_WRITING = threading.Lock()  # a chart is changed while it is written, and several visitors may look at the same


def write_svg(chart: alt.TopLevelMixin) -> str:
    """Returns a chart as SVG, of the width of a page; nothing is fetched.

    Args:
        chart: The chart, of at most a few thousand points.

    Returns:
        The text of an SVG file.
    """
    import vl_convert

    with _WRITING, alt.data_transformers.enable("default", max_rows=None):
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
    with _WRITING, _named(chart, tables):
        spec = chart.to_dict(validate=False)
    rows = sum(pa.ipc.open_stream(content).read_all().num_rows for content in tables.values())
    if rows > CANVAS_FROM and not any(each["name"] == ZOOM for each in spec.get("params", [])):
        spec["usermeta"] = {"embedOptions": {"renderer": "canvas"}}
    return spec | {"datasets": tables}


@contextmanager
def _named(chart: alt.TopLevelMixin, tables: dict[str, bytes]) -> Iterator[None]:
    """Lets the parts of a chart name their tables, which go into `tables`, for as long as it is written.

    In place: Altair takes longer for a copy of a chart with layers than for all else.
    """
    parts = [(part, part.data) for part in _parts(chart) if isinstance(part.data, pd.DataFrame)]
    try:
        for part, table in parts:
            content = write_table(table)
            name = hashlib.md5(content, usedforsecurity=False).hexdigest()
            tables[name], part.data = content, alt.NamedData(name)
        yield
    finally:
        for part, table in parts:
            part.data = table


def _parts(chart: alt.TopLevelMixin) -> Iterator[alt.TopLevelMixin]:
    yield chart
    for layer in chart.layer if isinstance(chart, alt.LayerChart) else ():
        yield from _parts(layer)


def write_table(table: pd.DataFrame) -> bytes:
    """Returns a table as an Arrow stream without its index; words that repeat are sent once, integers short."""
    drawn = pa.table({name: _write_column(column) for name, column in table.items()})
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, drawn.schema) as writer:
        writer.write_table(drawn)
    return stream.getvalue().to_pybytes()


def _write_column(column: pd.Series) -> pa.Array:
    values = pa.array(column, from_pandas=True)
    if pa.types.is_int64(values.type) and column.abs().max() < 2**31:
        return values.cast(pa.int32())
    is_text = pa.types.is_large_string(values.type) or pa.types.is_string(values.type)
    return values.dictionary_encode() if is_text else values
