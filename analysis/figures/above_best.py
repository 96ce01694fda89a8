"""Figure 7b: the losses at the best learning rate and at 2, 5 and 10 times it: a sudden rise after a steady decline."""

from dataclasses import dataclass

from analysis.figures.commands import example_of, experiment_command, is_ours, sweep_command
from analysis.figures.figure import Figure, Missing, join_words, make_figure, say_of
from analysis.figures.settings import count_unstable, rates_of
from analysis.focus import NEAR, choose_sweep, runs_of
from analysis.lr_words import number, say_times
from analysis.observations import sudden_rises
from analysis.results import Diagnosis, LrSweep

NUMBER = "7b"
TIMES = (2.0, 5.0, 10.0)  # PLAYBOOK P4 (the probe's) and P5 (the double check's)


@dataclass(frozen=True)
class AboveBest:
    """The losses at the best learning rate and above.

    Attributes:
        sweep: The sweep.
        lrs: The best learning rate, then the tried ones nearest to 2, 5 and 10 times it.
        num_sudden: Runs that rise after a steady decline, by learning rate.
        first_onset_step: Step of the first such rise; None without one.
    """

    sweep: LrSweep
    lrs: tuple[float, ...]
    num_sudden: tuple[int, ...]
    first_onset_step: int | None


def find_above_best(diagnosis: Diagnosis) -> Figure:
    """Finds the runs at the best learning rate of the headline's sweep and above it."""
    sweep = choose_sweep(diagnosis)
    lrs = lrs_above(sweep) if sweep is not None and sweep.lr_star is not None else ()
    if not lrs:
        return Figure(NUMBER, _missing(diagnosis, sweep))
    lrs = (sweep.lr_star, *lrs)
    by_lr = [runs_of(diagnosis, sweep, [lr]) for lr in lrs]
    rises = [[rise for judged in runs for rise in sudden_rises(judged)[:1]] for runs in by_lr]
    onsets = [rise.onset_step for each in rises[1:] for rise in each]
    result = AboveBest(sweep, lrs, tuple(len(each) for each in rises), min(onsets, default=None))
    return make_figure(NUMBER, result, _say(diagnosis, result), [judged for runs in by_lr for judged in runs])


def lrs_above(sweep: LrSweep) -> tuple[float, ...]:
    """Returns the tried learning rates nearest to 2, 5 and 10 times the best, each near enough to stand for it."""
    above = [lr for lr in rates_of(sweep) if lr > sweep.lr_star]
    chosen = set()
    for times in TIMES:
        near = [lr for lr in above if NEAR[0] < lr / (times * sweep.lr_star) < NEAR[1]]
        chosen |= {min(near, key=lambda lr: abs(lr / (times * sweep.lr_star) - 1))} if near else set()
    return tuple(sorted(chosen))


def _say(diagnosis: Diagnosis, result: AboveBest) -> str:
    """Says it of the learning rate with most sudden rises, the highest of those; else how the runs above end."""
    star, above = result.sweep.lr_star, result.lrs[1:]
    counts = result.num_sudden[1:]
    if any(counts):
        most = max(range(len(above)), key=lambda index: (counts[index], index))
        runs = runs_of(diagnosis, result.sweep, [above[most]])
        onsets = [rise.onset_step for judged in runs for rise in sudden_rises(judged)[:1]]
        verb = (
            "declines steadily and then rises suddenly"
            if counts[most] == 1
            else "decline steadily and then rise suddenly"
        )
        steps = f"at step {onsets[0]:,}" if len(onsets) == 1 else f"the first at step {min(onsets):,}"
        at_star = say_of(result.num_sudden[0], len(runs_of(diagnosis, result.sweep, [star])))
        said = f"At {_times(above[most], star)}, {say_of(counts[most], len(runs))} {verb}, {steps}"
        return f"{said}; at the best itself, {at_star} {'does' if result.num_sudden[0] == 1 else 'do'}"
    runs = runs_of(diagnosis, result.sweep, above)
    unstable = count_unstable(result.sweep, runs)
    rates = join_words([say_ratio(lr / star) for lr in above])
    tail = f"{say_of(unstable, len(runs))} {'is' if unstable == 1 else 'are'} unstable without such a decline"
    return f"At {rates} times the best learning rate, {number(star)}, no run rises after a steady decline; {tail}"


def say_ratio(ratio: float) -> str:
    """Returns how many times one learning rate is another: "2", "3.3"."""
    return say_times(ratio).removesuffix(".0")


def _times(lr: float, star: float) -> str:
    return f"learning rate {number(lr)}, {say_ratio(lr / star)} times the best"


def _missing(diagnosis: Diagnosis, sweep: LrSweep | None) -> Missing:
    run = example_of(diagnosis, sweep)
    if sweep is None or sweep.lr_star is None:
        return Missing("It needs a best learning rate, and no series has one.", sweep_command(diagnosis, run, ()))
    reason = f"No run was trained at about 2, 5 or 10 times the best learning rate, {number(sweep.lr_star)}."
    if is_ours(run):
        return Missing(reason, experiment_command("runners.check", diagnosis, run))
    rates = [float(f"{times * sweep.lr_star:.6g}") for times in TIMES]
    return Missing(reason, sweep_command(diagnosis, run, rates))
