"""A chart as a drawing that programs for text and print can hold."""

import altair as alt

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
