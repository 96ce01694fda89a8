"""The learning-rate axis of a series: lr_star, what cannot be told from it, and the edge of instability.

Source: PLAYBOOK P1 and P5.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from analysis.edge_noise import measure_edge_noise
from analysis.feasibility import Ending, has_ended, is_too_high, measure_ending, name_objective
from analysis.lr_words import describe_sweep
from analysis.results import LrSweep, RunDiagnosis, SweepRun

EDGE_FACTOR = 5.0  # PLAYBOOK P5: the double check is at 5x or 10x the best
LRS_AT_LEAST, RANGE_AT_LEAST = 4, 10.0  # learning rates, and largest over smallest (ours, docs/evidence.md#lr-axis)
TIE_ALPHA = 0.05  # of the tests that tell learning rates from lr_star (ours)
UNSTABLE_SHARE = 0.5  # of the seeds of a learning rate (ours)
ABOVE_START = 1.5  # times the untrained model's loss: infeasible at any learning rate (ours)
PLATEAU_WIDTH = 10.0  # a tie band of a decade: nothing is gained by going higher (ours)


@dataclass(frozen=True)
class Rung:
    """All runs of one learning rate.

    Attributes:
        base_lr: The learning rate.
        finals: Finite objectives of its runs.
        infeasible: Share of its runs that are infeasible.
        unstable: Share of its runs that are infeasible or have a confirmed event.
    """

    base_lr: float
    finals: np.ndarray
    infeasible: float
    unstable: float

    @property
    def mean(self) -> float:
        """Mean objective over seeds, infinite without a finite one."""
        return float(self.finals.mean()) if len(self.finals) else math.inf


def find_lr_sweeps(runs: list[RunDiagnosis]) -> tuple[LrSweep, ...]:
    """Finds the learning-rate sweep of every series with a known base_lr, largest series first.

    Runs that are still running or were interrupted are left out, for their last loss is not their final one; unless
    they had risen before, which is what was to be seen at that learning rate.
    """
    by_series: dict[str, list[RunDiagnosis]] = {}
    for judged in runs:
        if judged.run.base_lr is not None and (has_ended(judged) or judged.confirmed):
            by_series.setdefault(judged.series, []).append(judged)
    sweeps = [find_lr_sweep(series, members) for series, members in by_series.items()]
    return tuple(sorted(sweeps, key=lambda sweep: (-len(sweep.runs), sweep.series)))


def find_lr_sweep(series: str, runs: list[RunDiagnosis]) -> LrSweep:
    """Finds lr_star, its tie band, the bracket of the edge, and the verdict of one series."""
    runs = sorted(runs, key=lambda judged: (judged.run.base_lr, judged.run.run_id))
    objective = name_objective(runs)
    endings = [measure_ending(judged, objective) for judged in runs]
    marks = mark_runs(runs, endings)
    rungs = make_rungs(runs, marks)
    good = [rung for rung in rungs if rung.infeasible < UNSTABLE_SHARE and len(rung.finals)]
    star = min(good, key=lambda rung: rung.mean).base_lr if good else None
    ties = find_ties(rungs, good, star) if star is not None else None
    bracket = find_bracket(rungs)
    if bracket is not None and star is not None and bracket[1] <= star:  # unstable below the best: look above it
        bracket = find_bracket([rung for rung in rungs if rung.base_lr >= star])
    end = find_range_end(rungs, star)
    verdict = decide_verdict(rungs, star, ties, bracket, end)
    unstable = None if bracket is None else bracket[1]
    sweep = LrSweep(
        series,
        objective,
        marks,
        star,
        ties,
        unstable,
        bracket if bracket and bracket[0] is not None else None,
        verdict,
        end,
        "",
        measure_sensitivity(rungs, start_of(endings)),
        measure_edge_noise(runs),
    )
    return describe_sweep(sweep, rungs)


def mark_runs(runs: list[RunDiagnosis], endings: list[Ending]) -> tuple[SweepRun, ...]:
    """Marks each run feasible, rose or infeasible. Below lr_star a high loss means a slow run."""
    usable = [i for i, ending in enumerate(endings) if not ending.reason]
    best_at = min(usable, key=lambda i: endings[i].objective, default=None)
    spread = spread_of_seeds(runs, endings)
    start = start_of(endings)
    marks = []
    for judged, ending in zip(runs, endings, strict=True):
        reason = ending.reason
        if not reason and ending.objective > ABOVE_START * start > 0:
            reason = f"ends at {ending.objective:.3g}, above its start {start:.3g}"
        if not reason and judged.run.base_lr > runs[best_at].run.base_lr:
            best = endings[best_at].objective
            if is_too_high(ending.objective, best, start, spread):
                reason = f"ends at {ending.objective:.3g}, best {best:.3g}"
        state = "infeasible" if reason else "rose" if judged.confirmed else "feasible"
        if state == "rose":
            reason = f"loss rose at step {judged.confirmed[0].onset_step:,}"
        marks.append(SweepRun(judged.run.run_id, judged.run.base_lr, ending.objective, state, reason))
    return tuple(marks)


def spread_of_seeds(runs: list[RunDiagnosis], endings: list[Ending]) -> float:
    """Returns the median over learning rates of the seeds' standard deviation, 0 without repeated seeds."""
    finals: dict[float, list[float]] = {}
    for judged, ending in zip(runs, endings, strict=True):
        if not ending.reason:
            finals.setdefault(judged.run.base_lr, []).append(ending.objective)
    spreads = [np.std(values, ddof=1) for values in finals.values() if len(values) > 1]
    return float(np.median(spreads)) if spreads else 0.0


