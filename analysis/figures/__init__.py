"""The figures of the playbook, from a user's own runs: what each shows in one sentence, or what it lacks.

Source: PLAYBOOK, "The figures, from the user's own runs"; docs/figures.md says what each needs.
"""

from analysis.figures.above_best import find_above_best
from analysis.figures.edge import find_edge
from analysis.figures.figure import TITLES, Figure, Missing
from analysis.figures.moved_edge import find_moved_edge
from analysis.figures.sparse_log import find_sparse_log
from analysis.figures.two_thresholds import find_two_thresholds
from analysis.figures.two_variants import find_two_variants
from analysis.figures.warmup_lengths import find_warmup_lengths
from analysis.results import Diagnosis

__all__ = ["TITLES", "Figure", "Missing", "find_figures"]

FINDERS = (
    find_two_variants,
    find_sparse_log,
    find_warmup_lengths,
    find_edge,
    find_above_best,
    find_moved_edge,
    find_two_thresholds,
)


def find_figures(diagnosis: Diagnosis) -> tuple[Figure, ...]:
    """Finds the seven figures of the playbook in a study.

    Args:
        diagnosis: The study, judged, with one run at least.

    Returns:
        One figure each for 4, 5, 6, 7a, 7b, 8 and 9, in this order; those that do not apply say why, and which command
        would make them.
    """
    return tuple(find(diagnosis) for find in FINDERS)
