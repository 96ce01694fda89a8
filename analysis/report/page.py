"""A report as one HTML page that needs nothing else: words, pictures, their data and the code that draws them."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from analysis import words
from analysis.charts.figures import draw_figure
from analysis.charts.pictures import Picture, first_runs, picture_of_loss, picture_of_sweep
from analysis.figures import Figure
from analysis.focus import choose_sweep, has_axis
from analysis.inert import formula_guard
from analysis.literal import literal, name
from analysis.report import tables
from analysis.report.colors import variable_palette, write_themes
from analysis.report.contents import Report
from analysis.report.specs import write_specs
from analysis.results import Diagnosis

FOLDER = Path(__file__).parent
SPANS = {1: "", 2: "span-6", 3: "span-4", 4: "span-3"}  # of the 12 columns of the page


def write_html(report: Report) -> str:
    """Writes the page.

    Args:
        report: What it tells.

    Returns:
        HTML that loads nothing and sends nothing, with a policy that forbids both: open it from a disk, send it by
        mail, print it. Text from logs and reviews is text in it, whatever it holds.
    """
    first = first_pictures(report.diagnosis)
    places = count(len(first))
    drawn = [(figure, place_pictures(figure, report.diagnosis, places)) for figure in report.figures if figure.applies]
    pictures = [picture for picture, _ in first]
    pictures += [picture for _, rows in drawn for row in rows for picture, _, _ in row]
    return render("report.html", pictures, **words_of(report), first=first, drawn=drawn)


def write_figure(figure: Figure, diagnosis: Diagnosis) -> str:
    """Writes the page of one figure that applies; HTML as that of `write_html`."""
    rows = place_pictures(figure, diagnosis, count())
    pictures = [picture for row in rows for picture, _, _ in row]
    title = f"Figure {figure.number}: {figure.title}, study {name(diagnosis.study.name)}"
    words_ = {"title": title, "kind": "figure", "about": "", "study": diagnosis.study, "figure": figure, "rows": rows}
    return render("figure.html", pictures, **words_)


def render(template: str, pictures: Iterable[Picture], **values: object) -> str:
    """Returns a page of a template: its words, and the pictures in the order of their places."""
    bundle, script = draw_code()
    return (
        environment()
        .get_template(template)
        .render(
            **values,
            style=Markup(write_themes() + (FOLDER / "report.css").read_text(encoding="utf-8")),
            specs=Markup(write_specs(pictures)),
            bundle=Markup(bundle),
            script=Markup(script),
            policy=write_policy(bundle, script),
        )
    )


def words_of(report: Report) -> dict[str, object]:
    """Returns what the page says, by the names of its template."""
    diagnosis = report.diagnosis
    differ, share = tables.split_settings(diagnosis.study.runs)
    num_runs = f"{len(diagnosis.runs)} run{'s' * (len(diagnosis.runs) != 1)}"
    return {
        "title": f"{report.headline.title}: study {name(diagnosis.study.name)}",
        "kind": "report",
        "about": f"{num_runs} · {report.made_on}",
        "report": report,
        "study": diagnosis.study,
        "numbers": tables.table_of_numbers(diagnosis),
        "next_fix": diagnosis.next_fix,
        "fixes": diagnosis.fixes,
        "findings": diagnosis.findings,
        "reviews": [(review, tables.table_of_decisions(review)) for review in report.reviews],
        "missing": [figure for figure in report.figures if not figure.applies],
        "runs": tables.table_of_runs(diagnosis),
        "differ": differ,
        "share": share,
        "versions": tables.table_of_versions(diagnosis, report.program, report.made_on),
    }


def first_pictures(diagnosis: Diagnosis) -> list[tuple[Picture, str]]:
    """Returns the pictures of the verdict, each with its width: the axis beside the losses that explain it."""
    sweep, colors = choose_sweep(diagnosis), variable_palette()
    loss = picture_of_loss(first_runs(diagnosis, sweep), sweep, colors)
    if not has_axis(sweep):
        return [(loss, "")]
    return [(picture_of_sweep(diagnosis, sweep, colors), "span-5"), (loss, "span-7")]


def draw_figures(report: Report, first_place: int) -> list[tuple]:
    """Returns each figure that applies with its rows, as `place_pictures` returns them."""
    places, drawn = count(first_place), [figure for figure in report.figures if figure.applies]
    return [(figure, place_pictures(figure, report.diagnosis, places)) for figure in drawn]


def place_pictures(figure: Figure, diagnosis: Diagnosis, places: Iterator[int]) -> list[list[tuple]]:
    """Returns the rows of a figure's pictures: (picture, its place among all pictures of the page, its width)."""
    rows = draw_figure(figure, diagnosis, variable_palette())
    return [[(each, next(places), SPANS.get(len(row), "span-4")) for each in row] for row in rows]


@cache
def environment() -> jinja2.Environment:
    """Returns the templates: every value is made literal, then escaped, unless it is code of ours."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else literal(value),
    )
    made.filters |= {"name": name, "check_name": words.check_name, "cell": inert_cell}
    made.globals |= {"outcomes": words.OUTCOMES, "fix_names": words.FIX_NAMES, "fix_states": words.FIX_STATES}
    return made


def inert_cell(text: str) -> Markup:
    """Returns the text of a table's cell, escaped, of which no spreadsheet makes a formula."""
    return Markup(formula_guard(text)) + escape(literal(text))


@cache
def draw_code() -> tuple[str, str]:
    """Returns the two scripts of the page: Vega with all it needs, and what draws with it."""
    import vl_convert

    return vl_convert.javascript_bundle(), (FOLDER / "report.js").read_text(encoding="utf-8")


def write_policy(*scripts: str) -> str:
    """Returns the content security policy: nothing is loaded, and no script runs but these."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(hash_of, scripts))}",
            "style-src 'unsafe-inline'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def hash_of(script: str) -> str:
    """Returns the source of a policy that lets this very script run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
