"""The pictures of the playbook's figures, in rows: one function a figure, result to pictures."""

from collections.abc import Sequence

from analysis.charts.log_curves import log_curves
from analysis.charts.loss_axis import MOST_ABOVE_START
from analysis.charts.pictures import (
    Picture,
    has_train_loss,
    literal_sweep,
    names_of,
    picture_of_loss,
    picture_of_sweep,
)
from analysis.charts.theme import Palette
from analysis.charts.two_sweeps import two_sweeps
from analysis.charts.two_thresholds import two_thresholds
from analysis.curves import SHADES, Curves, LineKey, cut_curves
from analysis.figures import Figure
from analysis.figures.above_best import say_ratio
from analysis.figures.sparse_log import SparseLook, look_every
from analysis.figures.two_thresholds import say_shares
from analysis.figures.warmup_lengths import WarmupLengths
from analysis.focus import choose_window, runs_of, start_loss
from analysis.literal import name
from analysis.lr_words import number
from analysis.results import Diagnosis, LrSweep
from analysis.runlog import schema

Rows = tuple[tuple[Picture, ...], ...]
HEIGHT, SMALL = 380, 280  # pixels
MOST_BESIDE = 3  # ours: pictures in a row of 1,360 pixels that still show their lines
SPARSE_POINTS = 5  # ours: spacings of a sparse log that its picture shows at least


def draw_figure(figure: Figure, diagnosis: Diagnosis, colors: Palette, look: SparseLook | None = None) -> Rows:
    """Draws a figure that applies.

    Args:
        figure: The figure.
        diagnosis: The study it was found in.
        colors: Colors of the page.
        look: For figure 5, the sparse log to show; None for the one that its caption speaks of.

    Returns:
        Rows of pictures that stand beside each other.
    """
    if figure.number == "5":
        return draw_sparse_log(figure, diagnosis, colors, look)
    return DRAW[figure.number](figure, diagnosis, colors)


def draw_two_variants(figure: Figure, diagnosis: Diagnosis, colors: Palette) -> Rows:
    """Figure 4: the axis above, the losses at a low and a high learning rate below, on one y-axis."""
    pair = figure.result
    lrs = (pair.low_lr, pair.high_lr)
    axis = picture_of_two(figure, diagnosis, (pair.first, pair.second), pair.names, colors, links=lrs)
    both = [[j for each in (pair.first, pair.second) for j in runs_of(diagnosis, each, [lr])] for lr in lrs]
    window = choose_window([*both[0], *both[1]])
    low, high = (
        picture_of_loss(runs, pair.first, colors, window, SMALL, beside=others)
        for runs, others in ((both[0], both[1]), (both[1], both[0]))
    )
    return (axis,), (titled(low, f"Learning rate {number(lrs[0])}"), titled(high, f"Learning rate {number(lrs[1])}"))


def draw_moved_edge(figure: Figure, diagnosis: Diagnosis, colors: Palette) -> Rows:
    """Figure 8: both axes in one picture, an arrow from edge to edge."""
    moved = figure.result
    names = tuple(f"{steps:,} warmup steps" if steps else "no warmup" for steps in reversed(moved.warmup_steps))
    return ((picture_of_two(figure, diagnosis, (moved.after, moved.before), names, colors, with_arrow=True),),)


def picture_of_two(
    figure: Figure,
    diagnosis: Diagnosis,
    sweeps: tuple[LrSweep, LrSweep],
    names: tuple[str, str],
    colors: Palette,
    links: Sequence[float] = (),
    with_arrow: bool = False,
) -> Picture:
    """Draws two series on one axis, the first in focus."""
    shown = tuple(name(each) for each in names)
    pair = [literal_sweep(sweep) for sweep in sweeps]
    chart = two_sweeps(*pair, shown, colors, names_of(diagnosis), HEIGHT, links, with_arrow)
    count = sum(len(sweep.runs) for sweep in sweeps)
    caption = (
        f"{count} of {count} runs drawn. Lines: medians of seeds. Crosses at the top: infeasible. Gray: {shown[1]}."
    )
    caption += " Solid rules: the learning rates below." * bool(links) + " Dashed: the lowest unstable learning rate."
    return Picture(chart, f"{shown[0][0].upper()}{shown[0][1:]} beside {shown[1]}", caption, figure.caption)


def draw_sparse_log(figure: Figure, diagnosis: Diagnosis, colors: Palette, look: SparseLook | None) -> Rows:
    """Figure 5: the same runs logged every step and every k steps, side by side on one y-axis."""
    log = figure.result
    look = look or next((each for each in log.looks if each.every == log.chosen), look_every(log.runs, log.chosen))
    sweep = next((each for each in diagnosis.sweeps if each.series == log.runs[0].series), None)
    lo, hi = choose_window(log.runs)
    end = min(int(judged.run.loss[0][-1]) for judged in log.runs)
    window = lo, min(end, max(hi, SPARSE_POINTS * look.every))
    full = picture_of_loss(log.runs, sweep, colors, window, SMALL, beside=look.runs)
    sparse = picture_of_loss(look.runs, sweep, colors, window, SMALL, beside=log.runs, with_points=True)
    seen = f"{look.num_seen} of {len(log.runs)} rises seen"
    return ((titled(full, "Logged every step"), titled(sparse, f"Logged every {look.every:,} steps: {seen}")),)


