import numpy as np
import pytest

from analysis.runlog import schema
from analysis.schedule import SHAPES, schedule_lr
from analysis.schedule_phases import split_schedule
from tests.studies import make_run


def phases_of(lr):
    """Returns the number of steps of each phase; None without phases."""
    run = make_run(np.ones(len(lr)), columns={schema.LR: np.asarray(lr, np.float32)})
    phases = split_schedule(run, np.arange(len(lr)))
    return None if phases is None else [int(mask.sum()) for mask in phases]


@pytest.mark.parametrize(
    ("shape", "counts"), [("constant", [20, 200, 0]), ("linear", [20, 0, 200]), ("cosine", [20, 0, 200])]
)
def test_warmup_stable_and_decay_are_told_by_the_learning_rates(shape, counts):
    assert shape in SHAPES
    assert phases_of(schedule_lr(shape, 0.3, 200, 20, range(220))) == counts


def test_a_plateau_before_the_decay_is_stable():
    lr = [*np.linspace(0, 1, 11)[:-1], *np.ones(50), *np.linspace(1, 0, 41)[1:]]
    assert phases_of(lr) == [10, 50, 40]


def test_a_rate_that_never_changes_or_comes_up_twice_has_no_phases():
    assert phases_of(np.ones(50)) is None
    assert phases_of([1.0, 0.5, 0.1] * 10) is None
    assert phases_of(np.zeros(50)) is None
    assert split_schedule(make_run([1.0] * 5), np.arange(5)) is None
