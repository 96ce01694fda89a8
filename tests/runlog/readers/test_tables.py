"""Tables of others: AlgoPerf, Lightning, W&B, YOLO, one row an epoch."""

import math

import pytest

from analysis.runlog import RunLogError, schema
from analysis.runlog.paths import read_file
from tests.runlog.readers import samples


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
    (run,) = read(samples.algoperf())
    assert run.loss[1].tolist() == list(samples.LOSSES)
    assert run.series("train/loss")[0].tolist() == [1, 11, 21]
    assert run.series(schema.ELAPSED_SECONDS)[1].tolist() == [6.0, 16.0, 26.0]
    assert has_note(run, "train/loss is an evaluation of the training set")


def test_algoperf_evaluations_that_lost_their_nan_get_it_back(read):
    (run,) = read(samples.algoperf([*samples.LOSSES[:16], *[math.nan] * 8]))
    assert [math.isnan(value) for value in run.series(schema.EVAL_LOSS)[1]] == [False, False, True]
    assert has_note(run, "eval_loss: 1 evaluations without a value, read as NaN")
    assert has_note(run, "NaN lost by the logger: 8 rows from step 16 on")


def test_lightning_takes_losses_of_steps_before_those_of_epochs(read):
    (run,) = read(samples.lightning())
    assert (run.log.stride, run.log.averaged_over, run.base_lr) == (50, None, 0.01)
    assert run.series(schema.EVAL_LOSS)[1].tolist() == [2.75]
    assert run.series("train_loss_epoch")[1].tolist() == [2.5]


def test_lightning_with_losses_of_epochs_only_says_so(read):
    rows = "".join(f"{epoch},{63 * epoch + 62},{3 - epoch}\n" for epoch in range(3))
    (run,) = read("epoch,step,train_loss_epoch\n" + rows)
    assert (run.log.averaged_over, run.loss[1].tolist()) == (63, [3.0, 2.0, 1.0])
    assert has_note(run, "the training loss is the mean of an epoch")


def test_wandb_charts_hold_several_runs_of_their_own_length(read):
    first, second = read(samples.wandb_ui())
    assert (first.run_id, second.run_id, second.name) == ("run_07/a.1", "run_07/b - 2", "b - 2")
    assert (len(first.loss[0]), len(second.loss[0])) == (24, 15)
    assert first.record[schema.STEP_UNIT] == "log index"
    assert "may be a NaN, or the end of a run" in second.log.non_finite


def test_wandb_buckets_keep_their_extremes_and_say_so(read):
    first, second = read(samples.wandb_ui())
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
        ("Name,State,Runtime,loss\na,finished,5,1\n", "is a W&B table of runs, one row each, without history"),
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
    (run,) = read(samples.yolo())
    assert run.loss[1].tolist() == pytest.approx(samples.LOSSES)
    assert run.series(schema.EVAL_LOSS)[1].tolist() == pytest.approx([loss + 1 for loss in samples.LOSSES])
    assert (run.record[schema.STEP_UNIT], run.base_lr) == ("epochs", 0.01)
    assert has_note(run, "train_loss is the sum of train/box_loss, train/cls_loss; the file has no total")


def test_a_yolo_row_without_a_part_has_no_sum(read):
    (run,) = read("epoch,train/box_loss,train/cls_loss\n1,1,2\n2,1,inf\n3,1,\n4,1,3\n5,2,2\n")
    assert run.loss[1].tolist() == [3.0, math.inf, 4.0, 4.0]


def test_epoch_tables_say_their_unit_and_drop_the_header_of_a_resume(read):
    (run,) = read(samples.epoch_csv())
    assert (len(run.loss[0]), run.record[schema.STEP_UNIT]) == (24, "epochs")
    assert has_note(run, "repeated header lines that are left out: 1")
    assert has_note(run, "steps are epochs; each loss is a mean over one")


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
    with pytest.raises(RunLogError, match="has 5002 columns"):
        read("step,loss" + "".join(f",m{number}" for number in range(5000)) + "\n0,1\n")
