import numpy as np

from analysis.runlog import schema
from analysis.schedule import read_schedule, say_warmup
from tests.studies import make_run


def scheduled(lr, **record):
    """Makes a run with these learning rates."""
    return make_run(np.ones(len(lr)), columns={schema.LR: lr}, **record)


def test_a_prepended_warmup_is_told_from_one_taken_out_of_training():
    ramp = np.linspace(0, 1, 11)[:-1]
    prepended = read_schedule(scheduled(np.concatenate([ramp, np.ones(100)]), max_train_steps=100))
    taken = read_schedule(scheduled(np.concatenate([ramp, np.ones(90)]), max_train_steps=100))
    assert (prepended.warmup_steps, prepended.total_steps, prepended.warmup_from) == (10, 110, "prepended")
    assert (taken.warmup_steps, taken.total_steps, taken.warmup_from) == (10, 100, "taken-from-training")


def test_a_decay_without_warmup_has_none():
    found = read_schedule(scheduled(np.linspace(1, 0, 50), max_train_steps=50))
    assert (found.warmup_steps, found.peak_lr, found.final_lr, found.warmup_from) == (0, 1.0, 0.0, "none")


def test_without_learning_rates_there_is_no_schedule():
    assert read_schedule(make_run([1.0])) is None
    assert read_schedule(scheduled([0.0, 0.0])) is None


def test_the_steps_of_a_run_that_did_not_end_are_not_accounted_for():
    ramp = np.concatenate([np.linspace(0, 1, 11)[:-1], np.ones(90)])
    found = read_schedule(scheduled(ramp, max_train_steps=100, status="running"))
    assert (found.warmup_steps, found.warmup_from) == (10, "unknown")
    assert say_warmup(found) == "10 not accounted for, 100 in all"


def test_whose_steps_the_warmup_took_is_said_in_words():
    ramp = np.linspace(0, 1, 11)[:-1]
    taken = read_schedule(scheduled(np.concatenate([ramp, np.ones(90)]), max_train_steps=100))
    assert say_warmup(taken) == "10 taken from training, 100 in all"
    assert say_warmup(read_schedule(scheduled(np.ones(50), max_train_steps=50))) == "none, 50 in all"
    assert say_warmup(None) == "lr not logged"
