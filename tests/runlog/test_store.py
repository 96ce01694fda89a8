"""Studies of the store: what is listed, what is read, when a fingerprint changes."""

import time

import pytest

from analysis.runlog import (
    RunLogError,
    RunWriter,
    layout,
    line_log,
    list_studies,
    live,
    read_study,
    schema,
    study_fingerprint,
)


def log_run(store, study="s", run_id="a", num_steps=3, **record):
    with RunWriter(study, store=store, run_id=run_id, **record) as log:
        for step in range(num_steps):
            log.step(step, train_loss=1.0)
    return log


def test_runs_come_in_ascending_run_id(tmp_path):
    for run_id in "bca":
        log_run(tmp_path, run_id=run_id)
    study = read_study("s", tmp_path)
    assert [run.run_id for run in study] == ["a", "b", "c"]
    assert study.run_table.index.tolist() == ["a", "b", "c"]


def test_run_ids_that_are_made_sort_by_time(tmp_path):
    first = RunWriter("s", store=tmp_path)
    started = time.time_ns() // 10**6
    while time.time_ns() // 10**6 <= started:
        pass
    second = RunWriter("s", store=tmp_path)
    assert first.run_id < second.run_id


def test_a_missing_study_is_refused_with_the_names_there_are(tmp_path):
    log_run(tmp_path, study="gpt")
    with pytest.raises(RunLogError, match=r"has no study gtp \(found: gpt\)"):
        read_study("gtp", tmp_path)
    with pytest.raises(RunLogError, match=r"has no study x \(found: none\)"):
        read_study("x", tmp_path / "nowhere")


def test_studies_are_listed_with_their_counts(tmp_path):
    before = time.time()
    log_run(tmp_path, study="b")
    log_run(tmp_path, study="b", run_id="other")
    (tmp_path / ".cache").mkdir()
    with RunWriter("a", store=tmp_path):
        entries = list_studies(tmp_path)
    assert [(entry.name, entry.num_runs, entry.num_running) for entry in entries] == [("a", 1, 1), ("b", 2, 0)]
    assert all(before - 1 <= entry.modified.timestamp() <= time.time() + 1 for entry in entries)
    assert list_studies(tmp_path / "nowhere") == ()


def test_a_fingerprint_changes_with_a_row_a_record_and_an_end_and_not_by_reading(tmp_path):
    seen = []
    log = RunWriter("s", store=tmp_path, run_id="a")
    changes = [
        lambda: log.step(0, train_loss=1.0),
        lambda: log.step(1, train_loss=1.0),
        lambda: log.update(workload="mlp"),
        lambda: log.finish("interrupted"),
        lambda: log_run(tmp_path, run_id="a"),
        lambda: log_run(tmp_path, run_id="b"),
    ]
    for change in changes:
        change()
        assert study_fingerprint("s", tmp_path) == read_study("s", tmp_path).fingerprint
        seen.append(study_fingerprint("s", tmp_path))
    assert len(set(seen)) == len(changes)


def test_a_run_without_rows_is_skipped_with_its_reason(tmp_path):
    log_run(tmp_path)
    log_run(tmp_path, run_id="sealed", num_steps=0)
    with RunWriter("s", store=tmp_path, run_id="live"):
        study = read_study("s", tmp_path)
    assert [run.run_id for run in study] == ["a"]
    assert len(study.skipped) == 2
    assert all("holds no rows yet" in entry.reason for entry in study.skipped)


def test_a_run_without_a_loss_is_skipped_with_its_reason(tmp_path):
    with RunWriter("s", store=tmp_path, run_id="a") as log:
        log.step(0, accuracy=0.5)
    (entry,) = read_study("s", tmp_path).skipped
    assert "has no train_loss or eval_loss (found: accuracy). Log one of them" in entry.reason


def test_a_damaged_record_of_a_live_run_is_skipped_with_its_reason(tmp_path):
    with RunWriter("s", store=tmp_path, run_id="a", base_lr=0.1) as log:
        log.step(0, train_loss=1.0)
        path = log.folder / layout.RUN_FILE
        content = path.read_bytes()
        path.write_bytes(content.replace(b"0.1", b"0.2"))
        assert "run.json is damaged" in read_study("s", tmp_path).skipped[0].reason
        path.write_bytes(content)


def test_damaged_lines_are_noted_live_and_sealed(tmp_path):
    log = RunWriter("s", store=tmp_path, run_id="a")
    for step in range(3):
        log.step(step, train_loss=1.0)
    path = log.folder / layout.LIVE_FILE
    path.write_bytes(path.read_bytes().replace(b'"step":1', b'"step":7'))
    for end in (lambda: None, log.finish):
        end()
        run = read_study("s", tmp_path).runs[0]
        assert run.steps[schema.STEP].to_pylist() == [0, 2]
        assert run.log.notes == ("damaged lines of the live log that are left out: 1",)


def test_a_live_run_is_read_from_where_it_ended_before(tmp_path, monkeypatch):
    log = RunWriter("s", store=tmp_path, run_id="a")
    log.step(0, train_loss=1.0)
    read_study("s", tmp_path)
    offsets = []
    tail = line_log.tail
    monkeypatch.setattr(line_log, "tail", lambda path, offset, most: offsets.append(offset) or tail(path, offset, most))
    first_size = (log.folder / layout.LIVE_FILE).stat().st_size
    log.step(1, train_loss=2.0, eval_loss=3.0)
    for _ in range(2):
        run = read_study("s", tmp_path).runs[0]
        assert run.steps[schema.TRAIN_LOSS].to_pylist() == [1.0, 2.0]
        assert run.steps[schema.EVAL_LOSS].to_pylist() == [None, 3.0]
    assert offsets == [first_size]
    log.finish()


def test_a_live_log_that_was_replaced_is_read_anew(tmp_path):
    log = RunWriter("s", store=tmp_path, run_id="a")
    for step in range(3):
        log.step(step, train_loss=1.0)
    assert len(read_study("s", tmp_path).runs[0].steps) == 3
    path = log.folder / layout.LIVE_FILE
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    for step in range(1, 5):
        log.step(step, train_loss=2.0)
    assert read_study("s", tmp_path).runs[0].steps[schema.TRAIN_LOSS].to_pylist() == [1.0, 2.0, 2.0, 2.0, 2.0]


def test_the_cache_of_live_rows_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "MAX_CACHED_RUNS", 2)
    for run_id in "abcd":
        log = RunWriter("s", store=tmp_path, run_id=run_id)
        log.step(0, train_loss=1.0)
        log.finish("interrupted")
    assert len(read_study("s", tmp_path)) == 4
    assert len(live._cache) == 2


def test_ten_thousand_live_rows_are_read_in_a_second(tmp_path):
    with RunWriter("s", store=tmp_path, run_id="a") as log:
        for step in range(10_000):
            log.step(step, train_loss=1 / (step + 1), grad_norm=2 / (step + 1), update_norm=3 / (step + 1), lr=0.1)
        started = time.process_time()
        assert len(read_study("s", tmp_path).runs[0].steps) == 10_000
        assert time.process_time() - started < 1.0  # measured: below 0.1 s; the rest is for slow machines


def test_base_lr_is_taken_from_the_lr_column_where_the_record_has_none(tmp_path):
    with RunWriter("s", store=tmp_path, run_id="a") as log:
        for step, lr in enumerate([0.0, 0.0333333343, 0.01]):
            log.step(step, train_loss=1.0, lr=lr)
    run = read_study("s", tmp_path).runs[0]
    assert run.base_lr == 0.0333333
    assert run.log.notes == ("base_lr taken from the lr column",)
