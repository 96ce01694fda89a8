"""The figures of a study for the command line: as rows of text, as JSON, and as one HTML page each."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.figures import Figure
from analysis.literal import literal
from analysis.report import write_figure
from analysis.results import Diagnosis

SCHEMA = "steadystep.figures/1"


def write_rows(figures: Sequence[Figure]) -> str:
    """Returns one row per figure: its number, its caption and the runs it rests on; or why it does not apply."""
    return "\n".join(f"{figure.number:<3} {literal(_row(figure))}" for figure in figures)


def _row(figure: Figure) -> str:
    if figure.applies:
        return f"{figure.caption} [{len(figure.runs)} run{'s' * (len(figure.runs) != 1)}]"
    return f"does not apply: {figure.result.reason} Make it: {figure.result.command}"


def publish_figures(diagnosis: Diagnosis, figures: Sequence[Figure], files: Mapping[str, str]) -> dict:
    """Returns the figures as plain values.

    Args:
        diagnosis: The study.
        figures: Its figures.
        files: Path of the page of each figure that was written, by number.
    """
    return {"schema": SCHEMA, "study": diagnosis.study.name, "figures": [_publish(each, files) for each in figures]}


def _publish(figure: Figure, files: Mapping[str, str]) -> dict:
    missing = None if figure.applies else figure.result
    return {
        "number": figure.number,
        "title": figure.title,
        "applies": figure.applies,
        "caption": figure.caption,
        "reason": missing.reason if missing else "",
        "command": missing.command if missing else "",
        "series": list(figure.series),
        "run_ids": [judged.run.run_id for judged in figure.runs],
        "seeds": list(figure.seeds),
        "file": files.get(figure.number),
    }


def write_pages(diagnosis: Diagnosis, figures: Sequence[Figure], folder: str | os.PathLike) -> dict[str, str]:
    """Writes one page per figure that applies, figure_7a.html and so on, and returns their paths by number."""
    folder, files = Path(folder), {}
    folder.mkdir(parents=True, exist_ok=True)
    for figure in figures:
        if figure.applies:
            path = folder / f"figure_{figure.number}.html"
            path.write_text(write_figure(figure, diagnosis), encoding="utf-8")
            files[figure.number] = str(path)
    return files
