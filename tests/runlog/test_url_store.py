"""A store behind a URL takes ended runs and gives them back; running ones lie in a local folder."""

import fsspec
import pytest

from analysis.runlog import (
    RunLogError,
    RunWriter,
    import_runs,
    layout,
    list_studies,
    read_paths,
    read_study,
    schema,
    sealing,
    study_fingerprint,
    url_store,
)

URL = "memory://bucket/studies"


@pytest.fixture(autouse=True)
def spool(tmp_path, monkeypatch):
    monkeypatch.setenv(layout.SPOOL_VARIABLE, str(tmp_path / "spool"))
    yield tmp_path / "spool"
    fsspec.filesystem("memory").store.clear()


def test_an_ended_run_moves_to_the_url_and_a_running_one_is_read_from_here():
    with RunWriter("gpt", store=URL, run_id="a", base_lr=0.1) as log:
        log.step(0, train_loss=1.0)
        before = study_fingerprint("gpt", URL)
        assert read_study("gpt", URL).runs[0].record[schema.STATUS] == "running"
    assert not log.folder.exists()
    assert sorted(fsspec.filesystem("memory").find("/bucket")) == [
        "/bucket/studies/gpt/runs/a/run.json",
        "/bucket/studies/gpt/runs/a/steps.parquet",
    ]
    with RunWriter("gpt", store=URL, run_id="b", base_lr=0.2) as log:
        log.step(0, train_loss=2.0)
        study = read_study("gpt", URL)
        (entry,) = list_studies(URL)
    assert [(run.run_id, run.base_lr, run.record[schema.STATUS]) for run in study] == [
        ("a", 0.1, "finished"),
        ("b", 0.2, "running"),
    ]
    assert (entry.name, entry.num_runs, entry.num_running) == ("gpt", 2, 1)
    assert len({before, study.fingerprint, study_fingerprint("gpt", URL)}) == 3
    assert [run.run_id for run in read_paths(["gpt"], store=URL)] == ["a", "b"]


def test_a_run_that_was_moved_is_not_opened_again():
    with RunWriter("gpt", store=URL, run_id="a") as log:
        log.step(0, train_loss=1.0)
    with pytest.raises(RunLogError, match="run a of study gpt has ended and is sealed"):
        RunWriter("gpt", store=URL, run_id="a")


def test_an_interrupted_run_stays_here_and_can_be_resumed():
    log = RunWriter("gpt", store=URL, run_id="a")
    log.step(0, train_loss=1.0)
    log.finish("interrupted")
    assert url_store.find_pushed(URL) == {}
    with RunWriter("gpt", store=URL, run_id="a") as log:
        log.step(1, train_loss=1.0)
    assert len(read_study("gpt", URL).runs[0].steps) == 2


def test_imports_go_to_the_url(tmp_path):
    (tmp_path / "a.csv").write_text("step,loss\n0,1\n")
    import_runs([tmp_path / "a.csv"], "old", store=URL)
    assert read_study("old", URL).runs[0].record[schema.SOURCE] == "csv: a.csv"
    with pytest.raises(RunLogError, match="study old has 1 of these runs"):
        import_runs([tmp_path / "a.csv"], "old", store=URL)


def test_a_damaged_file_behind_the_url_is_skipped_with_its_reason():
    with RunWriter("gpt", store=URL, run_id="a") as log:
        log.step(0, train_loss=1.0)
    fsspec.filesystem("memory").pipe_file("/bucket/studies/gpt/runs/a/steps.parquet", b"PAR1")
    assert "cannot be read as Parquet" in read_study("gpt", URL).skipped[0].reason


def test_a_store_that_does_not_take_the_run_leaves_it_here(monkeypatch):
    def refuse(self, path, value, **options):
        raise PermissionError("read only")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "pipe_file", refuse)
    log = RunWriter("gpt", store=URL, run_id="a")
    log.step(0, train_loss=1.0)
    with pytest.raises(RunLogError, match=r"did not take the run \(read only\). It is safe in"):
        log.finish()
    assert len(sealing.read_sealed(log.folder / layout.SEALED_FILE)) == 1


def test_an_unknown_kind_of_url_is_refused_in_one_line():
    with pytest.raises(RunLogError, match="store nope://x cannot be opened"):
        read_study("gpt", "nope://x")
