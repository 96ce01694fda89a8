"""What holds for every reader: told by content, faithful, private, and never more than one clear line of refusal."""

import gzip
import json
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.runlog import RunLogError, import_runs, read_paths, read_study, schema
from analysis.runlog.paths import find_readers, read_file
from analysis.runlog.readers import READERS
from tests.runlog.readers.hard_values import LOSSES, NAN
from tests.runlog.readers.samples import SAMPLES

FORMATS = sorted(SAMPLES)
ELSEWHERE = {"parquet", "csv", "zip", "pattern text", "wandb runs table", "mlflow files"}  # have tests of their own
SOURCES = {"wandb cloud": "p/run_07"}  # which says itself where it is from
NUM_DAMAGED = 120  # files a format; all of them take about 10 s


def read(tmp_path, content, name="run_07.txt"):
    path = tmp_path / name
    path.write_bytes(content)
    return read_file(path)


def same(a, b, digits):
    return len(a) == len(b) and np.allclose(a, b, rtol=10.0**-digits, atol=0, equal_nan=True)


def test_every_format_has_a_sample_or_tests_of_its_own():
    assert {reader.NAME for reader in READERS} == ELSEWHERE | set(FORMATS)
    assert all(reader.LOSES for reader in READERS)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("file", ["run_07.csv", "run_07.json", "run_07"])
def test_the_format_is_told_by_content_and_not_by_name(tmp_path, name, file):
    run = read(tmp_path, SAMPLES[name](), file)[0]
    assert run.record[schema.SOURCE] == f"{name}: {SOURCES.get(name, file)}"
    assert run.run_id.partition("/")[0] == "run_07"


@pytest.mark.parametrize("name", FORMATS)
def test_every_loss_comes_back_the_largest_too(tmp_path, name):
    steps, losses = read(tmp_path, SAMPLES[name]())[0].loss
    assert same(losses, LOSSES, 6)
    assert (np.diff(steps) == np.diff(steps)[0]).all()


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"megatron golden json", "wandb ui csv"}))
def test_losses_that_are_nan_to_the_end_come_back_as_nan(tmp_path, name):
    losses = [*LOSSES[:16], *[NAN] * 8]
    run = read(tmp_path, SAMPLES[name](losses))[0]
    assert same(run.loss[1], losses, 6)
    assert "unknown" not in run.log.non_finite


@pytest.mark.parametrize("name", FORMATS)
def test_infinite_losses_come_back(tmp_path, name):
    losses = [*LOSSES[:16], math.inf, *LOSSES[17:]]
    assert same(read(tmp_path, SAMPLES[name](losses))[0].loss[1], losses, 6)


@pytest.mark.parametrize("name", FORMATS)
def test_no_path_host_or_person_is_kept(tmp_path, name):
    run = read(tmp_path, SAMPLES[name]())[0]
    assert "someone" not in json.dumps([dict(run.record), run.log.notes, run.steps.column_names], default=str)


@pytest.mark.parametrize("name", FORMATS)
def test_an_import_keeps_the_record_and_what_is_known_of_the_log(tmp_path, name):
    (tmp_path / "run_07").write_bytes(SAMPLES[name]())
    before = read_paths([tmp_path / "run_07"])
    import_runs([tmp_path / "run_07"], "s", store=tmp_path / "store")
    after = read_study("s", tmp_path / "store")
    assert [run.log for run in after] == [run.log for run in before]
    assert all(old.steps.equals(new.steps) for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("name", FORMATS)
def test_a_map_to_a_column_that_is_not_there_is_refused(tmp_path, name):
    path = tmp_path / "run_07"
    path.write_bytes(SAMPLES[name]())
    with pytest.raises(RunLogError):
        read_paths([path], column_map={schema.TRAIN_LOSS: "nope"})


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path, name):
    whole, chance = SAMPLES[name](), random.Random(name)
    outcomes, refusals = [], []
    for number in range(NUM_DAMAGED):
        content = bytearray(whole)
        if number % 2:
            content = content[: chance.randrange(len(content))]
        for _ in range(chance.randrange(1, 4) if content else 0):
            content[chance.randrange(len(content))] = chance.choice((0, 10, 34, 44, 58, 91, 123, 255, 45, 57, 101))
        try:
            outcomes.append(all(len(run.steps) for run in read(tmp_path, bytes(content), "damaged")))
        except RunLogError as error:
            refusals.append(str(error))
    assert all(outcomes)
    assert all("\n" not in refusal and len(refusal) < 700 for refusal in refusals)
    assert min(len(outcomes), len(refusals)) > 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.lists(st.floats(), min_size=2, max_size=20), st.booleans())
def test_json_lines_give_every_float_back(tmp_path, losses, is_gzip):
    content = "".join(json.dumps({"step": step, "loss": loss}) + "\n" for step, loss in enumerate(losses)).encode()
    run = read(tmp_path, gzip.compress(content) if is_gzip else content)[0]
    assert np.array_equal(run.loss[1], losses, equal_nan=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.floats(), min_size=2, max_size=20), st.sampled_from(["deepobs json", "tensorboard events"]))
def test_json_and_tensors_give_every_float_back(tmp_path, losses, name):
    content = SAMPLES[name](losses, **({"as_tensors": True} if name.startswith("tensor") else {}))
    assert np.array_equal(read(tmp_path, content)[0].loss[1], losses, equal_nan=True)


@pytest.mark.parametrize("name", FORMATS)
def test_no_other_reader_claims_the_file(tmp_path, name):
    path = tmp_path / "run_07"
    path.write_bytes(SAMPLES[name]())
    assert [reader.NAME for reader in find_readers(path)] == [name]


@pytest.mark.parametrize("name", [reader.NAME for reader in READERS])
def test_a_format_that_does_not_fit_is_refused_in_one_line(tmp_path, name):
    outcomes = []
    for number, sample in enumerate([*SAMPLES.values(), lambda: b"hello\n", lambda: b"\0" * 99]):
        path = tmp_path / str(number)
        path.write_bytes(sample())
        try:
            outcomes.append(len(read_file(path, format_name=name)))
        except RunLogError as error:
            outcomes.append("\n" not in str(error))
    assert all(outcomes)
