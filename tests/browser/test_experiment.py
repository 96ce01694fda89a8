"""From a suggested fix to its verdict, by one button: the experiment trains while nobody looks."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from analysis.runlog import experiments
from tests.browser.conftest import Server, serve
from tests.browser.test_journeys import open_page
from tests.experiments import wait_for

STUDY = "tiny"


def train_study(store: Path) -> None:
    """Trains a sweep of an mlp whose loss breaks at 0.1 and above."""
    from runners.config import RunConfig
    from runners.plan import plan_runs
    from runners.record import open_writer
    from runners.train import train

    rates = [(base_lr, seed) for base_lr in (0.01, 0.03, 0.1, 0.3) for seed in range(3)]
    configs = [RunConfig("mlp", "momentum", base_lr, max_train_steps=200, seed=seed) for base_lr, seed in rates]
    for planned in plan_runs(configs):
        with open_writer(planned, STUDY, str(store), "parquet") as writer:
            train(planned.config, writer)


@pytest.fixture
def unstable_server(tmp_path) -> Iterator[Server]:
    """A dashboard on a store with a small sweep that really was trained."""
    train_study(tmp_path / "studies")
    yield from serve(tmp_path / "studies")


def test_a_fix_is_tried_by_one_button_and_its_verdict_stands_when_the_page_is_opened_again(page, unstable_server):
    store = unstable_server.store
    open_page(page, f"{unstable_server.url}/fixes?study={STUDY}", "Fixes")
    expect(page.get_by_text("12 runs")).to_be_visible()
    page.get_by_role("button", name="Try this").first.click()
    expect(page.get_by_text(re.compile(r"0 of [\d,]+ steps, 0 of \d+ runs ended"))).to_be_visible()
    page.goto("about:blank")
    (started,) = experiments.list_experiments(STUDY, store)
    wait_for(started.folder, "done")
    open_page(page, f"{unstable_server.url}/fixes?study={STUDY}", "Fixes")
    expect(page.get_by_text(re.compile("^(Held|Failed|Inconclusive): ")).first).to_be_visible()
    expect(page.get_by_text(re.compile("Verified by experiment|Did not hold|Tried")).first).to_be_visible()
    expect(page.get_by_text("12 runs")).not_to_be_visible()
    page.get_by_text("Command and output").click()
    expect(page.get_by_text(re.compile(r"\[1/\d+\] .*: (finished|diverged)"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Losses of its \d+ runs"))).to_be_visible()
    expect(page.get_by_text("What each fix should have changed")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)  # its losses, and the ledger's picture
