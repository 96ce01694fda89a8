"""A newcomer's way: what `make demo` trains, from its verdict to the suggested command, and to the verdict of that."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from analysis.findings import diagnose
from analysis.headline import write_headline
from analysis.runlog import experiments, read_study
from app_pages.studies import DEMO, PROJECT
from tests.browser.conftest import Server, serve
from tests.browser.test_journeys import go_to, open_page, wait_until_drawn
from tests.experiments import wait_for

SMALL = "--base-lr 0.003,0.03,0.1,0.3,1 --seeds 1 --max-train-steps 60"  # 10 runs, which take seconds


def train_demo(store: Path) -> None:
    """Trains what `make demo` trains, with its very command, but less of it."""
    asked = ["make", "--dry-run", "demo", "DEMO_SERVE=0", f"STORE={store}"]
    said = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in said.replace("\\\n", " ").splitlines() if "runners.lr_sweep" in line]
    command = [sys.executable, *shlex.split(line)[1:], *SMALL.split()]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=True)


@pytest.fixture
def demo_server(tmp_path) -> Iterator[Server]:
    """A dashboard as `make demo` opens it."""
    train_demo(tmp_path / "studies")
    yield from serve(tmp_path / "studies")


def test_a_newcomer_tries_the_suggested_command_by_one_button_and_its_verdict_stands(page, demo_server, keep):
    diagnosis = diagnose(read_study(DEMO, demo_server.store))
    open_page(page, demo_server.url, write_headline(diagnosis).title)
    command = page.get_by_test_id("stCode").filter(has_text=diagnosis.next_fix.command)
    expect(command).to_be_visible()
    keep("newcomer_verdict")
    page.get_by_role("button", name="Try this").click()
    expect(page.get_by_text(re.compile(r"0 of [\d,]+ steps, 0 of \d+ runs ended"))).to_be_visible()
    keep("newcomer_tries")
    page.goto("about:blank")
    (started,) = experiments.list_experiments(DEMO, demo_server.store)
    wait_for(started.folder, "done")
    page.goto(demo_server.url)
    page.get_by_role("heading", level=1).wait_for()
    go_to(page, "Fixes")
    expect(page.get_by_text(re.compile("^(Held|Failed|Inconclusive): ")).first).to_be_visible()
    expect(page.get_by_text(re.compile("Verified by experiment|Did not hold|Tried")).first).to_be_visible()
    page.get_by_text("Command and output").click()
    expect(page.get_by_text(re.compile(r"\[1/\d+\] .*: (finished|diverged|stopped)")).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Losses of its \d+ runs"))).to_be_visible()
    expect(page.get_by_text("What each fix should have changed")).to_be_visible()
    wait_until_drawn(page)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)  # its losses, and the ledger's picture
    keep("newcomer_verified")
