"""The numbers that the caption of a figure may name: those of the result that its picture is drawn from."""

import numpy as np

from analysis.clipping import START_PERCENTILE
from analysis.figures.sparse_log import look_every, rise_of
from analysis.focus import runs_of
from tests.sentences import numbers_in, said_in


def rates_of(sweep):
    return sorted({run.base_lr for run in sweep.runs})


def facts_of_sweep(sweep):
    """Yields what can be said of a whole sweep."""
    yield from numbers_in([sweep.lr_star, sweep.tie_band, sweep.unstable_base_lr])
    yield from (rates_of(sweep)[-1], len(sweep.runs), len(sweep.infeasible))


def counts_at(diagnosis, sweep, lrs):
    """Yields how many runs some learning rates have, and how many of them are unstable or infeasible."""
    runs = runs_of(diagnosis, sweep, lrs)
    yield from (len(runs), sum(each.verdict == "unstable" or each.run.run_id in sweep.infeasible for each in runs))


def facts_of_variants(pair, diagnosis):
    for sweep in (pair.first, pair.second):
        yield from facts_of_sweep(sweep)
        yield from counts_at(diagnosis, sweep, [pair.high_lr])
    yield from (pair.low_lr, pair.high_lr)
    yield from (*said_in(pair.names[0]), *said_in(pair.names[1]))


def look_shown(log):
    """Returns the sparse log that the caption of figure 5 speaks of."""
    return next((each for each in log.looks if each.every == log.chosen), None) or look_every(log.runs, log.chosen)


def facts_of_sparse(log, _diagnosis):
    look = look_shown(log)
    rises = [rise_of(judged) for judged in log.runs]
    yield from (len(log.runs), log.runs[0].run.base_lr or 0.0, look.every, look.num_seen, look.num_stable)
    yield from (look.num_unstable - look.num_seen, len(log.runs) - look.num_unstable - look.num_stable)
    yield min(rise.onset_step for rise in rises)
    yield max((rise.recovery_step or 0) for rise in rises)
    yield max((1 + rise.rise / rise.level_before for rise in rises if rise.level_before), default=0.0)


def facts_of_lengths(found, _diagnosis):
    yield from (found.base_lr, len(found.lengths))
    for each in found.lengths:
        yield from (each.warmup_steps, each.final_loss, len(each.runs), each.num_holding)


def facts_of_above(result, diagnosis):
    star = result.sweep.lr_star
    yield from (star, result.num_sudden[0], result.first_onset_step or 0)
    yield from counts_at(diagnosis, result.sweep, result.lrs[1:])
    for lr, sudden in zip(result.lrs, result.num_sudden, strict=True):
        yield from (lr, lr / star, sudden, len(runs_of(diagnosis, result.sweep, [lr])))


def facts_of_moved(moved, _diagnosis):
    yield from (*moved.warmup_steps, moved.edge_times or 0.0, 1 / (moved.edge_times or np.inf), moved.star_times)
    yield from (*facts_of_sweep(moved.before), *facts_of_sweep(moved.after))


def facts_of_thresholds(result, _diagnosis):
    yield from (
        START_PERCENTILE,
        result.judged.run.base_lr or 0.0,
        *(share for pair in result.shares for share in pair),
    )
    for each in (result.aggressive, result.better):
        yield from (each.clip_threshold, each.clipped_fraction)


FACTS = {
    "4": facts_of_variants,
    "5": facts_of_sparse,
    "6": facts_of_lengths,
    "7a": lambda sweep, _diagnosis: facts_of_sweep(sweep),
    "7b": facts_of_above,
    "8": facts_of_moved,
    "9": facts_of_thresholds,
}


def facts_of(figure, diagnosis):
    """Returns the numbers that the caption of a figure may name: those of its result, and its seeds."""
    return {float(each) for each in FACTS[figure.number](figure.result, diagnosis) if each is not None} | {
        float(each) for each in figure.seeds
    }
