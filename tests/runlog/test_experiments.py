"""Experiments: which commands may start, how they queue, and what is known of them after any kind of end."""

import os
import signal

import pytest

from analysis.runlog import RunLogError, experiments
from analysis.runlog.experiments import (
    cancel_experiment,
    complete_command,
    list_experiments,
    num_ahead,
    read_experiment,
    start_experiment,
)
from tests.experiments import hold_turn, pid_of, wait_for

HELP = "python -m runners.lr_sweep --help"  # the shortest command that succeeds


def test_a_command_gets_the_store_and_continues_what_is_there(tmp_path):
    argv = complete_command("python -m runners.probe --study 'my study'", tmp_path)
    assert argv == ("runners.probe", "--study", "my study", "--store", str(tmp_path), "--resume")
    assert complete_command("python -m runners.lr_sweep --resume", tmp_path)[1:] == (
        "--resume",
        "--store",
        str(tmp_path),
    )


@pytest.mark.parametrize(
    "command",
    [
        "",
        "python",
        "python -m",
        "python -m os",
        "python -m runners.experiment x",
        "python -c 1",
        "rm -rf runners.probe",
    ],
)
def test_nothing_but_a_runner_is_started(tmp_path, command):
    with pytest.raises(RunLogError, match="starts none of runners"):
        start_experiment("probe", command, "s", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_started_on_a_store_that_is_a_url():
    with pytest.raises(RunLogError, match="is a URL"):
        start_experiment("probe", HELP, "s", "memory://studies")


def test_an_experiment_waits_for_the_one_before_it_and_the_limit_counts(tmp_path, monkeypatch):
    with hold_turn(tmp_path):
        monkeypatch.setenv(experiments.LIMIT_VARIABLE, "2")
        first = start_experiment("probe", HELP, "s", tmp_path)
        assert first.state == "queued"
        assert num_ahead(first.folder) == 1
        done = wait_for(first.folder, "done", "failed")
        assert done.state == "done"
        assert "usage: python -m runners.lr_sweep" in done.read_tail(experiments.OUTPUT_FILE)
        monkeypatch.setenv(experiments.LIMIT_VARIABLE, "1")
        second = start_experiment("probe", HELP, "s", tmp_path)
        with pytest.raises(RunLogError, match="has not ended"):
            start_experiment("probe", HELP, "s", tmp_path)
        cancel_experiment(second.folder)
        assert read_experiment(second.folder).state == "stopping"
        wait_for(second.folder, "cancelled")
        assert not (second.folder / experiments.STARTED_FILE).exists()
    assert [each.state for each in list_experiments("s", tmp_path)] == ["done", "cancelled"]


def test_an_experiment_whose_process_is_killed_is_lost_and_can_be_started_again(tmp_path):
    with hold_turn(tmp_path):
        killed = start_experiment("probe", HELP, "s", tmp_path)
        os.kill(pid_of(killed.folder), signal.SIGKILL)
        wait_for(killed.folder, "lost")
    again = start_experiment("probe", HELP, "s", tmp_path)
    assert num_ahead(again.folder) == 0
    wait_for(again.folder, "done")


def test_an_experiment_that_fails_says_why_in_one_line(tmp_path, monkeypatch):
    refused = start_experiment("probe", "python -m runners.lr_sweep --base-lr 1 --study s", "s", tmp_path)
    wait_for(refused.folder, "failed")
    (line,) = refused.read_tail(experiments.MESSAGES_FILE).splitlines()
    assert "--workload" in line
    monkeypatch.setenv(experiments.LIMIT_VARIABLE, "none")
    unlimited = start_experiment("probe", HELP, "s", tmp_path)
    wait_for(unlimited.folder, "failed")
    assert "STEADYSTEP_MAX_EXPERIMENTS=none" in unlimited.read_tail(experiments.MESSAGES_FILE)


def test_a_damaged_record_is_named(tmp_path):
    with hold_turn(tmp_path):
        folder = start_experiment("probe", HELP, "s", tmp_path).folder
        cancel_experiment(folder)
        wait_for(folder, "cancelled")
    record = folder / experiments.RECORD_FILE
    record.write_bytes(record.read_bytes().replace(b"probe", b"prove"))
    with pytest.raises(RunLogError, match=r"experiment\.json is damaged"):
        list_experiments("s", tmp_path)
