"""Logs as text and event files: MLPerf, Megatron, Hugging Face's output, the nanoGPT family, fairseq, TensorBoard."""

import contextlib
import math
import struct
import time
import warnings

import pytest

from analysis.runlog import RunLogError, schema
from analysis.runlog.paths import read_file
from tests.runlog.readers import samples, text_samples


@pytest.fixture
def read(tmp_path):
    def read(content, name="run_07.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_file(path)[0]

    return read


def has_note(run, text):
    return any(text in note for note in run.log.notes)


def has_fields(run, **fields):
    return {name: run.record.get(name) for name in fields} == fields


def test_mllog_samples_become_steps_and_settings_become_fields(read):
    run = read(text_samples.mllog())
    assert run.loss[0].tolist() == list(range(24))
    assert has_note(run, "steps are samples divided by the batch size, 64")
    assert has_fields(run, batch_size=64, optimizer="adamw", base_lr=0.001, seed=7, beta1=0.9, clip_threshold=1.0)
    assert run.series(schema.ELAPSED_SECONDS)[1].tolist() == [0.5 * step for step in range(24)]


def test_an_mllog_accuracy_above_one_is_a_loss_and_one_below_is_not(read):
    run = read(text_samples.mllog())
    assert run.series(schema.EVAL_LOSS)[1].tolist() == [2.5]
    run = read(text_samples.mllog().replace(b'"eval_accuracy", "value": 2.5', b'"eval_accuracy", "value": 0.75'))
    assert run.series(schema.EVAL_ERROR)[1].tolist() == [0.25]
    assert schema.EVAL_LOSS not in run.steps.column_names


def test_mllog_samples_that_do_not_divide_stay_samples(read):
    run = read(text_samples.mllog().replace(b'"global_batch_size", "value": 64', b'"global_batch_size", "value": 48'))
    assert (run.loss[0][1], run.record[schema.STEP_UNIT]) == (64, "samples")


def test_mllog_lines_of_two_ranks_at_one_step_are_noted(read):
    run = read(b"".join(line * 2 for line in text_samples.mllog().splitlines(keepends=True)))
    assert run.loss[1].tolist() == list(samples.LOSSES)
    assert has_note(run, "a value was logged again at the same step")


def test_megatron_losses_are_means_with_the_arguments_as_fields(read):
    run = read(text_samples.megatron())
    assert (run.log.averaged_over, run.log.stride, run.log.grad_norm) == (10, 10, "before-clipping")
    assert has_fields(run, base_lr=0.00015, clip_threshold=1.0, optimizer="adam", seed=1234)
    assert run.series(schema.EVAL_LOSS)[1].tolist() == [2.5]


@pytest.mark.parametrize(("skipped", "nan", "is_lost"), [(0, 0, True), (0, 3, True), (10, 0, False), (10, 10, True)])
def test_a_megatron_line_without_a_loss_is_nan_unless_its_updates_were_skipped(read, skipped, nan, is_lost):
    line = " iteration {}/ 100 | {}number of skipped iterations: {} | number of nan iterations: {} |\n"
    whole = [line.format(10 * row, "lm loss: 2.0 | ", 0, 0) for row in range(1, 4)]
    run = read("".join([*whole, line.format(40, "", skipped, nan)]))
    assert [math.isnan(loss) for loss in run.loss[1]] == [False] * 3 + [True] * is_lost
    assert has_note(run, "no loss in 1 lines")


def test_a_megatron_line_that_was_cut_off_loses_its_last_number_only(read):
    whole = text_samples.megatron()
    run = read(whole[: whole.rindex(b"grad norm: 7.992") + len(b"grad norm: 7.9")])
    assert len(run.loss[0]) == 24
    assert run.series(schema.GRAD_NORM)[1].tolist() == [7.992] * 23


def test_dicts_on_standard_output_get_their_steps_from_the_bar_of_the_training(read):
    run = read(text_samples.hf_stdout())
    assert run.loss[0].tolist() == list(range(1, 25))
    assert run.series(schema.EVAL_LOSS)[0].tolist() == [24]
    assert has_note(run, "steps are those of the progress bar")
    assert (run.base_lr, run.log.grad_norm) == (0.001, "before-clipping")


def test_what_python_thinks_of_a_damaged_dict_is_not_told_on_the_terminal(read):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run = read("{'loss': 3.0}\n{'loss': 1and 2}\n{'loss': 2.0}\n")
    assert told == []
    assert run.steps[schema.TRAIN_LOSS].to_pylist() == [3.0, 2.0]


def test_dicts_without_a_bar_are_numbered_and_none_is_lost(read):
    run = read("".join(f"{{'loss': {loss}, 'epoch': 0.1}}\n" for loss in (3.0, 9.0, 2.0)))
    assert run.steps[schema.TRAIN_LOSS].to_pylist() == [3.0, 9.0, 2.0]
    assert has_note(run, "steps are numbers of log rows: no progress bar tells them")


def test_a_training_that_was_started_again_is_stitched_at_its_step(read):
    bar = "| {0}/9 [00:01<00:01]{{'loss': {1}}}\n| {0}/9 [00:01<00:01]"
    run = read("".join(bar.format(step, loss) for step, loss in [(1, 5.0), (2, 4.0), (3, 3.0), (2, 8.0), (3, 7.0)]))
    assert run.loss[1].tolist() == [5.0, 8.0, 7.0]
    assert has_note(run, "attempt 2 starts at step 2")


def test_modded_nanogpt_reads_its_settings_from_the_script_on_top(read):
    run = read(text_samples.modded())
    assert has_fields(run, base_lr=0.0018, batch_size=480, max_train_steps=24)
    assert run.series(schema.EVAL_LOSS)[0].tolist() == [0]


def test_lines_of_llm_c_are_read(read):
    run = read("s:0 tel:11.0\ns:0 trl:10.9 lr:0.001 norm:12.5\ns:1 trl:nan lr:0.002 norm:inf\n")
    assert run.steps[schema.TRAIN_LOSS].to_pylist()[0] == 10.9
    assert math.isnan(run.loss[1][1])
    assert run.series(schema.GRAD_NORM)[1].tolist() == [12.5, math.inf]
    assert run.log.grad_norm == "before-clipping"


def test_the_output_of_llm_c_is_read_too(read):
    line = "step    {}/20 | loss {} (+nanz)| norm 22.1 (+2.75z)| lr 8.57e-07 | 2495.40 ms | 40.3% bf16 MFU\n"
    run = read("| dtype | BF16 |\nval loss 11.5\n" + line.format(1, 11.03) + line.format(2, "nan") + "val loss 10.5\n")
    assert run.series(schema.TRAIN_LOSS)[0].tolist() == [1, 2]
    assert math.isnan(run.series(schema.TRAIN_LOSS)[1][1])
    assert run.series(schema.EVAL_LOSS)[0].tolist() == [0, 2]
    assert has_fields(run, max_train_steps=20, base_lr=8.57e-07)


def test_nanogpt_keeps_its_estimates_apart_and_reads_the_settings_it_prints(read):
    run = read(text_samples.nanogpt() + b"iter 240: loss 2.5, grad_norm 1.5, lr 3.0e-04, time 9.0ms\n")
    assert run.series("estimated train loss")[1].tolist() == [10.5]
    assert run.series(schema.EVAL_LOSS)[1].tolist() == [10.25]
    assert has_fields(run, base_lr=6e-4, max_train_steps=100, clip_threshold=1.0)
    assert run.series(schema.GRAD_NORM)[1].tolist() == [1.5]


def test_fairseq_reads_norms_settings_and_evaluations_and_counts_overflows(read):
    run = read(text_samples.fairseq())
    assert (run.log.averaged_over, run.log.grad_norm) == (10, "before-clipping")
    assert run.series(schema.GRAD_NORM)[1].max() == 80.0
    assert run.series(schema.EVAL_LOSS)[0].tolist() == [240]
    assert has_fields(run, clip_threshold=2.0, seed=7)
    assert has_note(run, "skipped because the gradient overflowed, not logged: 1")


def test_text_files_without_a_whole_line_are_refused(read):
    with pytest.raises(RunLogError, match=r"has no whole line of a step"):
        read("step:1/9999999999999999999 train_loss:1.0\n")
    with pytest.raises(RunLogError, match=r"no dict with a loss"):
        read("{'loss': 1.0, 'x")
    with pytest.raises(RunLogError, match=r"logs no train_loss"):
        read(text_samples.mllog()[:60])


@pytest.mark.parametrize("as_tensors", [True, False])
def test_event_files_give_every_scalar(read, as_tensors):
    run = read(samples.tensorboard(as_tensors=as_tensors))
    assert run.loss[1].tolist() == pytest.approx(samples.LOSSES, rel=1e-6)
    assert run.series(schema.ELAPSED_SECONDS)[1].tolist() == list(range(24))
    assert (run.log.grad_norm, run.log.non_finite, run.log.notes) == ("unknown", "kept", ())


def test_tensors_of_bytes_are_scalars_too(read):
    from tensorboard.compat.proto.event_pb2 import Event

    event = Event(wall_time=1.0, step=3)
    value = event.summary.value.add(tag="loss")
    value.tensor.dtype, value.tensor.tensor_content = 1, struct.pack("<f", 0.25)
    image = event.summary.value.add(tag="picture")
    image.tensor.dtype, image.tensor.tensor_content = 1, struct.pack("<2f", 1, 2)
    run = read(samples.tensorboard([]) + samples.frame(event.SerializeToString()))
    assert run.steps.to_pydict() == {schema.STEP: [3], schema.TRAIN_LOSS: [0.25], schema.ELAPSED_SECONDS: [-99.0]}


def test_an_event_file_is_shown_by_the_name_of_its_folder_and_not_of_its_host(tmp_path):
    path = tmp_path / "lr_3e-4" / "events.out.tfevents.1700000000.somehost.99.0.v2"
    path.parent.mkdir()
    path.write_bytes(samples.tensorboard())
    run = read_file(path)[0]
    assert (run.run_id, run.name) == ("events.out.tfevents.1700000000.somehost.99.0", "lr_3e-4")
    assert "somehost" not in run.record[schema.SOURCE]


def test_a_damaged_or_cut_record_ends_the_reading_and_is_noted(read):
    whole = samples.tensorboard()
    run = read(whole[:-10])
    assert (len(run.loss[0]), has_note(run, "is cut off; what comes before is read")) == (23, True)
    damaged = bytearray(whole)
    damaged[-8] ^= 4
    run = read(bytes(damaged))
    assert (len(run.loss[0]), has_note(run, "is damaged; what comes before is read")) == (23, True)


def test_large_records_are_passed_over_and_counted(read):
    run = read(samples.tensorboard() + samples.frame(b"graph" * 20_000))
    assert (len(run.loss[0]), has_note(run, "(graphs, images) are passed over: 1")) == (24, True)


def test_an_event_file_without_scalars_is_refused(read):
    with pytest.raises(RunLogError, match=r"has no scalars"):
        read(samples.tensorboard([]))


@pytest.mark.parametrize(
    ("name", "start", "repeated"),
    [
        ("llm.c txt", "s:1 trl:1 ", "a"),
        ("llm.c txt", "step 1/1 | loss 1 ", "| norm 1 "),
        ("nanogpt stdout", "iter 1: loss 1, ", "a "),
        ("modded-nanogpt txt", "step:1/1 train_loss:1 ", "a"),
        ("fairseq json", "", '{"epoch": 1, "num_updates": "1", '),
        ("megatron text", "iteration 1/ 1 | lm loss: 1 |\n", "validation loss at iteration "),
        ("mmengine json", "", '{"data_time": 1, "time": 1, '),
    ],
)
def test_a_long_hostile_line_takes_linear_time(tmp_path, name, start, repeated):
    path = tmp_path / "run_07.txt"
    path.write_text(start + repeated * (400_000 // len(repeated)) + "\n")
    began = time.process_time()
    with contextlib.suppress(RunLogError):
        read_file(path, format_name=name)
    assert time.process_time() - began < 5  # 0.4 s here; minutes where a pattern starts again at every character
