"""The rules as torch.optim writes them, in NumPy, so that their distance from the playbook's is computed, not typed.

Every place where the two differ is an argument. The defaults are torch.optim's; with every argument at the playbook's
side a rule equals that of analysis/update_rules.py. Tests hold both ends, the first against torch.optim itself.
"""

from typing import NamedTuple

import numpy as np

from analysis.update_rules import AdamState, RmspropState, UpdateRule

MOMENTUM_DECAY = 0.004  # torch.optim.NAdam, argument momentum_decay


class DampedState(NamedTuple):
    """t: step.  v: decaying sum of gradients."""

    t: int
    v: np.ndarray


class ScheduledState(NamedTuple):
    """t: step.  m, v: as in Adam.  product: product of the momentum schedule up to the last step."""

    t: int
    m: np.ndarray
    v: np.ndarray
    product: float


def momentum(gamma: float = 0.9, dampening: float = 0.0) -> UpdateRule:
    """torch.optim.SGD(momentum, dampening): v_1 = g, then v_{t+1} = gamma v_t + (1 - dampening) g.

    Args:
        gamma: Its argument momentum.
        dampening: Share of each gradient that is left out, but of the first, which torch takes whole; the playbook
            has none.
    """

    def init(theta):
        return DampedState(0, np.zeros_like(theta, dtype=float))

    def update(g, state, lr):
        v = g if state.t == 0 else gamma * state.v + (1 - dampening) * g
        return -lr * v, DampedState(state.t + 1, v)

    return UpdateRule(init, update)


def rmsprop(
    gamma: float = 0.9,
    rho: float = 0.9,
    eps: float = 1e-8,
    v_0: float = 0.0,
    eps_in_root: bool = False,
    lr_in_m: bool = False,
) -> UpdateRule:
    """torch.optim.RMSprop(alpha=rho, momentum=gamma).

    Args:
        gamma: Its argument momentum.
        rho: Its argument alpha.
        eps: Keeps the division finite.
        v_0: Start of v; the playbook has 1.
        eps_in_root: Whether the divisor is sqrt(v + eps), as in the playbook, and not sqrt(v) + eps.
        lr_in_m: Whether m sums steps, as in the playbook, and not scaled gradients.
    """

    def init(theta):
        return RmspropState(np.full_like(theta, v_0, dtype=float), np.zeros_like(theta, dtype=float))

    def update(g, state, lr):
        v = rho * state.v + (1 - rho) * g**2
        scaled = g / (np.sqrt(v + eps) if eps_in_root else np.sqrt(v) + eps)
        m = gamma * state.m + (lr * scaled if lr_in_m else scaled)
        return (-m if lr_in_m else -lr * m), RmspropState(v, m)

    return UpdateRule(init, update)


def adam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, eps_before: bool = False) -> UpdateRule:
    """torch.optim.Adam.

    Args:
        beta1: First of its betas.
        beta2: Second of its betas.
        eps: Keeps the division finite.
        eps_before: Whether eps joins sqrt(v) before the bias correction, as in the playbook.
    """

    def init(theta):
        return AdamState(0, np.zeros_like(theta, dtype=float), np.zeros_like(theta, dtype=float))

    def update(g, state, lr):
        t = state.t + 1
        m = beta1 * state.m + (1 - beta1) * g
        v = beta2 * state.v + (1 - beta2) * g**2
        delta = -lr / (1 - beta1**t) * m / _corrected_root(v, beta2, t, eps, eps_before)
        return delta, AdamState(t, m, v)

    return UpdateRule(init, update)


def nadam(
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    eps_before: bool = False,
    has_schedule: bool = True,
    looks_ahead: bool = True,
) -> UpdateRule:
    """torch.optim.NAdam.

    Args:
        beta1: First of its betas.
        beta2: Second of its betas.
        eps: Keeps the division finite.
        eps_before: Whether eps joins sqrt(v) before the bias correction, as in the playbook.
        has_schedule: Whether beta1 in the step is beta1 (1 - 0.96^(0.004 t) / 2); constant in the playbook.
        looks_ahead: Whether m is corrected for the step to come, not for this one as in the playbook.
    """

    def init(theta):
        return ScheduledState(0, np.zeros_like(theta, dtype=float), np.zeros_like(theta, dtype=float), 1.0)

    def momentum_at(t):
        return beta1 * (1 - 0.5 * 0.96 ** (t * MOMENTUM_DECAY)) if has_schedule else beta1

    def update(g, state, lr):
        t = state.t + 1
        m = beta1 * state.m + (1 - beta1) * g
        v = beta2 * state.v + (1 - beta2) * g**2
        now, later = momentum_at(t), momentum_at(t + 1)
        product = state.product * now
        ahead = product * later if looks_ahead else product
        step = (1 - now) * g / (1 - product) + later * m / (1 - ahead)
        delta = -lr * step / _corrected_root(v, beta2, t, eps, eps_before)
        return delta, ScheduledState(t, m, v, product)

    return UpdateRule(init, update)


def _corrected_root(v: np.ndarray, beta2: float, t: int, eps: float, eps_before: bool) -> np.ndarray:
    correction = np.sqrt(1 - beta2**t)
    return (np.sqrt(v) + eps) / correction if eps_before else np.sqrt(v) / correction + eps
