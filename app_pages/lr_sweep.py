"""Learning-rate sweep: the best learning rate, the edge above it, and the losses on both sides."""

import pandas as pd
import streamlit as st

from analysis.charts.loss import LossLook, LossMarks, loss_curves
from analysis.curves import cut_curves
from analysis.edge_noise import say_change, say_edge_noise
from analysis.focus import (
    choose_control,
    choose_window,
    event_bands,
    has_axis,
    lrs_around,
    pair_of_lrs,
    runs_of,
    start_loss,
)
from analysis.lr_words import number
from analysis.readings import read_curves
from analysis.results import Diagnosis, LrSweep
from analysis.runlog import schema
from analysis.schedule import read_schedule, say_warmup
from app_pages import shown
from app_pages.chart_files import show_files
from app_pages.chosen import diagnosis_or_stop, pick_sweep
from app_pages.empty import show_no_sweep
from app_pages.pictures import (
    Picture,
    caption_of,
    colors,
    draw,
    key_of,
    literal_keys,
    names_of,
    picture_of_loss,
    picture_of_sweep,
    remember,
    show,
)

LONGEST_TABLE = 24  # rows that are shown without scrolling


def show_axis(diagnosis: Diagnosis, sweep: LrSweep) -> None:
    """Shows the axis; a click on a mark leads to the loss of its run."""
    control = choose_control(diagnosis, sweep)
    links = (pair_of_lrs(sweep, control) if control else None) or ()
    picture = remember(key_of(diagnosis, "axis", sweep.series), lambda: picture_of_sweep(diagnosis, sweep, 420, links))
    with st.container(border=True):
        event = draw(picture, "axis", on_select="rerun", selection_mode="run")
        st.caption(shown.sentence(f"{picture.caption} Click a mark to follow its run."))
        marked = {point.get(schema.RUN_ID) for point in event.selection.get("run", [])}
        for run_id in sorted(filter(None, marked)):
            follow_run(diagnosis, run_id)
        key = key_of(diagnosis, "axis files", sweep.series)
        show_files(key, "lr_sweep", picture, lambda: table_of_runs(diagnosis, sweep))


def follow_run(diagnosis: Diagnosis, run_id: str) -> None:
    """Links to the loss of a run."""
    judged = next((judged for judged in diagnosis.runs if judged.run.run_id == run_id), None)
    if judged is not None:
        st.page_link(
            "app_pages/loss.py",
            label=f"Loss of {shown.sentence(shown.name(judged.run.name))}: {judged.verdict.replace('-', ' ')}",
            icon=":material/show_chart:",
            query_params={"run": names_of(diagnosis)[run_id]},
        )


def show_multiples(diagnosis: Diagnosis, sweep: LrSweep) -> None:
    """Shows the loss at lr_star, the next above, 5 times and 10 times, on one y-axis (figure 7b)."""
    lrs = lrs_around(sweep)
    st.subheader("The loss at the best learning rate and above it", anchor=False)
    for column, lr in zip(st.columns(len(lrs), gap="small"), lrs, strict=True):
        with column:
            show(
                remember(key_of(diagnosis, "at", sweep.series, lr), lambda lr=lr: picture_at(diagnosis, sweep, lr)),
                f"at_{lr}",
            )


def picture_at(diagnosis: Diagnosis, sweep: LrSweep, lr: float) -> Picture:
    """Draws the loss at one learning rate on the axis of all that are shown beside it."""
    every = runs_of(diagnosis, sweep, lrs_around(sweep))
    keys, window = literal_keys(every, sweep), choose_window(every)
    panels = [
        cut_curves([j for j in every if j.run.base_lr == each], keys, window=window) for each in lrs_around(sweep)
    ]
    own = panels[lrs_around(sweep).index(lr)]
    runs = [judged for judged in every if judged.run.base_lr == lr]
    marks = LossMarks(event_bands(runs, window), start_loss(every))
    times = lr / sweep.lr_star if sweep.lr_star else 1.0
    title = f"{number(lr)}, the best" if times == 1 else f"{number(lr)}, {times:.2g} times the best"
    unstable = sum(judged.verdict == "unstable" for judged in runs)
    alt = f"Loss at learning rate {title}: {unstable} of {len(runs)} unstable."
    look = LossLook(readings=read_curves(own, runs, schema.TRAIN_LOSS))
    chart = loss_curves(own, marks, colors(), height=220, panels=panels, look=look)
    return Picture(chart, title, caption_of(own, marks), alt)


