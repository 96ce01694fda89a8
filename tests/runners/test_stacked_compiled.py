import math
from functools import partial

import pytest
import torch

from analysis.runlog import schema
from runners.config import RunConfig
from runners.plan import MemoryWriter
from runners.stacked.attention import attend
from runners.stacked.stack import Stack
from runners.stacked.train import train_stack
from tests.runners.stacking import alone, mlp


@pytest.fixture
def graphs(monkeypatch):
    """The programs that are compiled, which then run uncompiled: g++ would take a minute."""
    found = []

    def count(graph, example_inputs):
        found.append(graph)
        return graph.forward

    torch.compiler.reset()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=count))
    return found


TRACED = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # by torch itself


@TRACED
@pytest.mark.parametrize(
    ("workload", "optimizer", "variant"),
    [("mlp", "rmsprop", {"depth": 1}), ("mlp", "nadam", {"depth": 1, "norm": "layer"})],
)
def test_a_compiled_stack_logs_the_same_and_is_compiled_once_though_runs_leave(workload, optimizer, variant, graphs):
    options = ({}, {"clip_threshold": 0.5}, {"update_clip_threshold": 1e-3})
    configs = [
        RunConfig(workload, optimizer, 1e-5 * (1 + seed), 2 + seed, variant=variant, seed=seed, **option)
        for seed, option in enumerate(options)
    ]
    writers = [MemoryWriter() for _ in configs]
    train_stack(configs, writers, compiles=True)
    assert len(graphs) == 1
    for config, writer in zip(configs, writers, strict=True):
        for row, reference in zip(writer.rows, alone(config).rows, strict=True):
            elapsed = {schema.ELAPSED_SECONDS: row[schema.ELAPSED_SECONDS]}
            assert row == pytest.approx(reference | elapsed, rel=1e-3)
            assert row[schema.TRAIN_LOSS] == pytest.approx(reference[schema.TRAIN_LOSS], rel=1e-5)


@TRACED
def test_attention_has_the_same_gradient_in_a_compiled_program(graphs):
    qkv, mask = torch.randn(2, 4, 3, 2, 3), torch.full((4, 4), -math.inf).triu(1)

    def differentiate(qkv):
        return torch.func.grad(lambda qkv: attend(qkv, mask).square().sum())(qkv)

    compiled = torch.compile(differentiate, fullgraph=True)(qkv)
    (expected,) = torch.autograd.grad(attend(qkv.requires_grad_(), mask).square().sum(), qkv)
    assert len(graphs) == 1
    torch.testing.assert_close(compiled, expected)


@TRACED
@pytest.mark.parametrize(("threshold", "update_norm"), [(1.0, 1e-3), (None, None), (1e30, None)])
def test_a_compiled_stack_clips_gradients_whose_squares_overflow_as_the_rule_says(threshold, update_norm, graphs):
    stack = Stack([mlp(1e-3, steps=3, variant={"width": 8, "depth": 1}, clip_threshold=threshold)], compiles=True)
    stack._copies.theta.mul_(1e10)  # a product of three layers: gradients above 1e19
    (row,) = stack.measure(0)
    assert 1e19 < row[schema.GRAD_NORM] < math.inf
    assert row[schema.UPDATE_NORM] == pytest.approx(update_norm or 1e-3 * row[schema.GRAD_NORM], rel=1e-5)


def test_a_clip_rule_that_must_see_the_norm_first_is_not_compiled(graphs):
    with pytest.raises(RuntimeError, match="clip rule AutoClip must see a norm"):
        train_stack([mlp(0.01, clip_rule="autoclip")], [MemoryWriter()], compiles=True)


def test_a_network_with_batch_norm_is_not_compiled_for_its_statistics_would_be_lost():
    with pytest.raises(RuntimeError, match="BatchNorm keeps running statistics"):
        train_stack([RunConfig("stride_resnet", "momentum", 0.01, 2)], [MemoryWriter()], compiles=True)
