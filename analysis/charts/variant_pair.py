"""Two variants of a workload (figure 4 of the playbook): their learning-rate axis over the loss at a low and a high rate."""

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt
import pandas as pd

from analysis.charts.loss import LossMarks, loss_curves
from analysis.charts.lr_axis import lr_axis
from analysis.charts.theme import Palette
from analysis.curves import Curves
from analysis.results import LrSweep

PANEL_HEIGHT = 200


@dataclass(frozen=True)
class VariantPair:
    """Three pictures that belong together; the rules on the axis stand at the learning rates of the panels.

    Attributes:
        axis: Final loss of both variants against the learning rate.
        low: Loss of both at the low learning rate.
        high: Loss of both at the high learning rate.
    """

    axis: alt.TopLevelMixin
    low: alt.TopLevelMixin
    high: alt.TopLevelMixin


def variant_pair(
    sweeps: tuple[LrSweep, LrSweep],
    medians: pd.DataFrame,
    lrs: tuple[float, float],
    panels: tuple[Curves, Curves],
    colors: Palette,
    names: Mapping[str, str] | None = None,
) -> VariantPair:
    """Draws figure 4.

    Args:
        sweeps: The variant in focus, and the other.
        medians: Median objective of the first per learning rate.
        lrs: Low and high learning rate, both tried by both.
        panels: Loss curves of both variants at the low and at the high one.
        colors: Colors of the page.
        names: Names of runs for the tooltip, by run_id.
    """
    axis = lr_axis(sweeps[0], medians, colors, [sweeps[1]], names, height=PANEL_HEIGHT, links=lrs)
    low, high = (loss_curves(panel, LossMarks(), colors, height=PANEL_HEIGHT) for panel in panels)
    return VariantPair(axis, low, high)
