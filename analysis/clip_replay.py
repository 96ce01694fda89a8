"""What each clip rule would have done with the norms of a run that is logged. Source: PLAYBOOK P8."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.clip_rules import ADAPTIVE_RULES, GLOBAL_NORM, ClipRule, GlobalNorm
from analysis.clipping import START_PERCENTILE, summarize_clipping
from analysis.phases import Phases
from analysis.results import Clipping


@dataclass(frozen=True)
class ClipReplay:
    """What one rule would have done, step by step.

    Attributes:
        rule: Name of the rule.
        threshold: lambda_t, shape (n,); infinite where the rule sets no limit, NaN where the norm is not finite.
        multiplier: What the gradient would have been multiplied by, shape (n,); 0 for a skipped step.
        clipping: The same in short.
    """

    rule: str
    threshold: np.ndarray
    multiplier: np.ndarray
    clipping: Clipping

    @property
    def skipped_fraction(self) -> float:
        """Share of the steps that would have been skipped."""
        return float((self.multiplier == 0).mean())


def replay_rules(norm: np.ndarray, phases: Phases, clip_threshold: float | None = None) -> tuple[ClipReplay, ...]:
    """Replays a fixed threshold and every adaptive rule, with the options of their sources.

    The norms stay those that were logged: a replay says what a rule would have clipped, not how training would then
    have gone on.

    Args:
        norm: Unclipped gradient norms in order, shape (n,), one at least finite.
        phases: Phases of the steps.
        clip_threshold: The fixed threshold; None for the 90th percentile of the finite norms.

    Returns:
        One replay a rule, the fixed threshold first.
    """
    if clip_threshold is None:
        clip_threshold = float(np.percentile(norm[np.isfinite(norm)], START_PERCENTILE))
    rules: Mapping[str, ClipRule] = {GLOBAL_NORM: GlobalNorm(clip_threshold)}
    rules |= {name: rule() for name, rule in ADAPTIVE_RULES.items()}
    return tuple(replay_rule(name, rule, norm, phases) for name, rule in rules.items())


def replay_rule(name: str, rule: ClipRule, norm: np.ndarray, phases: Phases) -> ClipReplay:
    """Replays one rule over norms in order.

    Args:
        name: What to call the rule.
        rule: A fresh rule.
        norm: Unclipped gradient norms, shape (n,), n at least 1; the rule does not see those that are not finite, and
            they count as clipped to nothing.
        phases: Phases of the steps.

    >>> from analysis.phases import split_phases
    >>> replay = replay_rule("fixed", GlobalNorm(2.0), np.array([1.0, 8.0]), split_phases(np.arange(2), 2))
    >>> replay.multiplier.tolist()
    [1.0, 0.25]
    """
    threshold, multiplier = np.full(len(norm), np.nan), np.zeros(len(norm))
    for index in np.flatnonzero(np.isfinite(norm)).tolist():
        size = float(norm[index])
        threshold[index] = limit = rule.threshold(size)
        multiplier[index] = rule.scale(size, limit)
    fixed = rule.clip_threshold if isinstance(rule, GlobalNorm) else None
    return ClipReplay(name, threshold, multiplier, summarize_clipping(multiplier, fixed, phases))
