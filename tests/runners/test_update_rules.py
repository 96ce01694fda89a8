"""The six rules against NumPy written from the playbook's formulas, and against torch.optim where the two agree."""

import math

import numpy as np
import pytest
import torch

from analysis.runlog import RunLogError
from runners.update_rules import UPDATE_RULES, adam, momentum, nadam, nesterov, rmsprop, rule_options, sgd

STEPS = 50
RANDOM = np.random.default_rng(0)
THETA_0 = RANDOM.normal(size=7)
GRADIENTS = RANDOM.normal(size=(STEPS, 7)) * np.logspace(-3, 1, STEPS)[:, None]
LRS = 0.1 * (1 + np.cos(np.arange(STEPS))) / 2  # a changing rate tells whether lr is inside or outside a memory


def follow(rule, gradients=GRADIENTS, lrs=LRS):
    theta = torch.tensor(THETA_0)
    state, path = rule.init(theta), []
    for g, lr in zip(gradients, lrs, strict=True):
        delta, state = rule.update(torch.tensor(g), state, float(lr))
        theta = theta + delta
        path.append(theta.numpy())
    return np.array(path)


def follow_torch(optimizer, gradients=GRADIENTS, lrs=LRS, **options):
    theta = torch.nn.Parameter(torch.tensor(THETA_0))
    steps, path = optimizer([theta], lr=0.1, **options), []
    for g, lr in zip(gradients, lrs, strict=True):
        steps.param_groups[0]["lr"] = float(lr)
        theta.grad = torch.tensor(g)
        steps.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def in_numpy(step):
    theta, memory, path = THETA_0.copy(), {}, []
    for t in range(STEPS):
        theta = step(theta, GRADIENTS[t], LRS[t], t, memory)
        path.append(theta)
    return np.array(path)


def sgd_in_numpy(theta, g, lr, t, memory):
    return theta - lr * g


def momentum_in_numpy(theta, g, lr, t, memory):
    v = memory["v"] = 0.9 * memory.get("v", 0) + g
    return theta - lr * v


def nesterov_in_numpy(theta, g, lr, t, memory):
    v = memory["v"] = 0.9 * memory.get("v", 0) + g
    return theta - lr * (0.9 * v + g)


def rmsprop_in_numpy(theta, g, lr, t, memory):
    v = memory["v"] = 0.9 * memory.get("v", 1) + 0.1 * g * g
    m = memory["m"] = 0.9 * memory.get("m", 0) + lr / np.sqrt(v + 1e-8) * g
    return theta - m


def adam_in_numpy(theta, g, lr, t, memory, is_nadam=False):
    m = memory["m"] = 0.9 * memory.get("m", 0) + (1 - 0.9) * g
    v = memory["v"] = 0.999 * memory.get("v", 0) + (1 - 0.999) * g * g
    b = np.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1))
    numerator = 0.9 * m + (1 - 0.9) * g if is_nadam else m
    return theta - lr * numerator / (np.sqrt(v) + 1e-8) * b


def nadam_in_numpy(theta, g, lr, t, memory):
    return adam_in_numpy(theta, g, lr, t, memory, is_nadam=True)


@pytest.mark.parametrize(
    ("rule", "reference"),
    [
        (sgd(), sgd_in_numpy),
        (momentum(), momentum_in_numpy),
        (nesterov(), nesterov_in_numpy),
        (rmsprop(), rmsprop_in_numpy),
        (adam(), adam_in_numpy),
        (nadam(), nadam_in_numpy),
    ],
    ids=UPDATE_RULES,
)
def test_every_rule_follows_the_formulas_of_the_playbook(rule, reference):
    np.testing.assert_allclose(follow(rule), in_numpy(reference), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        (sgd(), {}),
        (momentum(gamma=0.8), {"momentum": 0.8}),
        (nesterov(gamma=0.8), {"momentum": 0.8, "nesterov": True}),
    ],
    ids=["sgd", "momentum", "nesterov"],
)
def test_sgd_momentum_and_nesterov_equal_torch(rule, options):
    np.testing.assert_allclose(follow(rule), follow_torch(torch.optim.SGD, **options), rtol=1e-12, atol=1e-12)