def draw_warmup_lengths(figure: Figure, diagnosis: Diagnosis, colors: Palette) -> Rows:
    """Figure 6: losses by warmup length beside their learning rates, both log-log."""
    found = figure.result
    keys, runs = keys_of_lengths(found), [judged for length in found.lengths for judged in length.runs]
    end = max(int(judged.run.loss[0][-1]) for judged in runs)
    detail = (0, max(1, end // 10))
    losses = cut_curves(runs, keys, window=(0, end), detail=detail)
    start = start_loss(runs)
    most = MOST_ABOVE_START * start if start else None
    title = "training loss" if has_train_loss(runs) else "validation loss"
    loss = Picture(
        log_curves(losses, title, colors, HEIGHT, most),
        "The loss by warmup length",
        said_of(losses, "Blue lengths hold, orange ones do not."),
        figure.caption,
    )
    rates = cut_curves(runs, keys, schema.LR, (0, end), detail=detail)
    if rates.points.empty:
        return ((loss,),)
    alt = f"Learning rates of {len(found.lengths)} warmup lengths up to {number(found.base_lr)}."
    picture = Picture(log_curves(rates, "learning rate", colors, HEIGHT), "Its schedules", said_of(rates), alt)
    return ((loss, picture),)


def keys_of_lengths(found: WarmupLengths) -> dict[str, LineKey]:
    """Returns how the runs of each length are drawn: the color says whether it holds, the shade which it is."""
    keys, turns = {}, {"below": 0, "above": 0}
    for length in found.lengths:
        state = "below" if length.holds else "above"
        label = f"{length.warmup_steps:,} steps" if length.warmup_steps else "no warmup"
        keys |= {judged.run.run_id: LineKey(label, state, turns[state] % SHADES) for judged in length.runs}
        turns[state] += 1
    return keys


def draw_edge(figure: Figure, diagnosis: Diagnosis, colors: Palette) -> Rows:
    """Figure 7a: the axis of one series."""
    picture = picture_of_sweep(diagnosis, figure.result, colors, HEIGHT, with_control=False)
    caption = f"{picture.caption} Crosses at the top edge: infeasible. Band: unstable."
    return ((Picture(picture.chart, picture.title, caption, figure.caption),),)


def draw_above_best(figure: Figure, diagnosis: Diagnosis, colors: Palette) -> Rows:
    """Figure 7b: the losses at the best learning rate and above it, over all steps, on one y-axis."""
    result = figure.result
    every = runs_of(diagnosis, result.sweep, result.lrs)
    window = 0, max(int(judged.run.loss[0][-1]) for judged in every if len(judged.run.loss[0]))
    row = []
    for lr, sudden in zip(result.lrs, result.num_sudden, strict=True):
        runs = [judged for judged in every if judged.run.base_lr == lr]
        others = [judged for judged in every if judged.run.base_lr != lr]
        picture = picture_of_loss(runs, result.sweep, colors, window, SMALL, beside=others, is_small=True)
        times = "the best" if lr == result.lrs[0] else f"{say_ratio(lr / result.lrs[0])} times the best"
        alt = f"{sudden} of {len(runs)} rise after a decline. {picture.alt}"
        row.append(Picture(picture.chart, f"{number(lr)}, {times}", picture.caption, alt))
    return (tuple(row),) if len(row) <= MOST_BESIDE else (tuple(row[:2]), tuple(row[2:]))


def draw_two_thresholds(figure: Figure, diagnosis: Diagnosis, colors: Palette) -> Rows:
    """Figure 9: the norm of every step with both thresholds."""
    result = figure.result
    key = LineKey("", "other", 0)
    curves = cut_curves([result.judged], {result.judged.run.run_id: key}, schema.GRAD_NORM)
    too_low, better = (
        (each.clip_threshold, f"{number(each.clip_threshold)} clips {say_shares(*[each.clipped_fraction] * 2)}")
        for each in (result.aggressive, result.better)
    )
    chart = two_thresholds(curves, too_low, better, colors, HEIGHT)
    lr = result.judged.run.base_lr
    title = "The norm of every step" + ("" if lr is None else f" at learning rate {number(lr)}")
    return (
        (
            Picture(
                chart, title, said_of(curves, "Dashed: thresholds and what each clips of this run."), figure.caption
            ),
        ),
    )


def titled(picture: Picture, title: str) -> Picture:
    """Returns a picture under another title, its finding in front of what it shows."""
    return Picture(picture.chart, title, picture.caption, f"{title}. {picture.alt}")


def said_of(curves: Curves, more: str = "") -> str:
    """Says how many points were drawn, and how."""
    drawn = f"{curves.num_drawn:,} of {curves.num_points:,} points drawn, unsmoothed."
    median = " Thick: median of seeds." if curves.points["is_median"].any() else ""
    return f"{drawn}{median} {more}".strip()


DRAW = {
    "4": draw_two_variants,
    "6": draw_warmup_lengths,
    "7a": draw_edge,
    "7b": draw_above_best,
    "8": draw_moved_edge,
    "9": draw_two_thresholds,
}
