import numpy as np
import pytest

from analysis.edge_noise import measure_edge_noise, measure_late_noise, say_edge_noise
from analysis.findings import diagnose
from analysis.judge import judge_one
from analysis.published import publish
from tests.studies import make_run, make_study, sweep

RATES = {0.003: 0.02, 0.01: 0.02, 0.03: 0.02, 0.06: 0.08}  # noise by learning rate


def noisy(noise, seed, base_lr, steps=400):
    """Makes a run that declines under log-normal noise."""
    rng = np.random.default_rng([seed, int(1e6 * base_lr)])
    loss = (0.2 + 2 * np.exp(-np.arange(steps) / 30)) * np.exp(noise * rng.normal(size=steps))
    return make_run(loss, run_id=f"{base_lr:g}-{seed}", base_lr=base_lr, seed=seed)


def noisy_sweep(rates=RATES, seeds=3):
    return [noisy(noise, seed, base_lr) for base_lr, noise in rates.items() for seed in range(seeds)]


def test_the_ratio_of_the_noise_to_that_of_the_next_lower_rate_is_found():
    measured = measure_edge_noise([judge_one(run, "s") for run in noisy_sweep()])
    assert [noise.base_lr for noise in measured] == list(RATES)
    assert measured[0].times is None
    assert [noise.times for noise in measured[1:]] == pytest.approx([1, 1, 4], rel=0.25)


def test_the_factor_is_that_of_the_noise_whatever_the_level_and_one_spike_does_not_move_it():
    rng = np.random.default_rng(0)
    loss = np.exp(0.05 * rng.normal(size=4000))
    expected = np.exp(0.05 * np.sqrt(2) * 0.6745)
    assert measure_late_noise(loss) == pytest.approx(expected, rel=0.01)
    assert measure_late_noise(1000 * loss) == pytest.approx(measure_late_noise(loss))
    loss[-100] = 1e6
    assert measure_late_noise(loss) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("loss", [np.ones(70), np.zeros(400), np.r_[np.ones(300), np.full(100, np.nan)], -np.ones(400)])
def test_losses_without_a_late_noise_have_no_number(loss):
    assert measure_late_noise(loss) is None


def test_a_rate_above_a_loss_that_does_not_change_has_no_ratio():
    runs = [noisy(0.0, 0, 0.1), noisy(0.1, 0, 0.3)]
    runs[0] = make_run(np.ones(400), run_id="flat", base_lr=0.1)
    measured = measure_edge_noise([judge_one(run, "s") for run in runs])
    assert [noise.times for noise in measured] == [None, None]


def test_the_sentence_names_the_noisy_rate_and_the_one_below():
    (found,) = diagnose(make_study(noisy_sweep())).sweeps
    assert say_edge_noise(found).startswith("The late loss at 0.06 is ")
    assert "times as noisy as at 0.03" in say_edge_noise(found)
    (quiet,) = diagnose(make_study(noisy_sweep(dict.fromkeys(RATES, 0.02)))).sweeps
    assert say_edge_noise(quiet) == ""


def test_noise_below_the_best_rate_is_no_edge_noise():
    (found,) = diagnose(make_study(sweep(9.0, seeds=1))).sweeps
    below = [noise for noise in found.edge_noise if noise.base_lr < found.lr_star]
    assert below
    assert say_edge_noise(found) == ""


def test_the_published_sweep_has_a_number_for_each_rate():
    published = publish(diagnose(make_study(noisy_sweep())))["study"]["sweeps"][0]["edge_noise"]
    assert [set(row) for row in published] == [{"base_lr", "factor", "times"}] * 4
