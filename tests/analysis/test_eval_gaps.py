import numpy as np
import pytest

from analysis.judge import judge_one
from tests import curves
from tests.studies import make_run


def early_of(loss, **kind):
    """Returns (early, verdict) of a log."""
    judged = judge_one(make_run(loss, **kind), "s")
    return judged.early, judged.verdict


@pytest.mark.parametrize("seed", range(5))
def test_a_log_of_every_step_shows_or_excludes_an_early_rise(seed):
    assert early_of(curves.early(300, seed).loss) == ("seen", "unstable")
    assert early_of(curves.decline(300, np.random.default_rng(seed))) == ("excluded", "stable")


@pytest.mark.parametrize("every", [10, 25, 100])
def test_a_thinned_log_of_an_early_rise_never_reads_excluded_or_stable(every):
    loss = curves.early(600, 0).loss[every - 1 :: every]
    assert early_of(loss, every=every, first_step=every - 1) == ("cannot-tell", "cannot-tell")


@pytest.mark.parametrize("over", [10, 100])
def test_an_averaged_log_of_an_early_rise_never_reads_excluded(over):
    loss = curves.early(3000, 0).loss.reshape(-1, over).mean(axis=1)
    assert early_of(loss, every=over, first_step=over, averaged_over=over)[0] == "cannot-tell"


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
