"""TensorBoard's event files: checksums, damage, and runs that go on in further files of their folder."""

import os
import random
import struct

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c as crc_of_tensorboard

from analysis.runlog import RunLogError, read_paths, schema
from analysis.runlog.bounded_import import read_files
from analysis.runlog.readers.crc32c import masked_crc32c
from analysis.runlog.readers.event_scalars import read_scalars
from tests.runlog.readers.samples import frame

LOSSES = np.linspace(3, 2, 200)


def events(steps, losses, tags=("loss",), start=100.0):
    """Returns an event file with one scalar an event, as SummaryWriter writes it."""
    found = [Event(wall_time=start, file_version="brain.Event:2")]
    for step, loss in zip(steps, losses, strict=True):
        for tag in tags:
            event = Event(wall_time=start + step, step=step)
            event.summary.value.add(tag=tag, simple_value=loss)
            found.append(event)
    return b"".join(frame(event.SerializeToString()) for event in found)


def put(folder, **files):
    """Writes event files named by their time."""
    folder.mkdir(exist_ok=True)
    for time, content in files.items():
        (folder / f"events.out.tfevents.{time.removeprefix('t')}.somehost.99.0").write_bytes(content)
    return folder


def only_run(path):
    (run,) = read_paths([path])
    return run


def notes_of(run):
    return " | ".join(run.log.notes)


def test_checksums_are_those_of_tensorboard():
    chance = random.Random(0)
    lengths = [0, 1, 3, 4, 8, 9, 63, 64, 65, 500, 4096, 4097]
    records = [chance.randbytes(length) for length in lengths for _ in range(17)] + [b"alone"]
    chance.shuffle(records)
    assert masked_crc32c(records).tolist() == [crc_of_tensorboard(record) for record in records]


def test_every_scalar_of_any_event_is_what_the_protocol_says(tmp_path):
    chance, logged, content = random.Random(0), [], frame(Event(file_version="brain.Event:2").SerializeToString())
    tags = ["loss", "x", "grad_norm", "é", "a" * 130, "a b", "nul\0", "emp\x7fty"]
    for number in range(3000):
        step = chance.choice([0, 1, 127, 128, number, 2**20 + number, 2**34 + number, 2**40 + number])
        event = Event(wall_time=1.5 + number, step=step)
        for _ in range(chance.choice((1, 1, 1, 0, 2))):
            value = chance.choice([1.5, -2.5, float("nan"), float("inf"), 1e36, 0.0])
            event.summary.value.add(tag=chance.choice(tags), simple_value=value)
        if not number % 7:
            event.summary.value.add(tag="text").metadata.display_name = "x"
        logged += [
            (step, event.wall_time, value.simple_value, value.tag)
            for value in event.summary.value
            if value.HasField("simple_value")
        ]
        content += frame(event.SerializeToString())
    (tmp_path / "run").write_bytes(content)
    notes = []
    found = read_scalars(tmp_path / "run", notes)
    names = [found.names[tag] for tag in found.tags]
    seen = zip(found.steps.tolist(), found.times.tolist(), found.values.tolist(), names, strict=True)
    assert repr([*seen]) == repr(logged)
    assert notes == []


@pytest.mark.parametrize("step", [0, 40, 63, 64, 150, 399])
@pytest.mark.parametrize("place", [2, 9, 30, -2])
def test_what_comes_before_a_damaged_record_is_read_and_its_place_told(tmp_path, step, place):
    content = bytearray(events(range(400), np.linspace(3, 2, 400)))
    starts = [0]
    while starts[-1] < len(content):
        starts.append(starts[-1] + 16 + struct.unpack_from("<Q", content, starts[-1])[0])
    start, end = starts[step + 1], starts[step + 2]
    content[start + place if place > 0 else end + place] ^= 1
    (tmp_path / "run").write_bytes(content)
    if step == 0:
        with pytest.raises(RunLogError, match=f"has no scalars .the record at byte {start} is damaged"):
            read_paths([tmp_path / "run"])
        return
    run = only_run(tmp_path / "run")
    assert len(run.steps) == step
    assert f"the record at byte {start} is damaged; what comes before is read" in notes_of(run)


def test_every_cut_gives_the_whole_records_before_it(tmp_path):
    content = events(range(20), LOSSES[:20])
    whole = [len(events(range(step), LOSSES[:step])) for step in range(1, 21)]
    for cut in range(whole[0], len(content)):
        (tmp_path / "run").write_bytes(content[:cut])
        run = only_run(tmp_path / "run")
        assert len(run.steps) == sum(end <= cut for end in whole)
        assert ("is cut off" in notes_of(run)) == (cut not in whole)


