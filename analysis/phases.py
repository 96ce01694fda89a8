"""The early, middle and late steps of a run: the one place where a run is split into phases."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.runlog import Run, schema

EDGE_SHARE = 0.10  # of the planned steps, at either end (early: ours, docs/evidence.md#early; late: the same)


class Phases(NamedTuple):
    """One boolean mask a phase, each of shape (n,); every step is in exactly one of them."""

    early: np.ndarray
    middle: np.ndarray
    late: np.ndarray


def split_phases(steps: np.ndarray, planned_steps: int) -> Phases:
    """Splits steps into the first 10 % of the planned steps, the last 10 %, and what lies between.

    Args:
        steps: 0-based step indices, shape (n,).
        planned_steps: Steps the run was to take, warmup included. A run that ended early has no late steps.

    Returns:
        One mask a phase.

    >>> [int(mask.sum()) for mask in split_phases(np.arange(50), planned_steps=100)]
    [10, 40, 0]
    """
    steps = np.asarray(steps)
    early = steps < EDGE_SHARE * planned_steps
    late = ~early & (steps >= planned_steps - EDGE_SHARE * planned_steps)
    return Phases(early, ~early & ~late, late)


@dataclass(frozen=True)
class PhaseShares:
    """A share of the steps of each phase; None for a phase without steps."""

    early: float | None
    middle: float | None
    late: float | None


def share_by_phase(is_hit: np.ndarray, phases: Phases) -> PhaseShares:
    """Returns the share of the steps of each phase at which something holds; both of shape (n,)."""
    parts = (is_hit[mask] for mask in phases)
    return PhaseShares(*(float(part.mean()) if len(part) else None for part in parts))


def train_steps(run: Run) -> int:
    """Returns the steps a run was to take without warmup; what it took where the record does not say."""
    planned = run.record.get(schema.MAX_TRAIN_STEPS)
    if planned is not None:
        return int(planned)
    steps = run.steps.column(schema.STEP)
    return int(steps[-1].as_py()) + 1 if len(steps) else 0


def planned_steps(run: Run) -> int:
    """Returns the steps a run was to take, warmup included; what it took where the record does not say."""
    is_planned = run.record.get(schema.MAX_TRAIN_STEPS) is not None
    return train_steps(run) + (int(run.record.get(schema.WARMUP_STEPS) or 0) if is_planned else 0)
