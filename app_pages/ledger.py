"""The ledger: what each fix was predicted to change, beside what its experiment showed."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from analysis.charts.lr_axis import lr_axis
from analysis.focus import median_objectives, runs_of
from analysis.ledger import LedgerRow, row_of_entry
from analysis.lr_words import number
from analysis.phases import train_steps
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import RunLogError, ledger
from app_pages import shown, studies, words
from app_pages.pictures import (
    Picture,
    colors,
    key_of,
    literal_sweep,
    names_of,
    picture_of_loss,
    remember,
    show,
)

HEIGHT = 240  # pixels


def read_ledger(diagnosis: Diagnosis) -> tuple[LedgerRow, ...]:
    """Returns the rows of the chosen study, the newest first; none of a study that is not in the store."""
    if studies.is_sample() or st.session_state.get(studies.KEY, "").startswith(studies.UPLOAD_PREFIX):
        return ()
    return tuple(row_of_entry(entry) for entry in reversed(ledger.read_entries(diagnosis.study.name)))


def show_ledger(diagnosis: Diagnosis) -> None:
    """Shows every row as a card: prediction, outcome, numbers and picture before and after."""
    try:
        rows = read_ledger(diagnosis)
    except RunLogError as error:
        st.error(shown.sentence(str(error)))
        return
    if not rows:
        return
    st.subheader("Ledger", anchor=False)
    st.caption("What each fix should have changed, said before it was tried, and what it did change.")
    for index, row in enumerate(rows):
        with st.container(border=True):
            show_row(diagnosis, row, index)


def show_row(diagnosis: Diagnosis, row: LedgerRow, index: int) -> None:
    """Shows one row."""
    label, color, icon = words.LEDGER_VERDICTS[row.verdict]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{words.FIX_NAMES[row.fix]}**", width="content")
        st.badge(label, icon=icon, color=color)
        st.caption(f"{row.num_steps:,} steps, {row.written_at[:10]}", width="content")
    predicted, seen = st.columns(2, gap="medium")
    predicted.markdown(f"**Predicted**  \n{shown.sentence(row.prediction)}")
    seen.markdown(f"**Seen**  \n{shown.sentence(row.sentence)}")
    key = key_of(diagnosis, "ledger", row.written_at, row.fix)
    picture = remember(key, lambda: picture_of_row(diagnosis, row))
    if picture is not None:
        show(picture, f"ledger {index}")
    st.table(table_of(row), border="horizontal")
    with st.expander("Command", type="compact"):
        st.code(row.command, language="bash", wrap_lines=True)


def table_of(row: LedgerRow) -> pd.DataFrame:
    """Returns the numbers before and after the fix."""
    numbers = {
        "learning rate that holds": (row.before["lr_star"], row.after["base_lr"]),
        "best validation loss": (row.before["best_loss"], row.after["best_loss"]),
    }
    cells = {name: [say(value) for value in values] for name, values in numbers.items()}
    return pd.DataFrame.from_dict(cells, orient="index", columns=["best before", "with the fix"])


def say(value: float | None) -> str:
    """Returns a number, or that there is none."""
    return "none" if value is None else number(value)


def picture_of_row(diagnosis: Diagnosis, row: LedgerRow) -> Picture | None:
    """Draws before and after: both axes where the fix was swept, else the losses where training broke before.

    Series have other names once a study holds more of them, so the series of a row is known by its runs.
    """
    baseline = next((judged for judged in diagnosis.runs if judged.run.run_id in row.baseline_ids), None)
    before = next((sweep for sweep in diagnosis.sweeps if baseline and sweep.series == baseline.series), None)
    own = [judged for judged in diagnosis.runs if judged.run.run_id in row.run_ids]
    if before is None or not own:
        return None
    length = train_steps(baseline.run)
    full = [judged for judged in own if train_steps(judged.run) >= length]  # a search is shorter: no fair mark
    after = find_swept(diagnosis, full, before)
    if after is not None:
        return picture_of_axes(diagnosis, before, after)
    broke = runs_of(diagnosis, before, [row.before["unstable_base_lr"]])
    held = [judged for judged in own if judged.run.base_lr == row.after["base_lr"]]
    picture = picture_of_loss([*broke, *(held or own)], None, height=HEIGHT)
    rest = "with the fix" if held else "what was tried"
    title = f"Training at {number(row.before['unstable_base_lr'])}, where it broke, and {rest}"
    return replace(picture, title=title)


def find_swept(diagnosis: Diagnosis, own: list[RunDiagnosis], before: LrSweep) -> LrSweep | None:
    """Returns the axis of the series with most of a fix's runs, where it has several learning rates."""
    own_ids = {judged.run.run_id for judged in own}
    swept = [sweep for sweep in diagnosis.sweeps if sweep is not before and len({m.base_lr for m in sweep.runs}) > 1]
    counts = [(len(own_ids & {mark.run_id for mark in sweep.runs}), sweep) for sweep in swept]
    return max((pair for pair in counts if pair[0] > 1), key=lambda pair: pair[0], default=(0, None))[1]


def picture_of_axes(diagnosis: Diagnosis, before: LrSweep, after: LrSweep) -> Picture:
    """Draws the learning-rate axis with the fix, and without it as the control (figure 8 of the playbook)."""
    chart = lr_axis(
        literal_sweep(after),
        median_objectives(after),
        colors(),
        [literal_sweep(before)],
        names_of(diagnosis),
        HEIGHT,
    )
    caption = f"With the fix, and without it in gray. {after.sentence}"
    return Picture(chart, "Final loss by learning rate, before and after", caption, after.sentence)
