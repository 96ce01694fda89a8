import itertools
import math
from dataclasses import replace

import pytest
import torch

from analysis.runlog import RunLogError, schema
from runners.config import RunConfig
from runners.gradients import flatten_parameters, row_norms
from runners.guard import watch_for_rises
from runners.plan import MemoryWriter
from runners.stacked.copies import ModelCopies
from runners.stacked.train import train_stack
from runners.train import make_reproducible
from runners.workloads import make_workload
from tests.runners.stacking import alone, mlp, stack
from tests.runners.test_train import without_time

WORKLOADS = {
    "mlp": ("momentum", (0.001, 0.003, 0.01), {}),
    "mlp layer": ("adam", (0.0003, 0.001, 0.003), {"norm": "layer", "label_smoothing": 0.1}),
    "stride_resnet": ("momentum", (0.0001, 0.0003, 0.001), {}),
    "deepres": ("adam", (0.00001, 0.00003, 0.0001), {}),
    # At first Adam moves by lr however small a gradient is, even one that is all rounding: rates are low here.
    "charlm": ("adam", (0.00001, 0.00003, 0.0001), {}),
}
EXPLODES = 1e18  # a learning rate


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_stack_logs_what_each_run_alone_logs_with_and_without_clipping(name):
    optimizer, base_lrs, variant = WORKLOADS[name]
    configs = [
        RunConfig(name.split()[0], optimizer, base_lr, 4 + seed, variant=variant, seed=seed, clip_threshold=threshold)
        for seed, (base_lr, threshold) in enumerate(zip(base_lrs, (None, 1.0, None), strict=True))
    ]
    for config, stacked in zip(configs, stack(configs), strict=True):
        expected = alone(config)
        assert stacked.record.pop(schema.STATUS) == expected.record.pop(schema.STATUS)
        assert stacked.record == pytest.approx(expected.record, rel=1e-6)
        for row, reference in zip(stacked.rows, expected.rows, strict=True):
            assert row.keys() == reference.keys()
            assert row[schema.TRAIN_LOSS] == pytest.approx(reference[schema.TRAIN_LOSS], rel=1e-5)
            assert row[schema.LR] == reference[schema.LR]
            assert row[schema.GRAD_NORM] == pytest.approx(reference[schema.GRAD_NORM], rel=1e-3)
            assert row[schema.UPDATE_NORM] == pytest.approx(reference[schema.UPDATE_NORM], rel=1e-3)
            if schema.EVAL_LOSS in reference:
                assert row[schema.EVAL_LOSS] == pytest.approx(reference[schema.EVAL_LOSS], rel=1e-5)
                assert row[schema.EVAL_ERROR] == reference[schema.EVAL_ERROR]


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("charlm", {"norm": "post"}),
        ("charlm", {"norm": "pre"}),
        ("charlm", {"norm": "res_post", "rezero": True}),
        ("charlm", {"norm": "none"}),
        ("deepres", {"norm": "pre"}),
        ("deepres", {"rezero": True}),
        ("mlp", {"norm": "layer", "label_smoothing": 0.1}),
        ("stride_resnet", {"stride": "1x1"}),
    ],
)
def test_the_loss_by_hand_and_its_gradient_are_those_of_the_model(name, variant):
    make_reproducible(0)
    workload = make_workload(name, variant | {"batch_size": 4})
    models, losses, gradients = [workload.make_model() for _ in range(2)], [], []
    inputs, targets = zip(*itertools.islice(workload.batches(0), 2), strict=True)
    for model, *batch in zip(models, inputs, targets, strict=True):
        theta, gradient = flatten_parameters(model)
        theta += 0.03 * torch.randn_like(theta)  # a scalar that starts at 0 would hide its branch
        loss = workload.loss(model(batch[0]), batch[1])
        loss.backward()
        losses.append(loss.item())
        gradients.append(gradient)
    found, gradient = ModelCopies(workload, models).differentiate(torch.stack(inputs), torch.stack(targets))
    assert found == pytest.approx(losses, rel=1e-5)
    expected = torch.stack(gradients)
    for error, norm in zip(row_norms(gradient - expected), row_norms(expected), strict=True):
        assert error < 1e-4 * norm


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "nadam"])
def test_every_update_rule_takes_a_learning_rate_of_each_run(optimizer):
    configs = [
        mlp(0.0003, optimizer=optimizer, warmup_steps=3),
        mlp(0.0001, optimizer=optimizer, schedule="cosine", seed=1),
    ]
    for config, stacked in zip(configs, stack(configs), strict=True):
        for row, reference in zip(stacked.rows, alone(config).rows, strict=True):
            assert row == pytest.approx(reference | {schema.ELAPSED_SECONDS: row[schema.ELAPSED_SECONDS]}, rel=1e-4)


@pytest.mark.parametrize("clipping", [{"clip_rule": "autoclip"}, {"clip_rule": "zclip", "clip_options": {"warmup": 2}}])
def test_every_run_has_its_own_clip_rule_and_its_own_limit_of_updates(clipping):
    configs = [mlp(0.003, **clipping), mlp(0.01, update_clip_threshold=0.05), mlp(0.01)]
    for config, stacked in zip(configs, stack(configs), strict=True):
        for row, reference in zip(stacked.rows, alone(config).rows, strict=True):
            assert row == pytest.approx(reference | {schema.ELAPSED_SECONDS: row[schema.ELAPSED_SECONDS]}, rel=1e-4)


