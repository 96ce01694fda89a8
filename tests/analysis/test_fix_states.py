"""What a study's own runs say of a fix, and the command that runs its experiment."""

import numpy as np
import pytest

from analysis.findings import diagnose
from analysis.runlog import schema
from tests.studies import make_run, make_study, sweep, sweep_run


def fixes_of(runs):
    return {fix.fix: fix for fix in diagnose(make_study(runs)).fixes}


def clipped(threshold, edge, multiplier=1.0):
    """Makes three seeds at the unstable rate, clipped at a threshold."""
    runs = [sweep_run(0.3, seed, edge, clip_threshold=threshold, parent_run="x") for seed in range(3)]
    return [with_norm(run, threshold * multiplier) for run in runs]


def with_norm(run, norm):
    loss, columns = run.loss[1], {schema.GRAD_NORM: np.full(run.steps.num_rows, norm)}
    return make_run(loss, columns=columns, **run.record)


@pytest.mark.parametrize(
    ("tried", "state"),
    [
        ([], "suggested"),
        (clipped(2.0, 0.3, 0.9), "tried"),
        (clipped(2.0, 0.3, 0.9) + clipped(1.0, 0.3, 2.0), "failed"),
        (clipped(2.0, 0.3, 0.9) + clipped(1.0, 1e9, 0.9), "confirmed"),
    ],
    ids=["none", "one threshold", "more than half clipped", "a tighter one holds"],
)
def test_clipping_has_failed_only_where_no_tighter_threshold_is_left(tried, state):
    assert fixes_of(sweep(edge=0.3) + tried)["clipping"].state == state


def test_a_lower_rate_is_judged_by_the_runs_at_it():
    assert fixes_of(sweep(edge=0.3))["lower-lr"].state == "confirmed"
    assert fixes_of(sweep(edge=0.3, seeds=1))["lower-lr"].state == "tried"


def test_a_command_has_the_fewest_options_that_tell_its_series_from_the_others():
    others = [
        sweep_run(rate, 0, 1e9, optimizer="adam", beta1=0.9, beta2=0.999, eps=1e-8) for rate in (0.001, 0.01, 0.1, 1.0)
    ]
    command = fixes_of(sweep(edge=0.3, gamma=0.9) + others)["warmup"].command
    assert command == "python -m runners.warmup_sweep --study study --variant optimizer=momentum"


def test_a_run_that_has_only_begun_asks_for_no_probe():
    begun = sweep_run(0.1, 7, 1e9, steps=5, status="running", stride="new")
    assert "probe" not in fixes_of([*sweep(edge=0.3), begun])
    assert fixes_of([begun]) == {}
