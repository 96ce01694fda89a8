"""How a curve is looked at: axes and smoothing, in the address bar."""

import streamlit as st

from analysis import curve_axis
from analysis.charts.loss_view import LossView
from analysis.results import RunDiagnosis
from analysis.smoothing import MEAN, MEDIAN, Smoothing

AXES = {"Step": curve_axis.STEP, "Share of training": curve_axis.SHARE, "Time": curve_axis.TIME}
LOG, LINEAR = "Logarithmic", "Linear"
RAW, SMOOTHINGS = "Raw only", {"Moving median": MEDIAN, "Exponential average": MEAN}
WINDOW = 25  # steps; ours: a tenth of a screen of a short run


def choose_view(is_loss: bool = True) -> LossView:
    """Offers axes and smoothing, and returns what was chosen; raw against the step, logarithmic, unless asked.

    Args:
        is_loss: Whether losses are looked at; a norm has no start to be cut off at, and is always logarithmic.
    """
    with st.popover("Axes and smoothing", icon=":material/tune:", width="content"):
        axis = _pick("Horizontal axis", list(AXES), "x")
        is_log_x = _pick("Horizontal scale", [LINEAR, LOG], "x_scale") == LOG
        is_linear = is_loss and _pick("Vertical scale", [LOG, LINEAR], "y_scale") == LINEAR
        is_cut = is_loss and st.toggle(
            "Cut off losses above 1,000 times the start",
            key="cut",
            bind="query-params",
            help="Off: every finite loss is inside the picture, however high.",
        )
        smoothing = _pick("Smoothing, drawn on top of the raw line", [RAW, *SMOOTHINGS], "smooth")
        steps = st.number_input(
            "Window of the smoothing, steps",
            min_value=2,
            max_value=1_000_000,
            value=WINDOW,
            key="smooth_steps",
            bind="query-params",
            disabled=smoothing == RAW,
        )
    chosen = None if smoothing == RAW else Smoothing(SMOOTHINGS[smoothing], int(steps))
    return LossView(AXES[axis], is_log_x, is_linear, is_cut, chosen)


def _pick(label: str, options: list[str], key: str) -> str:
    return st.segmented_control(label, options, default=options[0], required=True, key=key, bind="query-params")


def with_time(runs: list[RunDiagnosis], axis: str) -> tuple[list[RunDiagnosis], str, str]:
    """Returns the runs that an axis can show, the axis, and one line on what it cannot; "" where it shows all."""
    timed = [judged for judged in runs if curve_axis.has_time(judged.run)]
    if axis != curve_axis.TIME or len(timed) == len(runs):
        return runs, axis, ""
    if not timed:
        return runs, curve_axis.STEP, "No time was logged (elapsed_seconds), so the steps are shown."
    left = len(runs) - len(timed)
    return timed, axis, f"{left} of {len(runs)} runs logged no time (elapsed_seconds) and are left out."
