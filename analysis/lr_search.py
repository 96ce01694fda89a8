"""Which learning rates of a grid to train next, so that few of them show what all of them would."""

from collections.abc import Collection, Sequence
from itertools import pairwise

from analysis.results import LrSweep

COARSE = 4  # ours: rates to start from; with 16 on the grid, five apart


def choose_rates(grid: Sequence[float], sweep: LrSweep | None, tried: Collection[float]) -> tuple[float, ...]:
    """Chooses the rates that one seed trains next.

    First some that are evenly spaced; then, by bisection, between the highest stable and the lowest unstable rate,
    and between the best rate and those beside it, until neighbors of the grid were tried.

    Args:
        grid: All rates that may be trained, ascending.
        sweep: What those tried so far show; None without any.
        tried: Rates of the grid that were tried.

    Returns:
        Rates of the grid, ascending; empty once edge and best rate are known as well as the whole grid shows them,
        provided the loss has one minimum and the edge is one.

    >>> choose_rates([0.1 * 2**k for k in range(16)], None, [])
    (0.1, 3.2, 102.4, 3276.8)
    """
    last = len(grid) - 1
    coarse = sorted({round(part * last / (COARSE - 1)) for part in range(COARSE)})
    if fresh := tuple(grid[index] for index in coarse if grid[index] not in tried):
        return fresh
    known = [index for index, rate in enumerate(grid) if rate in tried]
    star = grid.index(sweep.lr_star) if sweep.lr_star is not None else None
    gaps = [] if star is None else [gap for gap in pairwise(known) if star in gap]
    edge = find_edge(grid, sweep, known)
    middles = {sum(gap) // 2 for gap in [*gaps, *([edge] if edge else [])] if gap[1] - gap[0] > 1}
    return tuple(grid[index] for index in sorted(middles))


def find_edge(grid: Sequence[float], sweep: LrSweep, known: Sequence[int]) -> tuple[int, int] | None:
    """Returns the tried neighbors that the edge lies between; None where all or none of the rates are unstable."""
    if sweep.unstable_base_lr is None:
        return None
    unstable = grid.index(sweep.unstable_base_lr)
    below = [index for index in known if index < unstable]
    return (below[-1], unstable) if below else None


def choose_repeated(grid: Sequence[float], sweep: LrSweep, tried: Collection[float]) -> tuple[float, ...]:
    """Chooses the rates that every seed trains: the best, those beside it, and both sides of the edge.

    Args:
        grid: As `choose_rates` has it.
        sweep: What those tried show.
        tried: Rates of the grid that were tried.

    Returns:
        Rates of the grid, ascending.
    """
    known = [index for index, rate in enumerate(grid) if rate in tried]
    chosen = set(find_edge(grid, sweep, known) or ())
    if sweep.lr_star is not None:
        place = known.index(grid.index(sweep.lr_star))
        chosen |= set(known[max(0, place - 1) : place + 2])
    return tuple(grid[index] for index in sorted(chosen))
