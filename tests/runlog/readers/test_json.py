"""JSON of others: DeepOBS, Hugging Face, Megatron's golden values, JSON lines."""

import gzip
import json
import math

import pytest

from analysis.runlog import RunLogError, read_paths, schema
from analysis.runlog.paths import read_file
from analysis.runlog.readers import jsonl
from tests.runlog.readers import samples


@pytest.fixture
def read(tmp_path):
    def read(content, name="run_07.json", **column_map):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_file(path, column_map)[0]

    return read


def has_note(run, text):
    return any(text in note for note in run.log.notes)


def test_deepobs_places_evaluations_at_the_end_of_epochs_and_reads_the_settings(read):
    run = read(samples.deepobs())
    assert run.series(schema.EVAL_LOSS)[0].tolist() == [0, 6, 12, 18, 24]
    assert run.series(schema.EVAL_ERROR)[1].tolist() == [0.25] * 5
    expected = {schema.OPTIMIZER: "momentum", schema.BASE_LR: 0.1, schema.BATCH_SIZE: 128, schema.SEED: 42}
    expected |= {schema.WORKLOAD: "quadratic_deep", schema.MAX_TRAIN_STEPS: 24, "momentum": 0.99}
    assert {name: run.record[name] for name in expected} == expected


def test_deepobs_padding_is_noted(read):
    run = read(samples.deepobs([*samples.LOSSES[:16], *[math.nan] * 8]))
    assert has_note(run, "all losses from step 16 on are NaN; DeepOBS pads")


def test_deepobs_without_losses_of_batches_has_epochs_for_steps(read):
    run = read('{"train_losses": [3, 2, 1], "test_losses": [4, 3, 2], "learning_rate": 0.5}')
    assert (run.loss[1].tolist(), run.record[schema.STEP_UNIT], run.base_lr) == ([3.0, 2.0, 1.0], "epochs", 0.5)


def test_a_sweep_of_equal_file_names_is_one_series_of_runs_with_their_own_names(tmp_path):
    for lr in (0.1, 0.2, 0.4):
        folder = tmp_path / "sweep" / f"{lr:e}"
        folder.mkdir(parents=True)
        content = samples.deepobs().replace(b'"learning_rate": 0.1', f'"learning_rate": {lr}'.encode())
        (folder / "seed42.json").write_bytes(content)
    study = read_paths([tmp_path / "sweep"])
    assert len({run.run_id for run in study}) == len({run.name for run in study}) == 3
    assert sorted(run.base_lr for run in study) == [0.1, 0.2, 0.4]


def test_a_trainer_state_is_a_log_of_means_with_the_norm_before_clipping(read):
    run = read(samples.hf_state())
    assert (run.log.averaged_over, run.log.stride, run.log.grad_norm) == (10, 10, "before-clipping")
    assert run.record[schema.MAX_TRAIN_STEPS] == 240
    assert run.series(schema.EVAL_LOSS)[1].tolist() == [2.5]
    assert "logging_nan_inf_filter" in run.log.non_finite


@pytest.mark.parametrize(
    ("norm", "is_lost"), [(math.nan, True), (math.inf, True), (None, True), (0.5, False), (0.0, False)]
)
def test_losses_of_exactly_zero_are_nan_where_the_norm_does_not_contradict(read, norm, is_lost):
    rows = [{"step": step, "loss": 2.0 if step < 5 else 0.0, "grad_norm": norm} for step in range(1, 9)]
    run = read(json.dumps({"log_history": rows, "logging_steps": 1}))
    assert [math.isnan(loss) for loss in run.loss[1]] == [False] * 4 + [is_lost] * 4
    assert has_note(run, "losses of exactly 0 from step 5 on are read as NaN") is is_lost


def test_golden_values_take_the_text_nan_for_not_logged(read):
    run = read(samples.golden([*samples.LOSSES[:4], math.nan, *samples.LOSSES[5:20], *[math.nan] * 4]))
    assert (len(run.loss[0]), bool(math.isnan(run.loss[1].sum()))) == (19, False)
    assert has_note(run, '"nan" 10 times, which this format writes for a value that was not logged')
    assert run.log.grad_norm == "before-clipping"


def test_golden_values_as_a_list_get_their_steps_from_start_and_interval(read):
    run = read('{"lm loss": {"start_step": 0, "end_step": 15, "step_interval": 5, "values": [3, 2, 1]}}')
    assert run.steps.to_pydict() == {schema.STEP: [0, 5, 10], schema.TRAIN_LOSS: [3.0, 2.0, 1.0]}


def test_json_lines_may_be_gzipped(read):
    run = read(gzip.compress(samples.jsonl()), "run_07.jsonl.gz")
    assert (run.run_id, run.loss[1].tolist()) == ("run_07", list(samples.LOSSES))
    assert has_note(run, "rows without a step are placed at the step before: 1")
    assert run.series(schema.EVAL_LOSS)[1].tolist() == [2.5]


def test_of_several_losses_the_fullest_is_taken(read):
    rows = [{"step": step, "loss": 5.0} for step in range(9)] + [{"step": 8, "train_loss": 1.0}]
    assert read("\n".join(map(json.dumps, rows)) + "\n").loss[1].tolist() == [5.0] * 9