def test_adam_equals_torch_without_eps():
    np.testing.assert_allclose(follow(adam(eps=0.0)), follow_torch(torch.optim.Adam, eps=0.0), rtol=1e-12, atol=1e-12)


def test_adam_equals_torch_once_eps_is_scaled_by_the_bias_correction_of_its_step():
    theta, path = torch.tensor(THETA_0), []
    state = adam().init(theta)
    for t, (g, lr) in enumerate(zip(GRADIENTS, LRS, strict=True)):
        rule = adam(eps=1e-2 * math.sqrt(1 - 0.999 ** (t + 1)))
        delta, state = rule.update(torch.tensor(g), state, float(lr))
        theta = theta + delta
        path.append(theta.numpy())
    np.testing.assert_allclose(np.array(path), follow_torch(torch.optim.Adam, eps=1e-2), rtol=1e-12, atol=1e-12)


def test_adam_with_the_same_eps_takes_a_far_smaller_first_step_than_torch():
    small = np.full((1, 7), 1e-6)  # a gradient below eps, where eps decides
    ours = follow(adam(eps=1e-6), small, [0.1]) - THETA_0
    torchs = follow_torch(torch.optim.Adam, small, [0.1], eps=1e-6) - THETA_0
    # sqrt(v) = 1e-6 sqrt(0.001): torch divides by sqrt(v)/sqrt(0.001) + eps = 2e-6, we by sqrt(v) + eps = 1.03e-6.
    np.testing.assert_allclose(torchs, -0.1 / 2, rtol=1e-9)
    np.testing.assert_allclose(ours, -0.1 * math.sqrt(0.001) / (1 + math.sqrt(0.001)), rtol=1e-9)


def test_rmsprop_first_step_follows_the_gradient_where_that_of_torch_does_not():
    for size in (1e-3, 1e-2):
        g = np.full((1, 7), size)
        ours = follow(rmsprop(), g, [0.1]) - THETA_0
        torchs = follow_torch(torch.optim.RMSprop, g, [0.1], alpha=0.9, momentum=0.9) - THETA_0
        np.testing.assert_allclose(ours, -0.1 * size / math.sqrt(0.9), rtol=1e-3)  # v_0 = 1 sets the scale
        np.testing.assert_allclose(torchs, -0.1 / math.sqrt(0.1), rtol=1e-3)  # v_0 = 0: the same for every gradient


def test_rmsprop_memory_holds_the_learning_rates_of_the_past_where_that_of_torch_does_not():
    gradients, lrs = np.ones((2, 7)), [0.1, 0.0]  # a rate of 0 in the second step
    ours, torchs = follow(rmsprop(), gradients, lrs), follow_torch(torch.optim.RMSprop, gradients, lrs, momentum=0.9)
    np.testing.assert_allclose(ours[1] - ours[0], 0.9 * (ours[0] - THETA_0), rtol=1e-12)
    np.testing.assert_array_equal(torchs[1], torchs[0])


def test_nadam_has_no_momentum_schedule_where_that_of_torch_does():
    ours = follow(nadam(eps=0.0), GRADIENTS[:1], [0.1])[0] - THETA_0
    torchs = follow_torch(torch.optim.NAdam, GRADIENTS[:1], [0.1], eps=0.0)[0] - THETA_0
    # First step, in units of lr sign(g): ours (beta1 (1 - beta1) + 1 - beta1) / (1 - beta1) = 1 + beta1.
    np.testing.assert_allclose(ours, -0.1 * 1.9 * np.sign(GRADIENTS[0]), rtol=1e-9)
    mu_1, mu_2 = (0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)) for t in (1, 2))
    size = (1 - mu_1) / (1 - mu_1) + mu_2 * 0.1 / (1 - mu_1 * mu_2)
    np.testing.assert_allclose(torchs, -0.1 * size * np.sign(GRADIENTS[0]), rtol=1e-6)  # torch keeps mu in float32
    assert size < 1.1


def test_an_unknown_rule_is_refused_with_the_known_ones():
    with pytest.raises(RunLogError, match=r"no optimizer 'lamb'.*momentum"):
        rule_options("lamb")
