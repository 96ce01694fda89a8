"""Names of series: what differs, and nothing that follows from it."""

import pytest

from analysis.series import name_series
from tests.studies import make_run


def labels(*records):
    return list(name_series([make_run([1.0], run_id=str(i), **record) for i, record in enumerate(records)]).values())


MOMENTUM, ADAM = {"optimizer": "momentum", "gamma": 0.9}, {"optimizer": "adam", "beta1": 0.9, "beta2": 0.999}


def test_options_of_an_optimizer_are_not_named_beside_it():
    assert labels(MOMENTUM, ADAM) == ["optimizer=momentum", "optimizer=adam"]


@pytest.mark.parametrize("other", [{"gamma": 0.5}, {"gamma": 0.9, "clip_threshold": 1.0}])
def test_an_option_that_differs_under_one_optimizer_is_named_and_so_is_everything_else(other):
    assert labels(MOMENTUM, MOMENTUM | other)[1] == {0.5: "gamma=0.5", 0.9: "clip_threshold=1"}[other["gamma"]]


def test_a_clip_threshold_that_comes_with_an_optimizer_is_named_for_it_does_not_follow_from_it():
    assert labels(MOMENTUM, ADAM | {"clip_threshold": 1.0})[1] == "clip_threshold=1, optimizer=adam"
