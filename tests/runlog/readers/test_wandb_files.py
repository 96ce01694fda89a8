"""W&B's own files: cut, damaged, resumed, and what of a record comes back."""

import json

import numpy as np
import pytest

from analysis.runlog import RunLogError, read_paths, schema
from tests.runlog.readers import tracker_samples as samples
from tests.runlog.readers.reading import notes_of, only_run, write


def test_a_wandb_file_that_is_cut_off_gives_what_it_holds_and_says_so(tmp_path):
    whole = samples.frame_records(samples.wandb_records(np.linspace(3, 2, 2000)))
    run = only_run(write(tmp_path / "run-a.wandb", whole[: 2 * samples.BLOCK + 1000]))
    assert 200 < len(run.steps) < 2000
    np.testing.assert_array_equal(run.loss[1], np.linspace(3, 2, 2000)[: len(run.steps)])
    assert run.record[schema.STATUS] == "interrupted"
    assert "the file is cut off at byte" in notes_of(run)
    assert "has no end of the run" in notes_of(run)


def test_a_damaged_block_of_a_wandb_file_costs_that_block_only(tmp_path):
    content = bytearray(samples.frame_records(samples.wandb_records(np.linspace(3, 2, 2000))))
    content[samples.BLOCK + 500] ^= 255
    run = only_run(write(tmp_path / "run-a.wandb", bytes(content)))
    gaps = np.diff(run.loss[0])
    assert (gaps > 1).sum() == 1
    assert gaps.max() < 400
    assert "1 block of 32 KiB damaged, first at byte" in notes_of(run)


def test_a_wandb_run_that_goes_on_from_another_file_says_so(tmp_path):
    from wandb.proto.wandb_internal_pb2 import Record

    records = [Record.FromString(record) for record in samples.wandb_records()]
    records[0].run.resumed, records[0].run.starting_step = True, 40
    content = samples.frame_records([record.SerializeToString() for record in records])
    assert "goes on at step 40; another file has the steps before" in notes_of(only_run(write(tmp_path / "a", content)))
    records[0].run.forked = True
    content = samples.frame_records([record.SerializeToString() for record in records])
    assert "a fork of another; that one has the steps before 40" in notes_of(only_run(write(tmp_path / "b", content)))


def with_config(**config):
    """Returns the records of a W&B run with another configuration."""
    from wandb.proto.wandb_internal_pb2 import Record

    first, *others = samples.wandb_records()
    start = Record.FromString(first)
    del start.run.config.update[:]
    for name, value in config.items():
        start.run.config.update.add(key=name, value_json=json.dumps(value))
    return samples.frame_records([start.SerializeToString(), *others])


OWN = {"warmup_steps": 0, "norm": "none", "command": "python -m runners.lr_sweep --x 1", "width": 64, "rezero": True}


def test_our_own_record_comes_back_from_wandb_whole_and_of_others_texts_stay_out(tmp_path):
    foreign = only_run(write(tmp_path / "a.wandb", with_config(**OWN, source="mine")))
    assert {name: foreign.record.get(name) for name in OWN} == dict.fromkeys(OWN) | {"warmup_steps": 0, "width": 64}
    wrong = {"seed": "x", "batch_size": [], "_wandb": {}, "name": "no", "source": "runner", "lr_note": "a\nb"}
    run = only_run(write(tmp_path / "b.wandb", with_config(**OWN, **wrong)))
    assert {name: run.record.get(name) for name in OWN} == OWN
    assert not {"seed", "batch_size", "_wandb", "lr_note"} & set(run.record)
    assert (run.name, run.record[schema.SOURCE]) == ("big-lr", "wandb offline: b.wandb")


def test_no_warmup_steps_beside_a_share_of_warmup_says_nothing(tmp_path):
    run = only_run(write(tmp_path / "a.wandb", with_config(warmup_steps=0, warmup_ratio=0.1)))
    assert schema.WARMUP_STEPS not in run.record
    run = only_run(write(tmp_path / "b.wandb", with_config(warmup_steps=0, warmup_ratio=0.0)))
    assert run.record[schema.WARMUP_STEPS] == 0


def test_wandb_steps_are_log_calls_unless_every_row_tells_its_update(tmp_path):
    run = only_run(write(tmp_path / "run-a.wandb", samples.wandb_offline()))
    assert run.record[schema.STEP_UNIT] == "log index"
    assert "steps are W&B's _step, which counts log calls" in notes_of(run)
    run = only_run(tmp_path / "run-a.wandb", column_map={schema.STEP: "_step"})
    assert schema.STEP_UNIT not in run.record
    run = only_run(write(tmp_path / "run-b.wandb", samples.frame_records(samples.wandb_records(stride=10))))
    np.testing.assert_array_equal(run.loss, (10 * np.arange(24), samples.LOSSES))
    assert schema.STEP_UNIT not in run.record


def test_a_wandb_file_without_history_is_refused(tmp_path):
    path = write(tmp_path / "run-a.wandb", samples.frame_records(samples.wandb_records([])))
    with pytest.raises(RunLogError, match=r"run-a\.wandb has no row of history"):
        read_paths([path])
