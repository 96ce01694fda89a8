import numpy as np
import pytest

from analysis.findings import diagnose
from analysis.judge import judge_one
from tests import curves
from tests.studies import make_run, make_study


def early_of(loss, **kind):
    """Returns (early, verdict) of a log."""
    judged = judge_one(make_run(loss, **kind), "s")
    return judged.early, judged.verdict


@pytest.mark.parametrize("seed", range(5))
def test_a_log_of_every_step_shows_or_excludes_an_early_rise(seed):
    assert early_of(curves.early(300, seed).loss) == ("seen", "unstable")
    assert early_of(curves.decline(300, np.random.default_rng(seed))) == ("excluded", "stable")


def masked(answer, every, averaged):
    """Makes the log of a curve that keeps every k-th loss, or the mean of every k."""
    kept = answer.loss.reshape(-1, every).mean(axis=1) if averaged else answer.loss[every - 1 :: every]
    return make_run(kept, every=every, first_step=every - 1, averaged_over=every if averaged else None, base_lr=0.1)


@pytest.mark.parametrize("height", [1.5, 2.0, 40.0])
@pytest.mark.parametrize(
    ("every", "averaged"), [(10, 0), (25, 0), (100, 0), (500, 0), (10, 1), (25, 1), (100, 1), (500, 1)]
)
def test_a_masked_early_rise_never_reads_excluded_and_the_probe_is_named(every, averaged, height):
    for seed in range(3):
        judged = diagnose(make_study([masked(curves.early(5000, seed, height), every, averaged)]))
        assert judged.runs[0].early != "excluded"
        assert judged.runs[0].early == "seen" or [fix.fix for fix in judged.fixes][:1] == ["probe"]


def test_missing_first_steps_cannot_be_told():
    assert early_of(curves.decline(300, np.random.default_rng(0)), first_step=50)[0] == "cannot-tell"


def test_a_smoothed_loss_cannot_be_told():
    raw = curves.stable("gaussian", 2000, 1).loss
    smooth = np.convolve(raw, np.ones(30) / 30, mode="valid")
    assert early_of(smooth)[0] == "cannot-tell"


def test_a_few_losses_say_nothing():
    assert early_of(np.linspace(2, 1, 8)) == ("cannot-tell", "cannot-tell")


def test_a_log_that_counts_epochs_cannot_tell_of_the_first_steps():
    assert early_of(curves.decline(300, np.random.default_rng(0)), step_unit="epochs")[0] == "cannot-tell"
