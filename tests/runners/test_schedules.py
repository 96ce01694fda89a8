import pytest

from analysis.runlog import RunLogError
from runners.schedules import constant, cosine, linear, make_schedule, prepend_warmup


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
