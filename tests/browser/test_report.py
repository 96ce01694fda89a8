"""A report in a real browser without a network: drawn, switched, printed, and safe."""

import re
from pathlib import Path

import pytest

from analysis.charts.theme import DARK, LIGHT
from analysis.report import write_html
from analysis.report.decisions import parse_review
from tests.analysis.figures.known import before_and_after_warmup, variants, warmup_lengths
from tests.analysis.report.known import HOSTILE, hostile_runs, report_of
from tests.analysis.report.test_page import hostile_review
from tests.browser.conftest import PATIENCE
from tests.browser.test_journeys import VERDICT, open_page

DRAWN = "() => document.documentElement.dataset.drawn"
SHEET = re.compile(rb"/Type\s*/Page\b(?!s)")
MARKS = "chart => chart.querySelectorAll('svg .mark-symbol path, svg .mark-line path').length"
A4_TEXT = 688  # CSS pixels between the margins


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, Path]:
    """Reports on disk: of hostile runs, and of studies in which figures 4 to 8 apply."""
    folder = tmp_path_factory.mktemp("reports")
    review = parse_review(hostile_review())
    written = {
        "hostile": write_html(report_of(hostile_runs(), review, name=HOSTILE)),
        "variants": write_html(report_of(variants())),
        "warmups": write_html(report_of(warmup_lengths())),
        "edges": write_html(report_of(before_and_after_warmup())),
    }
    for name, text in written.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in written}


@pytest.fixture
def problems() -> list[str]:
    """What pages complain of, ask or fetch."""
    return []


@pytest.fixture
def look(browser, reports, problems):
    """Opens a report with the network off; nothing may complain, ask, or be fetched."""
    contexts = []

    def opened(name: str, scheme: str = "light", width: int = 1360):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.set_offline(True)
        contexts.append(context)
        page, url = context.new_page(), reports[name].as_uri()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: problems.append(request.url) if request.url != url else None)
        page.goto(url)
        page.wait_for_function(DRAWN)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def marks_of(page) -> list[int]:
    """Returns how many marks every chart of a page has."""
    return page.eval_on_selector_all(".chart", f"charts => charts.map({MARKS})")


@pytest.mark.parametrize("name", ["hostile", "variants", "warmups", "edges"])
def test_every_chart_is_drawn_without_a_network(look, name):
    page = look(name)
    marks = marks_of(page)
    assert len(marks) == int(page.evaluate(DRAWN)) > 2
    assert min(marks) > 0
    assert page.get_by_text("could not be drawn").count() == 0


def test_hostile_words_are_shown_letter_by_letter_and_make_no_element(look):
    page = look("hostile")
    assert page.locator("main img, main a, main script, main [onerror]").count() == 0
    assert page.get_by_text("<img src=x onerror=alert(1)></script>").count() > 10
    page.locator(".chart svg .mark-symbol path").first.hover(force=True)
    page.wait_for_selector("#vg-tooltip-element.visible")
    assert page.locator("#vg-tooltip-element :is(img, a, script)").count() == 0


def test_the_policy_stops_a_handler_a_script_and_a_request_that_got_in(look, problems):
    page = look("variants")
    tried = page.evaluate(
        """async () => {
            document.body.insertAdjacentHTML("beforeend", "<p id=trap onclick='window.ran = 1'>x</p>");
            document.getElementById("trap").click();
            const script = document.createElement("script");
            script.textContent = "window.ran = 1";
            document.body.append(script);
            const sent = await fetch("data:,x").then(() => true, () => false);
            return [window.ran ?? 0, sent];
        }"""
    )
    assert tried == [0, False]
    assert len(problems) >= 3
    assert all("Content Security Policy" in problem for problem in problems)
    problems.clear()


def test_light_and_dark_follow_the_system_and_the_switch(look):
    ink = "() => getComputedStyle(document.querySelector('.chart svg .role-axis-label text')).fill"
    page_color = "() => getComputedStyle(document.documentElement).backgroundColor"
    for scheme, first, second in (("light", LIGHT, DARK), ("dark", DARK, LIGHT)):
        page = look("variants", scheme)
        for colors in (first, second, first):
            assert page.evaluate(ink) == rgb(colors.muted)
            assert page.evaluate(page_color) == rgb(colors.page)
            assert page.locator(".chart svg > rect:not([fill=transparent])").count() == 0
            page.get_by_role("button", name="Light or dark").click()


def rgb(color: str) -> str:
    """Returns a color as a browser writes it."""
    return f"rgb({', '.join(str(int(color[place : place + 2], 16)) for place in (1, 3, 5))})"


def test_a_narrow_page_does_not_scroll_sideways(look):
    page = look("hostile", width=420)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    assert page.eval_on_selector_all(".chart svg", "all => Math.max(...all.map(svg => svg.clientWidth))") < 420


@pytest.mark.parametrize("name", ["variants", "hostile"])
def test_on_paper_it_is_light_and_charts_are_as_wide_as_their_place_and_whole(look, name):
    page = look(name, "dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == rgb(LIGHT.page)
    assert page.evaluate("[document.body.clientWidth, document.body.scrollWidth]") == [A4_TEXT, A4_TEXT]
    widths = page.eval_on_selector_all(".chart", "all => all.map(c => [c.clientWidth, c.firstChild.clientWidth])")
    assert all(abs(place - svg) <= 1 for place, svg in widths)
    sheet = (297 - 34) * 96 / 25.4
    heights = page.eval_on_selector_all(".row", "all => all.map(row => row.offsetHeight)")
    assert max(heights) < sheet
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert "on-paper" not in (page.get_attribute("html", "class") or "")


def test_it_prints_on_a4_in_as_many_sheets_as_it_needs(look):
    printed = look("variants", "dark").pdf(prefer_css_page_size=True)
    assert re.search(rb"/MediaBox\s*\[0 0 59[45](\.\d+)? 84[12](\.\d+)?\]", printed)
    assert 5 <= len(SHEET.findall(printed)) <= 9


def test_the_findings_page_gives_the_report_and_its_words_on_a_click(page, server):
    open_page(page, f"{server.url}/?study=stride", VERDICT)
    for label, start in (("Download report", "<!DOCTYPE html>"), ("As Markdown", "## ")):
        with page.expect_download() as waited:
            page.get_by_role("button", name=label).click()
        text = Path(waited.value.path()).read_text(encoding="utf-8")
        assert waited.value.suggested_filename.startswith("stride_report.")
        assert text.startswith(start)
        assert VERDICT in text
