"""The adaptive sweep finds what the whole grid shows."""

import pytest

from analysis.judge import judge_one
from analysis.lr_search import choose_rates, choose_repeated
from analysis.lr_sweep import find_lr_sweep
from tests.studies import sweep_run

GRID = [float(f"{1e-3 * 10 ** (3 * index / 15):.6g}") for index in range(16)]


def judged(rate, seed, edge, best):
    return judge_one(sweep_run(rate, seed, edge, best), "series")


def search(edge, best):
    """Plays an adaptive sweep of three seeds; returns what it shows and how many runs it took."""
    runs = {}
    while True:
        sweep = find_lr_sweep("series", list(runs.values())) if runs else None
        tried = {rate for rate, _ in runs}
        wanted = [(rate, 0) for rate in choose_rates(GRID, sweep, tried)]
        if not wanted:
            wanted = [(rate, seed) for rate in choose_repeated(GRID, sweep, tried) for seed in range(3)]
        wanted = [pair for pair in wanted if pair not in runs]
        if not wanted:
            return sweep, len(runs)
        runs |= {(rate, seed): judged(rate, seed, edge, best) for rate, seed in wanted}


@pytest.mark.parametrize(("edge", "best"), [(0.3, 0.1), (0.02, 0.01), (9.0, 0.1), (1.0, 0.004), (0.0012, 0.001)])
def test_it_shows_the_best_rate_and_the_edge_of_the_whole_grid_with_half_of_its_runs(edge, best):
    found, num_runs = search(edge, best)
    whole = find_lr_sweep("series", [judged(rate, seed, edge, best) for rate in GRID for seed in range(3)])
    assert (found.lr_star, found.unstable_bracket) == (whole.lr_star, whole.unstable_bracket)
    assert num_runs <= len(GRID) * 3 / 2


def test_a_grid_on_which_all_is_unstable_ends_and_says_so():
    found, num_runs = search(edge=1e-9, best=0.1)
    assert found.unstable_base_lr is not None
    assert num_runs < len(GRID) * 3
