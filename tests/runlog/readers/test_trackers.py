"""Logs of trackers: MLflow, trackio and Neptune."""

import io
import math
import sqlite3

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.runlog import RunLogError, read_paths, schema
from analysis.runlog.bounded_import import read_files
from tests.runlog.readers import tracker_samples as samples
from tests.runlog.readers.reading import notes_of, only_run, write

STRANGE = (2.5, math.nan, math.inf, -math.inf, 1e36, 2.25)


def write_mlflow_run(folder, losses=samples.LOSSES):
    for name, content in samples.mlflow_files(losses).items():
        write(folder / name, content)
    return folder


@pytest.mark.parametrize("make", [samples.mlflow_sqlite, samples.trackio_sqlite], ids=["mlflow", "trackio"])
def test_a_database_that_is_still_written_to_is_read_whole_and_nothing_is_left_beside_it(tmp_path, make):
    path = write(tmp_path / "project.db", make(STRANGE))
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("INSERT INTO params VALUES ('seed', '7', 'a1')") if make is samples.mlflow_sqlite else (
            writer.execute("UPDATE configs SET config = '{\"seed\": 7}'")
        )
        writer.commit()
        before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        assert len(before["project.db-wal"]) > 0
        run = read_paths([path]).runs[0]
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    writer.close()
    assert run.record[schema.SEED] == 7
    np.testing.assert_array_equal(run.loss[1], STRANGE)


def test_a_database_that_may_not_be_written_is_read_where_it_lies(tmp_path):
    path = write(tmp_path / "mlflow.db", samples.mlflow_sqlite())
    path.chmod(0o400)
    assert len(read_paths([path])) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["mlflow.db"]


def test_mlflow_runs_are_told_apart_and_deleted_ones_and_the_machine_left_out(tmp_path):
    database = samples.mlflow_database({"a1": STRANGE, "b2": samples.LOSSES, "gone": STRANGE, "empty": ()})
    database.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = 'gone'")
    database.commit()
    study = read_paths([write(tmp_path / "mlflow.db", database.serialize())])
    assert [run.run_id for run in study] == ["mlflow/a1", "mlflow/b2"]
    assert [run.name for run in study] == ["name of a1", "name of b2"]
    assert [(run.base_lr, run.record[schema.OPTIMIZER]) for run in study] == [(0.1, "adam")] * 2
    assert study.runs[0].steps.column_names == ["step", "train_loss"]
    np.testing.assert_array_equal(study.runs[0].loss[1], STRANGE)
    assert study.runs[0].log.non_finite == "kept"


def test_a_run_that_cannot_be_read_does_not_cost_the_others(tmp_path):
    database = samples.mlflow_database({"a1": STRANGE, "b2": STRANGE})
    database.execute("UPDATE metrics SET key = 'accuracy' WHERE run_uuid = 'b2'")
    database.commit()
    run = only_run(write(tmp_path / "mlflow.db", database.serialize()))
    assert run.run_id == "mlflow/a1"
    assert "runs of mlflow.db that are left out: b2; the first because mlflow.db has no loss column" in notes_of(run)


def test_mlflow_points_without_a_step_count_in_their_order(tmp_path):
    content = samples.mlflow_database({"a1": STRANGE}, has_steps=False)
    content.execute("DELETE FROM metrics WHERE key LIKE 'system/%'")
    content.commit()
    run = only_run(write(tmp_path / "mlflow.db", content.serialize()))
    np.testing.assert_array_equal(run.loss, (np.arange(6), STRANGE))
    assert run.record[schema.STEP_UNIT] == "log index"
    assert "every point is at step 0, so no step was given" in notes_of(run)


def test_a_tree_of_mlflow_files_is_read_run_by_run(tmp_path):
    for name in ("e41d", "f52c"):
        write_mlflow_run(tmp_path / "mlruns" / "77" / name, STRANGE)
    write(tmp_path / "mlruns" / "77" / "meta.yaml", "name: sweep\n")
    study = read_paths([tmp_path / "mlruns"])
    assert [run.run_id for run in study] == ["e41d", "f52c"]
    for run in study:
        np.testing.assert_array_equal(run.loss, (np.arange(6), STRANGE))
        assert (run.name, run.base_lr, run.record[schema.SOURCE]) == ("big-lr", 0.1, f"mlflow files: {run.run_id}")
        assert run.steps.column_names == ["step", "train_loss", "grad_norm"]
        assert "someone" not in str(run.record)
    assert [skipped.path for skipped in study.skipped] == [str(tmp_path / "mlruns" / "77" / "meta.yaml")]


def test_a_damaged_line_of_an_mlflow_metric_is_named(tmp_path):
    folder = write_mlflow_run(tmp_path / "e41d")
    write(folder / "metrics" / "train" / "loss", "1000 2.5 0\n1001 oops 1\n")
    with pytest.raises(RunLogError, match="metric train/loss line 2: '1001 oops 1' is no point"):
        read_paths([folder])


