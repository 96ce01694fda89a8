import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app_pages.studies import PROJECT
from tests.app_pages.stores import add_study
from tests.reviews.postgresql import free_port
from tests.studies import make_run, sweep

CHROMIUM = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HEIGHT = 900  # pixels of a window
PATIENCE = 30_000  # ms; on a loaded machine of two cores
LOOKS = {"light": (1360, "light"), "dark": (1360, "dark"), "narrow": (420, "light")}  # width and color scheme
LOOK = os.environ.get("STEADYSTEP_LOOK", "light")  # of a visitor; tests.browser.pictures asks for all of them


@dataclass(frozen=True)
class Server:
    """A dashboard of its own process on a store of its own."""

    url: str
    store: Path


def serve(store: Path, options: Sequence[str] = (), **settings: str) -> Iterator[Server]:
    """Starts the dashboard as users do, waits until it says that it is up, and ends it afterwards.

    Args:
        store: The store.
        options: Further options of `streamlit run`.
        settings: Further variables of its environment.
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *options]
    environment = os.environ | {"STEADYSTEP_STORE": str(store), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    environment |= settings
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if "URL:" in line:
                    break
            reader = threading.Thread(target=pass_on, args=(process.stdout,))
            reader.start()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=30) as answer:
                assert answer.read() == b"ok", said
            yield Server(f"http://127.0.0.1:{port}", store)
        finally:
            process.terminate()
            reader.join()


def pass_on(lines: Iterable[str]) -> None:
    """Lets what a server says be seen beside the test that fails; nobody else reads it, and it must not wait."""
    for line in lines:
        print(line, end="", file=sys.stderr)


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """A dashboard on a store with a sweep that breaks early beside a steady one, and a study with hostile names."""
    root = tmp_path_factory.mktemp("served")
    add_study(
        root / "studies", "stride", sweep(0.3, stride="1x1") + sweep(9.0, stride="2x2", seeds=2), root / "files" / "a"
    )
    hostile = "<img src=x onerror=window.pwned=1> ![x](//evil.example/a.png)"
    add_study(root / "studies", "hostile", [make_run([2.0] * 40, base_lr=0.1, name=hostile)], root / "files" / "b")
    yield from serve(root / "studies")


@pytest.fixture(scope="session")
def server_without_runs(tmp_path_factory) -> Iterator[Server]:
    """A dashboard on a store that does not exist yet."""
    yield from serve(tmp_path_factory.mktemp("empty") / "studies")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, as Debian has it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A new visitor, whose browser must neither throw nor leave this machine."""
    width, scheme = LOOKS[LOOK]
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url) if is_foreign(request.url) else None)
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def keep(page) -> Callable[[str], None]:
    """Keeps a picture of what is on the screen, under a name, where $STEADYSTEP_SCREENSHOTS asks for pictures."""
    folder = os.environ.get("STEADYSTEP_SCREENSHOTS")

    def kept(name: str) -> None:
        if folder:
            take_picture(page, Path(folder) / f"{name}_{LOOK}.png")

    return kept


def take_picture(page: Page, path: Path) -> None:
    """Writes a picture of a whole page, which scrolls inside its window."""
    width = page.viewport_size["width"]
    height = page.get_by_test_id("stMainBlockContainer").evaluate("element => element.scrollHeight")
    page.set_viewport_size({"width": width, "height": height + 60})
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    page.set_viewport_size({"width": width, "height": HEIGHT})


def is_foreign(url: str) -> bool:
    """Whether a request leaves the machine."""
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:", "ws://127.0.0.1:"))


@pytest.fixture(scope="session")
def team_server(tmp_path_factory) -> Iterator[Server]:
    """A dashboard with a login, for a team."""
    from tests.browser.teamwork import serve_team  # which imports this file

    yield from serve_team(tmp_path_factory.mktemp("team"))


@pytest.fixture
def visitors(browser, team_server):
    """Signs people in, each in a browser of their own."""
    from tests.browser.teamwork import Visitors

    visitors = Visitors(browser, team_server.url)
    yield visitors
    visitors.leave()
