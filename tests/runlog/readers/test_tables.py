"""Tables of others: AlgoPerf, Lightning, W&B, YOLO, one row an epoch, long ones and those of several runs."""

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.runlog import RunLogError, schema, sealing
from analysis.runlog.paths import read_file
from tests.runlog.readers import samples, table_samples


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "run_07.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_file(path)

    return read


def has_note(run, text):
    return any(text in note for note in run.log.notes)


def test_algoperf_keeps_the_evaluation_of_the_training_set_apart_from_the_batch_loss(read):
    (run,) = read(table_samples.algoperf())
    assert run.loss[1].tolist() == list(samples.LOSSES)
    assert run.series("train/loss")[0].tolist() == [1, 11, 21]
    assert run.series(schema.ELAPSED_SECONDS)[1].tolist() == [6.0, 16.0, 26.0]
    assert has_note(run, "train/loss is an evaluation of the training set")


def test_algoperf_evaluations_that_lost_their_nan_get_it_back(read):
    (run,) = read(table_samples.algoperf([*samples.LOSSES[:16], *[math.nan] * 8]))
    for name in (schema.EVAL_LOSS, "train/loss"):
        assert [math.isnan(value) for value in run.series(name)[1]] == [False, False, True]
    assert has_note(run, "eval_loss: 1 evaluations without a value, read as NaN")
    assert has_note(run, "NaN lost by the logger: 8 rows from step 16 on")


def test_lightning_takes_losses_of_steps_before_those_of_epochs(read):
    (run,) = read(table_samples.lightning())
    assert (run.log.stride, run.log.averaged_over, run.base_lr) == (50, None, 0.01)
    assert run.series(schema.EVAL_LOSS)[1].tolist() == [2.75]
    assert run.series("train_loss_epoch")[1].tolist() == [2.5]


def test_lightning_with_losses_of_epochs_only_says_so(read):
    rows = "".join(f"{epoch},{63 * epoch + 62},{3 - epoch}\n" for epoch in range(3))
    (run,) = read("epoch,step,train_loss_epoch\n" + rows)
    assert (run.log.averaged_over, run.loss[1].tolist()) == (63, [3.0, 2.0, 1.0])
    assert has_note(run, "the training loss is the mean of an epoch")


def test_wandb_charts_hold_several_runs_of_their_own_length(read):
    first, second = read(table_samples.wandb_ui())
    assert (first.run_id, second.run_id, second.name) == ("run_07/a.1", "run_07/b - 2", "b - 2")
    assert (len(first.loss[0]), len(second.loss[0])) == (24, 15)
    assert first.record[schema.STEP_UNIT] == "log index"
    assert "may be a NaN, or the end of a run" in second.log.non_finite


def test_wandb_buckets_keep_their_extremes_and_say_so(read):
    first, second = read(table_samples.wandb_ui())
    assert "train/loss__MAX" not in first.steps.column_names
    assert second.series("train/loss__MAX")[1].max() == 47.0
    assert (first.log.averaged_over, second.log.averaged_over) == (None, 2)
    assert has_note(second, "train/loss__MAX differs in 15 rows: points are buckets of several steps")


def test_wandb_runs_without_a_number_are_left_out_and_named(read):
    (run,) = read("Step,a - loss,a - loss__MIN,b - loss,b - loss__MIN\n0,1,1,,\n1,2,2,,\n")
    assert has_note(run, "runs without a number are left out: b")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Name,State,Runtime,_step,loss\na,finished,5,9,1\n", "is a W&B table of runs, one row each, without history"),
        ("Step,a - loss,a - loss__MIN\n0,,\n", "has no run with a number"),
        ("Step,a - loss,a - loss__MIN,a - loss\n0,1,1,1\n", "has several columns a - loss"),
        ("Relative Time,a - loss,a - loss__MIN\n0,1,1\n", "run a has no step column (found: Relative Time, loss)"),
        ("Step,a - acc,a - acc__MIN\n0,1,1\n", "run a has no loss column"),
    ],
)
def test_wandb_tables_that_cannot_be_read_are_refused(read, text, reason):
    with pytest.raises(RunLogError) as caught:
        read(text)
    assert reason in str(caught.value)


def test_yolo_losses_are_sums_and_steps_are_epochs(read):
    (run,) = read(table_samples.yolo())
    assert run.loss[1].tolist() == pytest.approx(samples.LOSSES)
    assert run.series(schema.EVAL_LOSS)[1].tolist() == pytest.approx([loss + 1 for loss in samples.LOSSES])
    assert (run.record[schema.STEP_UNIT], run.base_lr) == ("epochs", 0.01)
    assert has_note(run, "train_loss is the sum of train/box_loss, train/cls_loss; the file has no total")


def test_a_yolo_row_without_a_part_has_no_sum(read):
    (run,) = read("epoch,train/box_loss,train/cls_loss\n1,1,2\n2,1,inf\n3,1,\n4,1,3\n5,2,2\n")
    assert run.loss[1].tolist() == [3.0, math.inf, 4.0, 4.0]


@pytest.mark.parametrize("sample", [table_samples.epoch_csv, table_samples.keras, table_samples.timm])
def test_epoch_tables_say_their_unit(read, sample):
    (run,) = read(sample())
    assert (len(run.loss[0]), run.record[schema.STEP_UNIT]) == (24, "epochs")
    assert has_note(run, "steps are epochs; each loss is a mean over one")


