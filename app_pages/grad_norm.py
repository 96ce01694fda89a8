"""Gradient norm: its outliers, its distribution, and how many updates a clip threshold would change."""

import numpy as np
import streamlit as st

from analysis.charts.grad_norm import norm_bars, norm_curve, norm_domain, phase_bars
from analysis.clipping import START_PERCENTILE, healthy_norms, measure_clipping
from analysis.curves import cut_curves
from analysis.focus import choose_sweep, runs_of
from analysis.grad_norm import OUTLIER_RATIO, find_outliers
from analysis.lr_words import number
from analysis.norm_histogram import NormHistogram, count_norms, count_norms_by_phase, largest_share
from analysis.phases import Phases, planned_steps, split_phases
from analysis.results import Clipping, Diagnosis, RunDiagnosis
from analysis.runlog import schema
from app_pages import shown
from app_pages.chosen import diagnosis_or_stop
from app_pages.pictures import Picture, colors, key_of, literal_keys, names_of, remember, show

HEIGHT = 320
PHASES = {"early": "first 10%", "middle": "middle", "late": "last 10%"}  # of the planned steps


def runs_with_norms(diagnosis: Diagnosis) -> list[RunDiagnosis]:
    """Returns the runs that logged a norm: those at lr_star first, for the threshold is chosen from a healthy run."""
    logged = [judged for judged in diagnosis.runs if judged.grad_norm is not None]
    sweep = choose_sweep(diagnosis)
    best = {j.run.run_id for j in runs_of(diagnosis, sweep, [sweep.lr_star])} if sweep and sweep.lr_star else set()
    return sorted(logged, key=lambda judged: (judged.run.run_id not in best, judged.verdict != "stable"))


def norms_of(judged: RunDiagnosis) -> np.ndarray:
    """Returns the norms a threshold is a percentile of: those of healthy steps, all finite ones without any."""
    healthy = healthy_norms(judged)
    if len(healthy):
        return healthy
    _, norm = judged.run.series(schema.GRAD_NORM)
    return norm[np.isfinite(norm)]


def clipping_sentence(clipping: Clipping, percentile: float) -> str:
    """Says what the threshold does."""
    return (
        f"Percentile {percentile:g} of the norm is {number(clipping.clip_threshold)}: "
        f"{say_share(clipping.clipped_fraction)} of updates would be clipped, "
        f"and the learning rate is {clipping.effective_lr_multiplier:.2f} times its value on average."
    )


def own_sentence(own: Clipping) -> str:
    """Says how the run itself was clipped."""
    how = (
        "a threshold chosen at every step" if own.clip_threshold is None else f"threshold {number(own.clip_threshold)}"
    )
    return f"This run was trained with {how}: {say_share(own.clipped_fraction)} of its updates were clipped."


def say_share(share: float) -> str:
    """Returns a share in percent, with a digit more below 1%."""
    return f"{share:.0%}" if share >= 0.01 or share == 0 else f"{share:.1%}"


def show_phases(judged: RunDiagnosis, clipping: Clipping, phases: Phases) -> None:
    """Shows the histogram of each phase of the run, on shared axes, with the share that is clipped in it."""
    steps, norm = judged.run.series(schema.GRAD_NORM)
    counts = count_norms_by_phase(norm, phases)
    reached = [name for name, counted in counts.items() if counted.num_norms]
    st.subheader("Early, middle and late steps", anchor=False)
    shares = {name: say_share(getattr(clipping.clipped_fraction_by_phase, name)) for name in reached}
    said = ", ".join(f"{share} of the {PHASES[name]}" for name, share in shares.items())
    st.markdown(f"The threshold {number(clipping.clip_threshold)} would clip {said} of the planned steps.")
    for column, name in zip(st.columns(len(reached), gap="small"), reached, strict=True):
        picture = remember(
            key_of(diagnosis, "phase", name, judged.run.run_id, clipping.clip_threshold),
            lambda name=name: picture_of_phase(name, counts, clipping, norm, steps[getattr(phases, name)]),
        )
        with column:
            show(picture, f"phase_{name}")
    missing = [PHASES[name] for name in counts if name not in reached]
    if missing:
        st.markdown(f"No gradient norm was logged in the {' and the '.join(missing)} of the planned steps.")


def picture_of_phase(
    name: str, counts: dict[str, NormHistogram], clipping: Clipping, norm: np.ndarray, steps: np.ndarray
) -> Picture:
    """Draws the histogram of one phase."""
    threshold, share = clipping.clip_threshold, getattr(clipping.clipped_fraction_by_phase, name)
    domain = norm_domain(norm, threshold)
    chart = phase_bars(counts[name], largest_share(counts.values()), threshold, domain, colors())
    title = f"{PHASES[name].capitalize()}: {say_share(share)} clipped"
    beside = beside_axis(counts[name])
    caption = f"Steps {steps[0]:,} to {steps[-1]:,}, {len(steps):,} norms" + (f"; {beside}." if beside else ".")
    return Picture(
        chart, title, caption, f"Histogram of the gradient norm in the {PHASES[name]} of the steps. {title}."
    )


