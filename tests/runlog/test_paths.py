"""Files, folders and studies become one study; imports write them into the store."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.runlog import RunLogError, RunWriter, import_runs, layout, read_paths, read_study, schema, sealing
from tests.runlog.readers import text_samples


def write_csv(path, value=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"step,loss,lr\n0,{value},0.1\n1,{value},0.1\n")
    return path


def ids(study):
    return [run.run_id for run in study]


def test_a_folder_is_searched_and_files_that_are_no_logs_are_listed(tmp_path):
    write_csv(tmp_path / "runs" / "deep" / "b.csv")
    write_csv(tmp_path / "runs" / "a.tsv")
    write_csv(tmp_path / "runs" / ".hidden" / "c.csv")
    (tmp_path / "runs" / "notes.txt").write_text("a sentence, with a comma\n")
    (tmp_path / "runs" / "model.bin").write_bytes(bytes(range(256)))
    study = read_paths([tmp_path / "runs"])
    assert (study.name, ids(study)) == ("runs", ["a", "b"])
    reasons = {entry.path.rpartition("/")[2]: entry.reason for entry in study.skipped}
    assert reasons.keys() == {"notes.txt", "model.bin"}
    assert "has no step column" in reasons["notes.txt"]
    assert reasons["model.bin"] == "model.bin is no run log. Give a format that `python -m analysis formats` lists"


def test_the_format_is_told_by_content_and_not_by_name(tmp_path):
    table = pa.table({"iteration": [0], "loss": [1.0]})
    pq.write_table(table, tmp_path / "a.csv")
    assert read_paths([tmp_path / "a.csv"]).runs[0].steps.to_pydict() == {schema.STEP: [0], schema.TRAIN_LOSS: [1.0]}


def test_equal_stems_are_told_apart_by_their_folders(tmp_path):
    for folder in ("x/lr1", "x/lr2", "y/lr1"):
        write_csv(tmp_path / folder / "metrics.csv")
    assert ids(read_paths([tmp_path / "x"])) == ["lr2/metrics", "metrics"]
    assert ids(read_paths([tmp_path])) == ["metrics", "x/lr2/metrics", "y/lr1/metrics"]
    assert [run.name for run in read_paths([tmp_path])] == ["x/lr1/metrics", "x/lr2/metrics", "y/lr1/metrics"]
    write_csv(tmp_path / "x" / "lr1" / "metrics.tsv")
    assert len(set(ids(read_paths([tmp_path / "x" / "lr1"])))) == 2


def test_a_file_that_is_given_twice_is_read_once(tmp_path):
    path = write_csv(tmp_path / "a.csv")
    assert ids(read_paths([path, tmp_path])) == ["a"]


TOKENS = [
    b",",
    b"\n",
    b'"',
    b";",
    b"\0",
    b"nan",
    b"1e999",
    b"\xff",
    b"\r",
    b"step",
    b'"a\nb"',
    b"9" * 400,
    b"\xef\xbb\xbf",
]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_broken_file_is_read_or_refused_in_one_line(tmp_path, kind):
    path = tmp_path / "run"
    pq.write_table(pa.table({"step": list(range(50)), "loss": [1 / (k + 1) for k in range(50)], "x": ["a"] * 50}), path)
    text = b"step,loss,lr,host\n" + b"".join(b"%d,%d.5,0.1,a\n" % (step, step) for step in range(30))
    good = text if kind == "csv" else path.read_bytes()
    draw = random.Random(3)
    num_clear = 0
    for _ in range(300):
        place = draw.randrange(len(good))
        end = draw.choice([place, place + draw.randrange(20), len(good)])
        path.write_bytes(good[:place] + draw.choice([b"", *TOKENS]) + good[end:])
        try:
            assert len(read_paths([path])) == 1
        except RunLogError as error:
            num_clear += "\n" not in str(error)
        else:
            num_clear += 1
    assert num_clear == 300


def test_a_named_file_that_is_no_log_is_refused(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"\0\1")
    with pytest.raises(RunLogError, match=r"model.bin is no run log"):
        read_paths([path])


def test_a_file_that_two_readers_claim_is_asked_about_and_not_guessed(tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(text_samples.megatron() + text_samples.llm_c())
    with pytest.raises(
        RunLogError, match=r"train.log can be read as 'megatron text' or 'llm.c txt'. Choose with --format NAME"
    ):
        read_paths([path])
    assert read_paths([path], format_name="llm.c txt").runs[0].loss[0].tolist() == list(range(24))
    assert read_paths([path], format_name="megatron text").runs[0].loss[0][0] == 10


def test_a_format_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(RunLogError, match="no format is called 'xml'"):
        read_paths([write_csv(tmp_path / "a.csv")], format_name="xml")


def test_a_folder_without_logs_is_refused_with_the_first_reason(tmp_path):
    (tmp_path / "a.txt").write_text("hello\n")
    with pytest.raises(RunLogError, match=r"has no run log \(1 files skipped, the first because a.txt is no run log"):
        read_paths([tmp_path])
    with pytest.raises(RunLogError, match="no path was given"):
        read_paths([])


def test_a_name_that_is_neither_path_nor_study_is_refused(tmp_path):
    with pytest.raises(RunLogError, match=r"nope is no file or folder, and store .* has no study nope \(found: none\)"):
        read_paths(["nope"], store=tmp_path)


def test_a_study_of_the_store_is_read_by_name_and_by_folder(tmp_path):
    with RunWriter("gpt", store=tmp_path, run_id="done", base_lr=0.1) as log:
        log.step(0, train_loss=1.0)
    with RunWriter("gpt", store=tmp_path, run_id="live", base_lr=0.1) as log:
        log.step(0, train_loss=1.0)
        by_name = read_paths(["gpt"], store=tmp_path)
        by_folder = read_paths([tmp_path / "gpt"])
        assert (by_name.name, by_folder.name) == ("gpt", "gpt")
        assert ids(by_name) == ids(by_folder) == ["done", "live"]
        assert by_name.fingerprint == by_folder.fingerprint
        assert by_name.by_id["live"].record[schema.STATUS] == "running"


def test_the_fingerprint_is_that_of_the_content(tmp_path):
    first = read_paths([write_csv(tmp_path / "x" / "a.csv")]).fingerprint
    assert read_paths([write_csv(tmp_path / "y" / "a.csv")]).fingerprint == first
    assert read_paths([write_csv(tmp_path / "x" / "a.csv", 2.0)]).fingerprint != first


def test_an_imported_run_says_the_same_as_its_file(tmp_path):
    write_csv(tmp_path / "runs" / "x" / "a.csv")
    (tmp_path / "runs" / "b.csv").write_text("step,loss\n0,1\n1,\n2,nan\n3,\n4,\nstep,loss\n5,\n")
    read = read_paths([tmp_path / "runs"])
    imported = import_runs([tmp_path / "runs"], "old", store=tmp_path / "store")
    stored = read_study("old", tmp_path / "store")
    assert ids(stored) == ids(imported) == ids(read) == ["a", "b"]
    for before, after in zip(read, stored, strict=True):
        assert sealing.checksum(after.steps) == sealing.checksum(before.steps)
        assert after.log == before.log
        assert after.record == dict(before.record) | {schema.STUDY: "old"}


def test_an_import_makes_folder_names_of_run_ids(tmp_path):
    for folder in ("lr1", "lr2"):
        write_csv(tmp_path / "runs" / folder / "metrics.csv")
    assert ids(import_runs([tmp_path / "runs"], "old", store=tmp_path)) == ["lr2--metrics", "metrics"]


def test_an_import_of_runs_that_are_there_writes_nothing(tmp_path):
    write_csv(tmp_path / "runs" / "a.csv")
    import_runs([tmp_path / "runs"], "old", store=tmp_path / "store")
    write_csv(tmp_path / "runs" / "b.csv")
    with pytest.raises(RunLogError, match=r"study old has 1 of these runs \(a\). Import into another study"):
        import_runs([tmp_path / "runs"], "old", store=tmp_path / "store")
    assert [folder.name for folder in layout.run_folders(tmp_path / "store" / "old")] == ["a"]
