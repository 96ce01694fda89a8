import numpy as np
import pytest

from analysis.phases import planned_steps, share_by_phase, split_phases
from analysis.runlog import schema
from tests.studies import make_run


@pytest.mark.parametrize("planned", [1, 7, 10, 400, 999])
def test_every_step_is_in_exactly_one_phase(planned):
    phases = split_phases(np.arange(planned), planned)
    assert (np.sum(phases, axis=0) == 1).all()


def test_early_and_late_are_a_tenth_each_of_the_planned_steps():
    phases = split_phases(np.arange(0, 1000, 5), 1000)
    assert [int(mask.sum()) for mask in phases] == [20, 160, 20]


def test_a_run_that_ended_early_has_no_late_steps_and_no_share_of_them():
    phases = split_phases(np.arange(300), 1000)
    shares = share_by_phase(np.arange(300) < 50, phases)
    assert (shares.early, shares.middle, shares.late) == (0.5, 0.0, None)


def test_planned_steps_include_the_warmup_and_fall_back_on_the_log():
    run = make_run(np.ones(50), **{schema.MAX_TRAIN_STEPS: 100, schema.WARMUP_STEPS: 20})
    assert planned_steps(run) == 120
    assert planned_steps(make_run(np.ones(50), every=2)) == 99
