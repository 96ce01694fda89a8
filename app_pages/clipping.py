"""Clipping: what every threshold does to the updates of a run, and what each rule would have done with its norms."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from analysis.charts.clipping import replay_curves, threshold_curve
from analysis.charts.grad_norm import norm_domain
from analysis.clip_basis import (
    doubts_of,
    find_healthy,
    norms_of,
    propose_threshold,
    runs_with_norms,
    why_no_replay,
    why_no_threshold,
)
from analysis.clip_curve import span_thresholds, trace_thresholds
from analysis.clip_replay import ClipReplay, cut_replays, replay_adaptive, replay_rule, tabulate_replays
from analysis.clip_rules import GLOBAL_NORM, GlobalNorm
from analysis.clipping import find_extreme_below, measure_clipping, share_clipped
from analysis.fix_commands import OWN_WORKLOAD, command_for
from analysis.lr_words import number, say_share
from analysis.phases import planned_steps, split_phases
from analysis.results import Clipping, Diagnosis, RunDiagnosis
from analysis.runlog import schema
from analysis.schedule_phases import split_schedule
from app_pages import experiments, selection, shown, words
from app_pages.chosen import diagnosis_or_stop
from app_pages.norm_choice import pick_percentile, pick_run, stop_without_norms
from app_pages.norm_pictures import PHASES, own_sentence, show_clipping, show_norm, show_phases
from app_pages.pictures import Picture, colors, key_of, names_of, remember, show

RULES = {"autoclip": "AutoClip", "zclip": "ZClip", "skip_sigma": "6-sigma skip"}


def order_runs(diagnosis: Diagnosis) -> dict[str, RunDiagnosis]:
    """Returns the runs with norms by run_id, the one that a threshold is proposed from first."""
    proposal = propose_threshold(diagnosis)
    first = proposal.run_id if proposal else None
    runs = selection.restrict(diagnosis, runs_with_norms(diagnosis))
    return {j.run.run_id: j for j in sorted(runs, key=lambda j: j.run.run_id != first)}


def pick_basis(diagnosis: Diagnosis, judged: RunDiagnosis) -> RunDiagnosis:
    """Offers to take the percentile from the healthy run of the series, where another is looked at."""
    healthy = find_healthy(diagnosis, judged)
    if healthy is None or judged is healthy:
        return judged
    is_healthy = st.toggle(
        f"Take the percentile from the healthy run {shown.sentence(names_of(diagnosis)[healthy.run.run_id])}",
        judged.verdict != "stable",
        key=f"healthy basis of {judged.run.run_id}",
    )
    return healthy if is_healthy else judged


def phases_of(judged: RunDiagnosis) -> tuple[Mapping[str, np.ndarray], Mapping[str, str]]:
    """Returns the steps of each phase of a run's schedule and their names; without phases, of its start and end."""
    steps, _ = judged.run.series(schema.GRAD_NORM)
    scheduled = split_schedule(judged.run, steps)
    if scheduled is None:
        return split_phases(steps, planned_steps(judged.run))._asdict(), PHASES
    return scheduled._asdict(), {name: name for name in scheduled._fields}


def picture_of_thresholds(norm: np.ndarray, clipping: Clipping) -> Picture:
    """Draws what every threshold would do."""
    below = find_extreme_below(norm)
    trace = trace_thresholds(norm, *span_thresholds(norm, clipping.clip_threshold))
    chart = threshold_curve(trace, clipping.clip_threshold, below, colors())
    limit = f"Below {number(below)} a threshold clips more than half" if np.isfinite(below) else "Every one does"
    caption = (
        f"{limit}: a lower learning rate in disguise, so lower it instead. Blue: average learning-rate multiplier."
    )
    alt = (
        f"At threshold {number(clipping.clip_threshold)}, {say_share(clipping.clipped_fraction)} of updates are "
        f"clipped and the average multiplier is {clipping.effective_lr_multiplier:.2f}. {limit}."
    )
    return Picture(chart, "What every threshold would do", caption, alt)


def show_measures(judged: RunDiagnosis, clipping: Clipping, shares: Mapping[str, float], names: Mapping) -> None:
    """Shows the share clipped, overall and by phase, and the average multiplier, as numbers."""
    with st.container(horizontal=True, gap="medium"):
        st.metric("Threshold", number(clipping.clip_threshold), width="content")
        st.metric("Updates clipped", say_share(clipping.clipped_fraction), width="content")
        for name, share in shares.items():
            st.metric(f"Clipped, {names[name]}", say_share(share), width="content")
        st.metric("Average multiplier", f"{clipping.effective_lr_multiplier:.2f}", width="content")
    if clipping.extreme and judged.run.base_lr:
        lower = number(judged.run.base_lr * clipping.effective_lr_multiplier)
        st.markdown(
            f"The learning rate to try instead, without clipping: {lower}, which is {number(judged.run.base_lr)} times "
            f"{clipping.effective_lr_multiplier:.2f}."
        )


