"""The tables of a report."""

import numpy as np

from analysis.findings import diagnose
from analysis.report.made_with import list_versions
from analysis.report.tables import MOST_RUNS, split_settings, table_of_numbers, table_of_runs
from analysis.side_by_side import compare_sweeps
from tests.studies import make_run, make_study, sweep, sweep_run


def test_runs_stand_by_series_rate_and_seed_with_verdict_events_and_final_loss():
    table = table_of_runs(
        diagnose(make_study([*sweep(0.3, seeds=2, stride="1x1"), *sweep(9.0, seeds=1, stride="2x2")]))
    )
    assert table.head == ("run", "series", "learning rate", "seed", "verdict", "events", "final evaluation loss")
    assert len(table.rows) == 18
    assert [row[1:4] for row in table.rows[:3]] == [
        ("stride 1x1", "0.003", "0"),
        ("stride 1x1", "0.003", "1"),
        ("stride 1x1", "0.01", "0"),
    ]
    broken = [row for row in table.rows if row[4] == "unstable"]
    assert {row[2] for row in broken} == {"0.3", "1"}
    assert all(row[5].startswith("early steps 1 to ") and row[5].endswith(", recovered") for row in broken)
    assert all(float(row[6]) > 0 for row in table.rows)


def test_a_study_of_one_series_has_no_column_for_it_and_a_run_without_records_has_gaps():
    table = table_of_runs(diagnose(make_study([make_run(np.linspace(2, 1, 60))])))
    assert table.head == ("run", "learning rate", "seed", "verdict", "events", "final loss")
    assert table.rows == (("run", "", "", "steady", "none", "1"),)


def test_a_lost_run_ends_not_finite():
    loss = np.concatenate((np.linspace(2.3, 0.5, 60), np.full(60, np.nan)))
    ((*_, events, final),) = table_of_runs(diagnose(make_study([make_run(loss, base_lr=0.1)]))).rows
    assert events == "mid-training from step 60, diverged"
    assert final == "not finite"


def test_more_runs_than_a_page_can_list_are_counted():
    runs = [sweep_run(0.1, seed, 9.0, steps=40) for seed in range(MOST_RUNS + 3)]
    table = table_of_runs(diagnose(make_study(runs)))
    assert len(table.rows) == MOST_RUNS
    assert table.note == "3 more runs are not listed."


def test_what_differs_and_what_all_runs_share_are_told_apart():
    runs = [*sweep(0.3, seeds=2, stride="1x1"), *sweep(9.0, lrs=(0.1, 0.15), seeds=2, stride="2x2", warmup_steps=1000)]
    differ, share = split_settings(runs)
    assert dict(differ.rows) == {
        "base lr": "0.003 to 1, 7 values",
        "seed": "0, 1",
        "stride": "1x1, 2x2",
        "warmup steps": "none, 1000",
    }
    assert dict(share.rows) == {
        "batch size": "64",
        "max train steps": "300",
        "optimizer": "momentum",
        "workload": "stride_resnet",
    }


def test_the_numbers_are_those_of_the_comparison_with_the_control():
    diagnosis = diagnose(make_study([*sweep(0.3, stride="1x1"), *sweep(9.0, stride="2x2")]))
    table = table_of_numbers(diagnosis)
    assert table.head == ("", "stride 1x1", "stride 2x2")
    focus, control = (next(s for s in diagnosis.sweeps if s.series == f"stride={x}") for x in ("1x1", "2x2"))
    assert list(table.rows) == compare_sweeps(diagnosis, focus, control)
    assert table_of_numbers(diagnose(make_study([make_run(np.linspace(2, 1, 60))]))) is None


def test_versions_of_the_runs_are_counted_where_they_differ():
    versions = ({"torch": "2.13"}, {"torch": "2.13"}, {"torch": "2.12"}, "none")
    runs = [make_run([1.0], run_id=str(place), versions=version) for place, version in enumerate(versions)]
    listed = dict(list_versions("commit abc", runs))
    assert listed["Steadystep"] == "commit abc"
    assert listed["torch, in the runs"] == "2.13 (2 runs), 2.12 (1 run)"
    assert {"Python", "pandas", "altair"} <= set(listed)


def test_odd_seeds_and_numbers_without_end_are_listed_too():
    seeds = (3, "x", "9" * 5000, 10, None, 1.5)
    runs = [make_run([2.0, 1.0] * 30, run_id=f"{place}", base_lr=0.1, seed=seed) for place, seed in enumerate(seeds)]
    assert len(table_of_runs(diagnose(make_study(runs))).rows) == len(seeds)
    assert dict(split_settings(runs)[0].rows)["seed"].startswith("3, x, 999")