def beside_axis(counts: NormHistogram) -> str:
    """Says what a logarithmic axis cannot show; "" where it shows all."""
    left = [
        f"{counts.num_non_finite:,} not finite" * bool(counts.num_non_finite),
        f"{counts.num_zero:,} zero" * bool(counts.num_zero),
    ]
    beside = ", ".join(filter(None, left))
    return f"not on the axis: {beside}" if beside else ""


def picture_of_curve(judged: RunDiagnosis, threshold: float) -> Picture:
    """Draws norm against step with the threshold."""
    curves = cut_curves([judged], literal_keys([judged], None), schema.GRAD_NORM)
    _, norm = judged.run.series(schema.GRAD_NORM)
    outliers = find_outliers(judged.run)
    chart = norm_curve(curves, outliers, threshold, norm_domain(norm, threshold), colors(), HEIGHT)
    drawn = f"{curves.num_drawn:,} of {curves.num_points:,} points drawn."
    caption = f"{drawn} Rings: more than {OUTLIER_RATIO:g} times the median, {len(outliers):,}."
    alt = f"Gradient norm over {len(norm):,} steps; {len(outliers)} stand out above ten times the median."
    return Picture(chart, "The norm of every step", caption, alt)


def picture_of_bars(judged: RunDiagnosis, threshold: float) -> Picture:
    """Draws the histogram on the same axis."""
    _, norm = judged.run.series(schema.GRAD_NORM)
    counts = count_norms(norm)
    chart = norm_bars(counts, threshold, norm_domain(norm, threshold), colors(), HEIGHT)
    beside = beside_axis(counts)
    caption = f"All {len(norm):,} steps" + (f"; {beside}." if beside else ".")
    return Picture(
        chart, "How often", caption, f"Histogram of {len(norm):,} gradient norms; orange bars are above the threshold."
    )


diagnosis = diagnosis_or_stop()
st.title("Gradient norm", anchor=False)
candidates = {judged.run.run_id: judged for judged in runs_with_norms(diagnosis)}
if not candidates:
    st.markdown(shown.sentence(diagnosis.finding("gradient-outliers").sentence))
    st.code("log.step(step, train_loss=loss, grad_norm=norm, lr=lr)", language="python")
    st.stop()
names = names_of(diagnosis)
st.markdown(shown.sentence(diagnosis.finding("gradient-outliers").sentence))
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    run_id = st.selectbox(
        "Run",
        list(candidates),
        format_func=lambda key: names.get(key, shown.name(key)),
        key="norm_run",
        bind="query-params",
        width=320,
    )
    percentile = st.slider(
        "Clip threshold: percentile of the norm",
        1.0,
        99.9,
        START_PERCENTILE,
        0.1,
        format="%.1f",
        key="percentile",
        bind="query-params",
        width=420,
    )
judged = candidates[run_id]
steps, norm = judged.run.series(schema.GRAD_NORM)
phases = split_phases(steps, planned_steps(judged.run))
basis = norms_of(judged)
if judged.run.log.grad_norm == "after-clipping":
    st.warning(
        "This log holds norms from after clipping: no threshold can be chosen from it. Log the norm before clipping."
    )
    st.stop()
if not len(basis) or np.percentile(basis, percentile) <= 0:
    st.warning("No finite norm above 0 was logged in this run: no threshold can be chosen from it. Pick another run.")
    st.stop()
threshold = float(np.percentile(basis, percentile))
clipping = measure_clipping(norm, threshold, phases)
if clipping.extreme:
    st.warning(
        f"{clipping_sentence(clipping, percentile)} Clipping more than half of all updates is "
        "a lower learning rate in disguise: lower the learning rate instead.",
        icon=":material/warning:",
    )
else:
    st.info(clipping_sentence(clipping, percentile), icon=":material/content_cut:")
left, right = st.columns([7, 3], gap="medium")
with left:
    show(
        remember(key_of(diagnosis, "norm", run_id, threshold), lambda: picture_of_curve(judged, threshold)),
        "norm_curve",
    )
with right:
    show(
        remember(key_of(diagnosis, "bars", run_id, threshold), lambda: picture_of_bars(judged, threshold)), "norm_bars"
    )
if judged.clipping is not None:
    st.markdown(own_sentence(judged.clipping))
st.space("small")
show_phases(judged, clipping, phases)