@pytest.mark.parametrize(("workload", "steps"), [("mlp", 8), ("stride_resnet", 2), ("charlm", 2), ("deepres", 4)])
def test_a_run_that_explodes_leaves_the_others_equal_bit_for_bit(workload, steps):
    calm = [RunConfig(workload, "momentum", base_lr, steps, seed=seed) for seed, base_lr in ((0, 1e-5), (1, 2e-5))]
    first, wild, second = stack([calm[0], replace(calm[0], base_lr=EXPLODES), calm[1]])
    undisturbed = stack(calm)
    assert wild.record[schema.STATUS] == "diverged"
    assert [without_time(run.rows) for run in (first, second)] == [without_time(run.rows) for run in undisturbed]


@pytest.mark.parametrize(("workload", "steps"), [("mlp", 8), ("stride_resnet", 2), ("charlm", 2), ("deepres", 4)])
def test_a_run_does_not_depend_on_how_many_are_stacked(workload, steps):
    configs = [RunConfig(workload, "momentum", 1e-5 * (1 + seed), steps, seed=seed) for seed in range(4)]
    most = stack(configs)
    for number in (1, 3):
        for few, many in zip(stack(configs[:number]), most, strict=False):
            assert without_time(few.rows) == without_time(many.rows)


def test_the_first_step_that_is_not_finite_is_the_same_and_has_no_update():
    configs = [mlp(base_lr, 60, optimizer="sgd") for base_lr in (0.01, 1e3, 1e10, EXPLODES)]
    for config, stacked in zip(configs, stack(configs), strict=True):
        expected = alone(config)
        assert stacked.record[schema.STATUS] == expected.record[schema.STATUS]
        assert len(stacked.rows) == len(expected.rows)
        assert stacked.rows[-1].keys() == expected.rows[-1].keys()
    assert stacked.record[schema.STATUS] == "diverged"


def test_runs_of_several_lengths_leave_when_they_are_done():
    configs = [mlp(0.001, steps, seed=steps) for steps in (2, 9, 5)]
    writers = stack(configs)
    assert [len(writer.rows) for writer in writers] == [2, 9, 5]
    assert [schema.EVAL_LOSS in writer.rows[-1] for writer in writers] == [True] * 3


def test_a_guard_that_stops_a_run_ends_that_run_alone():
    configs = [mlp(0.001, 40), mlp(0.7, 40)]
    writers = [MemoryWriter() for _ in configs]
    guarded = [watch_for_rises(writer, "stop", planned_steps=40, name="it") for writer in writers]
    statuses = train_stack(configs, guarded)
    assert statuses[0] == "finished"
    assert statuses[1].startswith("it was stopped: early rise")
    assert len(writers[0].rows) == 40
    assert len(writers[1].rows) < 40


def test_an_exception_of_on_step_interrupts_the_stack_after_a_written_row():
    writers = [MemoryWriter(), MemoryWriter()]

    def interrupt(index, step):
        if (index, step) == (0, 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_stack([mlp(0.001), mlp(0.002)], writers, interrupt)
    assert [len(writer.rows) for writer in writers] == [4, 3]
    assert all(schema.STATUS not in writer.record for writer in writers)


def test_batches_that_end_early_are_refused():
    config = RunConfig("tests.runners.own_workload:tiny", "sgd", 0.01, 12, variant={"num_batches": 5})
    with pytest.raises(RunLogError, match="gave 5 batches, 12 are needed"):
        train_stack([config, config], [MemoryWriter(), MemoryWriter()])


def test_a_user_s_network_with_batch_norm_is_mapped_and_its_statistics_are_those_of_each_run():
    configs = [
        RunConfig("tests.runners.own_workload:normalized", "sgd", base_lr, 6, seed=seed)
        for seed, base_lr in enumerate((0.01, 0.02, 0.03))
    ]
    for config, stacked in zip(configs, stack(configs), strict=True):
        for row, reference in zip(stacked.rows, alone(config).rows, strict=True):
            assert row == pytest.approx(reference | {schema.ELAPSED_SECONDS: row[schema.ELAPSED_SECONDS]}, rel=1e-5)
    assert not math.isclose(stacked.rows[-1]["running_mean"], 0)


def test_a_parameter_that_is_a_single_number_is_stacked():
    configs = [RunConfig("tests.runners.own_workload:scaled", "adam", base_lr, 6) for base_lr in (0.01, 0.02)]
    for config, stacked in zip(configs, stack(configs), strict=True):
        for row, reference in zip(stacked.rows, alone(config).rows, strict=True):
            assert row == pytest.approx(reference | {schema.ELAPSED_SECONDS: row[schema.ELAPSED_SECONDS]}, rel=1e-4)


def test_parameters_of_two_types_cannot_be_stacked():
    config = RunConfig("tests.runners.own_workload:of_two_types", "sgd", 0.01, 6)
    with pytest.raises(RuntimeError, match="not of one type"):
        stack([config, config])


def test_a_network_with_dropout_cannot_be_stacked():
    config = RunConfig("tests.runners.own_workload:normalized", "sgd", 0.01, 6, variant={"dropout": 0.5})
    with pytest.raises(RuntimeError, match="randomness"):
        train_stack([config, config], [MemoryWriter(), MemoryWriter()])
    assert torch.is_grad_enabled()


def test_a_clip_rule_sees_each_norm_once_though_its_run_has_doubles():
    config = mlp(0.003, steps=30, clip_rule="autoclip", clip_options={"percentile": 60.0})
    (lonely,), beside = stack([config]), stack([config, replace(config, seed=1), replace(config, seed=2)])[0]
    assert without_time(lonely.rows) == without_time(beside.rows)