def test_texts_of_numbers_are_numbers_and_other_texts_are_left_out_and_noted(read):
    run = read('{"step": 0, "loss": "NaN", "host": "a"}\n{"step": 1, "loss": "-Infinity", "host": "b"}\n')
    assert math.isnan(run.loss[1][0])
    assert run.loss[1][1] == -math.inf
    assert has_note(run, "left out: host")


def test_null_that_stands_for_nan_is_read_as_nan_and_noted(read):
    rows = [{"step": step, "loss": None if step > 12 else 1.5} for step in range(20)]
    run = read("".join(json.dumps(row) + "\n" for row in rows))
    assert [math.isnan(loss) for loss in run.loss[1]] == [False] * 13 + [True] * 7
    assert has_note(run, "NaN lost by the logger: 7 rows from step 13 on")


def test_a_last_line_or_stream_that_was_cut_off_is_noted(read):
    assert has_note(read(samples.jsonl()[:-9]), "line 25 was cut off while it was written and is left out")
    run = read(gzip.compress(samples.jsonl() * 50)[:-20])
    assert has_note(run, "the gzip stream was cut off")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"step": 0, "loss": 1}\n{"step": 1, "loss"\n', "line 2 is no JSON object"),
        ('{"step": 0, "loss": 1}\n[1]\n', "line 2 is no JSON object"),
        ('{"step": 0, "loss": 1}\n{"step": 1, "loss": 1, "loss": 2}\n', "key 'loss' comes twice"),
        ('{"step": 0, "loss": "high"}\n{"step": 1, "loss": 2}\n', "row 1: 'high' as loss is not a number"),
        ('{"step": 0.5, "loss": 1}\n', "has step 0.5; steps are whole numbers from 0"),
        ('{"epoch": 0, "loss": 1}\n', "has no row with a step (1 rows)"),
        ('{"step": 0, "x": 1}\n', "has no loss column (found: step, x)"),
        ('{"step": 0, "loss": 1}\n' + "[" * 100_000 + "\n", "line 2 is no JSON object (nested too deep)"),
        ('{"log_history": 5}', "has no log_history of rows"),
        ('{"log_history": [', "is no valid JSON"),
        ('{"train_losses": [1, "x"]}', "train_losses is no list of numbers"),
        ('{"train_losses": [1], "train_losses": [2]}', "key 'train_losses' comes twice"),
        ('{"lm loss": {"start_step": 1, "values": {"a": 1}}}', "has a step that is no whole number"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(read, text, reason):
    with pytest.raises(RunLogError) as caught:
        read(text)
    assert str(caught.value).startswith("run_07.json ")
    assert reason in str(caught.value)


def test_a_gzip_bomb_and_an_endless_line_are_refused(read, monkeypatch):
    with pytest.raises(RunLogError, match=r"line 2 is longer than 1 MiB"):
        read(gzip.compress(b'{"step": 0, "loss": 1}\n' + b" " * 2**21))
    monkeypatch.setattr(jsonl, "MAX_DECODED", 100)
    with pytest.raises(RunLogError, match=r"decodes to more than"):
        read(gzip.compress(samples.jsonl()))


def test_a_table_of_too_many_metrics_is_refused(read, monkeypatch):
    monkeypatch.setattr("analysis.runlog.readers.gathered_rows.MAX_CELLS", 10)
    with pytest.raises(RunLogError, match=r"has 25 rows of 6 metrics \(at most 10 cells\)"):
        read(samples.jsonl())


def test_a_map_names_step_and_loss(read):
    run = read('{"tick": 3, "nll": 2.0}\n{"tick": 4, "nll": 1.0}\n', step="tick", train_loss="nll")
    assert run.steps.to_pydict() == {schema.STEP: [3, 4], schema.TRAIN_LOSS: [2.0, 1.0]}


def test_an_object_of_settings_becomes_fields_of_the_record(read):
    config = {"lr": 3e-4, "optimizer": "adam", "depth": 12, "user": "someone", "command": "x"}
    run = read("".join(json.dumps(row) + "\n" for row in [{"config": config}, {"step": 0, "loss": 1, "seed": 7}]))
    expected = {schema.BASE_LR: 3e-4, schema.OPTIMIZER: "adam", "depth": 12, schema.SEED: 7}
    assert {name: run.record.get(name) for name in expected} == expected
    assert not {"user", "command"} & run.record.keys()
    assert run.log.notes == ()


def test_mmengine_evaluations_are_placed_at_the_last_training_step(read):
    run = read(samples.mmengine())
    assert run.series("val/coco/bbox_mAP")[0].tolist() == [240]
    assert (run.log.averaged_over, run.log.grad_norm) == (10, "before-clipping")


def test_mmcv_iterations_that_start_again_in_each_epoch_are_numbered(read):
    rows = [
        {"mode": "train", "epoch": e, "iter": i, "data_time": 0.1, "loss": e, "time": 0.1}
        for e in (1, 2)
        for i in (5, 10)
    ]
    run = read("".join(json.dumps(row) + "\n" for row in [{"env_info": "x", "seed": 0}, *rows]))
    assert (run.loss[1].tolist(), run.record[schema.STEP_UNIT]) == ([1.0, 1.0, 2.0, 2.0], "log index")
    assert has_note(run, "rows before the first training row are left out: 1")
