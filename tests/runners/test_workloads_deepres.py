import pytest
import torch
from torch.func import functional_call, grad, stack_module_state, vmap

from analysis.runlog import schema
from runners.config import RunConfig
from runners.plan import MemoryWriter
from runners.train import train
from runners.workloads import deepres, make_workload


def train_rows(workload, optimizer, base_lr, steps, **options):
    writer = MemoryWriter()
    status = train(RunConfig(workload, optimizer, base_lr, steps, **options), writer)
    return status, [{name: row[name] for name in row if name != schema.ELAPSED_SECONDS} for row in writer.rows]


@pytest.mark.parametrize("seed", range(3))
def test_momentum_at_0_01_is_non_finite_within_four_steps_without_clipping_and_trains_with_it(seed):
    status, rows = train_rows("deepres", "momentum", 0.01, 20, seed=seed)
    assert status == "diverged"
    assert len(rows) <= 4
    assert rows[0][schema.GRAD_NORM] > 5000
    status, rows = train_rows("deepres", "momentum", 0.01, 150, seed=seed, clip_threshold=16.0)
    assert status == "finished"
    assert sum(row[schema.TRAIN_LOSS] for row in rows[-20:]) / 20 < 1


@pytest.mark.parametrize("variant", [{"norm": "pre"}, {"rezero": True}])
def test_the_repaired_networks_start_small_and_train_at_0_01(variant):
    status, rows = train_rows("deepres", "momentum", 0.01, 60, variant=variant)
    assert status == "finished"
    assert rows[0][schema.GRAD_NORM] < 200
    assert sum(row[schema.TRAIN_LOSS] for row in rows[-10:]) / 10 < 1


def test_rezero_starts_as_the_identity():
    stream = torch.randn(4, deepres.WIDTH)
    for norm in ("none", "pre"):
        model = make_workload("deepres", {"norm": norm, "rezero": True}).make_model()
        assert torch.equal(model.blocks(stream), stream)


@pytest.mark.parametrize(("clip_threshold", "rises"), [(None, True), (3.0, False)])
def test_a_bad_batch_raises_the_loss_of_the_next_steps_only_without_clipping(clip_threshold, rises):
    options = {"variant": {"bad_batch": 120}, "clip_threshold": clip_threshold}
    _, rows = train_rows("mlp", "momentum", 0.03, 150, **options)
    losses = [row[schema.TRAIN_LOSS] for row in rows]
    before, after = (sum(losses[start : start + 20]) / 20 for start in (100, 121))
    assert losses[120] > 10
    assert (after > 10 * before) is rises
    assert rises or after < 2 * before


@pytest.mark.parametrize("workload", ["mlp", "charlm", "deepres"])
def test_equal_configurations_give_equal_rows_and_other_seeds_others(workload):
    first, again, other = (train_rows(workload, "adam", 0.003, 4, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize("variant", [{}, {"norm": "pre", "rezero": True}])
@pytest.mark.parametrize("workload", ["charlm", "deepres"])
def test_the_gradients_of_stacked_copies_are_those_of_each_alone(workload, variant):
    made = make_workload(workload, variant)
    models = [made.make_model() for _ in range(2)]
    inputs, targets = next(made.batches(0))
    parameters, buffers = stack_module_state(models)

    def loss(own, own_buffers):
        return made.loss(functional_call(models[0], (own, own_buffers), (inputs,)), targets)

    stacked = vmap(grad(loss))(parameters, buffers)
    made.loss(models[1](inputs), targets).backward()
    for name, parameter in models[1].named_parameters():
        assert torch.allclose(stacked[name][1], parameter.grad, rtol=1e-3, atol=1e-5 * parameter.grad.abs().max()), name
