"""Pictures as pages show them: in the colors of the page, drawn once, on a card."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import streamlit as st

from analysis.charts import pictures
from analysis.charts.pictures import (
    Picture,
    caption_of,
    first_runs,
    literal_keys,
    literal_sweep,
)
from analysis.charts.theme import Palette, palette
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from app_pages import shown

__all__ = [
    "Picture",
    "caption_of",
    "colors",
    "draw",
    "first_runs",
    "key_of",
    "literal_keys",
    "literal_sweep",
    "names_of",
    "picture_of_loss",
    "picture_of_sweep",
    "remember",
    "show",
]

T = TypeVar("T")


def colors() -> Palette:
    """Returns the colors of the page that is being looked at."""
    return palette(st.context.theme.type == "dark")


def show(picture: Picture, key: str, width: str = "stretch") -> None:
    """Shows a picture as a card."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{shown.sentence(picture.title)}**")
        draw(picture, key, width=width)
        st.caption(shown.sentence(picture.caption))


def draw(picture: Picture, key: str, **more: object) -> object:
    """Draws the chart of a picture, and returns what is selected in it; `more` goes to Streamlit."""
    return st.vega_lite_chart(None, picture.spec, key=key, alt=shown.literal(picture.alt), **more)


@st.cache_resource(max_entries=64, show_spinner=False)
def remember(key: tuple[Hashable, ...], _draw: Callable[[], T]) -> T:
    """Returns what a key names, made once: study, fingerprint, colors and everything chosen are part of the key."""
    return _draw()


def key_of(diagnosis: Diagnosis, *chosen: Hashable) -> tuple[Hashable, ...]:
    """Returns the key of a picture of a study on the page that is being looked at."""
    return diagnosis.study.name, diagnosis.study.fingerprint, st.context.theme.type, *chosen


def names_of(diagnosis: Diagnosis) -> dict[str, str]:
    """Returns the names of all runs, by run_id; see `analysis.charts.pictures`. To be read, not changed."""
    return remember(key_of(diagnosis, "names"), lambda: pictures.names_of(diagnosis))


def picture_of_sweep(diagnosis: Diagnosis, sweep: LrSweep, height: int = 320, links: Sequence[float] = ()) -> Picture:
    """Draws the learning-rate axis of a sweep in the colors of the page; see `analysis.charts.pictures`."""
    return pictures.picture_of_sweep(diagnosis, sweep, colors(), height, links)


def picture_of_loss(
    runs: Sequence[RunDiagnosis],
    sweep: LrSweep | None,
    window: tuple[int, int] | None = None,
    height: int = 320,
    detail: tuple[int, int] | None = None,
    with_lr: bool = False,
) -> Picture:
    """Draws the losses of runs in the colors of the page; see `analysis.charts.pictures`."""
    return pictures.picture_of_loss(runs, sweep, colors(), window, height, detail, with_lr)
