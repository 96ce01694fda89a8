"""Runs on a W&B server from the command line, read from a stand-in on 127.0.0.1."""

import importlib.util
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.runlog import RunLogError, read_paths, read_study, schema, wandb_server
from analysis.runlog.wandb_address import KEY, Address, find_proxy
from analysis.runlog.wandb_server import FIELDS, ROWS_QUERY, WandbServer
from tests.runlog import wandb_stand_in
from tests.runlog.wandb_stand_in import STRANGE


def test_every_row_of_every_run_of_a_project_is_imported_and_nothing_of_a_person(server, tmp_path, capsys):
    assert main(["import", "wandb:team/sweep", "--study", "s", "--store", str(tmp_path / "store")]) == 0
    said = capsys.readouterr().err
    assert "skipped wandb:team/sweep/empty: empty has no row of history" in said
    assert "skipped wandb:team/sweep/c3: c3 has no loss column" in said
    study = read_study("s", tmp_path / "store")
    assert [run.run_id for run in study] == ["a1", "b2"]
    np.testing.assert_array_equal(study.runs[0].loss, (np.arange(1500), [float(loss) for loss in STRANGE]))
    record = study.runs[0].record
    assert [record[name] for name in (schema.NAME, schema.BASE_LR, schema.OPTIMIZER)] == ["name of a1", 0.1, "adam"]
    assert (record[schema.BASELINE_LOSS], record[schema.SOURCE]) == (2.3, "wandb cloud: sweep/a1")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert b"someone" not in stored
    assert wandb_stand_in.KEY.encode() not in stored


def test_runs_are_read_by_path_and_by_page_beside_files_and_told_apart_by_their_project(server, tmp_path):
    (tmp_path / "own.csv").write_text("step,loss\n0,1\n1,0.5\n")
    page = f"{server.url}/team/two/runs/b2?nw=someone"
    study = read_paths(["wandb:team/one/b2", page, tmp_path / "own.csv"])
    assert [(run.run_id, run.name) for run in study] == [("b2", "one/b2"), ("own", "own"), ("two/b2", "two/b2")]
    assert study.name == "b2"


def test_a_run_that_the_server_does_not_have_is_refused_in_one_line_without_the_key(server, tmp_path, capsys):
    command = ["import", "wandb:team/sweep/nope", "--study", "s", "--store", str(tmp_path)]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: team/sweep/nope cannot be fetched: the server has no run team/sweep/nope. Check")
    assert said.count("\n") == 1
    assert wandb_stand_in.KEY not in said
    assert not (tmp_path / "s").exists()


def test_without_a_key_in_the_environment_no_server_is_asked(server, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text(f"machine api.wandb.ai login user password {wandb_stand_in.KEY}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(KEY)
    with pytest.raises(RunLogError, match=r"team/sweep needs a key of the W&B server\. Set WANDB_API_KEY"):
        read_paths(["wandb:team/sweep"])
    assert server.asked == []


@pytest.mark.parametrize("address", ["wandb:team", "wandb:team/sweep/a/b", "wandb:"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(RunLogError, match=r"names no runs on a W&B server. Give ENTITY/PROJECT"):
        read_paths([address])


def test_fewer_rows_than_the_server_counts_are_noted(server):
    server.num_counted = 7
    (run,) = read_paths(["wandb:team/sweep/b2"])
    assert "the server counts 7 rows of history and gave 3" in run.log.notes


def ask(server):
    client = WandbServer(server.url, wandb_stand_in.KEY)
    return [run["name"] for run in client.list_runs(Address("team", "sweep"))]


def test_a_server_that_is_busy_is_asked_again_and_given_up_in_the_end(server, monkeypatch):
    monkeypatch.setattr(wandb_server, "WAITS", (0, 0))
    server.refusals = [(429, {}), (503, {})]
    assert ask(server) == ["a1", "b2", "empty", "c3"]
    server.refusals = [(429, {})] * 3
    with pytest.raises(RunLogError, match=r"the server refuses to answer \(HTTP 429\)\. Try again later"):
        ask(server)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {}, r"the server refuses to answer \(HTTP 401\)\. Check WANDB_API_KEY"),
        (200, {"data": None, "errors": [{"message": f"no\nway {wandb_stand_in.KEY}"}]}, r"refuses \(no way \(key\)\)"),
        (200, {"data": {"project": None}}, "the server has no project team/sweep"),
    ],
)
def test_what_a_server_refuses_is_named_once_without_the_key(server, status, body, said):
    server.refusals = [(status, body)]
    with pytest.raises(RunLogError, match=said) as found:
        ask(server)
    assert wandb_stand_in.KEY not in str(found.value)
    assert len(server.asked) == 1


def test_an_answer_that_is_too_large_is_named(server, monkeypatch):
    monkeypatch.setattr(wandb_server, "MAX_ANSWER", 99)
    with pytest.raises(RunLogError, match=r"^the server's answer has more than 0 MiB"):
        ask(server)


class Proxy(BaseHTTPRequestHandler):
    """Answers what it is asked to pass on, and keeps the address."""

    asked = ()

    def do_POST(self):
        type(self).asked = (*self.asked, self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        content = b'{"data": {"project": {"run": {"name": "a1"}}}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments):
        """Says nothing."""


def test_a_proxy_that_the_environment_names_is_asked_instead_of_the_server():
    with HTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        thread = Thread(target=proxy.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{proxy.server_port}"
        (run,) = WandbServer("http://wandb.invalid", "key", url).list_runs(Address("team", "sweep", "a1"))
        thread.join()
    assert run == {"name": "a1"}
    assert Proxy.asked == ("http://wandb.invalid/graphql",)


@pytest.mark.parametrize(
    ("proxy", "never", "found"),
    [
        ("", "", ""),
        ("proxy.lab:3128", "", "http://proxy.lab:3128"),
        ("https://u:p@proxy.lab", "example.org", "https://u:p@proxy.lab"),
        ("http://proxy.lab:3128", "wandb.lab", ""),
    ],
)
def test_the_proxy_is_that_of_the_environment(monkeypatch, no_proxy, proxy, never, found):
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("no_proxy", never)
    assert find_proxy("https://wandb.lab/x") == found


def squeeze(text):
    return "".join(text.split())


def test_the_queries_are_those_of_the_installed_client_of_wandb():
    """The stand-in answers what we ask, so what we ask is held to what W&B's own client asks."""
    package = Path(importlib.util.find_spec("wandb").origin).parent
    fragment = (package / "apis/public/runs.py").read_text().partition('RUN_FRAGMENT = """')[2].partition('}"""')[0]
    assert set(FIELDS.split()) <= set(fragment.split())
    core = (package / "bin/wandb-core").read_bytes()
    query = core[core.index(b"query HistoryPage") :][:600].decode()
    assert squeeze(query).startswith(squeeze(ROWS_QUERY))
