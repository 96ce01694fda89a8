"""The rules of torch.optim in NumPy: at one end torch.optim itself, at the other the playbook's rules."""

import numpy as np
import pytest
import torch

from analysis import torch_rules, update_rules
from analysis.rule_differences import COMPARED_STEPS, find_rule_differences

STEPS = 40
RANDOM = np.random.default_rng(3)
GRADIENTS = RANDOM.normal(size=(STEPS, 4)) * np.logspace(-6, 1, STEPS)[:, None]
LRS = 0.1 * (1 + np.cos(np.arange(STEPS))) / 2


def path_of(rule):
    theta = np.zeros(4)
    state, path = rule.init(theta), []
    for g, lr in zip(GRADIENTS, LRS, strict=True):
        delta, state = rule.update(g, state, float(lr))
        theta = theta + delta
        path.append(theta)
    return np.array(path)


def path_in_torch(optimizer, **options):
    theta = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
    steps, path = optimizer([theta], lr=0.1, **options), []
    for g, lr in zip(GRADIENTS, LRS, strict=True):
        steps.param_groups[0]["lr"] = float(lr)
        theta.grad = torch.tensor(g)
        steps.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


@pytest.mark.parametrize(
    ("rule", "optimizer", "options", "rtol"),
    [
        (torch_rules.momentum(dampening=0.5), torch.optim.SGD, {"momentum": 0.9, "dampening": 0.5}, 1e-12),
        (torch_rules.rmsprop(eps=1e-3), torch.optim.RMSprop, {"alpha": 0.9, "momentum": 0.9, "eps": 1e-3}, 1e-12),
        (torch_rules.adam(eps=1e-3), torch.optim.Adam, {"eps": 1e-3}, 1e-12),
        (torch_rules.nadam(eps=1e-3), torch.optim.NAdam, {"eps": 1e-3}, 1e-5),  # torch keeps the schedule in float32
    ],
    ids=["momentum", "rmsprop", "adam", "nadam"],
)
def test_by_default_they_are_torch_optim(rule, optimizer, options, rtol):
    np.testing.assert_allclose(path_of(rule), path_in_torch(optimizer, **options), rtol=rtol, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "playbook"),
    [
        (torch_rules.momentum(), update_rules.momentum()),
        (
            torch_rules.rmsprop(eps=1e-3, v_0=1.0, eps_in_root=True, lr_in_m=True),
            update_rules.rmsprop(eps=1e-3),
        ),
        (torch_rules.adam(eps=1e-3, eps_before=True), update_rules.adam(eps=1e-3)),
        (
            torch_rules.nadam(eps=1e-3, eps_before=True, has_schedule=False, looks_ahead=False),
            update_rules.nadam(eps=1e-3),
        ),
    ],
    ids=["momentum", "rmsprop", "adam", "nadam"],
)
def test_with_every_place_as_in_the_playbook_they_are_its_rules(rule, playbook):
    np.testing.assert_allclose(path_of(rule), path_of(playbook), rtol=1e-12, atol=1e-15)


def ratios(gradient):
    return {(each.rule, each.place): each.ratios for each in find_rule_differences(gradient)}


def test_the_start_of_v_decides_the_first_step_and_is_forgotten():
    first, _, last = ratios(1e-3)["rmsprop", "start of v"]
    # With v_0 = 1 the step is g / sqrt(0.9 + 0.1 g^2), with v_0 = 0 it is 1 / sqrt(0.1 + 1e-8 / g^2).
    assert first == pytest.approx(np.sqrt(0.9 + 1e-7 + 1e-8) / np.sqrt(1e-7 + 1e-8), rel=1e-9)
    assert last == pytest.approx(1, abs=1e-9)


def test_the_place_of_eps_matters_to_rmsprop_once_v_is_small_and_to_adam_at_the_start():
    first, _, last = ratios(1e-6)["rmsprop", "place of eps"]
    assert first == pytest.approx(1, abs=1e-6)
    assert last == pytest.approx(np.sqrt(1e-12 + 1e-8) / (1e-6 + 1e-8), rel=1e-6)
    first, _, last = ratios(1e-8)["adam", "place of eps"]
    assert first == pytest.approx((np.sqrt(0.001) + 1) / (2 * np.sqrt(0.001)), rel=1e-9)
    assert last < first
    assert ratios(1.0)["adam", "place of eps"][0] == pytest.approx(1, abs=1e-6)


def test_dampening_spares_the_first_step_and_divides_the_rest():
    first, second, last = ratios(0.1)["momentum", "dampening 0.9"]
    assert (first, last) == pytest.approx((1, 0.1))
    assert second == pytest.approx(1.0 / 1.9)


def test_a_learning_rate_inside_m_keeps_the_past_at_its_own_rate():
    first, second, last = ratios(1.0)["rmsprop", "learning rate"]
    assert first == last == pytest.approx(1)
    assert second == pytest.approx(0.5 * 1.9 / (0.9 + 0.5))  # v stays 1 at a gradient of 1


def test_nadam_takes_a_shorter_first_step_in_torch_for_two_reasons():
    found = ratios(1.0)
    assert found["nadam", "bias correction of m"][0] == pytest.approx((1 + 0.9 / 1.9) / 1.9)
    assert found["nadam", "momentum schedule"][0] < 0.6
    assert len(COMPARED_STEPS) == len(found["nadam", "momentum schedule"])
