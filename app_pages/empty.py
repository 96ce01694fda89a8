"""Pages without something to show: one sentence, one action."""

import streamlit as st


def show_no_study() -> None:
    """Shown while there is no study: what to do."""
    st.title("No runs yet", anchor=False)
    st.markdown("Read your own logs, or train a learning-rate sweep that shows an instability.")
    st.page_link("app_pages/import_logs.py", label="Read your logs", icon=":material/upload_file:")
    st.code("make demo", language="bash")


def show_no_sweep() -> None:
    """Shown where no run names its learning rate."""
    st.markdown("No run names its learning rate, so there is no axis to draw. Log `base_lr`, or an `lr` column.")
    st.page_link("app_pages/import_logs.py", label="Read logs with more columns", icon=":material/upload_file:")
