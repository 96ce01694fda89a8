"""What the tests of run logs share."""

import pytest

from analysis.runlog.wandb_address import BASE_URL, KEY
from tests.runlog import wandb_stand_in
from tests.runlog.wandb_stand_in import LOSSES, STRANGE, rows_of, serve

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def no_proxy(monkeypatch):
    """An environment that names no proxy."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server(monkeypatch, no_proxy):
    """A stand-in for a W&B server that the environment names, with its key."""
    runs = {"a1": rows_of(STRANGE), "b2": rows_of(LOSSES[:3]), "empty": [], "c3": [{"_step": 0, "accuracy": 1.0}]}
    with serve(runs) as server:
        monkeypatch.setenv(BASE_URL, server.url)
        monkeypatch.setenv(KEY, wandb_stand_in.KEY)
        yield server
