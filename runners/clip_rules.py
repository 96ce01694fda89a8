"""The clip rule of a run. The arithmetic is in analysis/clip_rules.py, where a replay of logged norms uses it too."""

import inspect
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis.clip_rules import ADAPTIVE_RULES, GLOBAL_NORM, ClipRule, GlobalNorm
from analysis.runlog import RunLogError

if TYPE_CHECKING:
    from runners.config import RunConfig

CLIP_RULES = (GLOBAL_NORM, *ADAPTIVE_RULES)


def make_clip_rule(config: "RunConfig") -> ClipRule:
    """Returns a fresh clip rule of a run; it remembers the norms of one training and serves only that.

    Without an adaptive rule and without a threshold it returns 1 for every norm.
    """
    if config.clip_rule == GLOBAL_NORM:
        return GlobalNorm(math.inf if config.clip_threshold is None else config.clip_threshold)
    return ADAPTIVE_RULES[config.clip_rule](**config.clip_options)


def make_update_limit(config: "RunConfig") -> GlobalNorm:
    """Returns the rule that scales updates, not gradients, down to a largest norm."""
    return GlobalNorm(math.inf if config.update_clip_threshold is None else config.update_clip_threshold)


def clip_options(name: str) -> Mapping[str, inspect.Parameter]:
    """Returns the options of a clip rule by name; the threshold of `global_norm` is a field of its own.

    Raises:
        RunLogError: For an unknown rule.
    """
    if name not in CLIP_RULES:
        raise RunLogError(f"no clip rule {name!r}. Take one of {', '.join(CLIP_RULES)}")
    return {} if name == GLOBAL_NORM else inspect.signature(ADAPTIVE_RULES[name]).parameters
