"""Widgets that the page sets too, on pages that redraw themselves by a clock.

A browser sends the states of all widgets with each of its messages, those of the clock too. One that left before the
browser heard of a value that was set here would put the old value back, as if somebody had clicked. So the value is
kept here, and what the clock says of a widget is not heard: a click comes with a message of its own.
"""

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app_pages import callbacks

VALUES = "set_widgets"


def value_of(name: str) -> object:
    """Returns what a widget is set to; None where it has never been."""
    return _values().get(name)


def put(name: str, value: object) -> None:
    """Sets a widget when it is drawn next."""
    _values()[name] = value


def forget() -> None:
    """Lets all of them begin anew: what they are about is another thing now."""
    _values().clear()


def heard(name: str, on_change: Callable[..., None], *args: object) -> dict[str, object]:
    """Returns the arguments to draw a widget with: its key, and what is done when somebody changes it."""
    if st.session_state.get(name) != value_of(name):
        st.session_state[name] = value_of(name)
    return {"key": name, "on_change": hear, "args": (name, on_change, args)}


@callbacks.uninterrupted()
def hear(name: str, on_change: Callable[..., None], args: tuple[object, ...]) -> None:
    """Does what a change asks for, if it is one."""
    if get_script_run_ctx().fragment_ids_this_run:  # a message of the clock
        st.session_state[name] = value_of(name)
        return
    put(name, st.session_state[name])
    on_change(*args)


def _values() -> dict[str, object]:
    return st.session_state.setdefault(VALUES, {})
