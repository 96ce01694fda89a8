"""How far torch.optim's steps are from the playbook's, one difference at a time, at a gradient that stays the same."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis import torch_rules, update_rules
from analysis.update_rules import UpdateRule

COMPARED_STEPS = (0, 1, 1_000)  # ours: the start, the first step with another rate, and when the start is forgotten
FIRST_LR, LATER_LR = 1.0, 0.5  # ours: a rate that changes tells whether it is inside a memory
DAMPENING = 0.9  # ours: an example; torch's default is 0, which is the playbook's rule


@dataclass(frozen=True)
class RuleDifference:
    """One place where torch.optim differs.

    Attributes:
        rule: Name of the rule.
        place: What differs, a few words.
        playbook: As the playbook writes it.
        torch: As torch.optim writes it.
        playbook_steps: Update sizes of the playbook's rule at COMPARED_STEPS.
        torch_steps: The same with only this place as in torch.optim.
    """

    rule: str
    place: str
    playbook: str
    torch: str
    playbook_steps: tuple[float, ...]
    torch_steps: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Step of torch.optim over that of the playbook, at COMPARED_STEPS."""
        return tuple(theirs / ours for theirs, ours in zip(self.torch_steps, self.playbook_steps, strict=True))


_AS_WRITTEN = {  # every place at the playbook's side
    "momentum": {"dampening": 0.0},
    "rmsprop": {"v_0": 1.0, "eps_in_root": True, "lr_in_m": True},
    "adam": {"eps_before": True},
    "nadam": {"eps_before": True, "has_schedule": False, "looks_ahead": False},
}
_PLACES = (
    (
        "momentum",
        f"dampening {DAMPENING:g}",
        "v takes g",
        f"v takes {1 - DAMPENING:.1g} g after step 0",
        {"dampening": DAMPENING},
    ),
    ("rmsprop", "start of v", "1", "0", {"v_0": 0.0}),
    ("rmsprop", "place of eps", "inside the root", "outside the root", {"eps_in_root": False}),
    ("rmsprop", "learning rate", "inside m", "outside m", {"lr_in_m": False}),
    ("adam", "place of eps", "before the bias correction", "after it", {"eps_before": False}),
    ("nadam", "momentum schedule", "none", "0.96^(0.004 t)", {"has_schedule": True}),
    ("nadam", "bias correction of m", "of this step", "of the next step", {"looks_ahead": True}),
    ("nadam", "place of eps", "before the bias correction", "after it", {"eps_before": False}),
)
_TORCH: dict[str, Callable[..., UpdateRule]] = {
    "momentum": torch_rules.momentum,
    "rmsprop": torch_rules.rmsprop,
    "adam": torch_rules.adam,
    "nadam": torch_rules.nadam,
}


def find_rule_differences(gradient: float) -> list[RuleDifference]:
    """Computes every place where torch.optim differs from the playbook, each with all other places equal.

    Args:
        gradient: Gradient of every step, one number above 0; in units of loss over parameter.

    Returns:
        One entry a place, in the order of the rules.

    Source: PLAYBOOK P9.

    >>> [round(each.ratios[0], 2) for each in find_rule_differences(0.1) if each.place == "start of v"]
    [30.02]
    """
    return [
        RuleDifference(
            rule,
            place,
            playbook,
            theirs,
            step_sizes(update_rules.UPDATE_RULES[rule](), gradient),
            step_sizes(_TORCH[rule](**(_AS_WRITTEN[rule] | changed)), gradient),
        )
        for rule, place, playbook, theirs, changed in _PLACES
    ]


@dataclass(frozen=True)
class FirstSteps:
    """The first step of one rule by the size of the gradient, in units of the learning rate; shape (n,) each."""

    rule: str
    gradient: np.ndarray
    playbook: np.ndarray
    torch: np.ndarray


def find_first_steps(rule: str, gradient: np.ndarray) -> FirstSteps:
    """Computes the first step of a rule as the playbook and as torch.optim write it, every place at once.

    Args:
        rule: Name of a rule that torch.optim writes otherwise: rmsprop, adam or nadam.
        gradient: Gradients at step 0, above 0, shape (n,).

    Returns:
        Sizes of the first step.

    >>> find_first_steps("nadam", np.array([1.0])).playbook.round(2).tolist()
    [1.9]
    """
    pair = (update_rules.UPDATE_RULES[rule](), _TORCH[rule]())
    ours, theirs = (np.abs(made.update(gradient, made.init(gradient), 1.0)[0]) for made in pair)
    return FirstSteps(rule, gradient, ours, theirs)


def step_sizes(rule: UpdateRule, gradient: float) -> tuple[float, ...]:
    """Returns the sizes of the steps at COMPARED_STEPS, with a rate of 1 at step 0 and 0.5 after it."""
    g, state, sizes = np.array([gradient]), rule.init(np.zeros(1)), []
    for t in range(COMPARED_STEPS[-1] + 1):
        delta, state = rule.update(g, state, FIRST_LR if t == 0 else LATER_LR)
        sizes.append(abs(float(delta[0])))
    return tuple(sizes[t] for t in COMPARED_STEPS)
