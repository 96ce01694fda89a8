"""Every number in a caption, title or word of a picture is one of the result that it is drawn from, or of its points.

Figures 4 to 9, the learning-rate axis and the losses, of the studies of `tests.sentences` and of known figures.
"""

import functools
import re

import numpy as np
import pandas as pd
import pytest

from analysis.charts.figures import draw_figure
from analysis.charts.loss_view import FIRST_STEPS, LossView, keys_among, picture_of_first_steps, picture_of_view
from analysis.charts.pictures import first_runs, names_of, picture_of_loss, picture_of_sweep
from analysis.charts.theme import LIGHT
from analysis.figures import find_figures
from analysis.findings import diagnose
from analysis.focus import choose_sweep
from analysis.lr_sweep import LRS_AT_LEAST
from analysis.runlog import schema
from tests.analysis.figures.facts import facts_of, facts_of_sweep, look_shown
from tests.analysis.figures.known import before_and_after_warmup, norms, sudden_rises, warmup_lengths
from tests.charts.drawn import layers_of
from tests.sentences import diagnose_named, given_folders, known_studies, said_in, unsaid
from tests.studies import make_study

FIGURES = {  # studies made for one figure: its runs and number
    "warmup lengths": (warmup_lengths, "6"),
    "sudden rises": (sudden_rises, "7b"),
    "before and after": (before_and_after_warmup, "8"),
    "norms": (lambda: [norms(base_lr=0.1)], "9"),
}
STUDIES = [*known_studies(), *FIGURES, *given_folders()]
DRAWN = re.compile(r"([\d,]+) of ([\d,]+) points drawn")


@functools.cache
def judged_study(name):
    """Judges a study by its name."""
    return diagnose(make_study(FIGURES[name][0]())) if name in FIGURES else diagnose_named(name)


def figures_in(diagnosis):
    return [figure for figure in find_figures(diagnosis) if figure.applies]


def figure_of(diagnosis, number):
    return next(figure for figure in figures_in(diagnosis) if figure.number == number)


def words_in(picture, layers):
    """Returns all that a picture says: title, caption, text for those who do not see it, words in the chart."""
    written = [word for layer, values in layers if layer["mark"]["type"] == "text" for word in values.get("text", [])]
    return " | ".join([picture.title, picture.caption, picture.alt, *written])


def counted(layers, runs, column):
    """Counts what a chart draws of runs: points, points that were logged between its ends, runs; and those ends."""
    by_id, drawn, logged = {judged.run.run_id: judged.run for judged in runs}, [], 0
    for layer, values in layers:
        y = layer["encoding"].get("y", {})
        if layer["mark"]["type"] == "line" and y["axis"]["title"] != "lr":  # the strip of learning rates below
            has_place = values[y["field"]].notna() | values["value"].isna()  # what is not finite breaks the line
            drawn.append(values[(values["run_id"] != "") & has_place])
    points = pd.concat(drawn)
    ends = int(points["step"].min()), int(points["step"].max())
    for run_id in set(points["run_id"]):
        steps, _ = by_id[run_id].loss if column == schema.TRAIN_LOSS else by_id[run_id].series(column)
        logged += int(((steps >= ends[0]) & (steps <= ends[1])).sum())
    return len(points), logged, points["run_id"].nunique(), *ends


def facts_of_marks(layers):
    """Yields how many runs have a mark on a learning-rate axis, and the ends of the steps."""
    for layer, values in layers:
        if layer["mark"]["type"] == "point" and "run_id" in values:
            yield sum(values["run_id"] != "")
        yield from layer["encoding"].get("x", {}).get("scale", {}).get("domain", [])


def facts_of_losses(layers, runs):
    """Yields what a picture of losses may name: start, first steps, and rises, evaluations and lost losses of runs."""
    for layer, values in layers:
        if layer["mark"]["type"] == "rule" and "value" in values:
            yield from values["value"]
    yield FIRST_STEPS
    yield sum(any(event.onset_step < FIRST_STEPS for event in judged.confirmed) for judged in runs)
    for judged in runs:
        yield from np.unique(np.diff(judged.run.series(schema.EVAL_LOSS)[0]))
        yield from (judged.run.base_lr or 0.0, *said_in(judged.series.replace("=", " ")))
        steps, loss = judged.run.loss
        yield from steps[~np.isfinite(loss)][:1]
        for event in judged.confirmed:
            yield event.cost_steps
            yield 1 + event.rise / event.level_before if event.rise and event.level_before else 0.0


def pictures_in(name, diagnosis):
    """Yields (what it is, picture, its runs, column of its curves or "", other numbers that it may name)."""
    if name in FIGURES:
        yield from pictures_of(figure_of(diagnosis, FIGURES[name][1]), diagnosis)
        return
    for figure in figures_in(diagnosis):
        yield from pictures_of(figure, diagnosis)
    yield from pictures_of_study(diagnosis)


