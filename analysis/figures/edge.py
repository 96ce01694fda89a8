"""Figure 7a: the learning-rate axis of one series, with its best rate, its infeasible runs and its edge."""

from analysis.figures.commands import example_of, sweep_command
from analysis.figures.figure import Figure, Missing, make_figure, say_of
from analysis.figures.settings import members_of, rates_of
from analysis.focus import choose_sweep
from analysis.lr_sweep import LRS_AT_LEAST
from analysis.lr_words import number
from analysis.results import Diagnosis, LrSweep

NUMBER = "7a"
AROUND = (0.1, 10**-0.5, 1.0, 10**0.5, 10.0)  # ours: two decades around a learning rate, two values a decade


def find_edge(diagnosis: Diagnosis) -> Figure:
    """Finds the sweep of the headline; its result is that `LrSweep`."""
    sweep = choose_sweep(diagnosis)
    if sweep is None or sweep.verdict == "not-enough-runs":
        return Figure(NUMBER, _missing(diagnosis, sweep))
    return make_figure(NUMBER, sweep, _say(sweep), members_of(diagnosis, sweep))


def _say(sweep: LrSweep) -> str:
    star, rates = number(sweep.lr_star), rates_of(sweep)
    said = {
        "edge": f"The best learning rate, {star}, is right at the edge",
        "plateau": f"{number(sweep.tie_band[0])} to {number(sweep.tie_band[1])} do equally well, best {star}",
        "interior": f"The best learning rate, {star}, lies well inside the stable range",
        "no-instability-seen": f"The best learning rate is {star}, and none up to {number(rates[-1])} is unstable",
    }[sweep.verdict]
    if sweep.unstable_base_lr is not None:
        said += f": training is unstable from {number(sweep.unstable_base_lr)}"
    said += (
        f"; {say_of(len(sweep.infeasible), len(sweep.runs))} {'is' if len(sweep.infeasible) == 1 else 'are'} infeasible"
    )
    if sweep.at_range_end:
        which = "largest" if sweep.at_range_end == "high" else "smallest"
        said += f"; {star} is the {which} rate that was tried, so the range is too small"
    return said


def _missing(diagnosis: Diagnosis, sweep: LrSweep | None) -> Missing:
    run = example_of(diagnosis, sweep)
    if sweep is None:
        return Missing("No run names its learning rate, so there is no axis.", sweep_command(diagnosis, run, ()))
    tried = rates_of(sweep)
    center = sweep.lr_star or tried[0]
    rates = sorted({*tried, *(float(f"{center * factor:.2g}") for factor in AROUND)})
    count = f"{len(tried)} learning rate{'s' * (len(tried) != 1)}"
    reason = f"It needs {LRS_AT_LEAST} learning rates over a decade; the largest series has {count}."
    return Missing(reason, sweep_command(diagnosis, run, rates))
