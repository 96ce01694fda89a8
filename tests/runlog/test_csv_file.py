"""CSV and TSV files: what is read, what is noted, what is refused and where."""

import csv
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.runlog import RunLogError, read_paths, schema
from analysis.runlog.readers import csv_file


@pytest.fixture
def read_text(tmp_path):
    def read(text, **column_map):
        path = tmp_path / "run_07.csv"
        path.write_text(text, encoding="utf-8", newline="")
        return read_paths([path], column_map=column_map).runs[0]

    return read


def losses(run):
    return run.steps[schema.TRAIN_LOSS].to_pylist()


def same(a, b):
    return len(a) == len(b) and all(x == y or (x != x and y != y) for x, y in zip(a, b, strict=True))


def test_the_run_id_is_the_stem_and_the_source_names_reader_and_file(read_text):
    run = read_text("step,loss\n0,1\n")
    assert (run.run_id, run.record[schema.SOURCE]) == ("run_07", "csv: run_07.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_byte_order_marks_and_line_ends_are_found(read_text, delimiter, start, end):
    lines = ["step,loss,grad norm,lr", "0,1.5,2,0.1", "1,nan,3,0.1"]
    run = read_text(start + "".join(line.replace(",", delimiter) + end for line in lines))
    assert run.steps.column_names == [schema.STEP, schema.TRAIN_LOSS, schema.GRAD_NORM, schema.LR]
    assert same(losses(run), [1.5, math.nan])
    assert run.base_lr == 0.1


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("global_step,loss", schema.TRAIN_LOSS),
        ("trainer/global_step,train/loss", schema.TRAIN_LOSS),
        ("_step,Training Loss", schema.TRAIN_LOSS),
        (" Iteration , VAL_LOSS ", schema.EVAL_LOSS),
        ("update,validation/loss", schema.EVAL_LOSS),
    ],
)
def test_columns_are_found_by_the_names_loggers_use(read_text, header, column):
    assert read_text(f"{header}\n5,0.25\n").steps.to_pydict() == {schema.STEP: [5], column: [0.25]}


def test_a_map_goes_before_the_names(read_text):
    run = read_text("step,iter_num,loss,lm loss\n9,0,1,2\n9,1,3,4\n", step="iter_num", train_loss="lm loss")
    assert run.steps.to_pydict() == {schema.STEP: [0, 1], schema.TRAIN_LOSS: [2.0, 4.0], "loss": [1.0, 3.0]}
    assert run.log.notes == ("columns with a missing, double or taken name are left out: step",)


def test_further_numbers_are_kept_and_text_is_left_out_and_noted(read_text):
    run = read_text("step,loss,accuracy,host\n0,1,0.5,a\n1,2,,b\n")
    assert run.steps["accuracy"].to_pylist() == [0.5, None]
    assert run.log.notes == ("columns that are not numbers are left out: host",)


@pytest.mark.parametrize(
    ("text", "value"),
    [("nan", math.nan), ("NaN", math.nan), ("inf", math.inf), ("-Infinity", -math.inf), ("1e400", math.inf)],
)
def test_non_finite_text_is_a_logged_value(read_text, text, value):
    run = read_text(f"step,loss\n0,1\n1,{text}\n2,\n3,1\n4,1\n5,1\n")
    assert same(losses(run)[:2], [1.0, value])


@pytest.mark.parametrize("cell", ["", "NA", '"NA"'])
def test_an_empty_cell_beside_other_metrics_is_not_logged(read_text, cell):
    run = read_text(f"step,loss,val_loss\n0,1,{cell}\n1,{cell},2\n2,3,{cell}\n")
    assert losses(run) == [1.0, None, 3.0]
    assert (run.log.stride, run.log.non_finite, run.log.notes) == (2, "unknown", ())


def test_nan_that_pandas_lost_is_read_as_nan_and_noted(tmp_path):
    loss = np.r_[np.linspace(2, 1, 80), np.full(20, np.nan)]
    frame = pd.DataFrame({"step": np.arange(100), "loss": loss, "grad_norm": loss * 3, "lr": 0.1, "epoch": 0})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "b.parquet")
    for run in read_paths([tmp_path]):
        assert same(losses(run), loss.tolist())
        assert same(run.steps[schema.GRAD_NORM].to_pylist(), (loss * 3).tolist())
        assert run.log.non_finite.startswith("NaN was written as an empty cell")
        assert "NaN lost by the logger: 20 rows from step 80 on" in run.log.notes[0]


def test_one_lost_nan_between_losses_is_seen(read_text):
    run = read_text("step,loss\n" + "".join(f"{step},{'' if step == 7 else 1.5}\n" for step in range(0, 20)))
    assert math.isnan(losses(run)[7])
    assert sum(loss == 1.5 for loss in losses(run)) == 19


def test_a_file_that_writes_nan_did_not_lose_any(read_text):
    run = read_text("step,loss\n0,1\n1,1\n2,nan\n3,\n4,1\n")
    assert same(losses(run), [1.0, 1.0, math.nan, None, 1.0])


def test_rows_of_another_cadence_are_not_taken_for_lost_nan(read_text):
    rows = [f"{step},{1.5 if step % 10 == 0 else ''},0.1" for step in range(100)]
    run = read_text("step,loss,lr\n" + "\n".join(rows) + "\n")
    assert (run.steps[schema.TRAIN_LOSS].null_count, run.log.stride) == (90, 10)