def test_timm_tables_drop_the_header_of_a_resume(read):
    (run,) = read(table_samples.timm())
    assert (len(run.loss[0]), run.record[schema.STEP_UNIT]) == (24, "epochs")
    assert has_note(run, "repeated header lines that are left out: 1")


@pytest.mark.parametrize(
    ("column", "provenance"),
    [
        ("grad_norm", "unknown"),
        ("grad_norm_before_clipping", "before-clipping"),
        ("Grad Norm Clipped", "after-clipping"),
    ],
)
def test_a_column_name_can_tell_where_the_norm_was_taken(read, column, provenance):
    (run,) = read(f"step,loss,{column}\n0,1,2\n1,1,3\n")
    assert run.log.grad_norm == provenance
    assert run.series(schema.GRAD_NORM)[1].tolist() == [2.0, 3.0]


def test_names_that_look_like_paths_stay_names(read):
    (run,) = read("step,loss,.x,[0]\n0,1,2,3\n0,,4,\n1,1,5,6\n")
    assert run.series(".x")[1].tolist() == [4.0, 5.0]
    assert run.series("[0]")[1].tolist() == [3.0, 6.0]


def test_a_table_with_too_many_columns_is_refused(read):
    with pytest.raises(RunLogError, match=r"has 5002 columns"):
        read("step,loss" + "".join(f",m{number}" for number in range(5000)) + "\n0,1\n")


def test_a_wandb_history_of_500_rows_is_said_to_be_a_sample(read):
    header = "_step,_runtime,loss\n"
    (sampled,) = read(header + "".join(f"{9 * row},{row},1.5\n" for row in range(500)))
    (whole,) = read(header + "".join(f"{row},{row},1.5\n" for row in range(501)))
    assert has_note(sampled, "500 rows are what run.history() samples of a longer run")
    assert not has_note(whole, "500 rows")
    assert whole.record[schema.STEP_UNIT] == "log index"


def test_a_long_table_holds_several_runs(read):
    rows = "".join(f"{step},{metric},{run},{step}\n" for run in "ab" for metric in ("loss", "lr") for step in range(3))
    first, second = read("step,key,run_id,value\n" + rows)
    assert (first.run_id, second.run_id, second.name) == ("run_07/a", "run_07/b", "b")
    assert first.steps.to_pydict() == {schema.STEP: [0, 1, 2], "train_loss": [0.0, 1.0, 2.0], "lr": [0.0, 1.0, 2.0]}


def test_a_resumed_run_in_a_long_table_keeps_its_first_steps(read):
    losses = "".join(f"{step},loss,{value}\n" for step, value in [(0, 9), (1, 8), (2, 7), (1, 6), (2, 5)])
    rates = "".join(f"{step},lr,{value}\n" for step, value in [(0, 1), (1, 2), (2, 3), (1, 4), (2, 5)])
    (run,) = read("step,metric,value\n" + losses + rates)
    assert run.loss[1].tolist() == [9.0, 6.0, 5.0]
    assert run.series(schema.LR)[1].tolist() == [1.0, 4.0, 5.0]
    assert has_note(run, "attempt 2 starts at step 1")


@pytest.mark.parametrize("row", ["x,loss,1", "0,,1", "0,loss,high"])
def test_a_row_of_a_long_table_that_is_none_is_refused(read, row):
    with pytest.raises(RunLogError, match=r"line 3: step .* Fix or delete the line"):
        read(f"step,metric,value\n0,loss,1\n{row}\n")


def test_runs_below_each_other_are_told_apart_and_keep_their_settings(read):
    first, second = read(table_samples.runs_csv())
    assert (first.run_id, len(first.loss[0]), first.base_lr, second.base_lr) == ("run_07/a", 24, 0.1, 0.2)
    assert second.record[schema.OPTIMIZER] == "adam"
    assert has_note(first, "left out: host")


def test_columns_that_hold_one_setting_become_fields_of_the_record(read):
    header = "step,loss,Batch Size,config/learning_rate,config/depth,optimizer,dropout,accuracy,host\n"
    (run,) = read(header + "0,1,64,0.1,12,adam,0.5,0.5,x\n1,1,64,0.1,12,adam,0.6,0.5,x\n")
    expected = {schema.BATCH_SIZE: 64, schema.BASE_LR: 0.1, "depth": 12, schema.OPTIMIZER: "adam"}
    assert {name: run.record.get(name) for name in expected} == expected
    assert run.steps.column_names == [schema.STEP, schema.TRAIN_LOSS, "dropout", "accuracy"]
    assert run.log.notes == ("columns that are not numbers are left out: host",)


def test_a_text_that_changes_is_no_setting(read):
    (run,) = read("step,loss,optimizer\n0,1,adam\n1,1,sgd\n")
    assert schema.OPTIMIZER not in run.record
    assert has_note(run, "not numbers are left out: optimizer")


def test_a_setting_that_the_record_has_already_stays_a_column(tmp_path):
    table = pa.table({"step": [0, 1], "loss": [1.0, 1.0], "base_lr": [0.2, 0.2], "seed": [3, 3]})
    path = tmp_path / "run_07.parquet"
    pq.write_table(table.replace_schema_metadata({sealing.RECORD_KEY: json.dumps({schema.BASE_LR: 0.1})}), path)
    (run,) = read_file(path)
    assert (run.base_lr, run.record[schema.SEED]) == (0.1, 3)
    assert run.series("base_lr")[1].tolist() == [0.2, 0.2]
