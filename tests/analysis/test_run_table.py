"""The run table says what every run is and what became of it, and is searched in time proportional to its text."""

import time

import numpy as np
import pytest

from analysis.charts.pictures import names_of
from analysis.findings import diagnose
from analysis.focus import choose_sweep
from analysis.run_table import (
    SPARK_POINTS,
    choose_baseline,
    differing,
    group_of,
    say_differences,
    search,
    spark_lines,
    tabulate_runs,
)
from analysis.runlog import RunLogError
from tests.studies import make_run, make_study, sweep


@pytest.fixture(scope="module")
def diagnosis():
    lost = make_run(np.r_[np.linspace(2, 1, 60), np.full(20, np.nan)], run_id="lost", base_lr=3.0, stride="1x1", seed=0)
    return diagnose(make_study([*sweep(0.3, stride="1x1"), *sweep(9.0, stride="2x2", seeds=2), lost]))


@pytest.fixture(scope="module")
def table(diagnosis):
    return tabulate_runs(diagnosis, names_of(diagnosis)).set_index("run_id")


def test_every_run_has_a_row_with_its_verdict_its_events_and_its_final_loss(diagnosis, table):
    assert list(table.index) == [judged.run.run_id for judged in diagnosis.runs]
    broken = table.loc["1x1-0.3-0"]
    assert broken["verdict"] == "unstable"
    assert broken["events"].startswith("early at step 1, recovered")
    assert table.loc["2x2-0.1-0", "events"] == "none"
    steady = next(judged.run for judged in diagnosis.runs if judged.run.run_id == "2x2-0.1-0")
    assert table.loc["2x2-0.1-0", "final_loss"] == steady.loss[1][-1]


def test_a_run_that_ends_not_finite_sorts_above_all_others(table):
    assert table["final_loss"].idxmax() == "lost"
    assert np.isinf(table.loc["lost", "final_loss"])


def test_a_small_curve_keeps_a_spike_of_one_step_and_has_no_value_that_is_not_finite():
    loss = np.full(100_000, 0.5)
    loss[61_803], loss[70_000] = 50.0, np.nan
    (line,) = spark_lines([make_run(loss)])
    assert len(line) <= SPARK_POINTS
    assert max(line) == pytest.approx(np.log10(50), abs=1e-3)
    assert np.isfinite(line).all()


def test_a_run_that_blows_up_does_not_flatten_the_small_curves_of_the_others():
    lines = spark_lines([make_run(np.linspace(2, 1, 50)), make_run(np.r_[2.0, np.full(49, 1e30)])])
    assert max(lines[1]) == pytest.approx(np.log10(2) + 3, abs=1e-3)


def test_only_metaparameters_that_differ_from_the_baseline_are_named(diagnosis):
    said = say_differences(diagnosis, "1x1-0.1-0")
    assert said["1x1-0.1-0"] == "the baseline"
    assert said["1x1-0.3-0"] == "base lr 0.3, not 0.1"
    assert said["1x1-0.1-1"] == "seed 1, not 0"
    assert said["2x2-0.3-1"] == "base lr 0.3, not 0.1; seed 1, not 0; stride 2x2, not 1x1"


def test_the_baseline_is_the_best_run_and_groups_are_what_differs(diagnosis):
    assert choose_baseline(diagnosis, choose_sweep(diagnosis)) == "1x1-0.1-0"
    assert {"base_lr", "seed", "stride"} <= set(differing(diagnosis))
    judged = next(each for each in diagnosis.runs if each.run.run_id == "2x2-0.3-1")
    assert group_of(judged, "stride") == "2x2"
    assert group_of(judged, "seed") == "1"


def test_the_filter_takes_plain_text_and_expressions(table):
    texts = table["text"].tolist()
    assert search(texts, "").all()
    assert search(texts, "STRIDE=1x1").sum() == 18 + 1
    assert search(texts, r"^1x1-0\.3-\d ").sum() == 3
    assert search(["a (b", "c"], "a (b").tolist() == [True, False]  # no expression, but found as it is


def test_an_expression_that_is_none_is_said_in_one_line(table):
    with pytest.raises(RunLogError, match=r"no regular expression \(.*\) and no run holds it") as raised:
        search(table["text"].tolist(), "lr=(0.1")
    assert "\n" not in str(raised.value)
    with pytest.raises(RunLogError, match="Up to 200 are searched"):
        search(table["text"].tolist(), "(a|b)" * 50)


def test_no_expression_holds_up_the_server():
    start = time.process_time()
    search(["a" * 10_000 + "!"] * 20, "(a+)+$")
    assert time.process_time() - start < 5  # minutes to years with backtracking
