"""What a reader has zoomed into, kept in the address bar, so that a link opens it."""

import math

import streamlit as st

from analysis.charts.loss_view import Zoom

PARAMETER, RESETS = "zoom", "zooms reset"
HOW_TO_ZOOM = "Pinch, or scroll with Ctrl, to zoom; drag to move; double-click to reset."


def read_zoom(key: str, axis: str) -> Zoom:
    """Returns what the link opened a chart at, and what is seen of it now; call it before the chart is shown.

    Args:
        key: Key of the chart.
        axis: What its x-axis shows: a link to seconds says nothing about steps.
    """
    start_key = f"start of {key}"
    if key not in st.session_state:  # first shown, or shown again after another page
        st.session_state[start_key] = _parse(st.query_params.get(PARAMETER, ""), axis)
        st.session_state[f"moved {key}"] = False
    zoom = st.session_state[start_key]
    if st.session_state[f"moved {key}"]:
        zoom = _selected(key)
        if zoom is None:  # a double click shows all, not what the link named
            st.session_state[start_key] = None
    start = st.session_state[start_key]
    _write(zoom, axis)
    return Zoom(start, zoom)


def chart_key(name: str) -> str:
    """Returns the key of a chart that can be zoomed into: another one after each reset, for a chart keeps its zoom."""
    return f"{name}, {st.session_state.get(RESETS, 0)}"


def show_reset(zoom: Zoom) -> None:
    """Offers to show all again, where a part is shown: a double click does so only where the mouse has zoomed."""
    if zoom.detail is not None:
        st.button("Show all steps", icon=":material/zoom_out_map:", type="tertiary", on_click=reset, key="show all")


def reset() -> None:
    """Shows all again, and forgets the part in the address bar."""
    st.query_params.pop(PARAMETER, None)
    st.session_state[RESETS] = st.session_state.get(RESETS, 0) + 1


def look_at(low: float, high: float) -> None:
    """Lets charts show a part of the steps when they are drawn next, as a link does."""
    reset()
    _write((low, high), "step")


def note_move(key: str) -> None:
    """Notes that a chart was zoomed or reset by hand: from then on it, not the link, says what is seen."""
    st.session_state[f"moved {key}"] = True


def _selected(key: str) -> tuple[float, float] | None:
    selected = st.session_state[key].get("selection", {}).get("zoom", {})
    ends = next(iter(selected.values()), None)
    return (float(ends[0]), float(ends[1])) if ends else None


def _parse(text: str, axis: str) -> tuple[float, float] | None:
    """Returns the ends that a link names, None for none.

    >>> _parse("step 10 to 40", "step"), _parse("time 10 to 40", "step"), _parse("step 40 to nan", "step")
    ((10.0, 40.0), None, None)
    """
    kind, _, ends = text.partition(" ")
    low, _, high = ends.partition(" to ")
    try:
        found = float(low), float(high)
    except ValueError:
        return None
    return found if kind == axis and all(map(math.isfinite, found)) and found[0] < found[1] else None


def _write(zoom: tuple[float, float] | None, axis: str) -> None:
    said = f"{axis} {zoom[0]:.9g} to {zoom[1]:.9g}" if zoom else None
    if said == st.query_params.get(PARAMETER):
        return
    if said is None:
        del st.query_params[PARAMETER]
    else:
        st.query_params[PARAMETER] = said
