"""Pictures and sentences of the gradient norm that the pages on it share."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import streamlit as st

from analysis import literal
from analysis.charts.grad_norm import norm_bars, norm_curve, norm_domain, phase_bars
from analysis.charts.loss_view import WHOLE, Drawn, LossView, Zoom, place_notes, table_of
from analysis.charts.step_axis import StepAxis
from analysis.curve_axis import STEP
from analysis.curves import cut_curves
from analysis.grad_norm import OUTLIER_RATIO, find_outliers
from analysis.lr_words import number, say_share
from analysis.norm_histogram import NormHistogram, count_norms, count_norms_by_phase, largest_share
from analysis.readings import read_columns
from analysis.results import Clipping, Diagnosis, RunDiagnosis
from analysis.runlog import schema
from app_pages import shown
from app_pages.chart_files import show_files
from app_pages.pictures import Picture, colors, draw, key_of, literal_keys, remember, show
from app_pages.zoom import HOW_TO_ZOOM, chart_key, note_move, read_zoom, show_reset

HEIGHT, STEPS = 320, LossView()
PHASES = {"early": "first 10%", "middle": "middle", "late": "last 10%"}  # of the planned steps
READ = {"gradient norm": schema.GRAD_NORM, "training loss": schema.TRAIN_LOSS, "learning rate": schema.LR}


def clipping_sentence(clipping: Clipping, percentile: float, basis: str) -> str:
    """Says what the threshold does, and what it is a percentile of."""
    return (
        f"Percentile {percentile:g} of {basis} is {number(clipping.clip_threshold)}: "
        f"{say_share(clipping.clipped_fraction)} of updates would be clipped, "
        f"and the learning rate is {clipping.effective_lr_multiplier:.2f} times its value on average."
    )


def show_clipping(clipping: Clipping, percentile: float, basis: str = "the norm") -> None:
    """Shows what the threshold does, as a warning where it is a lower learning rate in disguise."""
    if clipping.extreme:
        st.warning(
            f"{clipping_sentence(clipping, percentile, basis)} Clipping more than half of all updates is "
            "a lower learning rate in disguise: lower the learning rate instead.",
            icon=":material/warning:",
        )
    else:
        st.info(clipping_sentence(clipping, percentile, basis), icon=":material/content_cut:")


def own_sentence(own: Clipping) -> str:
    """Says how the run itself was clipped."""
    how = (
        "a threshold chosen at every step" if own.clip_threshold is None else f"threshold {number(own.clip_threshold)}"
    )
    return f"This run was trained with {how}: {say_share(own.clipped_fraction)} of its updates were clipped."


def show_phases(
    diagnosis: Diagnosis,
    judged: RunDiagnosis,
    clip_threshold: float,
    shares: Mapping[str, float],
    phases: Mapping[str, np.ndarray],
    names: Mapping[str, str],
) -> None:
    """Shows the histogram of each phase of a run, on shared axes, with the share that is clipped in it.

    Args:
        diagnosis: The study's diagnosis.
        judged: The run.
        clip_threshold: The threshold.
        shares: Share that is clipped, of each phase that has a step.
        phases: Mask of each phase, each of shape (n,).
        names: What each phase is called.
    """
    steps, norm = judged.run.series(schema.GRAD_NORM)
    counts = count_norms_by_phase(norm, phases)
    for column, name in zip(st.columns(len(shares), gap="small"), shares, strict=True):
        picture = remember(
            key_of(diagnosis, "phase", name, judged.run.run_id, clip_threshold),
            lambda name=name: picture_of_phase(
                names[name],
                steps[phases[name]],
                counts[name],
                largest_share(counts.values()),
                clip_threshold,
                shares[name],
                norm,
            ),
        )
        with column:
            show(picture, f"phase_{name}")


def picture_of_phase(
    name: str,
    own: np.ndarray,
    counts: NormHistogram,
    top_share: float,
    clip_threshold: float,
    share: float,
    norm: np.ndarray,
) -> Picture:
    """Draws the histogram of one phase, of which `own` are the steps."""
    chart = phase_bars(counts, top_share, clip_threshold, norm_domain(norm, clip_threshold), colors())
    title = f"{name.capitalize()}: {say_share(share)} clipped"
    beside = beside_axis(counts)
    caption = f"Steps {own[0]:,} to {own[-1]:,}, {counts.num_norms:,} norms" + (f"; {beside}." if beside else ".")
    return Picture(chart, title, caption, f"Histogram of the gradient norm, {name}. {title}.")


def beside_axis(counts: NormHistogram) -> str:
    """Says what a logarithmic axis cannot show; "" where it shows all."""
    left = [
        f"{counts.num_non_finite:,} not finite" * bool(counts.num_non_finite),
        f"{counts.num_zero:,} zero" * bool(counts.num_zero),
    ]
    beside = ", ".join(filter(None, left))
    return f"not on the axis: {beside}" if beside else ""


def picture_of_curve(judged: RunDiagnosis, threshold: float, extreme_below: float | None = None) -> Picture:
    """Draws norm against step with the threshold."""
    return draw_curve(judged, threshold, extreme_below).picture


def draw_curve(
    judged: RunDiagnosis,
    threshold: float,
    extreme_below: float | None = None,
    notes: Sequence[tuple[float, str]] = (),
    view: LossView = STEPS,
    zoom: Zoom = WHOLE,
) -> Drawn:
    """Draws norm against step with the threshold, crosshair and zoom; returns the picture with its numbers."""
    keys = literal_keys([judged], None)
    curves = cut_curves([judged], keys, schema.GRAD_NORM, detail=zoom.detail, axis=view.axis, smoothing=view.smoothing)
    _, norm = judged.run.series(schema.GRAD_NORM)
    outliers = find_outliers(judged.run)
    x = StepAxis(view.axis, curves.window, view.is_log_x, zoom.start)
    readings = read_columns(curves, judged, READ, view.axis)
    notes = place_notes(judged, notes, view.axis)
    domain = norm_domain(norm, threshold)
    chart = norm_curve(curves, outliers, threshold, domain, colors(), HEIGHT, extreme_below, notes, x, readings)
    drawn = f"{curves.num_drawn:,} of {curves.num_points:,} points drawn."
    drawn += f" On top, thick: {view.smoothing}." if view.smoothing else ""
    caption = f"{drawn} Rings: more than {OUTLIER_RATIO:g} times the median, {len(outliers):,}."
    alt = f"Gradient norm over {len(norm):,} steps; {len(outliers)} stand out above ten times the median."
    picture = Picture(chart, "The norm of every step", caption, alt)
    return Drawn(picture, table_of(curves, {judged.run.run_id: literal.name(judged.run.name)}))


def picture_of_bars(judged: RunDiagnosis, threshold: float, extreme_below: float | None = None) -> Picture:
    """Draws the histogram on the same axis."""
    _, norm = judged.run.series(schema.GRAD_NORM)
    counts = count_norms(norm)
    chart = norm_bars(counts, threshold, norm_domain(norm, threshold), colors(), HEIGHT, extreme_below)
    beside = beside_axis(counts)
    caption = f"All {len(norm):,} steps" + (f"; {beside}." if beside else ".")
    return Picture(
        chart, "How often", caption, f"Histogram of {len(norm):,} gradient norms; orange bars are above the threshold."
    )


def show_norm(
    diagnosis: Diagnosis,
    judged: RunDiagnosis,
    threshold: float,
    extreme_below: float | None = None,
    notes: Sequence[tuple[float, str]] = (),
    view: LossView = STEPS,
) -> tuple[float, float] | None:
    """Shows the norm of every step beside its histogram, on one axis, with the threshold through both.

    Args:
        diagnosis: The study's diagnosis.
        judged: The run.
        threshold: The threshold.
        extreme_below: Norm below which a threshold clips more than half of the updates.
        notes: Comments: the step and what each says.
        view: How it is looked at.

    Returns:
        First and last step that are zoomed into; None for none, or where the axis shows no steps.
    """
    run_id, told = judged.run.run_id, tuple(notes)
    chart = chart_key(f"norm_curve of {run_id}, {view.axis}, {view.is_log_x}")
    zoom = read_zoom(chart, view.axis)
    left, right = st.columns([7, 3], gap="medium")
    with left:
        key = key_of(diagnosis, "norm", run_id, threshold, extreme_below, told, view, zoom)
        drawn = remember(key, lambda: draw_curve(judged, threshold, extreme_below, told, view, zoom))
        show_zoomed(drawn, chart, key, zoom)
    with right:
        key = key_of(diagnosis, "bars", run_id, threshold, extreme_below)
        show(remember(key, lambda: picture_of_bars(judged, threshold, extreme_below)), "norm_bars")
    return zoom.detail if view.axis == STEP else None


def show_zoomed(drawn: Drawn, chart: str, key: tuple[Hashable, ...], zoom: Zoom) -> None:
    """Shows a picture that can be zoomed into as a card, with its files."""
    picture = drawn.picture
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{shown.sentence(picture.title)}**")
        draw(picture, chart, on_select=lambda: note_move(chart), selection_mode="zoom")
        st.caption(shown.sentence(f"{picture.caption} {HOW_TO_ZOOM}"))
        show_reset(zoom)
        show_files(key, "gradient_norm", picture, lambda: drawn.table)
