"""The store of reviews that pages and the server's gate look into, opened once."""

import os
from pathlib import Path

import streamlit as st

from analysis.runlog import layout
from reviews import ReviewStore, open_store
from reviews.store import FILE, URL_VARIABLE


def reviews() -> ReviewStore:
    """Returns the store of reviews, opened once.

    Raises:
        RunLogError: It cannot be opened.
    """
    return _opened(os.environ.get(URL_VARIABLE) or str(Path(layout.store_folder()) / FILE))


def has_reviews() -> bool:
    """Whether there is a store of reviews to look into; looking for comments makes none."""
    return bool(os.environ.get(URL_VARIABLE)) or (Path(layout.store_folder()) / FILE).exists()


@st.cache_resource(max_entries=4, show_spinner=False, on_release=ReviewStore.close)
def _opened(url: str) -> ReviewStore:
    if "://" not in url:
        Path(url).parent.mkdir(parents=True, exist_ok=True)
    return open_store(url)
