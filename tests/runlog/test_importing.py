"""Runs go into the store all or none, and come out again as they went in."""

import os
from pathlib import Path

import pytest

from analysis.runlog import RunLogError, RunWriter, import_runs, layout, list_studies, read_study, sealing, undo_import

URL = "memory://importing"


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.csv").write_text("step,loss\n0,1\n1,2\n")
    return folder


def all_files(store):
    return sorted(str(path.relative_to(store)) for path in Path(store).rglob("*"))


def add_run(store, study, run_id="first"):
    with RunWriter(study, store=store, run_id=run_id) as log:
        log.step(0, train_loss=1.0)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_import_that_fails_anywhere_leaves_nothing(tmp_path, files, monkeypatch, at):
    store, calls = tmp_path / "store", []
    add_run(store, "old")
    before = all_files(store)
    write = sealing.write_sealed

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) > at:
            raise OSError(28, "No space left on device")
        write(*arguments)

    monkeypatch.setattr(sealing, "write_sealed", fail)
    for study in ("old", "new"):
        calls.clear()
        with pytest.raises(RunLogError, match=rf"study {study} cannot take the runs \(No space left on device\)"):
            import_runs([files], study, store=store)
    assert all_files(store) == before


def test_a_move_that_fails_in_the_middle_takes_the_others_back(tmp_path, files, monkeypatch):
    store = tmp_path / "store"
    add_run(store, "old")
    before = all_files(store)
    rename = Path.rename

    def fail(self, target):
        if Path(target).name == "c" and ".import-" in str(self):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(RunLogError, match="none was written"):
        import_runs([files], "old", store=store)
    assert all_files(store) == before


def test_undo_removes_the_runs_of_the_import_and_nothing_else(tmp_path, files):
    store = tmp_path / "store"
    add_run(store, "old")
    before = all_files(store)
    undo_import(import_runs([files], "old", store=store), store)
    assert all_files(store) == before
    undo_import(import_runs([files], "new", store=store), store)
    assert all_files(store) == before


def test_undo_of_runs_that_changed_or_went_since_removes_none(tmp_path, files):
    store = tmp_path / "store"
    written = import_runs([files], "s", store=store)
    folder = layout.run_folder("s", "b", store)
    for name in os.listdir(folder):
        (folder / name).unlink()
    folder.rmdir()
    add_run(store, "s", "b")
    with pytest.raises(RunLogError, match=r"other content in 1 of the runs \(b\) than was imported; none was removed"):
        undo_import(written, store)
    assert [run.run_id for run in read_study("s", store)] == ["a", "b", "c"]


def test_undo_in_a_store_behind_a_url_removes_just_those_runs(files, tmp_path, monkeypatch):
    monkeypatch.setenv(layout.SPOOL_VARIABLE, str(tmp_path / "spool"))
    add_run(URL, "s")
    written = import_runs([files], "s", store=URL)
    assert [run.run_id for run in read_study("s", URL)] == ["a", "b", "c", "first"]
    undo_import(written, URL)
    assert [run.run_id for run in read_study("s", URL)] == ["first"]
    assert [entry.num_runs for entry in list_studies(URL)] == [1]