def test_rows_of_a_learning_rate_monitor_are_not_taken_for_lost_nan(read_text):
    rows = [f"{step},,0.1\n{step},1.5," for step in range(9)]
    run = read_text("step,loss,lr\n" + "\n".join(rows) + "\n")
    assert losses(run) == [1.5] * 9
    assert run.log.notes == ("base_lr taken from the lr column",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "iter_num,loss\n0,1\n",
            "has no step column (found: iter_num, loss). Rename one, or map it on the import page",
        ),
        ("step,x\n0,1\n", "has no loss column (found: step, x). Rename one, or map it on the import page"),
        ("step,loss\n0,1\n1,2,3\n2,1\n", "line 3: 3 fields, header has 2. Fix or delete the line"),
        ("step,loss\n0,1\n1\n2,1\n", "line 3: 1 fields, header has 2. Fix or delete the line"),
        (
            "step,loss\n0,1\n1,oops\n",
            "line 3: 'oops' in column loss is not a number. Fix the cell, or map another column",
        ),
        ('step,loss\n0,"1\n"\n1,1\n1,-\n', "line 5: '-' in column loss is not a number"),
        ("step;loss\n0;1,5\n", "line 2: '1,5' in column loss is not a number"),
        ("step,loss\n0,1\n1.5,2\n", "row 2 has step 1.5; steps are whole numbers from 0. Fix or delete the row"),
        ("step,loss\n-3,1\n", "row 1 has step -3;"),
        ("step,loss\nnan,1\n", "row 1 has step nan;"),
        ("step,loss\n1e300,1\n", "row 1 has step 1e+300;"),
        ("step,loss\n,1\n", "row 1 has no step;"),
        ("step,loss,loss\n0,1,2\n", "has 2 columns loss; which one counts is open. Rename one"),
        ("step,loss\n", "has a header but no rows. Log at least one step"),
        ("step,loss\n0,\n", "has no train_loss or eval_loss"),
        ('step,loss\n0,"1\n', "is no valid CSV (unexpected end of data)"),
        ("", "is empty. Give a format that `python -m analysis formats` lists"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(read_text, text, reason):
    with pytest.raises(RunLogError) as caught:
        read_text(text)
    assert str(caught.value).startswith("run_07.csv ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("step,loss,größe\n0,1,2\n".encode("latin-1"))
    with pytest.raises(RunLogError, match=r"a.csv is not UTF-8 text \(byte 12\)"):
        read_paths([path])


@pytest.mark.parametrize(
    ("column_map", "reason"),
    [
        ({"train_loss": "nope"}, r"has no column nope \(found: step, loss\). Map train_loss to one of these"),
        ({"trainloss": "loss"}, "trainloss cannot be mapped to. Map one of step, train_loss"),
    ],
)
def test_a_map_that_cannot_hold_is_refused(read_text, column_map, reason):
    with pytest.raises(RunLogError, match=reason):
        read_text("step,loss\n0,1\n", **column_map)


def test_repeated_headers_are_dropped_and_counted(read_text):
    run = read_text("step,loss\n0,1\nstep,loss\n1,2\nstep,loss\n2,3\n")
    assert (losses(run), run.log.notes) == ([1.0, 2.0, 3.0], ("repeated header lines that are left out: 2",))


def test_of_two_values_at_one_step_the_last_counts_and_is_noted(read_text):
    run = read_text("step,loss,val_loss\n0,1,\n0,,9\n1,2,\n1,3,\n")
    assert run.steps.to_pydict() == {
        schema.STEP: [0, 1],
        schema.TRAIN_LOSS: [1.0, 3.0],
        schema.EVAL_LOSS: [9.0, None],
    }
    assert run.log.notes == ("1 times a value was logged again at the same step; the later value counts",)


def test_a_step_that_jumps_back_is_a_resume_and_is_noted(read_text):
    run = read_text("step,loss\n0,1\n1,1\n2,1\n1,5\n2,5\n3,5\n")
    assert losses(run) == [1.0, 5.0, 5.0, 5.0]
    assert run.log.notes == ("attempt 2 starts at step 1; rows of earlier attempts that are superseded: 2",)


def test_a_last_line_that_was_cut_off_is_noted(read_text):
    assert read_text("step,loss\n0,1\n1").log.notes == ("line 3 was cut off while it was written and is left out",)
    assert read_text("step,loss\n0,1\n1,2").log.notes == (
        "the last line has no line end; its last number may be cut short",
    )


TABLES = st.lists(st.one_of(st.none(), st.floats()), min_size=2, max_size=30).filter(lambda cells: cells[0] is not None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(TABLES, st.booleans())
def test_values_come_back_exactly_from_plain_and_from_quoted_files(tmp_path, cells, is_careful):
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if is_careful else csv.QUOTE_MINIMAL)
        writer.writerow(["step", "loss", "accuracy", "host"][: 3 + is_careful])
        writer.writerows([step, cell, 1, "a"][: 3 + is_careful] for step, cell in enumerate(cells))
    (run,) = csv_file.read(path)
    assert same(losses(run), cells)
