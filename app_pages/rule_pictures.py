"""Pictures of the update rules: paths on a bowl, and update sizes on a logged run."""

import numpy as np
import streamlit as st

from analysis.charts.rule_differences import first_steps_panel
from analysis.charts.update_rules import drawn_sizes, is_in_picture, path_panel, sizes_domain, sizes_panel
from analysis.lr_words import number
from analysis.rule_differences import find_first_steps
from analysis.trajectories import describe_trajectory, follow, stability_limit
from analysis.update_sizes import UpdateSizes
from app_pages.pictures import Picture, colors

TITLES = {
    "sgd": "SGD",
    "momentum": "Momentum",
    "nesterov": "Nesterov",
    "rmsprop": "RMSProp",
    "adam": "Adam",
    "nadam": "NAdam",
}
GRADIENTS, NUM_GRADIENTS = (1e-8, 1e2), 61  # ours: six points a decade


def picture_of_path(rule: str, share: float, adaptive_lr: float, condition_number: float, gamma: float) -> Picture:
    """Draws the path of a rule: at a share of its limit, or at the rate of rules that have none."""
    limit = stability_limit(rule, gamma)
    path = follow(rule, adaptive_lr if limit is None else share * limit, condition_number, gamma)
    inside = int(np.sum(is_in_picture(path.theta)))
    said = describe_trajectory(path)
    caption = f"{said} {inside:,} of {len(path.theta):,} points lie in the picture."
    limited = "" if limit is None else f" (limit {number(limit)})"
    title = f"{TITLES[rule]}, learning rate {number(path.lr)}{limited}"
    return Picture(path_panel(path, condition_number, colors()), title, caption, f"{title}. {said}")


def picture_of_sizes(sizes: UpdateSizes, rule: str) -> Picture:
    """Draws the update sizes of a rule on a logged run."""
    values = sizes.sizes[rule]
    usual = float(np.median(values))
    caption = (
        f"Median {number(usual)}, largest {number(float(values.max()))}. Gray: the norm. "
        f"{len(drawn_sizes(sizes, rule)):,} of {2 * len(values):,} points drawn."
    )
    alt = f"Update sizes of {TITLES[rule]} over {len(values):,} norms: median {number(usual)} learning rates."
    return Picture(sizes_panel(sizes, rule, sizes_domain(sizes), colors()), TITLES[rule], caption, alt)


def picture_of_first_steps(rule: str) -> Picture:
    """Draws the first step of a rule by the size of the gradient, as the playbook and as torch.optim write it."""
    steps = find_first_steps(rule, np.geomspace(*GRADIENTS, NUM_GRADIENTS))
    ratio = steps.torch / steps.playbook
    low, high = number(float(ratio.min())), number(float(ratio.max()))
    said = f"torch.optim's first step is {low} to {high} times the playbook's."
    caption = f"{said} {2 * NUM_GRADIENTS} of {2 * NUM_GRADIENTS} points drawn."
    return Picture(
        first_steps_panel(steps, colors()), f"{TITLES[rule]}, first step", caption, f"{TITLES[rule]}: {said}"
    )


def theme() -> str | None:
    """Returns the kind of page that is being looked at, for keys of pictures."""
    return st.context.theme.type
