"""A sweep on a Ray cluster: it outlives a lost machine, gives what the local engine gives, and heeds Ctrl-C."""

import contextlib
import os
import select
import signal
from pathlib import Path

import pytest

from analysis.runlog import RunLogError, layout, line_log, read_study, schema, sealing
from runners import launch, lr_sweep

OPTIONS = "--workload mlp --optimizer momentum --base-lr 0.001,0.01,0.03 --seeds 2 --stack on --jobs 3 --study s"
RUNS = OPTIONS.split()
SWEEP = [*RUNS, "--max-train-steps", "800"]
KILLED_AT = 20
POLL_SECONDS = 0.01


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


def read_being_written(store):
    """Rows so far, by run, of the runs that a process is writing."""
    folders = layout.run_folders(layout.study_folder("s", store))
    logs = {each.name: each / layout.LIVE_FILE for each in folders if layout.is_being_written(each)}
    return {run_id: line_log.tail(log).rows for run_id, log in logs.items() if log.exists()}


def parent_of_writer(run_id, store):
    """The process that started the one that writes a run: a raylet, one a machine of the cluster."""
    lock = layout.run_folder("s", run_id, store) / layout.LOCK_FILE
    with contextlib.suppress(FileNotFoundError):
        pid = lock.read_text().split()[1]  # "pid 12 on host"
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return None


def start(commands, cluster, store, options):
    return commands.start(
        "runners.lr_sweep", *options, "--store", str(store), "--engine", "ray", "--ray-address", cluster.address
    )


def wait_for(commands, condition):
    """Waits for a condition while the command runs; returns what it found."""
    while not (found := condition()):
        ended = select.select([commands.process.stdout], [], [], POLL_SECONDS)[0]
        assert not ended, commands.stderr.read_text()
    return found


def rows_of(study, store):
    return {
        (run.record["base_lr"], run.record["seed"]): run.steps.drop_columns(schema.ELAPSED_SECONDS)
        for run in read_study(study, store)
    }


def test_a_sweep_that_loses_a_machine_gives_what_the_local_engine_gives(commands, cluster, tmp_path):
    lost = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()

    def has_begun():
        written = read_being_written(tmp_path / "ray")
        there = {
            run_id: rows for run_id, rows in written.items() if parent_of_writer(run_id, tmp_path / "ray") == raylet
        }
        return there if len(there) == 2 and min(map(len, there.values())) > KILLED_AT else None

    raylet = lost.all_processes["raylet"][0].process.pid
    start(commands, cluster, tmp_path / "ray", SWEEP)
    seen = wait_for(commands, has_begun)
    cluster.remove_node(lost, allow_graceful=False)
    assert os.waitstatus_to_exitcode(commands.wait()) == 0, commands.stderr.read_text()

    found = rows_of("s", tmp_path / "ray")
    assert [run.record[schema.STATUS] for run in read_study("s", tmp_path / "ray")] == ["finished"] * 6
    assert commands.stderr.read_text().count(": finished") == 6
    for run_id, rows in seen.items():
        kept = sealing.read_sealed(layout.run_folder("s", run_id, tmp_path / "ray") / layout.SEALED_FILE).to_pylist()
        assert {row[schema.ATTEMPT] for row in kept} == {1, 2}
        assert [row[schema.TRAIN_LOSS] for row in kept[: len(rows)]] == [row[schema.TRAIN_LOSS] for row in rows]

    done = commands.run("runners.lr_sweep", *SWEEP, "--store", str(tmp_path / "local"))
    assert done.returncode == 0, done.stderr
    expected = rows_of("s", tmp_path / "local")
    assert found.keys() == expected.keys()
    assert [key for key, rows in expected.items() if not found[key].equals(rows)] == []


def test_ctrl_c_interrupts_the_runs_that_train_and_drops_those_that_wait(commands, cluster, tmp_path):
    group = start(commands, cluster, tmp_path, [*RUNS, "--max-train-steps", "100000"])
    wait_for(commands, lambda: any(read_being_written(tmp_path).values()))
    os.killpg(group, signal.SIGINT)
    assert os.waitstatus_to_exitcode(commands.wait()) == 130, commands.stderr.read_text()
    assert not read_being_written(tmp_path)
    study = read_study("s", tmp_path)
    assert [run.record[schema.STATUS] for run in study] == ["interrupted"] * 2
    assert all(len(run.steps) for run in study)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "head"])
def test_an_address_where_no_cluster_answers_is_refused(address, tmp_path):
    with pytest.raises(RunLogError, match=f"no Ray cluster answers at {address} .* Start one by"):
        lr_sweep.main([*SWEEP, "--store", str(tmp_path), "--engine", "ray", "--ray-address", address])


def test_a_machine_without_ray_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    with pytest.raises(RunLogError, match="Run: pip install ray"):
        lr_sweep.main([*SWEEP, "--store", str(tmp_path), "--engine", "ray"])
