"""Runs on a W&B server for the import page: copied by a process that reaches that server only, read by another."""

import base64
import socket
import subprocess
import sys

import numpy as np
import pytest

from analysis.runlog import RunLogError, bounded_fetch, bounded_process, schema, sealing, wandb_cloud
from analysis.runlog.bounded_wandb import read_server
from analysis.runlog.wandb_address import BASE_URL, read_address
from tests.runlog import wandb_stand_in
from tests.runlog.wandb_stand_in import STRANGE, serve


def test_the_runs_of_a_project_are_read_as_the_command_line_reads_them_and_those_left_out_are_named(server):
    told = []
    reading = read_server("team/sweep", on_file=lambda *progress: told.append(progress))
    expected, _ = wandb_cloud.read("wandb:team/sweep")
    assert [run.run_id for run in reading.study] == ["a1", "b2"]
    np.testing.assert_array_equal(reading.study.runs[0].loss, (np.arange(1500), [float(loss) for loss in STRANGE]))
    for run, (_, other) in zip(reading.study, expected, strict=True):
        assert (run.record, run.log) == (other.record, other.log)
        assert sealing.checksum(run.steps) == sealing.checksum(other.steps)
    reasons = {outcome.path: outcome.reason for outcome in reading.outcomes if outcome.reason}
    assert reasons.keys() == {"empty", "c3"}
    assert "has no row of history" in reasons["empty"]
    assert told[-1] == (4, 4)
    assert reading.study.name == "sweep"
    assert server.logins == {"Basic " + base64.b64encode(f"api:{wandb_stand_in.KEY}".encode()).decode()}


def test_one_run_is_read_by_the_address_of_its_page(server):
    (run,) = read_server(f"{server.url}/team/sweep/runs/b2?nw=someone").study
    assert (run.run_id, run.base_lr, run.record[schema.STATUS]) == ("b2", 0.1, "finished")
    assert not run.log.notes[1:]  # but that W&B counts log calls


def test_what_the_server_does_not_have_is_one_line_without_the_key(server):
    with pytest.raises(RunLogError, match=r"^team/sweep/nope cannot be fetched: the server has no run") as found:
        read_server("team/sweep/nope")
    assert wandb_stand_in.KEY not in str(found.value)


def test_a_server_that_sends_elsewhere_is_not_followed(server):
    with serve({}) as other:
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
        "6bep0nut",
        "run 7",
        "run 7",
    ]


@pytest.mark.parametrize(("num_left", "num_left_of_file", "said"), [(-1, 5, "the runs have"), (5, -1, "b2 has")])
def test_more_rows_than_may_be_written_are_refused(num_left, num_left_of_file, said):
    bounded_fetch.check_size(0, 0, "b2")
    with pytest.raises(RunLogError, match=f"^{said} more than .* MiB of rows"):
        bounded_fetch.check_size(num_left, num_left_of_file, "b2")


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