def pictures_of(figure, diagnosis):
    """Yields the pictures of a figure."""
    rows, own = draw_figure(figure, diagnosis, LIGHT), facts_of(figure, diagnosis)
    for picture in (picture for row in rows for picture in row):
        runs, column = figure.runs, schema.TRAIN_LOSS
        if figure.number == "5" and "every step" not in picture.title:
            runs = look_shown(figure.result).runs
        if figure.number == "6" and picture is not rows[0][0]:
            column = schema.LR
        if figure.number == "9":
            runs, column = (figure.result.judged,), schema.GRAD_NORM
        own |= {float(len(figure.runs)), float(len(diagnosis.runs))}
        own |= shares_of(figure.result) if figure.number == "9" else set()
        yield f"figure {figure.number}", picture, runs, column if DRAWN.search(picture.caption) else "", own


def pictures_of_study(diagnosis):
    """Yields the learning-rate axis and the losses as the pages show them."""
    sweep = choose_sweep(diagnosis)
    of_study = {float(each) for swept in diagnosis.sweeps for each in facts_of_sweep(swept) if each is not None}
    if sweep is not None:
        known = of_study | {float(len(diagnosis.runs)), float(LRS_AT_LEAST)} | said_in(sweep.sentence)
        known |= {number for swept in diagnosis.sweeps for number in said_in(re.sub("[=,]", " ", swept.series))}
        yield "axis", picture_of_sweep(diagnosis, sweep, LIGHT), (), "", known
    yield "first", picture_of_loss(first_runs(diagnosis, sweep), sweep, LIGHT), diagnosis.runs, schema.TRAIN_LOSS, set()
    window = 0, max(int(judged.run.loss[0][-1]) for judged in diagnosis.runs)
    keys = keys_among(diagnosis.runs, sweep, diagnosis.runs)
    view = picture_of_view(diagnosis.runs, keys, names_of(diagnosis), LIGHT, window, LossView()).picture
    yield "view", view, diagnosis.runs, schema.TRAIN_LOSS, set()
    steps = picture_of_first_steps(diagnosis.runs, keys, LIGHT, LossView())
    if steps is not None:
        yield "first steps", steps, diagnosis.runs, schema.TRAIN_LOSS, set()


def shares_of(result):
    """Returns what each threshold of figure 9 clips of the run that is drawn."""
    _, norm = result.judged.run.series(schema.GRAD_NORM)
    return {float((norm > each.clip_threshold).mean()) for each in (result.aggressive, result.better)}


@pytest.mark.parametrize("name", STUDIES)
def test_every_number_in_the_caption_of_a_figure_is_one_of_its_result(name):
    diagnosis = judged_study(name)
    wrong = [
        (each.number, unsaid(each.caption, facts_of(each, diagnosis)), each.caption) for each in figures_in(diagnosis)
    ]
    assert [each for each in wrong if each[1]] == []


@pytest.mark.parametrize("name", STUDIES)
def test_pictures_count_the_points_that_they_draw_and_name_no_other_number(name):
    diagnosis, wrong = judged_study(name), []
    for what, picture, runs, column, known in pictures_in(name, diagnosis):
        layers = layers_of(picture.chart)
        known = known | {float(each) for each in facts_of_marks(layers)}
        if column:
            counts = counted(layers, runs, column)
            known = known | {float(each) for each in (*counts, *facts_of_losses(layers, runs))}
            for said in DRAWN.findall(picture.caption):
                assert tuple(int(each.replace(",", "")) for each in said) == counts[:2], (what, picture.title)
        said = words_in(picture, layers)
        wrong += [(what, number, said) for number in unsaid(said, known)]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "number", "said", "wrong"),
    [
        ("edge", "4", "unstable from 0.3", "unstable from 0.4"),
        ("edge", "5", "every 30 steps", "every 40 steps"),
        ("warmup lengths", "6", "loss of 0.202", "loss of 0.203"),
        ("sample", "7a", "1 of 12 runs", "1 of 13 runs"),
        ("sudden rises", "7b", "5 times the best", "6 times the best"),
        ("before and after", "8", "10 times higher", "11 times higher"),
        ("norms", "9", "clips 10%", "clips 12%"),
    ],
)
def test_a_wrong_number_in_a_caption_is_seen(name, number, said, wrong):
    diagnosis = judged_study(name)
    figure = figure_of(diagnosis, number)
    assert said in figure.caption
    assert unsaid(figure.caption.replace(said, wrong), facts_of(figure, diagnosis)) != []
