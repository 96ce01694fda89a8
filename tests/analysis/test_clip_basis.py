import numpy as np
import pytest

from analysis.clip_basis import (
    doubts_of,
    find_healthy,
    norms_of,
    propose_threshold,
    runs_with_norms,
    why_no_replay,
    why_no_threshold,
)
from analysis.clipping import choose_clip_threshold
from analysis.findings import diagnose
from analysis.fix_case import find_case
from analysis.runlog import LogDescription, schema
from tests.studies import make_run, make_study, sweep

NORM = {schema.GRAD_NORM: np.linspace(1, 2, 100)}


def logged(**log):
    """Makes a run of 100 norms with such a log."""
    description = {"stride": 1, "first_step": 0, "averaged_over": None, "grad_norm": "before-clipping"} | log
    return make_run(np.ones(100), columns=NORM, log=LogDescription(**description, non_finite="kept"))


@pytest.fixture(scope="module")
def diagnosis():
    return diagnose(make_study(sweep(0.3, stride="1x1", seeds=2) + sweep(9.0, stride="2x2", seeds=1)))


def test_the_proposal_is_the_one_that_the_fix_starts_from(diagnosis):
    case, proposal = find_case(diagnosis), propose_threshold(diagnosis)
    assert proposal == choose_clip_threshold([*case.healthy, *case.unstable])
    fix = next(fix for fix in diagnosis.fixes if fix.fix == "clipping")
    assert fix.numbers["clip_threshold"] == float(f"{proposal.clip_threshold:.2g}")


def test_a_study_without_instability_proposes_from_a_run_at_its_best_learning_rate():
    steady = diagnose(make_study(sweep(9.0, seeds=1)))
    assert propose_threshold(steady).run_id == runs_with_norms(steady)[0].run.run_id == "run-0.1-0"


def test_an_unstable_run_finds_a_healthy_run_of_its_own_series(diagnosis):
    judged = {each.run.run_id: each for each in diagnosis.runs}
    assert find_healthy(diagnosis, judged["1x1-1-0"]).run.run_id == propose_threshold(diagnosis).run_id
    assert find_healthy(diagnosis, judged["2x2-0.01-0"]).run.run_id == "2x2-1-0"


def test_a_series_without_a_healthy_run_finds_none():
    broken = diagnose(make_study(sweep(0.001, lrs=(0.1, 0.3), seeds=1)))
    assert find_healthy(broken, broken.runs[0]) is None


def test_norms_of_a_run_that_never_recovers_are_all_finite_ones():
    loss, norm = np.linspace(2.3, 0.5, 200), np.ones(200)
    loss[100:], norm[150] = 5.0, np.nan
    (judged,) = diagnose(make_study([make_run(loss, columns={schema.GRAD_NORM: norm})])).runs
    assert [event.outcome for event in judged.confirmed] == ["not-recovered"]
    assert len(norms_of(judged)) == 199


def test_norms_from_after_clipping_and_means_over_steps_are_refused():
    assert "after clipping" in why_no_threshold(logged(grad_norm="after-clipping"))
    assert "mean over 10 steps" in why_no_threshold(logged(averaged_over=10))
    assert why_no_threshold(logged()) == why_no_threshold(logged(averaged_over=1)) == ""


def test_a_norm_that_was_not_logged_every_step_cannot_be_replayed():
    sparse = make_run(np.ones(20), every=5, columns={schema.GRAD_NORM: np.ones(20)})
    assert "every 5 steps" in why_no_replay(sparse)
    assert why_no_replay(logged()) == ""


def test_an_unknown_norm_and_a_log_that_begins_late_are_doubts_that_are_said():
    assert doubts_of(logged()) == ()
    (unknown,) = doubts_of(logged(grad_norm="unknown"))
    assert "does not say" in unknown
    (late,) = doubts_of(make_run(np.ones(100), first_step=40, columns=NORM))
    assert "step 40" in late
