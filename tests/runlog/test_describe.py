"""What a log can show: stride, first step, averaging, and which gradient norm."""

import math

import pyarrow as pa
import pytest

from analysis.runlog import describe_log, schema

OWN = {schema.SOURCE: "RunWriter"}


def table(steps, **columns):
    return pa.table({schema.STEP: steps} | {name: pa.array(values, pa.float64()) for name, values in columns.items()})


@pytest.mark.parametrize(
    ("steps", "stride"), [([0, 1, 2, 3], 1), ([0, 10, 20, 25], 10), ([100, 101, 200], 50), ([7], 1), ([0, 3, 5], 3)]
)
def test_stride_is_the_median_gap_rounded_up(steps, stride):
    log = describe_log(table(steps, train_loss=[1.0] * len(steps)), {})
    assert (log.stride, log.first_step) == (stride, steps[0])


def test_stride_counts_rows_with_a_training_loss_only():
    log = describe_log(table([0, 5, 10, 20], train_loss=[None, None, 1.0, 1.0], eval_loss=[1.0, 1.0, None, 1.0]), {})
    assert (log.stride, log.first_step) == (10, 10)


def test_stride_is_that_of_the_evaluation_loss_where_there_is_no_other():
    assert describe_log(table([0, 1, 4], eval_loss=[1.0, None, 1.0]), {}).stride == 4


def test_a_logged_nan_counts_as_logged():
    assert describe_log(table([0, 1, 2], train_loss=[1.0, math.nan, math.nan]), {}).stride == 1


def test_averaging_is_taken_from_the_record():
    assert describe_log(table([0], train_loss=[1.0]), {schema.AVERAGED_OVER: 50}).averaged_over == 50
    assert describe_log(table([0], train_loss=[1.0]), {}).averaged_over is None


@pytest.mark.parametrize(
    ("norms", "record", "answer"),
    [
        (None, OWN, "absent"),
        ([None] * 10, OWN, "absent"),
        ([3.0] * 10, OWN, "before-clipping"),
        ([3.0] * 10, {schema.SOURCE: "runner"}, "before-clipping"),
        ([3.0] * 10, {schema.SOURCE: "csv: runner.csv"}, "unknown"),
        ([3.0] * 10, {}, "unknown"),
        ([0.5, 0.7] + [1.0] * 5, {schema.CLIP_THRESHOLD: 1.0}, "after-clipping"),
        ([0.5, 0.7] + [0.999999] * 5 + [math.nan], OWN | {schema.CLIP_THRESHOLD: 1}, "after-clipping"),
        ([0.5, 0.7] + [1.0] * 4, {schema.CLIP_THRESHOLD: 1.0}, "unknown"),
        ([0.5, 1.2] + [1.0] * 5, OWN | {schema.CLIP_THRESHOLD: 1.0}, "before-clipping"),
        ([0.5] * 10, OWN | {schema.CLIP_THRESHOLD: 1.0}, "before-clipping"),
        ([math.inf] * 10, OWN | {schema.CLIP_THRESHOLD: 1.0}, "before-clipping"),
    ],
)
def test_which_gradient_norm_was_logged(norms, record, answer):
    num_rows = len(norms or [0])
    columns = {schema.TRAIN_LOSS: [1.0] * num_rows} | ({schema.GRAD_NORM: norms} if norms else {})
    assert describe_log(table(list(range(num_rows)), **columns), record).grad_norm == answer