def test_large_records_are_passed_over_and_counted(tmp_path):
    image = Event(step=3)
    image.summary.value.add(tag="image").image.encoded_image_string = bytes(70_000)
    content = events(range(20), LOSSES[:20])
    (tmp_path / "run").write_bytes(content + frame(image.SerializeToString()) + events(range(20, 40), LOSSES[20:40]))
    run = only_run(tmp_path / "run")
    np.testing.assert_array_equal(run.loss, (np.arange(40), np.float32(LOSSES[:40])))
    assert "records above 64 KiB (graphs, images) are passed over: 1" in notes_of(run)


def test_a_resumed_run_is_one_run_whose_restarts_are_marked_and_doubles_counted(tmp_path):
    first, second = events(range(100), LOSSES[:100]), events(range(80, 150), LOSSES[80:150] + 10, start=900.0)
    third = events(range(150, 200), LOSSES[150:] + 20, start=2000.0)
    folder = put(tmp_path / "lr1", t9=first, t10=second, t11=third)
    study = read_paths([folder])
    (run,) = study.runs
    expected = np.concatenate((LOSSES[:80], LOSSES[80:150] + 10, LOSSES[150:] + 20))
    np.testing.assert_array_equal(run.loss, (np.arange(200), np.float32(expected)))
    assert run.record[schema.RESUMED_AT] == (80, 150)
    assert (run.run_id, run.name) == ("events.out.tfevents.9.somehost.99", "lr1")
    assert "attempt 2 starts at step 80, attempt 3 starts at step 150" in notes_of(run)
    assert "superseded: 20" in notes_of(run)
    assert "event files of its folder that are read as this run: 3" in notes_of(run)
    assert "somehost" not in notes_of(run)
    assert [os.path.basename(each.path) for each in study.skipped] == [
        "events.out.tfevents.10.somehost.99.0",
        "events.out.tfevents.11.somehost.99.0",
    ]
    assert "goes on with the run of events.out.tfevents.9.somehost.99.0, and is read with it" in study.skipped[0].reason
    elapsed = run.series(schema.ELAPSED_SECONDS)[1]
    assert (elapsed[0], elapsed[80], elapsed[150]) == (0, 880, 2050)


def test_a_resumed_run_is_stitched_in_an_upload_of_its_folder_too(tmp_path):
    first, second = events(range(100), LOSSES[:100]), events(range(100, 200), LOSSES[100:])
    names = [f"sweep/lr1/events.out.tfevents.{time}.h.1.0" for time in (9, 10)]
    reading = read_files(list(zip(names, (first, second), strict=True)))
    (run,) = reading.study.runs
    np.testing.assert_array_equal(run.loss, (np.arange(200), np.float32(LOSSES)))
    assert run.record[schema.RESUMED_AT] == [100]


def test_a_cut_off_first_file_says_in_which_file_it_is(tmp_path):
    folder = put(tmp_path / "lr1", t9=events(range(100), LOSSES[:100])[:-5], t10=events(range(90, 200), LOSSES[90:]))
    run = only_run(folder)
    assert len(run.steps) == 200
    assert "events.out.tfevents.9: the record at byte" in notes_of(run)


def test_runs_that_start_anew_in_one_folder_stay_apart(tmp_path):
    folder = put(
        tmp_path / "flat",
        t1=events(range(0, 200, 10), LOSSES[::10]),
        t2=events(range(0, 200, 10), LOSSES[::10] + 1),
        t3=events(range(50, 200, 50), LOSSES[50::50] + 2),
        t4=events(range(9, 200, 10), LOSSES[9::10] + 3),
    )
    runs = read_paths([folder]).runs
    assert sorted(len(run.steps) for run in runs) == [3, 20, 20, 20]
    assert not any(schema.RESUMED_AT in run.record for run in runs)


def test_a_second_writer_of_a_run_adds_its_metrics(tmp_path):
    folder = put(
        tmp_path / "lr1",
        t1=events(range(100), LOSSES[:100]),
        t2=events(range(0, 100, 10), LOSSES[:100:10] + 1, tags=("eval/loss",)),
        t3=events([99], [0.5], tags=("accuracy",)),
        t4=events([], []),
    )
    study = read_paths([folder])
    (run,) = study.runs
    np.testing.assert_array_equal(run.loss, (np.arange(100), np.float32(LOSSES[:100])))
    np.testing.assert_array_equal(run.series(schema.EVAL_LOSS)[0], np.arange(0, 100, 10))
    assert run.series("accuracy")[1].tolist() == [0.5]
    assert schema.RESUMED_AT not in run.record
    assert "has no scalars" in study.skipped[-1].reason


def test_a_file_that_goes_on_with_another_is_refused_by_itself_and_names_that_one(tmp_path):
    folder = put(tmp_path / "lr1", t1=events(range(100), LOSSES[:100]), t2=events(range(90, 200), LOSSES[90:]))
    with pytest.raises(RunLogError, match=r"goes on with the run of events\.out\.tfevents\.1\.somehost"):
        read_paths([folder / "events.out.tfevents.2.somehost.99.0"])
    assert len(only_run(folder / "events.out.tfevents.1.somehost.99.0").steps) == 200
