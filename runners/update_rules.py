"""The six update rules of the Deep Learning Tuning Playbook, transcribed.

Symbols as in its FAQ, "What are the update rules for all the popular optimization algorithms?": g is the gradient of
the loss at theta_t, lr the learning rate of step t. `update` returns the increment theta_{t+1} - theta_t, not applied,
and the next state. Every rule works elementwise, so one flat tensor of shape [n] holds all parameters; a gradient that
is not finite gives an increment that is not finite. Written so that few tensors are made on the way: torch.lerp(g, m,
beta) is beta m + (1 - beta) g, and what ends in an underscore overwrites.

    >>> import torch
    >>> rule = momentum(gamma=0.9)
    >>> state = rule.init(torch.zeros(2))
    >>> delta, state = rule.update(torch.tensor([1.0, -2.0]), state, lr=0.5)
    >>> delta
    tensor([-0.5000,  1.0000])
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from analysis.runlog import RunLogError

Rate = float | Tensor  # a column [K, 1] where the rows of [K, n] are runs with rates of their own


class UpdateRule(NamedTuple):
    """init: theta -> state_0.  update: (g, state, lr) -> (theta_{t+1} - theta_t, next state)."""

    init: Callable[[Tensor], Any]
    update: Callable[[Tensor, Any, Rate], tuple[Tensor, Any]]


class EmptyState(NamedTuple):
    """Nothing to remember."""


class VelocityState(NamedTuple):
    """v: decaying sum of gradients."""

    v: Tensor


class RmspropState(NamedTuple):
    """v: decaying mean of squared gradients.  m: decaying sum of scaled steps, learning rate included."""

    v: Tensor
    m: Tensor


class AdamState(NamedTuple):
    """t: step, a tensor in a compiled program.  m, v: decaying means of gradients and of squared gradients."""

    t: int | Tensor
    m: Tensor
    v: Tensor


def sgd() -> UpdateRule:
    """Stochastic gradient descent: theta_{t+1} = theta_t - lr g. Equal to torch.optim.SGD.

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", Stochastic gradient descent.
    """

    def init(theta: Tensor) -> EmptyState:
        return EmptyState()

    def update(g: Tensor, state: EmptyState, lr: Rate) -> tuple[Tensor, EmptyState]:
        return -lr * g, state

    return UpdateRule(init, update)


def momentum(gamma: float = 0.9) -> UpdateRule:
    """Momentum: v_0 = 0, v_{t+1} = gamma v_t + g, theta_{t+1} = theta_t - lr v_{t+1}.

    Equal to torch.optim.SGD(momentum=gamma). The learning rate is outside v, so a change of lr acts at once.

    Args:
        gamma: Share of the velocity that is kept each step, in [0, 1).

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", Momentum.
    """

    def init(theta: Tensor) -> VelocityState:
        return VelocityState(v=torch.zeros_like(theta))

    def update(g: Tensor, state: VelocityState, lr: Rate) -> tuple[Tensor, VelocityState]:
        v = torch.add(g, state.v, alpha=gamma)
        return v * -lr, VelocityState(v)

    return UpdateRule(init, update)


def nesterov(gamma: float = 0.9) -> UpdateRule:
    """Nesterov: v_0 = 0, v_{t+1} = gamma v_t + g, theta_{t+1} = theta_t - lr (gamma v_{t+1} + g).

    Equal to torch.optim.SGD(momentum=gamma, nesterov=True).

    Args:
        gamma: Share of the velocity that is kept each step, in [0, 1).

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", Nesterov.
    """

    def init(theta: Tensor) -> VelocityState:
        return VelocityState(v=torch.zeros_like(theta))

    def update(g: Tensor, state: VelocityState, lr: Rate) -> tuple[Tensor, VelocityState]:
        v = torch.add(g, state.v, alpha=gamma)
        return torch.add(g, v, alpha=gamma).mul_(-lr), VelocityState(v)

    return UpdateRule(init, update)


def rmsprop(gamma: float = 0.9, rho: float = 0.9, eps: float = 1e-8) -> UpdateRule:
    """RMSProp with momentum, as in TensorFlow.

    v_0 = 1, m_0 = 0, v_{t+1} = rho v_t + (1 - rho) g^2, m_{t+1} = gamma m_t + lr g / sqrt(v_{t+1} + eps),
    theta_{t+1} = theta_t - m_{t+1}.

    Args:
        gamma: Share of the sum of steps that is kept each step, in [0, 1).
        rho: Share of the mean square that is kept each step, in [0, 1).
        eps: Keeps the division finite, added inside the root.

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", RMSProp.
    """

    def init(theta: Tensor) -> RmspropState:
        # torch.optim.RMSprop starts v at 0: its first step is up to 1/sqrt(1 - rho) times lr, whatever the gradient.
        return RmspropState(v=torch.ones_like(theta), m=torch.zeros_like(theta))

    def update(g: Tensor, state: RmspropState, lr: Rate) -> tuple[Tensor, RmspropState]:
        v = _mean_square(state.v, g, rho)
        # torch.optim.RMSprop divides by sqrt(v) + eps, and keeps lr out of m: after a change of lr its whole m is
        # scaled anew, here only the steps to come are.
        m = gamma * state.m + (g * lr).div_((v + eps).sqrt_())
        return -m, RmspropState(v, m)

    return UpdateRule(init, update)


def _mean_square(v: Tensor, g: Tensor, rho: float) -> Tensor:
    """Returns rho v + (1 - rho) g^2."""
    return (rho * v).addcmul_(g, g, value=1 - rho)


def _advance_adam(g: Tensor, state: AdamState, beta1: float, beta2: float) -> tuple[AdamState, Rate]:
    m = torch.lerp(g, state.m, beta1)
    v = _mean_square(state.v, g, beta2)
    t = state.t + 1
    b = (1 - beta2**t) ** 0.5 / (1 - beta1**t)
    return AdamState(t, m, v), b


def _init_adam(theta: Tensor) -> AdamState:
    return AdamState(t=0, m=torch.zeros_like(theta), v=torch.zeros_like(theta))


def adam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> UpdateRule:
    """Adam: m_0 = v_0 = 0, theta_{t+1} = theta_t - lr b_{t+1} m_{t+1} / (sqrt(v_{t+1}) + eps).

    m_{t+1} = beta1 m_t + (1 - beta1) g, v_{t+1} = beta2 v_t + (1 - beta2) g^2,
    b_{t+1} = sqrt(1 - beta2^(t+1)) / (1 - beta1^(t+1)).

    Args:
        beta1: Share of the mean gradient that is kept each step, in [0, 1).
        beta2: Share of the mean square that is kept each step, in [0, 1).
        eps: Keeps the division finite, added to the root of v before any bias correction.

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", ADAM.
    """

    def update(g: Tensor, state: AdamState, lr: Rate) -> tuple[Tensor, AdamState]:
        state, b = _advance_adam(g, state, beta1, beta2)
        # torch.optim.Adam adds eps after the bias correction of v, as if eps here were eps sqrt(1 - beta2^(t+1)):
        # at step 0 its eps is 32 times smaller than ours at beta2 = 0.999. With eps = 0 the two are equal.
        return (state.m * (-lr * b)).div_(torch.sqrt(state.v).add_(eps)), state

    return UpdateRule(_init_adam, update)


def nadam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> UpdateRule:
    """NAdam: theta_{t+1} = theta_t - lr b_{t+1} (beta1 m_{t+1} + (1 - beta1) g) / (sqrt(v_{t+1}) + eps).

    m, v and b as in Adam.

    Args:
        beta1: Share of the mean gradient that is kept each step, in [0, 1).
        beta2: Share of the mean square that is kept each step, in [0, 1).
        eps: Keeps the division finite, added to the root of v before any bias correction.

    Source:
        Deep Learning Tuning Playbook, FAQ, "update rules", NADAM.
    """

    def update(g: Tensor, state: AdamState, lr: Rate) -> tuple[Tensor, AdamState]:
        state, b = _advance_adam(g, state, beta1, beta2)
        # torch.optim.NAdam follows Dozat's momentum schedule beta1 (1 - 0.96^(0.004 t) / 2) and corrects m and g by
        # products of it; here beta1 is constant. Its eps stands after the bias correction, as in torch.optim.Adam.
        return torch.lerp(g, state.m, beta1).mul_(-lr * b).div_(torch.sqrt(state.v).add_(eps)), state

    return UpdateRule(_init_adam, update)


UPDATE_RULES: Mapping[str, Callable[..., UpdateRule]] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "rmsprop": rmsprop,
    "adam": adam,
    "nadam": nadam,
}


def rule_options(name: str) -> Mapping[str, inspect.Parameter]:
    """Returns the metaparameters of an update rule by name.

    Raises:
        RunLogError: For an unknown rule.
    """
    if name not in UPDATE_RULES:
        raise RunLogError(f"no optimizer {name!r}. Take one of {', '.join(UPDATE_RULES)}")
    return inspect.signature(UPDATE_RULES[name]).parameters