def table_of_replays(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Returns one row per rule, as the page shows it."""
    share = table["clipped_fraction"].map(say_share)
    is_skip = (table["skipped_fraction"] > 0) & (table["skipped_fraction"] == table["clipped_fraction"])
    return pd.DataFrame(
        {
            "rule": table["rule"].map(dict(names)),
            "updates clipped or skipped": share + is_skip.map({True: " skipped", False: ""}),
            "average multiplier": table["effective_lr_multiplier"].map("{:.2f}".format),
            "first at step": table["first_step"].map(lambda step: "never" if pd.isna(step) else f"{step:,.0f}"),
            "largest norm let through": table["largest_norm"].map(number),
        }
    )


def picture_of_replays(
    replays: tuple[ClipReplay, ...], names: Mapping[str, str], steps: np.ndarray, norm: np.ndarray
) -> Picture:
    """Draws the threshold of each rule at every step."""
    points, num_points = cut_replays(replays, steps, norm)
    domain = norm_domain(norm, replays[0].clipping.clip_threshold)
    chart = replay_curves(points, names, domain, colors())
    caption = f"{len(points):,} of {num_points:,} points drawn. Gray: the norm. No line: the rule sets no limit there."
    said = ", ".join(f"{names[r.rule]} {say_share(r.clipping.clipped_fraction)}" for r in replays)
    return Picture(chart, "The threshold of each rule over the steps", caption, f"Updates clipped or skipped: {said}.")


def show_replay(diagnosis: Diagnosis, judged: RunDiagnosis, threshold: float, percentile: float) -> None:
    """Shows what each rule would have done; on a log that is not of every step, the fixed threshold alone."""
    steps, norm = judged.run.series(schema.GRAD_NORM)
    st.subheader("What other rules would have done", anchor=False)
    phases, replays = split_phases(steps, planned_steps(judged.run)), ()
    if missing := why_no_replay(judged.run):
        st.warning(missing)
    else:
        key = key_of(diagnosis, "adaptive", judged.run.run_id)
        replays = remember(key, lambda: replay_adaptive(norm, phases))
    replays = (replay_rule(GLOBAL_NORM, GlobalNorm(threshold), norm, phases), *replays)
    names = {GLOBAL_NORM: f"fixed, percentile {percentile:g}"} | RULES
    names = {replay.rule: names[replay.rule] for replay in replays}
    st.table(table_of_replays(tabulate_replays(replays, steps, norm), names), border="horizontal", hide_index=True)
    key = key_of(diagnosis, "replay picture", judged.run.run_id, threshold, percentile)
    show(remember(key, lambda: picture_of_replays(replays, names, steps, norm)), "replay_curves")


def show_experiment(diagnosis: Diagnosis, judged: RunDiagnosis, threshold: float) -> None:
    """Says what a replay cannot, and gives the command that can."""
    st.markdown(
        "**A replay cannot tell what the run would have done afterwards.** Once one update differs, every later norm "
        "would have been another. Only training can say whether a threshold holds:"
    )
    rounded = float(f"{threshold:.2g}")
    command = command_for("clipping", diagnosis, judged.run, {"clip_threshold": rounded, "base_lr": judged.run.base_lr})
    if " runners.clip_sweep " in command:
        command += f" --clip-threshold {number(rounded)}"
    st.code(command, language="bash", wrap_lines=True)
    if OWN_WORKLOAD in command:
        st.caption(words.OWN_COMMANDS)
    elif reason := experiments.why_not_here():
        st.caption(reason)
    st.page_link("app_pages/fixes.py", label="Clipping among the fixes", icon=":material/build:")


diagnosis = diagnosis_or_stop()
st.title("Clipping", anchor=False)
candidates = order_runs(diagnosis)
if not candidates:
    stop_without_norms(diagnosis)
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    judged, percentile = pick_run(diagnosis, candidates), pick_percentile(50.0)
if refused := why_no_threshold(judged.run):
    st.warning(refused)
    st.stop()
source = pick_basis(diagnosis, judged)
steps, norm = judged.run.series(schema.GRAD_NORM)
basis = norms_of(source)
if not len(basis) or np.percentile(basis, percentile) <= 0 or not (np.isfinite(norm) & (norm > 0)).any():
    st.warning("No finite norm above 0 was logged in this run: no threshold can be chosen from it. Pick another run.")
    st.stop()
for doubt in doubts_of(judged.run):
    st.warning(doubt)
threshold = float(np.percentile(basis, percentile))
clipping = measure_clipping(norm, threshold)
show_clipping(clipping, percentile, "the norm" if source is judged else "the healthy run's norm")
phases, names = phases_of(judged)
shares = share_clipped(norm, threshold, phases)
show_measures(judged, clipping, shares, names)
if judged.clipping is not None:
    st.markdown(own_sentence(judged.clipping))
show_norm(diagnosis, judged, threshold, find_extreme_below(norm))
st.space("small")
st.subheader("By phase, and of every threshold", anchor=False)
show_phases(diagnosis, judged, threshold, shares, phases, names)
key = key_of(diagnosis, "thresholds", judged.run.run_id, threshold)
show(remember(key, lambda: picture_of_thresholds(norm, clipping)), "threshold_curve")
st.page_link(
    "app_pages/grad_norm.py",
    label="Outliers of this run's gradient norm",
    icon=":material/bar_chart:",
    query_params={"norm_run": names_of(diagnosis)[judged.run.run_id], "percentile": f"{percentile:g}"},
)
show_replay(diagnosis, judged, threshold, percentile)
show_experiment(diagnosis, judged, threshold)
