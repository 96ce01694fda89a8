"""Runs on a W&B server for the import page: copied by a process that reaches that server only, read by another."""

import base64
import socket
import subprocess
import sys

import numpy as np
import pytest

from analysis.runlog import RunLogError, bounded_fetch, bounded_process, schema, wandb_cloud
from analysis.runlog.bounded_wandb import read_server
from analysis.runlog.wandb_address import BASE_URL, KEY, read_address
from tests.runlog import wandb_stand_in
from tests.runlog.test_wandb_cloud import LOSSES, rows_of
from tests.runlog.wandb_stand_in import serve

STRANGE = [*LOSSES[:5], "NaN", "Infinity", "-Infinity", 1e36, *LOSSES[9:]]
RUNS = {"a1": rows_of(STRANGE), "b2": rows_of(LOSSES[:3]), "empty": [], "c3": [{"_step": 0, "accuracy": 1.0}]}


@pytest.fixture
def server(monkeypatch):
    """A stand-in that the environment names, with its key."""
    with serve(RUNS) as server:
        monkeypatch.setenv(BASE_URL, server.url)
        monkeypatch.setenv(KEY, wandb_stand_in.KEY)
        yield server


def test_every_row_of_every_run_of_a_project_is_read_as_the_command_line_reads_it(server):
    told = []
    reading = read_server("team/sweep", on_file=lambda *progress: told.append(progress))
    expected, _ = wandb_cloud.read("wandb:team/sweep")
    assert [run.run_id for run in reading.study] == ["a1", "b2"]
    np.testing.assert_array_equal(reading.study.runs[0].loss, (np.arange(1500), [float(loss) for loss in STRANGE]))
    for run, (_, other) in zip(reading.study, expected, strict=True):
        assert (run.record, run.log) == (other.record, other.log)
        for column in other.steps.column_names:
            np.testing.assert_array_equal(run.series(column), other.series(column))
    reasons = {outcome.path: outcome.reason for outcome in reading.outcomes if outcome.reason}
    assert reasons.keys() == {"empty.jsonl", "c3.jsonl"}
    assert "has no row of history" in reasons["empty.jsonl"]
    assert told[-1] == (4, 4)
    assert reading.study.name == "sweep"
    assert server.logins == {"Basic " + base64.b64encode(f"api:{wandb_stand_in.KEY}".encode()).decode()}


def test_one_run_is_read_by_its_id_and_by_the_address_of_its_page(server):
    for text in ("team/sweep/b2", f"{server.url}/team/sweep/runs/b2?nw=someone"):
        study = read_server(text).study
        assert [(run.run_id, run.base_lr) for run in study] == [("b2", 0.1)]
        assert study.runs[0].record[schema.STATUS] == "finished"


def test_what_the_server_does_not_have_is_one_line_without_the_key(server):
    with pytest.raises(RunLogError, match=r"^team/sweep/nope cannot be fetched: the server has no run") as found:
        read_server("team/sweep/nope")
    assert wandb_stand_in.KEY not in str(found.value)


def test_a_server_that_sends_elsewhere_is_not_followed(server):
    with serve(RUNS) as other:
        server.moved_to = f"{other.url}/graphql"
        with pytest.raises(RunLogError, match="the server refuses to answer \\(HTTP 302\\)"):
            read_server("team/sweep")
        assert other.asked == []
        assert other.logins == set()


def test_a_server_that_is_not_there_or_answers_nonsense_is_one_line(server, monkeypatch):
    monkeypatch.setattr(server, "find", lambda *_: {"project": {"runs": {"edges": [{"node": 3}]}}})
    with pytest.raises(RunLogError, match=r"^team/sweep cannot be fetched: the server answers nonsense \(TypeError\)"):
        read_server("team/sweep")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv(BASE_URL, f"http://127.0.0.1:{port}")
    with pytest.raises(RunLogError, match="the server gives no answer"):
        read_server("team/sweep")


def test_a_server_that_falls_silent_is_given_up(server, monkeypatch):
    monkeypatch.setattr(bounded_process, "WALL_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(BASE_URL, f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(RunLogError, match=r"^team/sweep takes longer than 0\.5 s"):
            read_server("team/sweep")


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import socket; socket.create_connection(('127.0.0.2', 80), 1)",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import subprocess; subprocess.run(['true'])",
        "import pickle; pickle.loads(pickle.dumps(print))",
    ],
)
def test_the_process_that_fetches_reaches_one_server_and_starts_nothing(attempt):
    code = (
        "import sys; from analysis.runlog.bounded_fetch import OnlyServer\n"
        f"sys.addaudithook(OnlyServer('http://127.0.0.1'))\n{attempt}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is forbidden while runs are fetched from 127.0.0.1" in done.stderr


def test_ids_that_are_no_file_names_get_a_number():
    assert [bounded_fetch.name_file({"name": name}, 7) for name in ("6bep0nut", "../x", "")] == [
        "6bep0nut.jsonl",
        "run 7.jsonl",
        "run 7.jsonl",
    ]


def test_without_a_key_no_server_is_asked(server, monkeypatch):
    monkeypatch.delenv(KEY)
    with pytest.raises(RunLogError, match=r"team/sweep needs a key of the W&B server\. Set WANDB_API_KEY"):
        read_server("team/sweep")
    assert server.asked == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (" team/gpt ", "team/gpt"),
        ("wandb:team/gpt/6bep0nut", "team/gpt/6bep0nut"),
        ("team/gpt/runs/6bep0nut", "team/gpt/6bep0nut"),
        ("https://wandb.ai/team/gpt", "team/gpt"),
        ("https://wandb.ai/team/gpt/workspace?nw=nwuser", "team/gpt"),
        ("https://wandb.ai/team/my%20gpt/runs/6bep0nut/overview", "team/my gpt/6bep0nut"),
        ("https://api.wandb.ai/team/gpt/", "team/gpt"),
    ],
)
def test_paths_and_addresses_of_pages_name_runs(monkeypatch, text, meant):
    monkeypatch.delenv(BASE_URL, raising=False)
    assert str(read_address(text)) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("team", "names no runs on a W&B server. Give ENTITY/PROJECT"),
        ("team/gpt/a/b", "names no runs"),
        ("team/a\u202eb", "names no runs"),
        ("https://wandb.ai/team", "names no runs"),
        ("https://wandb.ai/team/gpt/reports/x", "is no page of runs"),
        ("https://evil.example/team/gpt", "is no page of www.wandb.ai, the only server that is asked"),
        ("https://wandb.ai.evil.example/team/gpt", "is no page of"),
        ("https://wandb.ai@evil.example/team/gpt", "is no page of"),
        ("file:///etc/passwd", "is no page of"),
        ("http://[/x", "is no page of"),
    ],
)
def test_what_names_no_runs_is_refused(monkeypatch, text, said):
    monkeypatch.delenv(BASE_URL, raising=False)
    with pytest.raises(RunLogError) as found:
        read_address(text)
    assert said in str(found.value)


def test_with_a_server_of_ones_own_pages_of_wandb_ai_are_refused(monkeypatch):
    monkeypatch.setenv(BASE_URL, "https://wandb.example.org")
    assert str(read_address("https://wandb.example.org/team/gpt")) == "team/gpt"
    with pytest.raises(RunLogError, match=r"is no page of wandb\.example\.org, the only server that is asked"):
        read_address("https://wandb.ai/team/gpt")
    monkeypatch.setenv(BASE_URL, "wandb.example.org")
    with pytest.raises(RunLogError, match="WANDB_BASE_URL is no address of a server"):
        read_address("https://wandb.ai/team/gpt")