def test_mlflow_points_of_old_versions_have_no_step(tmp_path):
    folder = write_mlflow_run(tmp_path / "e41d")
    for name in ("train/loss", "grad norm"):
        write(folder / "metrics" / name, "1000 2.5\n1001 2.25\n")
    np.testing.assert_array_equal(only_run(folder).loss, ((0, 1), (2.5, 2.25)))


@pytest.mark.parametrize("has_ids", [True, False], ids=["with ids", "before 0.24"])
def test_trackio_databases_of_both_schemas_are_read(tmp_path, has_ids):
    content = samples.trackio_database(STRANGE, has_ids=has_ids).serialize()
    study = read_paths([write(tmp_path / "proj.db", content)])
    assert [run.run_id for run in study] == ["proj/9f" if has_ids else "proj/a", "proj/b"]
    assert [run.name for run in study] == ["a", "b"]
    for run in study:
        np.testing.assert_array_equal(run.loss[1], STRANGE)
        assert (run.base_lr, run.record[schema.OPTIMIZER]) == (0.1, "adam")
        assert "left out: note" in notes_of(run)


def test_a_trackio_database_beside_copies_of_it_gives_runs_of_different_ids(tmp_path):
    write(tmp_path / "proj.db", samples.trackio_database(has_ids=False).serialize())
    write(tmp_path / "proj.parquet", samples.trackio_parquet())
    write(tmp_path / "other" / "proj.parquet", samples.trackio_parquet())
    study = read_paths([tmp_path])
    assert len(study.by_id) == len(study) == 6


def test_neptune_parts_are_one_run_and_people_and_machines_are_left_out(tmp_path):
    first = write(tmp_path / "RUN-1_part_0.parquet", samples.neptune_parquet(STRANGE))
    write(tmp_path / "RUN-1_part_1.parquet", samples.neptune_parquet(STRANGE, first=6))
    write(tmp_path / "RUN-10_part_0.parquet", samples.neptune_parquet(STRANGE, run="RUN-10"))
    study = read_paths([tmp_path])
    assert [run.run_id for run in study] == ["RUN-10_part_0/RUN-10", "RUN-1_part_0/RUN-1"]
    run = only_run(first)
    np.testing.assert_array_equal(run.loss, (np.arange(12), STRANGE * 2))
    assert [run.record[name] for name in (schema.BASE_LR, schema.OPTIMIZER, schema.SEED)] == [0.1, "adam", 7]
    assert run.steps.column_names == ["step", "train_loss"]
    assert "is a further part of RUN-1_part_0.parquet" in study.skipped[0].reason


@pytest.mark.parametrize("name", ["attribute_path", "attribute_type", "run_id"])
def test_texts_of_neptune_without_the_mark_that_they_are_texts_are_read(tmp_path, name):
    table = pq.read_table(io.BytesIO(samples.neptune_parquet(STRANGE)))
    place = table.column_names.index(name)
    pq.write_table(table.set_column(place, name, table[name].cast(pa.binary())), tmp_path / "a.parquet")
    run = only_run(tmp_path / "a.parquet")
    np.testing.assert_array_equal(run.loss[1], STRANGE)
    assert (run.run_id, run.base_lr) == ("a/RUN-1", 0.1)
    pq.write_table(table.set_column(place, name, pa.array([7] * len(table))), tmp_path / "b.parquet")
    if name != "run_id":
        with pytest.raises(RunLogError, match=f"b.parquet column {name} holds no texts"):
            read_paths([tmp_path / "b.parquet"])


@pytest.mark.parametrize("name", ["step", "float_value"])
def test_numbers_of_neptune_that_are_bytes_are_refused(tmp_path, name):
    table = pq.read_table(io.BytesIO(samples.neptune_parquet(STRANGE)))
    octets = pa.array([b"8 octets"] * len(table), pa.binary(8))
    pq.write_table(table.set_column(table.column_names.index(name), name, octets), tmp_path / "a.parquet")
    with pytest.raises(RunLogError, match=f"a.parquet column {name} holds no numbers"):
        read_paths([tmp_path / "a.parquet"])


def test_every_tracker_can_be_uploaded(tmp_path):
    files = [(f"up/{name.replace(' ', '_')}", make()) for name, make in samples.SAMPLES.items()]
    files += [(f"up/run7/{name}", content.encode()) for name, content in samples.mlflow_files().items()]
    reading = read_files(files)
    assert {outcome.path: outcome.reason for outcome in reading.outcomes if outcome.reason} == {}
    kinds = {kind for outcome in reading.outcomes for kind in outcome.kinds}
    assert kinds == {*samples.SAMPLES, "mlflow files"}
