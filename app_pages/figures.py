"""Figures: those of the playbook, from the study's own runs, each with its caption; or what it lacks."""

import streamlit as st

from analysis.charts.figures import draw_figure
from analysis.figures import Figure, find_figures
from analysis.figures.sparse_log import look_every, say_sparse
from app_pages import shown
from app_pages.chart_comments import read_figure_comments, show_comments
from app_pages.chart_forms import show_figure_form
from app_pages.chosen import diagnosis_or_stop
from app_pages.pictures import colors, key_of, remember, show


def pick_figure(figures: tuple[Figure, ...]) -> Figure:
    """Offers all figures, those that apply first, and one of these is drawn already."""
    by_number = {figure.number: figure for figure in sorted(figures, key=lambda figure: not figure.applies)}
    number = st.segmented_control(
        "Figure",
        list(by_number),
        format_func=lambda key: f"{key} {by_number[key].title}",
        default=next(iter(by_number)),
        required=True,
        key="figure",
        bind="query-params",
        label_visibility="collapsed",
    )
    return by_number[number]


def pick_spacing(figure: Figure) -> int:
    """Asks what if only every k-th step had been logged."""
    log = figure.result
    if log.most_every < 2:
        return 1
    return st.slider(
        "What if we had logged every k steps",
        1,
        log.most_every,
        log.chosen,
        key="every",
        bind="query-params",
        width=420,
    )


def show_figure(figure: Figure) -> None:
    """Shows the caption, the pictures and how they were drawn."""
    said, look, every = st.empty(), None, 0
    said.markdown(shown.sentence(figure.caption))
    if figure.number == "5":
        every = pick_spacing(figure)
        look = remember(key_of(diagnosis, "sparse", every), lambda: look_every(figure.result.runs, every))
        said.markdown(shown.sentence(f"{say_sparse(figure.result, look)} ({figure.said_seeds})."))
    key = key_of(diagnosis, "figure", figure.number, every)
    for index, row in enumerate(remember(key, lambda: draw_figure(figure, diagnosis, colors(), look))):
        for place, (column, picture) in enumerate(zip(st.columns(len(row), gap="medium"), row, strict=True)):
            with column:
                show(picture, f"figure_{figure.number}_{index}_{place}")


def show_missing(figure: Figure) -> None:
    """Says why a figure does not apply, and gives the command that makes it."""
    title = f"Figure {figure.number}, {figure.title[0].lower()}{figure.title[1:]}."
    st.markdown(f"**{title}** {shown.sentence(figure.result.reason)}")
    st.code(figure.result.command, language="bash", wrap_lines=True)


diagnosis = diagnosis_or_stop()
st.title("Figures", anchor=False)
figures = remember(key_of(diagnosis, "figures"), lambda: find_figures(diagnosis))
chosen = pick_figure(figures)
if chosen.applies:
    show_figure(chosen)
else:
    show_missing(chosen)
told = read_figure_comments(diagnosis, chosen.number)
show_comments(told, diagnosis)
show_figure_form(told, chosen.number)
others = [figure for figure in figures if not figure.applies and figure is not chosen]
if others:
    st.subheader("Not from these runs yet", anchor=False)
    for figure in others:
        show_missing(figure)
