"""The rules in NumPy against those that train, step by step, and against numbers worked out by hand."""

import numpy as np
import pytest
import torch

from analysis import torch_rules
from analysis.update_rules import UPDATE_RULES, adam, nadam, rmsprop
from runners.update_rules import UPDATE_RULES as IN_TORCH

STEPS = 60
RANDOM = np.random.default_rng(7)
GRADIENTS = RANDOM.normal(size=(STEPS, 5)) * np.logspace(-4, 1, STEPS)[:, None]
LRS = 0.1 * (1 + np.sin(np.arange(STEPS))) / 2  # a changing rate tells whether lr is inside or outside a memory


def increments(rule):
    state, every = rule.init(np.zeros(5)), []
    for g, lr in zip(GRADIENTS, LRS, strict=True):
        delta, state = rule.update(g, state, float(lr))
        every.append(delta)
    return np.array(every)


def increments_in_torch(rule):
    state, every = rule.init(torch.zeros(5, dtype=torch.float64)), []
    for g, lr in zip(GRADIENTS, LRS, strict=True):
        delta, state = rule.update(torch.tensor(g), state, float(lr))
        every.append(delta.numpy())
    return np.array(every)


def hold_to_torch(name, rule, **options):
    np.testing.assert_allclose(increments(rule), increments_in_torch(IN_TORCH[name](**options)), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_every_rule_takes_the_steps_of_the_rule_that_trains(name):
    hold_to_torch(name, UPDATE_RULES[name]())


def test_both_folders_hold_the_same_rules_with_the_same_metaparameters():
    assert list(UPDATE_RULES) == list(IN_TORCH)
    for name, rule in UPDATE_RULES.items():
        assert rule.__kwdefaults__ == IN_TORCH[name].__kwdefaults__
        assert rule.__defaults__ == IN_TORCH[name].__defaults__


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("rmsprop", torch_rules.rmsprop(v_0=0.0, eps_in_root=True, lr_in_m=True)),
        ("rmsprop", torch_rules.rmsprop(v_0=1.0, eps_in_root=False, lr_in_m=True)),
        ("rmsprop", torch_rules.rmsprop(v_0=1.0, eps_in_root=True, lr_in_m=False)),
        ("adam", torch_rules.adam(eps_before=False)),
        ("nadam", torch_rules.nadam(eps_before=False, has_schedule=False, looks_ahead=False)),
    ],
    ids=["v_0", "eps in the root", "lr in m", "eps of adam", "eps of nadam"],
)
def test_a_rule_that_differs_in_one_place_does_not_pass(name, other):
    with pytest.raises(AssertionError):
        hold_to_torch(name, other)


def test_rmsprop_starts_at_one_and_adds_eps_inside_the_root():
    rule = rmsprop(gamma=0.0, rho=0.5, eps=3.0)
    state = rule.init(np.zeros(1))
    assert state.v.tolist() == [1.0]
    delta, state = rule.update(np.array([1.0]), state, 0.5)
    assert state.v.tolist() == [1.0]  # 0.5 * 1 + 0.5 * 1
    assert delta.tolist() == [-0.25]  # 0.5 / sqrt(1 + 3); outside the root it would be 0.5 / (1 + 3)


@pytest.mark.parametrize(("make", "numerator"), [(adam, 0.5), (nadam, 0.75)])
def test_adam_and_nadam_add_eps_before_the_bias_correction(make, numerator):
    rule = make(beta1=0.5, beta2=0.75, eps=0.5)
    delta, _ = rule.update(np.array([1.0]), rule.init(np.zeros(1)), 1.0)
    # v = 0.25, b = sqrt(1 - 0.75) / (1 - 0.5) = 1; after the correction eps would be added to 1, not to 0.5.
    np.testing.assert_allclose(delta, -numerator / (0.5 + 0.5), rtol=1e-15)


def test_whole_numbers_as_parameters_do_not_make_a_memory_of_whole_numbers():
    for name, make in UPDATE_RULES.items():
        rule = make()
        _, state = rule.update(np.array([0.5]), rule.init(np.zeros(1, dtype=int)), 0.1)
        assert all(np.asarray(part).dtype == float for part in state if not isinstance(part, int)), name