def show_pair(diagnosis: Diagnosis, sweep: LrSweep) -> None:
    """Shows two variants at a low and at a high learning rate (figure 4)."""
    control = choose_control(diagnosis, sweep)
    lrs = pair_of_lrs(sweep, control) if control else None
    if lrs is None:
        return
    st.subheader("Beside the control, at a low and a high learning rate", anchor=False)
    for column, lr in zip(st.columns(2, gap="medium"), lrs, strict=True):
        runs = runs_of(diagnosis, sweep, [lr]) + runs_of(diagnosis, control, [lr])
        window = choose_window(runs_of(diagnosis, sweep, lrs) + runs_of(diagnosis, control, lrs))
        picture = remember(
            key_of(diagnosis, "pair", sweep.series, lr),
            lambda runs=runs, window=window: picture_of_loss(runs, sweep, window, height=260),
        )
        with column:
            show(Picture(picture.chart, f"Learning rate {number(lr)}", picture.caption, picture.alt), f"pair_{lr}")
    st.page_link(
        "app_pages/compare.py",
        label="Both at their best checkpoints",
        icon=":material/compare_arrows:",
        query_params=[("sides", each.series) for each in (sweep, control)],
    )


def table_of_runs(diagnosis: Diagnosis, sweep: LrSweep) -> pd.DataFrame:
    """Returns one row per run of the sweep, as the page shows it."""
    noise = {each.base_lr: say_change(each.factor) for each in sweep.edge_noise}
    names, judged = names_of(diagnosis), {judged.run.run_id: judged for judged in diagnosis.runs}
    rows = []
    for run in sweep.runs:
        is_number = pd.notna(run.objective) and abs(run.objective) != float("inf")
        rows.append(
            {
                "run": names[run.run_id],
                "learning rate": number(run.base_lr),
                "seed": judged[run.run_id].run.record.get(schema.SEED),
                sweep.objective: f"{run.objective:.3g}" if is_number else "not finite",
                "state": {"rose": "feasible, rose first"}.get(run.state, run.state),
                "why": shown.literal(run.reason) or "steady",
                "late noise": noise.get(run.base_lr, "unknown"),
                "warmup steps": say_warmup(read_schedule(judged[run.run_id].run)),
                "steps": len(judged[run.run_id].run.loss[0]),
            }
        )
    return pd.DataFrame(rows)


diagnosis = diagnosis_or_stop()
st.title("Learning-rate sweep", anchor=False)
sweep = pick_sweep(diagnosis)
if sweep is None:
    show_no_sweep()
    st.stop()
st.markdown(shown.sentence(f"{sweep.sentence} {say_edge_noise(sweep)}"))
if has_axis(sweep):
    show_axis(diagnosis, sweep)
    st.space("small")
    show_multiples(diagnosis, sweep)
    st.space("small")
    show_pair(diagnosis, sweep)
    st.space("small")
st.subheader("Runs", anchor=False)
st.caption(
    "Late noise: by how much the loss changes from one logged point to the next, in the last quarter of a run. "
    "Median of the seeds."
)
picked = st.dataframe(
    table_of_runs(diagnosis, sweep),
    height="content" if len(sweep.runs) <= LONGEST_TABLE else "auto",
    hide_index=True,
    key="sweep_runs",
    on_select="rerun",
    selection_mode="single-row",
    placeholder="unknown",
    alt="Runs of the sweep with their final loss and state",
)
for row in picked.selection.rows:
    follow_run(diagnosis, sweep.runs[row].run_id)
