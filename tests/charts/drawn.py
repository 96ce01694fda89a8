"""What a chart draws, as tables: the layers of its Vega-Lite form with their values."""

import json

import altair as alt
import pandas as pd


def spec_of(chart: alt.TopLevelMixin) -> dict:
    """Returns the Vega-Lite form of a chart as the browser gets it: JSON, so neither NaN nor infinity."""
    with alt.data_transformers.enable("default", max_rows=None):
        return json.loads(json.dumps(chart.to_dict(), allow_nan=False))


def layers_of(chart: alt.TopLevelMixin) -> list[tuple[dict, pd.DataFrame]]:
    """Returns every layer with a mark, and its values."""
    spec = spec_of(chart)

    def walk(node: dict, inherited: str | None) -> list[tuple[dict, pd.DataFrame]]:
        name = node.get("data", {}).get("name", inherited)
        if "layer" in node:
            return [pair for child in node["layer"] for pair in walk(child, name)]
        return [(node, pd.DataFrame(spec["datasets"][name]))]

    return walk(spec, None)


def values_of(chart: alt.TopLevelMixin, mark: str, column: str) -> pd.DataFrame:
    """Returns the values of all layers with a mark of that type and a column of that name."""
    tables = [values for layer, values in layers_of(chart) if layer["mark"]["type"] == mark and column in values]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def words_of(chart: alt.TopLevelMixin) -> set[str]:
    """Returns all words that are written into a chart."""
    return set(values_of(chart, "text", "text").get("text", []))
