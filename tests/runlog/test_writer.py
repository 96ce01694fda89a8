"""RunWriter: records, rows, attempts, ends."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from analysis.runlog import RunLogError, RunWriter, layout, live, read_study, schema, sealing


def files(log: RunWriter) -> set[str]:
    return {path.name for path in log.folder.iterdir()}


def test_a_finished_run_is_one_sealed_file_and_its_record(tmp_path):
    with RunWriter("gpt", store=tmp_path, name="first", base_lr=0.1, clip_threshold=None) as log:
        assert files(log) == {layout.RUN_FILE, layout.LIVE_FILE, layout.LOCK_FILE}
        log.step(0, train_loss=2.5, grad_norm=1)
    assert files(log) == {layout.RUN_FILE, layout.SEALED_FILE}
    run = read_study("gpt", tmp_path).by_id[log.run_id]
    assert run.record[schema.STATUS] == "finished"
    assert (run.name, run.base_lr, run.log.grad_norm) == ("first", 0.1, "before-clipping")
    assert schema.CLIP_THRESHOLD not in run.record
    assert run.steps.to_pydict() == {schema.STEP: [0], schema.TRAIN_LOSS: [2.5], schema.GRAD_NORM: [1.0]}


def test_the_sealed_file_carries_the_run_record_as_json(tmp_path):
    with RunWriter("gpt", store=tmp_path, base_lr=0.1, workload="mlp") as log:
        log.step(0, train_loss=2.5)
    record = json.loads(pq.read_schema(log.folder / layout.SEALED_FILE).metadata[sealing.RECORD_KEY])
    assert (record[schema.RUN_ID], record[schema.BASE_LR], record[schema.WORKLOAD]) == (log.run_id, 0.1, "mlp")


@pytest.mark.parametrize("is_sealed", [True, False])
def test_not_logged_and_not_a_number_stay_apart(tmp_path, is_sealed):
    with RunWriter("s", store=tmp_path) as log:
        log.step(0, train_loss=math.nan, eval_loss=None)
        log.step(1, train_loss=math.inf, eval_loss=1e300)
        if not is_sealed:
            run = read_study("s", tmp_path).runs[0]
    if is_sealed:
        run = read_study("s", tmp_path).runs[0]
    losses = run.steps[schema.TRAIN_LOSS].to_pylist()
    assert math.isnan(losses[0])
    assert losses[1] == math.inf
    assert run.steps[schema.EVAL_LOSS].to_pylist() == [None, 1e300]


def test_numpy_and_zero_dimensional_arrays_are_numbers(tmp_path):
    with RunWriter("s", store=tmp_path, base_lr=np.float64(0.5), seed=np.int64(3)) as log:
        log.step(np.int64(0), train_loss=np.float32(0.5), top1=np.array(3), flag=True)
    run = read_study("s", tmp_path).runs[0]
    assert run.steps.to_pydict() == {schema.STEP: [0], schema.TRAIN_LOSS: [0.5], "top1": [3.0], "flag": [1.0]}
    assert (run.record[schema.SEED], run.base_lr) == (3, 0.5)


def test_torch_scalars_are_numbers_without_a_warning(tmp_path):
    weight = torch.ones(1, requires_grad=True)
    with RunWriter("s", store=tmp_path, base_lr=torch.tensor(0.5)) as log:
        log.step(0, train_loss=(2 * weight).sum(), grad_norm=torch.tensor([3.0]), lr=torch.tensor(0.5).bfloat16())
        with pytest.raises(RunLogError, match="metric train_loss is a Tensor that is not one number"):
            log.step(1, train_loss=torch.ones(2))
    run = read_study("s", tmp_path).runs[0]
    assert run.base_lr == 0.5
    assert run.steps.to_pylist() == [{schema.STEP: 0, schema.TRAIN_LOSS: 2.0, schema.GRAD_NORM: 3.0, schema.LR: 0.5}]


@pytest.mark.parametrize(
    ("step", "metrics", "reason"),
    [
        (0.5, {}, "steps are whole numbers"),
        (-1, {}, "steps count from 0"),
        (0, {"train_loss": "2.5"}, "metric train_loss is a str that is not one number"),
        (0, {"train_loss": np.zeros(2)}, "metric train_loss is a ndarray that is not one number"),
        (0, {"attempt": 1.0}, "'attempt' is taken"),
        (0, {"_q": 1.0}, "'_q' is taken"),
        (0, {"": 1.0}, "'' is taken"),
    ],
)
def test_a_bad_row_is_refused_and_not_written(tmp_path, step, metrics, reason):
    with RunWriter("s", store=tmp_path) as log:
        with pytest.raises(RunLogError, match=reason):
            log.step(step, **metrics)
        assert not (log.folder / layout.LIVE_FILE).read_bytes()


def test_a_bad_record_is_refused_in_one_line(tmp_path):
    with pytest.raises(RunLogError, match="run record cannot be kept as JSON"):
        RunWriter("s", store=tmp_path, run_id="x", model=object())
    with RunWriter("s", store=tmp_path, run_id="x"):
        pass


def test_facts_can_be_added_and_non_finite_ones_survive(tmp_path):
    with RunWriter("s", store=tmp_path) as log:
        log.update(init_loss_mean=math.inf, init_loss_sd=np.float32(0.25), changed="x")
        log.update(changed=None)
        log.step(0, train_loss=1.0)
    record = read_study("s", tmp_path).runs[0].record
    assert (record[schema.INIT_LOSS_MEAN], record[schema.INIT_LOSS_SD]) == (math.inf, 0.25)
    assert schema.CHANGED not in record


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_block_left_by_an_exception_is_interrupted_and_can_be_resumed(tmp_path, error):
    def train():
        with RunWriter("s", store=tmp_path, run_id="a", base_lr=0.1) as log:
            log.step(0, train_loss=1.0)
            raise error

    with pytest.raises(error):
        train()
    assert read_study("s", tmp_path).runs[0].record[schema.STATUS] == "interrupted"
    with RunWriter("s", store=tmp_path, run_id="a") as log:
        assert log.attempt == 2
        assert log.record[schema.BASE_LR] == 0.1
        assert read_study("s", tmp_path).runs[0].record[schema.STATUS] == "running"


def test_diverged_is_kept_and_a_run_ends_once(tmp_path):
    with RunWriter("s", store=tmp_path) as log:
        log.step(0, train_loss=math.nan)
        log.finish("diverged")
        with pytest.raises(RunLogError, match="has ended before"):
            log.finish()
        with pytest.raises(RunLogError, match="has ended"):
            log.step(1, train_loss=1.0)
    assert read_study("s", tmp_path).runs[0].record[schema.STATUS] == "diverged"


def test_an_unknown_status_is_refused(tmp_path):
    with RunWriter("s", store=tmp_path) as log, pytest.raises(RunLogError, match="status 'running' is none of"):
        log.finish("running")


def test_the_effective_curve_is_that_of_the_highest_attempt_at_each_step(tmp_path):
    for steps, value in [(range(0, 6), 1.0), (range(3, 5), 2.0)]:
        log = RunWriter("s", store=tmp_path, run_id="a")
        for step in steps:
            log.step(step, train_loss=value)
        log.finish("interrupted" if value == 1.0 else "finished")
    sealed = pq.read_table(log.folder / layout.SEALED_FILE)
    assert sealed[schema.ATTEMPT].to_pylist() == [1] * 6 + [2] * 2
    run = read_study("s", tmp_path).runs[0]
    assert run.steps.to_pydict() == {schema.STEP: [0, 1, 2, 3, 4, 5], schema.TRAIN_LOSS: [1.0, 1.0, 1.0, 2.0, 2.0, 1.0]}
    assert run.log.notes == ("attempt 2 starts at step 3; rows of earlier attempts that are superseded: 2",)
    assert run.record[schema.RESUMED_AT] == (3,)


def test_rows_of_one_step_are_put_together_and_the_later_value_counts(tmp_path):
    with RunWriter("s", store=tmp_path) as log:
        log.step(0, train_loss=1.0)
        log.step(0, eval_loss=math.nan)
        log.step(1, train_loss=2.0)
        log.step(1, train_loss=3.0)
    run = read_study("s", tmp_path).runs[0]
    assert run.steps[schema.TRAIN_LOSS].to_pylist() == [1.0, 3.0]
    assert math.isnan(run.steps[schema.EVAL_LOSS][0].as_py())
    assert not run.steps[schema.EVAL_LOSS][1].is_valid
    assert run.log.notes == ("1 times a value was logged again at the same step; the later value counts",)


def test_a_sealed_run_is_not_opened_again(tmp_path):
    with RunWriter("s", store=tmp_path, run_id="a") as log:
        log.step(0, train_loss=1.0)
    with pytest.raises(RunLogError, match="run a of study s has ended and is sealed"):
        RunWriter("s", store=tmp_path, run_id="a")


def test_a_second_writer_is_refused_and_told_who_holds_the_run(tmp_path):
    code = "import sys; from analysis.runlog import RunWriter; RunWriter('s', store=sys.argv[1], run_id='a')"
    with RunWriter("s", store=tmp_path, run_id="a") as log:
        log.step(0, train_loss=1.0)
        with pytest.raises(RunLogError, match=f"run a is written by pid {os.getpid()}"):
            RunWriter("s", store=tmp_path, run_id="a")
        other = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
        assert f"RunLogError: run a is written by pid {os.getpid()}" in other.stderr
        log.step(1, train_loss=1.0)
    assert len(read_study("s", tmp_path).runs[0].steps) == 2


def test_a_writer_is_not_refused_because_a_reader_looks(tmp_path, monkeypatch):
    takes = layout._takes
    refusals = iter([True, False])

    def taken_once_by_a_reader(handle, kind):
        return takes(handle, kind) and not (kind == layout.fcntl.LOCK_EX and next(refusals, False))

    monkeypatch.setattr(layout, "_takes", taken_once_by_a_reader)
    with RunWriter("s", store=tmp_path, run_id="a") as log:
        log.step(0, train_loss=1.0)
    assert len(read_study("s", tmp_path).runs[0].steps) == 1


@pytest.mark.parametrize("name", ["", ".", "..", ".git", "a/b", "a\\b", "a\0b", "a\nb", "x" * 129, "\u202eabc", 3])
@pytest.mark.parametrize("kind", ["study", "run"])
def test_names_that_could_leave_the_store_are_refused(tmp_path, kind, name):
    with pytest.raises(RunLogError, match=f"{kind} name .* Choose another name"):
        layout.run_folder(
            **{"study": "s", "run_id": "r", "store": tmp_path} | {{"run": "run_id"}.get(kind, kind): name}
        )


def test_names_may_hold_spaces_dots_and_any_script(tmp_path):
    with RunWriter("gpt 1.5 ✓", store=tmp_path, run_id="lr=1e-3, b") as log:
        log.step(0, train_loss=1.0)
    assert read_study("gpt 1.5 ✓", tmp_path).runs[0].run_id == "lr=1e-3, b"


def test_the_store_is_taken_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv(layout.STORE_VARIABLE, str(tmp_path))
    with RunWriter("s") as log:
        log.step(0, train_loss=1.0)
    assert log.folder.parent == tmp_path / "s" / layout.RUNS_FOLDER


def test_a_full_disk_keeps_the_earlier_rows_and_the_run_open(tmp_path, monkeypatch):
    write = os.write

    def train():
        with RunWriter("s", store=tmp_path, run_id="a") as log:
            log.step(0, train_loss=1.0)
            monkeypatch.setattr(os, "write", lambda handle, line: write(handle, line[:9]))
            log.step(1, train_loss=1.0)

    with pytest.raises(OSError, match="row 1 was not written"):
        train()
    monkeypatch.setattr(os, "write", write)
    assert len(live.read_rows(layout.run_folder("s", "a", tmp_path) / layout.LIVE_FILE).table) == 1
    with RunWriter("s", store=tmp_path, run_id="a") as log:
        log.step(1, train_loss=1.0)
    assert len(read_study("s", tmp_path).runs[0].steps) == 2


def test_what_does_not_read_back_is_not_sealed(tmp_path, monkeypatch):
    log = RunWriter("s", store=tmp_path, run_id="a")
    log.step(0, train_loss=1.0)
    read = sealing.read_sealed
    monkeypatch.setattr(sealing, "read_sealed", lambda path: read(path).slice(1))
    with pytest.raises(RunLogError, match="does not read back"):
        log.finish()
    assert layout.LIVE_FILE in files(log)
    assert layout.SEALED_FILE not in files(log)
