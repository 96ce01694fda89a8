"""Which column of a file is what, shown and changed: one card for each format that was read."""

from collections.abc import Sequence

import streamlit as st

from analysis.runlog import schema
from analysis.runlog.bounded_import import FileOutcome
from app_pages import shown, uploads

ROLES = (schema.STEP, schema.TRAIN_LOSS, schema.EVAL_LOSS, schema.GRAD_NORM, schema.LR)


def show_roles(outcomes: Sequence[FileOutcome]) -> None:
    """Shows the roles of the columns by format; a change reads the files again."""
    by_kind: dict[str, list[FileOutcome]] = {}
    for outcome in outcomes:
        if outcome.columns and (kind := uploads.kind_of(outcome)):
            by_kind.setdefault(kind, []).append(outcome)
    for kind, files in by_kind.items():
        is_open = not any(outcome.run_ids for outcome in files)
        with st.expander(f"Columns of {kind}", icon=":material/view_column:", expanded=is_open):
            show_roles_of(kind, files)


def show_roles_of(kind: str, files: Sequence[FileOutcome]) -> None:
    """Shows which column has which role in the files of a format."""
    columns = list(dict.fromkeys(column for outcome in files for column in outcome.columns))
    found = next((outcome.roles for outcome in files if outcome.run_ids), {}) or {}
    chosen = st.session_state[uploads.ROLES].get(kind, {})
    with st.container(horizontal=True):
        for role in ROLES:
            widget = f"role {role} of {kind}"
            if widget not in st.session_state and chosen.get(role) in columns:  # another page was looked at
                st.session_state[widget] = chosen[role]
            st.selectbox(
                role.replace("_", " "),
                columns,
                index=None,
                format_func=shown.name,
                placeholder=shown.name(found.get(role, "not found")),
                key=widget,
                on_change=uploads.remember_role,
                args=(kind, role, widget),
                width=170,
            )
    st.caption("Gray is what the reader found. A choice holds for all files of this format in this session.")
