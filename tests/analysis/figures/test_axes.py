"""Figures 4, 7a, 7b and 8: those with a learning-rate axis."""

import numpy as np
import pytest

from analysis.runlog import schema
from tests.analysis.figures.known import LRS, before_and_after_warmup, figures_of, sudden_rises, variants
from tests.studies import make_run, sweep, sweep_run


def test_figure_4_sets_the_variant_that_breaks_first_beside_the_other_at_a_low_and_a_high_rate():
    figure = figures_of(variants())["4"]
    pair = figure.result
    assert pair.names == ("stride 1x1", "stride 2x2")
    assert (pair.low_lr, pair.high_lr) == (0.1, 0.3)
    assert figure.seeds == (2, 3)
    assert figure.caption == (
        "Stride 1x1 is best at 0.1 and unstable from 0.3; stride 2x2 is best at 0.1 and not unstable up to 1; "
        "at 0.3, 3 of 3 and 0 of 2 runs are unstable (2 to 3 seeds)."
    )


@pytest.mark.parametrize(
    "other",
    [{"stride": "2x2", "batch_size": 128}, {"stride": "1x1", "warmup_steps": 20}, {"stride": "2x2", "width": 8}],
)
def test_figure_4_compares_no_batch_sizes_no_warmups_and_no_two_factors_at_once(other):
    assert not figures_of([*sweep(0.3, stride="1x1"), *sweep(9.0, **other)])["4"].applies


def test_figure_4_prefers_an_option_of_the_workload_to_another_optimizer():
    runs = [*variants(), *sweep(0.03, optimizer="adam", stride="2x2")]
    assert figures_of(runs)["4"].result.names == ("stride 1x1", "stride 2x2")


def test_figure_4_compares_optimizers_where_nothing_else_differs():
    runs = [*sweep(0.3, optimizer="momentum"), *sweep(0.03, optimizer="adam")]
    assert figures_of(runs)["4"].result.names == ("optimizer adam", "optimizer momentum")


def test_figure_7a_says_best_edge_and_how_many_runs_are_infeasible():
    figure = figures_of(sweep(0.3, LRS))["7a"]
    infeasible = len(figure.result.infeasible)
    assert figure.result.unstable_base_lr == 0.3
    assert figure.caption == (
        "The best learning rate, 0.1, is right at the edge: training is unstable from 0.3; "
        f"{infeasible} of 21 runs are infeasible (3 seeds)."
    )


def test_figure_7a_says_that_the_range_is_too_small():
    caption = figures_of(sweep(9.0, (0.001, 0.003, 0.01, 0.03)))["7a"].caption
    assert "0.03 is the largest rate that was tried, so the range is too small" in caption


def test_figure_7a_needs_four_rates_over_a_decade_and_asks_for_those_around_the_best():
    missing = figures_of(sweep(9.0, (0.03, 0.1)))["7a"].result
    assert "has 2 learning rates" in missing.reason
    assert "--base-lr 0.01,0.03,0.032,0.1,0.32,1" in missing.command


def test_figure_7b_counts_the_runs_that_rise_after_a_decline_and_says_when_first():
    figure = figures_of(sudden_rises())["7b"]
    assert figure.result.lrs == (0.1, 0.5)
    assert figure.result.num_sudden == (0, 2)
    assert figure.result.first_onset_step == pytest.approx(150, abs=2)
    assert figure.caption == (
        "At learning rate 0.5, 5 times the best, 2 of 3 runs decline steadily and then rise suddenly, "
        f"the first at step {figure.result.first_onset_step}; at the best itself, 0 of 3 runs do (3 seeds)."
    )


def test_figure_7b_says_so_where_runs_above_break_at_once():
    figure = figures_of(sweep(0.3, LRS))["7b"]
    assert figure.result.first_onset_step is None
    assert figure.caption.startswith(
        "At 3 and 10 times the best learning rate, 0.1, no run rises after a steady decline; "
    )
    assert "6 of 6 runs are unstable without such a decline" in figure.caption


def test_figure_7b_needs_a_run_above_the_best_and_asks_for_the_double_check():
    runs = sweep(9.0, (0.003, 0.01, 0.03, 0.1))
    missing = figures_of(runs)["7b"].result
    assert missing.command == "python -m runners.check --study study"
    assert "2, 5 or 10 times the best learning rate, 0.1" in missing.reason


def test_figure_8_says_by_how_much_edge_and_star_move():
    figure = figures_of(before_and_after_warmup())["8"]
    moved = figure.result
    assert moved.warmup_steps == (0, 30)
    assert moved.edge_times == pytest.approx(10)
    assert moved.star_times == pytest.approx(10)
    assert figure.caption == (
        "With 30 steps of warmup the edge moves from 0.1 to 1, 10 times higher, "
        "and the best rate moves from 0.03 to 0.3 (2 to 3 seeds)."
    )


def test_figure_8_says_where_the_edge_was_not_reached_again():
    runs = [*sweep(0.1, LRS, best=0.03, warmup_steps=0), *sweep(9.0, LRS, best=0.03, warmup_steps=30)]
    caption = figures_of(runs)["8"].caption
    assert "the edge moves from 0.1 to above 1, the highest rate tried, and the best rate stays at 0.03" in caption


def test_figure_8_says_that_nothing_moved():
    runs = [*sweep(0.1, LRS, best=0.03, warmup_steps=0), *sweep(0.1, LRS, best=0.03, warmup_steps=30)]
    assert "the edge stays at 0.1 and the best rate stays at 0.03" in figures_of(runs)["8"].caption


def test_figure_8_says_that_the_seeds_cannot_tell_two_best_rates_apart():
    runs = [*sweep(0.3, LRS, warmup_steps=0), *sweep(0.3, LRS, warmup_steps=30)]
    tied = [
        make_run(
            run.loss[1],
            columns={schema.EVAL_LOSS: 0.2 + 0.01 * wobble(run)},
            **run.record,
        )
        for run in runs
        if run.base_lr < 0.3
    ]
    moved = figures_of(tied)["8"]
    assert moved.result.before.tie_band == moved.result.after.tie_band == (0.001, 0.1)
    assert moved.caption.endswith(
        f"the best rate moves from {moved.result.before.lr_star:g} to {moved.result.after.lr_star:g}, "
        "which the seeds cannot tell apart (3 seeds)."
    )


def wobble(run):
    """Returns evaluations that depend on luck alone."""
    rng = np.random.default_rng([run.record[schema.SEED], run.record[schema.WARMUP_STEPS], int(1e4 * run.base_lr)])
    return np.full(len(run.loss[1]), rng.normal())


def test_figure_8_takes_no_warmup_that_came_with_another_change():
    runs = [*sweep(0.1, LRS, warmup_steps=0), *sweep(1.0, LRS, warmup_steps=30, stride="2x2")]
    assert not figures_of(runs)["8"].applies


def test_figure_8_asks_for_the_same_rates_and_room_for_the_edge_to_move():
    command = figures_of(sweep(0.3, LRS))["8"].result.command
    assert "--base-lr 0.001,0.003,0.01,0.03,0.1,0.3,1,3 " in command
    assert command.endswith("--warmup-steps 30")


def test_a_run_far_above_the_best_changes_no_caption_but_its_own_count():
    runs = [*sweep(0.3, LRS), sweep_run(30.0, 0, 0.3)]
    assert figures_of(runs)["7b"].caption.replace("1 to 3", "3") == figures_of(sweep(0.3, LRS))["7b"].caption
