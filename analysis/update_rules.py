"""The six update rules of the Deep Learning Tuning Playbook in NumPy, to be read, drawn and compared.

Symbols as in its FAQ, "What are the update rules for all the popular optimization algorithms?": g is the gradient of
the loss at theta_t, lr the learning rate of step t. `update` returns the increment theta_{t+1} - theta_t, not applied,
and the next state. Every rule works elementwise on float64. Training uses the same rules in torch
(runners/update_rules.py); a test holds the two together, step by step.

    >>> rule = momentum(gamma=0.9)
    >>> delta, state = rule.update(np.array([1.0, -2.0]), rule.init(np.zeros(2)), lr=0.5)
    >>> delta.tolist()
    [-0.5, 1.0]
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np


class UpdateRule(NamedTuple):
    """init: theta -> state_0.  update: (g, state, lr) -> (theta_{t+1} - theta_t, next state)."""

    init: Callable[[np.ndarray], Any]
    update: Callable[[np.ndarray, Any, float], tuple[np.ndarray, Any]]


class EmptyState(NamedTuple):
    """Nothing to remember."""


class VelocityState(NamedTuple):
    """v: decaying sum of gradients."""

    v: np.ndarray


class RmspropState(NamedTuple):
    """v: decaying mean of squared gradients.  m: decaying sum of scaled steps, learning rate included."""

    v: np.ndarray
    m: np.ndarray


class AdamState(NamedTuple):
    """t: step.  m, v: decaying means of gradients and of squared gradients."""

    t: int
    m: np.ndarray
    v: np.ndarray


def sgd() -> UpdateRule:
    """Stochastic gradient descent: theta_{t+1} = theta_t - lr g. Equal to torch.optim.SGD.

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", Stochastic gradient descent (PLAYBOOK P9).
    """

    def init(theta):
        return EmptyState()

    def update(g, state, lr):
        return -lr * g, state

    return UpdateRule(init, update)


def momentum(gamma: float = 0.9) -> UpdateRule:
    """Momentum: v_0 = 0, v_{t+1} = gamma v_t + g, theta_{t+1} = theta_t - lr v_{t+1}.

    Args:
        gamma: Share of the velocity that is kept each step, in [0, 1).

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", Momentum (PLAYBOOK P9).
    """

    def init(theta):
        return VelocityState(v=np.zeros_like(theta, dtype=float))

    def update(g, state, lr):
        v = gamma * state.v + g
        return -lr * v, VelocityState(v)

    return UpdateRule(init, update)


def nesterov(gamma: float = 0.9) -> UpdateRule:
    """Nesterov: v_0 = 0, v_{t+1} = gamma v_t + g, theta_{t+1} = theta_t - lr (gamma v_{t+1} + g).

    Args:
        gamma: Share of the velocity that is kept each step, in [0, 1).

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", Nesterov (PLAYBOOK P9).
    """

    def init(theta):
        return VelocityState(v=np.zeros_like(theta, dtype=float))

    def update(g, state, lr):
        v = gamma * state.v + g
        return -lr * (gamma * v + g), VelocityState(v)

    return UpdateRule(init, update)


def rmsprop(gamma: float = 0.9, rho: float = 0.9, eps: float = 1e-8) -> UpdateRule:
    """RMSProp: v_0 = 1, m_0 = 0, m_{t+1} = gamma m_t + lr g / sqrt(v_{t+1} + eps), theta_{t+1} = theta_t - m_{t+1}.

    v_{t+1} = rho v_t + (1 - rho) g^2.

    Args:
        gamma: Share of the sum of steps that is kept each step, in [0, 1).
        rho: Share of the mean square that is kept each step, in [0, 1).
        eps: Keeps the division finite, added inside the root.

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", RMSProp (PLAYBOOK P9).
    """

    def init(theta):
        v = np.ones_like(theta, dtype=float)  # torch.optim.RMSprop starts v at 0
        return RmspropState(v, m=np.zeros_like(v))

    def update(g, state, lr):
        v = rho * state.v + (1 - rho) * g**2
        # torch.optim.RMSprop divides by sqrt(v) + eps, and keeps lr outside m.
        m = gamma * state.m + lr / np.sqrt(v + eps) * g
        return -m, RmspropState(v, m)

    return UpdateRule(init, update)


def adam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> UpdateRule:
    """Adam: m_0 = v_0 = 0, theta_{t+1} = theta_t - lr m_{t+1} / (sqrt(v_{t+1}) + eps) b_{t+1}.

    m_{t+1} = beta1 m_t + (1 - beta1) g, v_{t+1} = beta2 v_t + (1 - beta2) g^2,
    b_{t+1} = sqrt(1 - beta2^(t+1)) / (1 - beta1^(t+1)).

    Args:
        beta1: Share of the mean gradient that is kept each step, in [0, 1).
        beta2: Share of the mean square that is kept each step, in [0, 1).
        eps: Keeps the division finite, added to the root of v before any bias correction.

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", ADAM (PLAYBOOK P9).
    """

    def init(theta):
        m = np.zeros_like(theta, dtype=float)
        return AdamState(t=0, m=m, v=np.zeros_like(m))

    def update(g, state, lr):
        t, m, v = state
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        b = np.sqrt(1 - beta2 ** (t + 1)) / (1 - beta1 ** (t + 1))
        # torch.optim.Adam adds eps after the bias correction of v.
        return -lr * m / (np.sqrt(v) + eps) * b, AdamState(t + 1, m, v)

    return UpdateRule(init, update)


def nadam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> UpdateRule:
    """NAdam: theta_{t+1} = theta_t - lr (beta1 m_{t+1} + (1 - beta1) g) / (sqrt(v_{t+1}) + eps) b_{t+1}.

    m, v and b as in Adam.

    Args:
        beta1: Share of the mean gradient that is kept each step, in [0, 1).
        beta2: Share of the mean square that is kept each step, in [0, 1).
        eps: Keeps the division finite, added to the root of v before any bias correction.

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", NADAM (PLAYBOOK P9).
    """

    def init(theta):
        m = np.zeros_like(theta, dtype=float)
        return AdamState(t=0, m=m, v=np.zeros_like(m))

    def update(g, state, lr):
        t, m, v = state
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        b = np.sqrt(1 - beta2 ** (t + 1)) / (1 - beta1 ** (t + 1))
        # torch.optim.NAdam replaces beta1 by a schedule and corrects m and g apart.
        return -lr * (beta1 * m + (1 - beta1) * g) / (np.sqrt(v) + eps) * b, AdamState(t + 1, m, v)

    return UpdateRule(init, update)


UPDATE_RULES: Mapping[str, Callable[..., UpdateRule]] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "rmsprop": rmsprop,
    "adam": adam,
    "nadam": nadam,
}
