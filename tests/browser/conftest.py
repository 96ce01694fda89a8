import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
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
PATIENCE = 30_000  # ms; on a loaded machine of two cores


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
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=30) as answer:
                assert answer.read() == b"ok", said
            yield Server(f"http://127.0.0.1:{port}", store)
        finally:
            process.terminate()


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
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url) if is_foreign(request.url) else None)
    yield page
    context.close()
    assert problems == []


def is_foreign(url: str) -> bool:
    """Whether a request leaves the machine."""
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:", "ws://127.0.0.1:"))


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory) -> Path:
    """The folder that takes pictures of every page: $STEADYSTEP_SCREENSHOTS, or a temporary one."""
    named = os.environ.get("STEADYSTEP_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