def start_of(endings: list[Ending]) -> float:
    """Returns the median loss of the untrained models, NaN where unknown."""
    starts = [ending.start for ending in endings if np.isfinite(ending.start)]
    return float(np.median(starts)) if starts else math.nan


def measure_sensitivity(rungs: list[Rung], start: float) -> float | None:
    """Returns the average over log10 base_lr of min(loss, start) - best, as a share of start - best.

    Args:
        rungs: Learning rates, ascending.
        start: Loss of the untrained model.

    Returns:
        Between 0 (every rate does equally well) and 1; None for fewer than 4 rates or an unknown start.

    Source: Wortsman et al. 2023, arXiv 2309.14322, LR sensitivity.
    """
    best = min((rung.mean for rung in rungs), default=math.inf)
    if len(rungs) < LRS_AT_LEAST or not start > best:
        return None
    lost = [(min(rung.mean, start) - best) / (start - best) for rung in rungs]
    decades = np.log10([rung.base_lr for rung in rungs])
    return float(np.trapezoid(lost, decades) / (decades[-1] - decades[0]))


def make_rungs(runs: list[RunDiagnosis], marks: tuple[SweepRun, ...]) -> list[Rung]:
    """Groups the marks by learning rate, ascending."""
    rungs = []
    for base_lr in sorted({mark.base_lr for mark in marks}):
        at = [i for i, mark in enumerate(marks) if mark.base_lr == base_lr]
        finals = np.array([marks[i].objective for i in at])
        infeasible = np.array([marks[i].state == "infeasible" for i in at])
        unstable = infeasible | np.array([bool(runs[i].confirmed) for i in at])
        rungs.append(Rung(base_lr, finals[np.isfinite(finals)], float(infeasible.mean()), float(unstable.mean())))
    return rungs


