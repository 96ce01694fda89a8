import pytest

from analysis.runlog import RunLogError, read_study, schema
from runners.callbacks.logged_run import LoggedRun
from runners.guard import Guard


def test_only_the_first_process_opens_a_log(tmp_path):
    run = LoggedRun("several", store=tmp_path)
    assert run.open({}, 10, is_first_process=False) is None
    run.close()
    assert not (tmp_path / "several").exists()


def test_what_the_user_names_goes_before_what_the_trainer_says(tmp_path):
    run = LoggedRun("named", store=tmp_path, base_lr=0.3)
    log = run.open({schema.BASE_LR: 0.1, schema.SEED: 4}, 10)
    log.step(0, train_loss=1.0)
    run.close()
    (read,) = read_study("named", tmp_path)
    said = {schema.BASE_LR: 0.3, schema.SEED: 4, schema.MAX_TRAIN_STEPS: 10, schema.STATUS: "finished"}
    assert said.items() <= read.record.items()


def test_a_guard_needs_to_know_how_long_the_run_is(tmp_path):
    with pytest.raises(RunLogError, match=r"does not know how many steps .* Give max_train_steps, or on_rise=None$"):
        LoggedRun("endless", store=tmp_path).open({}, None)
    told = LoggedRun("endless", store=tmp_path, max_train_steps=10)
    assert isinstance(told.open({}, None), Guard)
    told.close()


def test_a_run_left_open_by_a_training_that_failed_is_interrupted_when_the_next_one_starts(tmp_path):
    run = LoggedRun("twice", store=tmp_path, on_rise=None)
    for _ in range(2):
        run.open({}, 10).step(0, train_loss=1.0)
    run.close()
    assert [read.record[schema.STATUS] for read in read_study("twice", tmp_path)] == ["interrupted", "finished"]
