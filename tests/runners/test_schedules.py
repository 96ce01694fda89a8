import numpy as np
import pytest

from analysis.runlog import RunLogError, schema
from analysis.schedule import SHAPES, read_schedule, schedule_lr
from runners.schedules import SCHEDULES, constant, cosine, linear, make_schedule, prepend_warmup
from tests.studies import make_run


def test_warmup_ramps_from_0_to_base_lr_and_is_prepended_to_the_schedule():
    base = cosine(2.0, 100)
    warmed = prepend_warmup(base, base_lr=2.0, warmup_steps=10)
    assert [warmed(step) for step in range(10)] == [2.0 * step / 10 for step in range(10)]
    assert [warmed(10 + step) for step in range(100)] == [base(step) for step in range(100)]


def test_without_warmup_the_first_step_has_the_base_lr():
    for name in ("constant", "linear", "cosine"):
        assert make_schedule(name, 0.3, 50, warmup_steps=0)(0) == 0.3


def test_linear_and_cosine_reach_0_just_after_the_last_step():
    for schedule in (linear(0.3, 50), cosine(0.3, 50)):
        assert schedule(49) > 0
        assert schedule(50) == pytest.approx(0, abs=1e-15)
        assert schedule(25) == pytest.approx(0.15)


def test_constant_stays():
    assert {constant(0.3, 50)(step) for step in range(50)} == {0.3}


def test_an_unknown_schedule_is_refused_with_the_known_ones():
    with pytest.raises(RunLogError, match=r"no schedule 'step'.*cosine"):
        make_schedule("step", 0.1, 10, 0)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("max_train_steps", [1, 7, 200, 1000])
@pytest.mark.parametrize("warmup_steps", [0, 1, 10, 333])
def test_the_schedules_that_are_trained_are_those_that_pages_draw(name, max_train_steps, warmup_steps):
    steps = range(max_train_steps + warmup_steps)
    for base_lr in (1e-5, 0.3, 30.0):
        trained = make_schedule(name, base_lr, max_train_steps, warmup_steps)
        drawn = schedule_lr(name, base_lr, max_train_steps, warmup_steps, steps)
        assert drawn == pytest.approx([trained(step) for step in steps], rel=1e-9, abs=1e-15 * base_lr)


@pytest.mark.parametrize("name", SHAPES)
def test_a_trained_schedule_is_read_back_from_its_log_as_prepended(name):
    trained = make_schedule(name, 0.3, 1000, warmup_steps=50)
    lr = [trained(step) for step in range(1050)]
    found = read_schedule(make_run(np.ones(1050), columns={schema.LR: lr}, max_train_steps=1000))
    assert (found.warmup_steps, found.total_steps, found.warmup_from) == (50, 1050, "prepended")
    assert found.peak_lr == 0.3


def test_pages_and_runners_know_the_same_schedules():
    assert set(SHAPES) == set(SCHEDULES)