def find_ties(rungs: list[Rung], good: list[Rung], star: float) -> tuple[float, float]:
    """Returns the range of learning rates whose mean cannot be told from lr_star's by the spread of seeds.

    Rates at which most seeds are unstable are no alternative and left out. A rate is told from lr_star by its mean
    objective or by its mean logarithm: slow rates, far from converged, differ by more between seeds than good ones, but
    by a like factor; rates near the edge the other way round. Pooled standard deviation over stable rungs; one-sided t
    quantile at TIE_ALPHA / (2 scales (number of rungs - 1)). Without repeated seeds the band is lr_star alone: known
    to one grid step only.
    """
    scales = [(rungs, good)]
    if all((rung.finals > 0).all() for rung in rungs):
        scales.append(tuple([replace(rung, finals=np.log(rung.finals)) for rung in some] for some in (rungs, good)))
    alpha = TIE_ALPHA / max(1, len(good) - 1) / len(scales)
    ties = set.intersection(*(_tie_on_one_scale(*scale, star, alpha) for scale in scales))
    return min(ties), max(ties)


def _tie_on_one_scale(rungs: list[Rung], good: list[Rung], star: float, alpha: float) -> set[float]:
    from scipy.special import stdtrit  # t quantile without the 2 s import of scipy.stats

    pooled = [rung.finals for rung in rungs if rung.unstable == 0 and len(rung.finals) > 1]
    freedom = sum(len(finals) - 1 for finals in pooled)
    if freedom < 2:
        return {star}
    sd = math.sqrt(sum(np.var(finals, ddof=1) * (len(finals) - 1) for finals in pooled) / freedom)
    quantile = float(stdtrit(freedom, 1 - alpha))
    best = next(rung for rung in good if rung.base_lr == star)
    near = [
        rung.base_lr
        for rung in good
        if rung.unstable < UNSTABLE_SHARE
        and rung.mean - best.mean <= quantile * sd * math.sqrt(1 / len(best.finals) + 1 / len(rung.finals))
    ]
    return {star, *near}


def isotonic(values: list[float], weights: list[float]) -> list[float]:
    """Returns the non-decreasing sequence nearest to the values (pool adjacent violators).

    >>> isotonic([0.0, 1.0, 0.0, 1.0], [1, 1, 1, 1])
    [0.0, 0.5, 0.5, 1.0]
    """
    pools: list[list[float]] = []
    for value, weight in zip(values, weights, strict=True):
        pools.append([value, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (v2, w2, n2), (v1, w1, n1) = pools.pop(), pools.pop()
            pools.append([(v1 * w1 + v2 * w2) / (w1 + w2), w1 + w2, n1 + n2])
    return [value for value, _, count in pools for _ in range(int(count))]


def find_bracket(rungs: list[Rung]) -> tuple[float | None, float] | None:
    """Returns (highest stable, lowest unstable) learning rate by the isotonic share of unstable seeds."""
    counts = [max(1, len(rung.finals)) for rung in rungs]
    share = isotonic([rung.unstable for rung in rungs], counts)
    unstable = [rung.base_lr for rung, value in zip(rungs, share, strict=True) if value >= UNSTABLE_SHARE]
    if not unstable:
        return None
    stable = [rung.base_lr for rung in rungs if rung.base_lr < unstable[0]]
    return (stable[-1] if stable else None), unstable[0]


def find_range_end(rungs: list[Rung], star: float | None) -> str | None:
    """Says whether lr_star lies at the low or high end of the searched range."""
    if star is None or len(rungs) < 2:
        return None
    return {rungs[0].base_lr: "low", rungs[-1].base_lr: "high"}.get(star)


def decide_verdict(rungs: list[Rung], star, ties, bracket, end) -> str:
    """Decides between edge, plateau, interior, no instability seen, and not enough runs."""
    few = len(rungs) < LRS_AT_LEAST or rungs[-1].base_lr < RANGE_AT_LEAST * rungs[0].base_lr * (1 - 1e-9)
    if star is None or few:
        return "not-enough-runs"
    if bracket is None:
        return "no-instability-seen"
    highest_stable, unstable = bracket
    if unstable <= EDGE_FACTOR * star * (1 + 1e-9):
        return "edge"
    if highest_stable is not None and ties[1] >= highest_stable:
        return "edge" if ties[1] < PLATEAU_WIDTH * ties[0] else "plateau"
    return "interior"
