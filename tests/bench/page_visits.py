"""Visits to pages of a dashboard in Chromium, each with what it took: time, processor, bytes, and what was sent."""

import base64
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from playwright.sync_api import Browser, CDPSession, Page, Playwright
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.conftest import CHROMIUM

PATIENCE = 120_000  # ms
QUIET = 400  # ms without a change of the page: it has come to rest
WATCH = """
window.pressedAt = 0; window.changedAt = 0; window.verdictAt = 0; window.drawnAt = 0;
const press = () => { window.pressedAt = performance.now() };
for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, press, true);
const isDrawn = () => {
  const app = document.querySelector('[data-testid=stApp]');
  const charts = [...document.querySelectorAll('[data-testid=stVegaLiteChart]')];
  return app?.dataset.testScriptState === 'notRunning' && document.querySelector('h1')
    && !document.querySelector('[data-testid=stSkeleton]')
    && charts.every(chart => chart.querySelector('.role-axis-label text, canvas'));
};
const look = () => {
  if (!window.verdictAt && document.querySelector('h1')?.innerText) window.verdictAt = performance.now();
  if (!window.drawnAt && isDrawn()) window.drawnAt = performance.now();
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
new MutationObserver(changes => {
  const main = document.querySelector('[data-testid=stMain]');
  // a table is drawn on a canvas; inside it, unseen, stands its text for screen readers, written a little later
  const isSeen = change => main.contains(change.target) && !change.target.closest?.('canvas');
  if (main && changes.some(isSeen)) window.changedAt = performance.now();
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""


@dataclass
class Visit:
    """What one visit or one change of a page took.

    Attributes:
        seconds: From the click, or the start of the visit, until the page was drawn.
        verdict: From the start of the visit until the title of the page, the verdict on the first page, stood there.
        server: Processor seconds of the server.
        browser: Processor seconds of the page's main thread.
        wire: Bytes that were sent to the browser.
        raw: The same bytes, unpacked.
        messages: What the server sent for the page.
    """

    seconds: float = 0.0
    verdict: float = 0.0
    server: float = 0.0
    browser: float = 0.0
    wire: int = 0
    raw: int = 0
    messages: list[bytes] = field(default_factory=list)


class Packer:
    """What a server makes of its messages before they are sent (RFC 7692): the browser tells of them unpacked."""

    def __init__(self, extensions: str):
        """Takes what server and browser agreed on."""
        bits = re.search(r"server_max_window_bits=(\d+)", extensions)
        is_on = "permessage-deflate" in extensions
        self._deflate = zlib.compressobj(wbits=-int(bits[1] if bits else 15)) if is_on else None

    def size(self, content: bytes) -> int:
        """Returns how many bytes a message takes on its way."""
        if self._deflate is None:
            return len(content)
        return len(self._deflate.compress(content) + self._deflate.flush(zlib.Z_SYNC_FLUSH)) - 4


class Visitor:
    """One browser with nothing in its cache, and its page."""

    def __init__(self, browser: Browser, pid: int):
        """Opens an empty page; `pid` is the process of the server."""
        self.page: Page = browser.new_context(viewport={"width": 1360, "height": 900}).new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.add_init_script(WATCH)
        self._pid, self._devtools = pid, self.page.context.new_cdp_session(self.page)
        self._visit = Visit()
        listen(self._devtools, self)

    @property
    def visit(self) -> Visit:
        """The visit that is going on."""
        return self._visit

    def open(self, url: str) -> Visit:
        """Opens a page and waits until it is drawn."""
        return self._measure(lambda: self.page.goto(url))

    def reload(self) -> Visit:
        """Opens the same page once more, with a cache that knows it."""
        return self._measure(self.page.reload)

    def change(self, act) -> Visit:
        """Uses a widget, and waits until nothing changes any more."""
        return self._measure(act, is_change=True)

    def _measure(self, act, is_change: bool = False) -> Visit:
        self._visit = Visit()
        server, browser = cpu_seconds(self._pid), self._thread_seconds()
        if is_change:
            self.page.evaluate("window.pressedAt = 0")
        act()
        self.page.wait_for_function("window.drawnAt > 0")
        self.page.wait_for_function(
            f"performance.now() - Math.max(changedAt, pressedAt) > {QUIET} && "
            "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
        )
        done = "changedAt - pressedAt" if is_change else "drawnAt"
        self._visit.seconds = self.page.evaluate(done) / 1000
        self._visit.verdict = self.page.evaluate("verdictAt") / 1000
        self._visit.server = cpu_seconds(self._pid) - server
        self._visit.browser = self._thread_seconds() - (browser if is_change else 0)
        return self._visit

    def _thread_seconds(self) -> float:
        found = self._devtools.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in found if each["name"] == "TaskDuration")


def listen(devtools: CDPSession, visitor: Visitor) -> None:
    """Counts what reaches the browser of a visitor."""
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    devtools.send("Network.enable")

    def on_data(event: dict) -> None:
        visitor.visit.raw += event["dataLength"]

    def on_loaded(event: dict) -> None:
        visitor.visit.wire += event["encodedDataLength"]

    packers: dict[str, Packer] = {}

    def on_handshake(event: dict) -> None:
        headers = {key.lower(): value for key, value in event["response"]["headers"].items()}
        packers[event["requestId"]] = Packer(headers.get("sec-websocket-extensions", ""))

    def on_frame(event: dict) -> None:
        payload = event["response"]["payloadData"]
        content = base64.b64decode(payload) if event["response"]["opcode"] == 2 else payload.encode()
        visitor.visit.wire += packers[event["requestId"]].size(content)
        visitor.visit.raw += len(content)
        visitor.visit.messages.append(content)

    devtools.on("Network.dataReceived", on_data)
    devtools.on("Network.loadingFinished", on_loaded)
    devtools.on("Network.webSocketHandshakeResponseReceived", on_handshake)
    devtools.on("Network.webSocketFrameReceived", on_frame)


@contextmanager
def new_browser(playwright: Playwright) -> Iterator[Browser]:
    """Starts Chromium with nothing in any cache."""
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
    try:
        yield browser
    finally:
        browser.close()


def cpu_seconds(pid: int) -> float:
    """Returns the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid: int) -> int:
    """Returns the memory of a process that is in use now."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) >> 10


def tables_of(messages: list[bytes]) -> list[pa.Table]:
    """Returns the tables that charts were sent."""
    tables = []
    for content in messages:
        message = ForwardMsg.FromString(content)
        chart = message.delta.new_element.vega_lite_chart
        parts = [each.data.data for each in chart.datasets] + ([chart.data.data] if chart.HasField("data") else [])
        tables += [pa.ipc.open_stream(part).read_all() for part in parts if part]
    return tables
