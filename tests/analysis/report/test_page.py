"""The page of a report: what it says, and that nothing in it but its own code is code."""

import json
import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from analysis.charts.theme import DARK, LIGHT
from analysis.findings import diagnose
from analysis.inert import JOINER
from analysis.report import gather, write_html
from analysis.report.colors import variable_palette, write_variables
from analysis.report.decisions import parse_review
from analysis.report.page import draw_figures, first_pictures, hash_of
from analysis.report.specs import DIGITS, pack
from analysis.runlog import RunLogError
from analysis.words import FIX_NAMES, FIX_STATES, OUTCOMES, check_name
from tests.analysis.figures.known import variants, warmup_lengths
from tests.analysis.report.known import FORMULA, HOSTILE, MADE_AT, exported, hostile_runs, report_of
from tests.studies import make_run, make_study, sweep, sweep_run

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "footer", "section", "div", "span", "strong", "button"),
    *("h1", "h2", "h3", "p", "pre", "figure", "noscript", "script", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {  # none of them loads or runs anything
    *("lang", "charset", "http-equiv", "content", "name", "id", "class", "type", "role", "aria-label", "scope"),
}


class Reader(HTMLParser):
    """Collects tags, attributes, scripts and the text that people see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.inside, self.scripts, self.texts = Counter(), set(), "", [], []
        self.policy = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes |= {key for key, _ in attrs}
        self.inside = tag
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"]

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside != "style":
            (self.scripts if self.inside == "script" else self.texts).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def report():
    return report_of(variants(), parse_review(exported()))


@pytest.fixture(scope="module")
def page(report):
    return Reader(write_html(report))


@pytest.fixture(scope="module")
def hostile_page():
    return Reader(write_html(report_of(hostile_runs(), parse_review(hostile_review()), name=HOSTILE)))


def hostile_review() -> dict:
    """Returns an exported review whose every text is hostile."""
    told = exported(people=[{"subject": "a", "name": HOSTILE}, {"subject": "b", "name": FORMULA}])
    told["review"] |= {"study": HOSTILE, "title": HOSTILE, "words": HOSTILE}
    for item in told["items"]:
        item["content"]["sentence"] = HOSTILE
        item["decisions"] = [made | {"reason": FORMULA} for made in item["decisions"]]
    return told


def test_the_verdict_comes_first_and_everything_that_was_computed_is_said(page, report):
    diagnosis = report.diagnosis
    said = [report.headline.title, report.headline.evidence, *(chip.text for chip in report.headline.chips)]
    said += [f"Next experiment: {FIX_NAMES[diagnosis.next_fix.fix].lower()}"]
    said += [diagnosis.next_fix.sentence, diagnosis.next_fix.command]
    place = page.text.index("Steadystep report")
    for text in said:
        place = page.text.index(text, place) + len(text)
    for finding in diagnosis.findings:
        assert f"{OUTCOMES[finding.outcome]} {check_name(finding.code)} {finding.sentence}" in page.text
    for fix in diagnosis.fixes:
        assert f"{fix.rank}. {FIX_NAMES[fix.fix]} {FIX_STATES[fix.state]} {fix.sentence}" in page.text
        assert fix.fixed_when in page.text
    for figure in report.figures:
        assert (figure.caption if figure.applies else figure.result.reason) in page.text
    assert "28 November 2026, 04:12 UTC" in page.text
    assert diagnosis.study.fingerprint in page.text
    assert report.program in page.text


def test_every_picture_is_in_it_once_with_its_place_its_words_and_its_data(page, report):
    pictures = [picture for picture, _ in first_pictures(report.diagnosis)]
    pictures += [picture for _, rows in draw_figures(report, 0) for row in rows for picture, _, _ in row]
    specs = json.loads(page.scripts[0])
    assert len(specs) == len(pictures) > 6
    for picture, spec in zip(pictures, specs, strict=True):
        assert picture.caption in page.text
        drawn = json.loads(json.dumps(picture.chart.to_dict()))
        assert unpack(spec)["layer"] == drawn["layer"]
        assert list(unpack(spec)["datasets"].values()) == [rounded(rows) for rows in drawn["datasets"].values()]


def unpack(spec: dict) -> dict:
    """Makes rows of the columns of a specification again, as report.js does."""
    tables = {}
    for name, table in spec["datasets"].items():
        if isinstance(table, dict):
            columns = {
                key: [packed[0][place] for place in packed[1]] if len(packed) == 2 else packed[0]
                for key, packed in table["columns"].items()
            }
            table = [{key: values[row] for key, values in columns.items()} for row in range(table["size"])]
        tables[name] = table
    return spec | {"datasets": tables}


def rounded(rows: list[dict]) -> list[dict]:
    return [{key: float(f"{v:.{DIGITS}g}") if isinstance(v, float) else v for key, v in row.items()} for row in rows]


def test_rows_with_different_fields_stay_rows():
    spec = {"datasets": {"a": [{"x": 1.0}, {"y": 2.0}], "b": []}}
    assert pack(spec) == spec


def test_the_decisions_of_a_review_stand_in_it_with_what_came_of_them(page):
    assert "Stride bug, closed on 2026-11-27." in page.text
    assert "opened on an earlier state of the study" in page.text
    assert "Warm up to 3. Accepted warmup Bo cheapest 2026-11-27 Confirmed by run 01J" in page.text
    assert "Is the data shuffled? Not decided" in page.text
    assert "Signed by Ada, 2026-11-27; Bo, 2026-11-26, before the last decision." in page.text


def test_without_a_review_there_is_no_word_of_decisions():
    assert "Decisions" not in Reader(write_html(report_of(sweep(0.3, seeds=1)))).text


@pytest.mark.parametrize(
    "runs",
    [
        sweep(9.0, seeds=1),
        [make_run([2.0, 1.0, 0.5] * 40, base_lr=0.1)],
        [make_run([2.0] * 40)],
        [make_run([float("nan")] * 40, base_lr=1.0)],
        [make_run([2.0, 1.5, 1.0], every=50, base_lr=0.1)],
    ],
    ids=["steady", "one rate", "no rate", "lost", "sparse"],
)
def test_every_kind_of_study_has_a_report(runs):
    report = report_of(runs)
    said = Reader(write_html(report))
    assert report.headline.title in said.text
    assert set(said.tags) <= TAGS


def test_a_study_without_runs_and_a_review_of_another_study_are_refused():
    with pytest.raises(RunLogError, match=r"has no runs\. A report needs one run"):
        gather(diagnose(make_study([])), MADE_AT)
    with pytest.raises(RunLogError, match=r"The review is of study 'study'\. A review of study 'other' is needed"):
        report_of(sweep(9.0, seeds=1), parse_review(exported()), name="other")


def test_hostile_words_are_text_and_nothing_in_the_page_can_load_or_run_but_its_own_code(page, hostile_page):
    for each in (page, hostile_page):
        assert set(each.tags) <= TAGS
        assert each.attributes <= ATTRIBUTES
        assert each.tags["script"] == len(each.scripts) == 3
        assert "<" not in each.scripts[0]
    assert hostile_page.scripts[1:] == page.scripts[1:]
    assert "<img src=x onerror=alert(1)></script><script>alert(2)</script>" in hostile_page.text
    assert "{{ 7*7 }} <U+202E> <U+0000><U+D800>" in hostile_page.text
    assert "\u202e" not in hostile_page.text
    hostile_page.text.encode()


def test_no_cell_of_a_table_is_a_formula(hostile_page):
    cells = [text for text in hostile_page.texts if "HYPERLINK" in text]
    assert cells
    assert not [text for text in cells if text.startswith(("=", "+", "-", "@"))]
    assert f"{JOINER}{FORMULA}" in cells


def test_the_policy_allows_its_two_scripts_and_no_others(page):
    rules = dict(rule.split(" ", 1) for rule in page.policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == [hash_of(script) for script in page.scripts[1:]]
    assert "connect-src" not in rules
    assert rules["img-src"] == "data:"


def test_light_and_dark_are_the_palettes_of_the_charts_for_every_picture():
    report = report_of([*warmup_lengths(), *variants()])
    text = json.dumps([p.chart.to_dict() for _, rows in draw_figures(report, 0) for row in rows for p, _, _ in row])
    used = set(re.findall(r"var\(--([a-z_0-9-]+)\)", text))
    for colors in (LIGHT, DARK):
        values = dict(re.findall(r"--([a-z_0-9-]+): (#[0-9A-F]{6});", write_variables(colors, {})))
        assert used <= set(values)
        assert (values["ink"], values["below-1"]) == (colors.ink, colors.below[1])
    assert not set(re.findall(r"#[0-9A-Fa-f]{6}\b", text))
    assert len(used) > 8
    assert variable_palette().line("lr_star", 0) == "var(--feasible)"


def test_fifty_runs_of_five_thousand_steps_take_less_than_5_mb():
    runs = [
        sweep_run(lr, seed, edge, steps=5000, warmup_steps=warmup)
        for warmup, edge in ((0, 0.1), (100, 0.3))
        for lr in (0.01, 0.03, 0.1, 0.3, 1.0)
        for seed in range(5)
    ]
    report = report_of(runs)
    assert {figure.number for figure in report.figures if figure.applies} >= {"5", "6", "7a", "7b", "8", "9"}
    assert len(write_html(report).encode()) < 5e6
