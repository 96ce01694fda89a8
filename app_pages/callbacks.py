"""What a click calls: it runs to its end, whatever else asks for a redraw."""

from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.runtime.scriptrunner import get_script_run_ctx


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Lets a callback end that changes something: a rerun that is asked for meanwhile waits for it.

    Streamlit looks for such a request at every use of the session's state and would leave the callback there. The click
    would then do nothing, or store something and leave its form open, in which it looks like somebody else's.
    """
    context = get_script_run_ctx()
    if context is None:
        yield
        return
    state = context.session_state
    look = state._yield_callback
    object.__setattr__(state, "_yield_callback", lambda: None)
    try:
        yield
    finally:
        object.__setattr__(state, "_yield_callback", look)
