"""Single high points of the loss, which are no rise: named, so that their batches can be looked at."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from analysis.curve_axis import STEP
from analysis.lr_words import number
from analysis.results import RunDiagnosis
from app_pages import shown, zoom

MOST = 5  # ours: buttons; the highest come first
AROUND = 25  # ours: logged points to either side of a high point that is looked at


def show_high_points(
    runs: Sequence[RunDiagnosis], names: Mapping[str, str], axis: str, show_all: Callable[[], None]
) -> None:
    """Names the high points of runs, each with a button that zooms into it.

    Args:
        runs: The runs in the picture.
        names: Their names by run_id.
        axis: What the picture's x-axis shows; only steps can be zoomed to.
        show_all: Lets the picture hold all steps, called before it is drawn.
    """
    found = sorted(((loss_at(judged, step), step, judged) for judged in runs for step in judged.blips), key=highest)
    if not found:
        return
    points = "1 single high point, which is" if len(found) == 1 else f"{len(found)} single high points, which are"
    st.markdown(f"{points} no rise. There is nothing to fix, but the batches can be looked at.")
    with st.container(horizontal=True, gap="small"):
        for loss, step, judged in found[:MOST]:
            told = f"Step {step:,} of {names[judged.run.run_id]}, loss {number(loss)}"
            args = (judged, step, show_all)
            st.button(
                shown.sentence(told),
                icon=":material/zoom_in:",
                type="tertiary",
                on_click=look_at,
                args=args,
                disabled=axis != STEP,
                key=f"high point {judged.run.run_id} {step}",
            )
    if len(found) > MOST:
        st.caption(f"The highest {MOST} of {len(found)}. `python -m analysis diagnose STUDY --json` names all.")


def highest(found: tuple[float, int, RunDiagnosis]) -> tuple[float, int]:
    """Returns the key that puts the highest loss first, the earliest of equal ones."""
    return -found[0], found[1]


def loss_at(judged: RunDiagnosis, step: int) -> float:
    """Returns the loss of a logged step."""
    steps, loss = judged.run.loss
    return float(loss[np.searchsorted(steps, step)])


def look_at(judged: RunDiagnosis, step: int, show_all: Callable[[], None]) -> None:
    """Zooms into a high point."""
    reach = AROUND * judged.run.log.stride
    show_all()
    zoom.look_at(max(0.0, step - reach), step + reach)
