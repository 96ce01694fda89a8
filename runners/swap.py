"""The rounds of a change that needs a learning-rate sweep of its own: another optimizer, another architecture."""

from collections.abc import Sequence

from analysis.fix_outcomes import Setting
from analysis.fixes import MOST_EXTENSIONS
from analysis.lr_sweep import find_lr_sweep
from analysis.results import LrSweep
from runners.bench import Bench, Change
from runners.rounds import Round


def propose_sweep(
    bench: Bench, change: Change, changed: str, base_lrs: Sequence[float], repeated: Sequence[float] = ()
) -> Round | tuple[LrSweep, list[Setting]]:
    """Proposes the next round of a sweep: one seed at every rate, then the others at the best.

    Where the best lies at an end of the range, the range is too small and grows by a step.

    Args:
        bench: The study and the options.
        change: What the sweep changes, fields of RunConfig by name.
        changed: The metaparameter that it changes.
        base_lrs: Learning rates to start from, ascending.
        repeated: Further rates that get every seed.

    Returns:
        The next round, or the sweep and its settings, ascending in learning rate.
    """
    rates, name = list(base_lrs), f"{changed}={change.get(changed, dict(change.get('variant', {})).get(changed))}"
    steps = bench.count_steps(change)
    for extension in range(2 * MOST_EXTENSIONS + 1):
        changes = [{**change, "base_lr": rate} for rate in rates]
        if left := bench.plan(changes, changed, bench.seeds[:1]):
            shown = ", ".join(f"{planned.config.base_lr:g}" for planned in left)
            why = f"{name} at {shown}, one seed: where is its best learning rate{', further out' if extension else ''}?"
            after = 2 * MOST_EXTENSIONS - extension + (len(rates) + MOST_EXTENSIONS) * (len(bench.seeds) - 1)
            return Round(left, why, after * steps // len(bench.seeds))
        settings = [bench.setting(each) for each in changes]
        sweep = find_lr_sweep(name, [judged for setting in settings for judged in setting.runs])
        further = extend(rates, sweep, base_lrs)
        if further == rates:
            break
        rates = further
    best = [*repeated, *([] if sweep.lr_star is None else [sweep.lr_star])]
    if left := bench.plan([{**change, "base_lr": rate} for rate in dict.fromkeys(best)], changed):
        shown = " and ".join(dict.fromkeys(f"{planned.config.base_lr:g}" for planned in left))
        why = f"{name} at {shown}: do the other seeds agree?"
        return Round(left, why, (len(rates) - 1) * steps)
    return sweep, settings


def extend(rates: list[float], sweep: LrSweep, asked: Sequence[float]) -> list[float]:
    """Returns the rates with one more beyond the end at which the best lies, as far as that is allowed."""
    ratio = rates[1] / rates[0]
    low, high = float(f"{rates[0] / ratio:.6g}"), float(f"{rates[-1] * ratio:.6g}")
    most = ratio**MOST_EXTENSIONS * (1 + 1e-6)
    if (sweep.at_range_end == "low" or sweep.lr_star is None) and asked[0] / low <= most:
        return [low, *rates]
    if sweep.at_range_end == "high" and high / asked[-1] <= most:
        return [*rates, high]
    return rates
