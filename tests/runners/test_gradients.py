import math

import pytest
import torch
from torch import nn

from analysis.clip_rules import GlobalNorm
from analysis.runlog import RunLogError
from runners.gradients import flatten_parameters, global_norm, multiply


def test_norm_of_ordinary_gradients_is_that_of_float64():
    g = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    assert global_norm(g) == pytest.approx(torch.linalg.vector_norm(g.double()).item(), rel=1e-6)


@pytest.mark.parametrize("scale", [1e20, 1e38, 1e-20, 1e-30, 1e-37])
def test_norm_survives_squares_that_float32_cannot_hold(scale):
    g = torch.full((100,), scale, dtype=torch.float32)
    assert global_norm(g) == pytest.approx(10 * g[0].item(), rel=1e-6)


def test_norm_survives_squares_that_float64_cannot_hold():
    assert global_norm(torch.full((100,), 1e200, dtype=torch.float64)) == pytest.approx(1e201)


def test_norm_of_a_gradient_that_is_not_finite_says_so():
    assert global_norm(torch.tensor([1.0, math.inf])) == math.inf
    assert math.isnan(global_norm(torch.tensor([1.0, math.nan])))
    assert math.isnan(global_norm(torch.tensor([math.inf, math.nan])))
    assert global_norm(torch.zeros(3)) == 0


def test_a_multiplier_scales_the_gradient_and_keeps_the_direction():
    g = torch.tensor([3.0, -4.0], dtype=torch.float64)
    torch.testing.assert_close(multiply(g, 0.2), torch.tensor([0.6, -0.8], dtype=torch.float64), rtol=1e-15, atol=0)


def test_a_multiplier_of_1_leaves_the_gradient_alone_bit_for_bit():
    g = torch.tensor([3.0, -4.0])
    assert multiply(g, 1.0) is g


def test_clipping_tames_a_gradient_whose_square_overflows():
    g = torch.tensor([3e20, -4e20])
    assert global_norm(multiply(g, GlobalNorm(1.0).multiplier(global_norm(g)))) == pytest.approx(1.0, rel=1e-6)


def test_flat_buffers_are_the_parameters_and_gradients_of_the_model():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    before = torch.cat([parameter.detach().reshape(-1).clone() for parameter in model.parameters()])
    theta, gradient = flatten_parameters(model)
    assert torch.equal(theta, before)
    model(torch.ones(4, 3)).sum().backward()
    flat = torch.cat([parameter.grad.reshape(-1) for parameter in model.parameters()])
    assert torch.equal(gradient, flat)
    assert gradient[-1] == 4
    theta.zero_()
    assert model(torch.ones(4, 3)).abs().sum() == 0


def test_a_model_without_parameters_or_with_mixed_types_is_refused():
    with pytest.raises(RunLogError, match="no trainable parameters"):
        flatten_parameters(nn.ReLU())
    with pytest.raises(RunLogError, match=r"torch.float32 on cpu and torch.float64 on cpu"):
        flatten_parameters(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double()))
