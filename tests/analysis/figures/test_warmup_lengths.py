"""Figure 6: losses by the length of warmup."""

import math

import numpy as np

from analysis.runlog import schema
from tests.analysis.figures.known import figures_of, warmup_lengths
from tests.studies import make_run, sweep, sweep_run


def test_the_shortest_length_from_which_on_all_hold_is_found():
    figure = figures_of(warmup_lengths())["6"]
    lengths = figure.result.lengths
    assert [(each.warmup_steps, each.num_holding) for each in lengths] == [(0, 0), (10, 0), (50, 2), (100, 2)]
    assert figure.result.shortest is lengths[2]
    assert figure.caption == (
        "At learning rate 0.3 the shortest of 4 warmup lengths that holds is 50 steps, which ends at a loss of "
        f"{lengths[2].final_loss:.3g}, and 10 steps end at a loss of {lengths[1].final_loss:.3g} (2 seeds)."
    )


def test_no_warmup_is_called_training_without_warmup():
    runs = [run for run in warmup_lengths() if run.record[schema.WARMUP_STEPS] in (0, 100)]
    assert ", and training without warmup ends at a loss of " in figures_of(runs)["6"].caption


def test_the_final_loss_is_the_median_over_seeds():
    length = figures_of(warmup_lengths())["6"].result.lengths[2]
    ends = [judged.run.series(schema.EVAL_LOSS)[1][-1] for judged in length.runs]
    assert math.isclose(length.final_loss, np.median(ends))


def test_a_length_that_ends_far_above_the_others_does_not_hold_although_nothing_rises():
    stays = [make_run(np.full(300, 2.3), run_id="stays", **slow_record(10))]
    assert [each.holds for each in figures_of([*warmup_lengths()[-2:], *stays])["6"].result.lengths] == [False, True]


def slow_record(warmup_steps):
    """Returns the record of a run of that warmup, without its run_id."""
    record = dict(sweep_run(0.3, 0, 9.0, warmup_steps=warmup_steps).record)
    del record[schema.RUN_ID]
    return record


def test_where_no_length_holds_it_says_so_of_the_longest():
    runs = [run for run in warmup_lengths() if run.record[schema.WARMUP_STEPS] <= 10]
    assert figures_of(runs)["6"].caption == (
        "At learning rate 0.3 none of 2 warmup lengths holds in every run: with the longest, 10 steps, "
        "0 of 2 runs hold (2 seeds)."
    )


def test_where_every_length_holds_it_says_so():
    runs = [run for run in warmup_lengths() if run.record[schema.WARMUP_STEPS] >= 50]
    assert "all of 2 warmup lengths hold, from 50 to 100 steps" in figures_of(runs)["6"].caption


def test_searches_that_hold_their_peak_for_fewer_steps_count_as_lengths():
    short = [sweep_run(0.3, 0, 9.0, steps=150, warmup_steps=50), sweep_run(0.3, 0, 0.1, steps=150, warmup_steps=10)]
    assert [each.warmup_steps for each in figures_of(short)["6"].result.lengths] == [10, 50]


def test_without_two_lengths_it_asks_for_the_warmup_search_or_for_a_sweep_with_warmup():
    edge = figures_of(sweep(0.3, stride="1x1"))["6"].result
    assert edge.command == "python -m runners.warmup_sweep --study study"
    assert figures_of(sweep(9.0, stride="1x1"))["6"].result.command.endswith("--warmup-steps 30")
