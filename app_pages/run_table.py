"""The run table: find runs, see what became of them, and pick those that all pages then show."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from analysis.charts.loss_view import keys_among
from analysis.focus import choose_sweep
from analysis.results import Diagnosis
from analysis.run_table import (
    SERIES,
    choose_baseline,
    differing,
    group_of,
    say_differences,
    search,
    tabulate_runs,
)
from analysis.runlog import RunLogError
from app_pages import selection, shown
from app_pages.pictures import colors, key_of, names_of, remember

VERDICTS = {"stable": "● stable", "unstable": "✕ unstable", "cannot-tell": "? cannot tell"}
NO_GROUPS, HEIGHT = "Nothing", 420  # pixels: eleven rows
SWATCH = "\u2003"  # with an invisible letter more for each color: a pill has one color for each text


@dataclass(frozen=True)
class RunTable:
    """All that the table shows of a study, made once for each state of it.

    Attributes:
        runs: As `analysis.run_table.tabulate_runs` returns it.
        swatches: Color of each run in pictures of losses, in the order of the rows.
        factors: Metaparameters in which the runs differ.
        span: Lowest and highest end of the small curves, so that they can be compared.
    """

    runs: pd.DataFrame
    swatches: tuple[str, ...]
    factors: tuple[str, ...]
    span: tuple[float, float]


def make_table(diagnosis: Diagnosis) -> RunTable:
    """Makes the table of a study."""
    keys = keys_among(diagnosis.runs, choose_sweep(diagnosis), diagnosis.runs)
    runs = tabulate_runs(diagnosis, names_of(diagnosis))
    swatches = tuple(colors().line(keys[run_id].state, keys[run_id].shade) for run_id in runs["run_id"])
    ends = [end for line in runs["loss"] if line for end in (min(line), max(line))]
    return RunTable(runs, swatches, tuple(differing(diagnosis)), (min(ends, default=0), max(ends, default=1)))


def choose_rows(diagnosis: Diagnosis, table: RunTable) -> tuple[str, str, str]:
    """Offers filter, groups and baseline, and returns what was chosen."""
    names = names_of(diagnosis)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        pattern = st.text_input(
            "Filter",
            key="filter",
            bind="query-params",
            placeholder="Text or regular expression",
            icon=":material/search:",
            max_chars=200,
            width=300,
        )
        by = st.selectbox(
            "Group by",
            [NO_GROUPS, SERIES, *table.factors],
            format_func=lambda name: shown.name(name.replace("_", " ")),
            key="group",
            bind="query-params",
            width=200,
        )
        first = choose_baseline(diagnosis, choose_sweep(diagnosis))
        baseline = st.selectbox(
            "Differences from",
            [first, *(run_id for run_id in names if run_id != first)],
            format_func=lambda run_id: names.get(run_id, shown.name(run_id)),
            key="baseline",
            bind="query-params",
            width=260,
        )
    return pattern, by, baseline


def show_runs(diagnosis: Diagnosis) -> None:
    """Shows the table with its filter, groups and baseline; picked rows follow through all pages."""
    st.subheader("Runs", anchor=False)
    table = remember(key_of(diagnosis, "run table"), lambda: make_table(diagnosis))
    pattern, by, baseline = choose_rows(diagnosis, table)
    try:
        found = np.flatnonzero(search(table.runs["text"], pattern))
    except RunLogError as error:
        st.error(shown.sentence(str(error)))
        return
    differences = remember(key_of(diagnosis, "differences", baseline), lambda: say_differences(diagnosis, baseline))
    groups = {judged.run.run_id: group_of(judged, by) for judged in diagnosis.runs} if by != NO_GROUPS else {}
    if groups:
        found = found[np.argsort([groups[run_id] for run_id in table.runs["run_id"].iloc[found]], kind="stable")]
        show_groups(table.runs.iloc[found], groups, by)
    show_rows(diagnosis, table, found, differences, groups)


def show_groups(runs: pd.DataFrame, groups: Mapping[str, str], by: str) -> None:
    """Shows one row per group: how many of its runs are unstable, and its losses."""
    rows = []
    for group, own in runs.groupby(runs["run_id"].map(groups), sort=True):
        ends = own["final_loss"][np.isfinite(own["final_loss"])]
        rows.append(
            {
                by.replace("_", " "): group,
                "runs": len(own),
                "unstable": int((own["verdict"] == "unstable").sum()),
                "lowest final loss": ends.min() if len(ends) else np.inf,
                "median final loss": ends.median() if len(ends) else np.inf,
            }
        )
    look = {name: st.column_config.NumberColumn(format="%.3g") for name in ("lowest final loss", "median final loss")}
    alt = "Runs, unstable runs and final losses of each group"
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=look, height="content", alt=alt)


def show_rows(
    diagnosis: Diagnosis,
    table: RunTable,
    found: np.ndarray,
    differences: Mapping[str, str],
    groups: Mapping[str, str],
) -> None:
    """Shows the rows that were found, and takes what is picked of them."""
    run_ids = list(table.runs["run_id"].iloc[found])
    picked = selection.show_picked(diagnosis)
    rows = present(table, found, differences, groups)
    rows_shown = zlib.crc32("\n".join(run_ids).encode())  # ticks are places: other rows are another table
    key = f"runs {rows_shown} {selection.num_clearings()}"
    st.dataframe(
        rows,
        hide_index=True,
        column_config=column_looks(table),
        key=key,
        on_select=lambda: take(diagnosis, key, run_ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [i for i, run_id in enumerate(run_ids) if run_id in picked]}},
        height=HEIGHT if len(rows) > 11 else "auto",
        placeholder="none",
        alt=f"{len(rows)} runs with verdict, events, final loss, differences and the shape of the loss",
    )
    st.caption(
        f"{len(rows)} of {len(table.runs)} runs. Tick runs: all pages then show these only. A heading sorts. "
        "Small curves: loss, logarithmic, on one scale."
    )


def present(
    table: RunTable, found: np.ndarray, differences: Mapping[str, str], groups: Mapping[str, str]
) -> pd.DataFrame:
    """Returns the rows as the page shows them."""
    runs = table.runs.iloc[found].reset_index(drop=True)
    pills = pills_of(table)
    columns = {"color": [[pills[table.swatches[index]]] for index in found]}
    columns |= {"group": runs["run_id"].map(groups)} if groups else {}
    columns |= {
        "run": runs["name"],
        "learning rate": runs["base_lr"],
        "verdict": runs["verdict"].map(VERDICTS),
        "loss": runs["loss"],
        "final loss": runs["final_loss"],
        "events": runs["events"],
        "differs in": runs["run_id"].map(differences),
        "series": runs["series"],
    }
    return pd.DataFrame(columns, index=runs.index)


def pills_of(table: RunTable) -> dict[str, str]:
    """Returns the text of the pill of each color, which differ in what is not seen."""
    return {color: SWATCH + shown.JOINER * turn for turn, color in enumerate(dict.fromkeys(table.swatches))}


def column_looks(table: RunTable) -> dict[str, object]:
    """Returns how the columns look."""
    low, high = table.span
    pills = pills_of(table)
    return {
        "color": st.column_config.MultiselectColumn(
            "",
            width=44,
            pinned=True,
            options=list(pills.values()),
            color=list(pills),
            help="Color of the run in pictures of losses",
        ),
        "run": st.column_config.TextColumn(pinned=True),
        "learning rate": st.column_config.NumberColumn(format="%.3g"),
        "final loss": st.column_config.NumberColumn(format="%.3g", help="Last logged loss; infinity where not finite"),
        "loss": st.column_config.LineChartColumn(width=140, y_min=low, y_max=high, color="gray"),
        "events": st.column_config.TextColumn(width=165),
    }


def take(diagnosis: Diagnosis, key: str, run_ids: list[str]) -> None:
    """Picks what was ticked; runs that the filter hides stay picked."""
    ticked = [run_ids[row] for row in st.session_state[key]["selection"]["rows"]]
    hidden = [run_id for run_id in selection.picked(diagnosis) if run_id not in run_ids]
    selection.pick([*hidden, *ticked], diagnosis)
