import numpy as np
import pytest

from analysis.runlog import schema
from analysis.warmup import plan_warmup
from analysis.warmup_cost import WarmupBudget, measure_step_seconds, tabulate_plan
from tests.studies import make_run


def test_the_playbooks_example_ten_thousand_and_one_thousand_make_eleven_thousand():
    budget = WarmupBudget(1_000, 10_000)
    assert (budget.total_steps, budget.share, budget.is_long, budget.is_too_long) == (11_000, 0.1, True, False)


@pytest.mark.parametrize(("length", "said"), [(500, "can stay"), (501, "may have to grow"), (1_001, "Take a shorter")])
def test_five_and_ten_percent_are_the_limits(length, said):
    assert said in WarmupBudget(length, 10_000).sentence


def timed(seconds, **record):
    return make_run(np.ones(len(seconds)), columns={schema.ELAPSED_SECONDS: seconds}, **record)


def test_a_step_takes_the_median_over_runs_and_runs_in_one_program_share_their_time():
    quick, slow = timed(np.linspace(0, 9.9, 100)), timed(np.linspace(0, 99, 100))
    assert measure_step_seconds([quick, quick, slow]) == pytest.approx(0.1)
    assert measure_step_seconds([timed(np.linspace(0, 99, 100), stacked_runs=4)]) == pytest.approx(0.25)


def test_without_times_nothing_is_estimated():
    assert measure_step_seconds([make_run(np.ones(5)), timed([3.0]), timed([2.0, 2.0])]) is None
    table = tabulate_plan(plan_warmup(0.2, 10_000), 3, None)
    assert table["search_seconds"].isna().all()


def test_each_length_of_the_plan_has_its_cost():
    table = tabulate_plan(plan_warmup(0.2, 10_000), num_seeds=3, step_seconds=0.5).set_index("warmup_steps")
    assert table.index.tolist() == [10, 100, 1_000]
    assert table.loc[1_000].tolist() == [0.1, 2_000, 9_000, 4_500.0, 11_000, 5_500.0]
    assert table.loc[10, "post_warmup_steps"] == 500  # no shorter hold than a probe
