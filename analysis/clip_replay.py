"""What each clip rule would have done with the norms of a run that is logged. Source: PLAYBOOK P8."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.clip_rules import ADAPTIVE_RULES, GLOBAL_NORM, ClipRule, GlobalNorm
from analysis.clipping import START_PERCENTILE, summarize_clipping
from analysis.phases import Phases
from analysis.results import Clipping
from analysis.thinning import MAX_POINTS, share_points, thin

NORM = "norm"  # the line of the norm itself


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
    return (replay_rule(GLOBAL_NORM, GlobalNorm(clip_threshold), norm, phases), *replay_adaptive(norm, phases))


def replay_adaptive(norm: np.ndarray, phases: Phases) -> tuple[ClipReplay, ...]:
    """Replays every adaptive rule, with the options of its source; arguments as of `replay_rules`."""
    return tuple(replay_rule(name, rule(), norm, phases) for name, rule in ADAPTIVE_RULES.items())


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


def tabulate_replays(replays: Sequence[ClipReplay], steps: np.ndarray, norm: np.ndarray) -> pd.DataFrame:
    """Tabulates what the rules would have done.

    Args:
        replays: One replay a rule.
        steps: 0-based step indices of the norms, shape (n,).
        norm: The norms that were replayed, shape (n,).

    Returns:
        One row per rule: rule, clipped_fraction (skipped steps count), skipped_fraction, effective_lr_multiplier,
        first_step (the first that is clipped or skipped; NaN without one), largest_norm (after the rule).

    >>> from analysis.phases import split_phases
    >>> norm, steps = np.array([1.0, 8.0]), np.arange(2)
    >>> replay = replay_rule("fixed", GlobalNorm(2.0), norm, split_phases(steps, 2))
    >>> tabulate_replays([replay], steps, norm).iloc[0, 1:].tolist()
    [0.5, 0.0, 0.625, 1.0, 2.0]
    """
    rows = []
    for replay in replays:
        hit = np.flatnonzero(replay.multiplier < 1)
        passed = np.where(np.isfinite(norm), norm, 0.0) * replay.multiplier
        rows.append(
            {
                "rule": replay.rule,
                "clipped_fraction": replay.clipping.clipped_fraction,
                "skipped_fraction": replay.skipped_fraction,
                "effective_lr_multiplier": replay.clipping.effective_lr_multiplier,
                "first_step": float(steps[hit[0]]) if len(hit) else float("nan"),
                "largest_norm": float(passed.max()),
            }
        )
    return pd.DataFrame(rows)


def cut_replays(
    replays: Sequence[ClipReplay], steps: np.ndarray, norm: np.ndarray, max_points: int = MAX_POINTS
) -> tuple[pd.DataFrame, int]:
    """Cuts the norm and the threshold of each rule to the points that are drawn.

    Args:
        replays: One replay a rule.
        steps: 0-based step indices of the norms, shape (n,).
        norm: The norms that were replayed, shape (n,).
        max_points: Points of the picture.

    Returns:
        One row per drawn point: line (NORM, or the name of the rule), step, value (NaN where a rule sets no limit, or
        where the norm is not finite); and how many points there are in all.
    """
    lines = {NORM: norm} | {replay.rule: replay.threshold for replay in replays}
    shares = share_points([len(norm)] * len(lines), max_points)
    tables = []
    for (name, values), share in zip(lines.items(), shares, strict=True):
        kept = thin(values, share)
        shown = np.where(np.isfinite(values[kept]) & (values[kept] > 0), values[kept], np.nan)
        tables.append(pd.DataFrame({"line": name, "step": steps[kept], "value": shown}))
    return pd.concat(tables, ignore_index=True), len(norm) * len(lines)
