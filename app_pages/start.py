"""What the server does before a page asks: load what pages need, and read a study while the browser still loads."""

import contextlib
import gc
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from urllib.parse import parse_qs

from app_pages import sessions

Message = MutableMapping[str, object]
_BUSY = threading.Lock()  # one study at a time; a page that comes meanwhile reads its own


@contextlib.asynccontextmanager
async def warm_up(app: object) -> AsyncIterator[None]:
    """Lifespan of the server: gets ready in a thread of its own, which delays neither the start nor the end."""
    threading.Thread(target=get_ready, name="warm-up", daemon=True).start()
    yield


def get_ready() -> None:
    """Imports what pages import, draws a chart, for the first takes three times as long, and reads the first study."""
    import numpy as np
    import pyarrow as pa

    from analysis.charts.drawing import draw_unchecked, write_spec
    from analysis.charts.pictures import picture_of_loss
    from analysis.charts.theme import palette
    from analysis.findings import diagnose
    from analysis.runlog import Study, schema
    from analysis.runlog.run_building import build_run
    from app_pages import downloads, experiments, frame, pictures  # noqa: F401

    draw_unchecked()
    rows = pa.table({schema.STEP: np.arange(64), schema.TRAIN_LOSS: np.geomspace(2, 1, 64)})
    run = build_run(rows, {schema.RUN_ID: "a", schema.BASE_LR: 0.1}, "warm-up")
    diagnosis = diagnose(Study("warm-up", (run,), ""))
    write_spec(picture_of_loss(diagnosis.runs, None, palette(False)).chart)
    spare_collector()
    read_ahead(None)
    spare_collector()


def spare_collector() -> None:
    """Takes what there is now out of the garbage collector's work.

    Streamlit collects after every run of a page, and everything that was imported would be looked through each time:
    longer than most pages take, and in the way of their last messages.
    """
    gc.collect()
    gc.freeze()


def read_ahead(key: str | None) -> None:
    """Reads and judges a study, unless another is being read ahead."""
    from app_pages import studies

    if _BUSY.acquire(blocking=False):
        try:
            studies.prepare(key)
        finally:
            _BUSY.release()


class HeadStart:
    """ASGI middleware: begins to read the study of a page when its address is asked for.

    A browser then takes most of a second to load and start Streamlit's scripts, and only then asks for content. Where
    there is a login, nothing is read for a visitor who has no role yet.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]):
        """Wraps an ASGI application."""
        self.app = app

    async def __call__(self, scope: Message, receive: Callable, send: Callable) -> None:
        """Passes a request on."""
        if is_page(scope) and not sessions.login_is_on():
            key = parse_qs(scope["query_string"].decode("latin-1")).get("study", [None])[0]
            threading.Thread(target=read_ahead, args=(key,), name="head start", daemon=True).start()
        await self.app(scope, receive, send)


def is_page(scope: Message) -> bool:
    """Whether a request is that of a browser for a page, not for one of its parts."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return any(key.lower() == b"accept" and b"text/html" in value for key, value in scope["headers"])
