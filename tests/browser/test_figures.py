"""The playbook's figures in a real browser: each is drawn two clicks from the findings, and its link opens it again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from analysis.figures import find_figures
from analysis.findings import diagnose
from tests.analysis.figures.known import before_and_after_warmup, variants
from tests.app_pages.stores import add_study
from tests.browser.conftest import LOOK, PATIENCE, Server, serve
from tests.browser.test_journeys import go_to, open_page, wait_until_drawn
from tests.studies import make_study

STUDIES = {"variants": (variants, ("4", "5", "7a", "7b", "9")), "warmup": (before_and_after_warmup, ("6", "8"))}
NUM_CHARTS = {"4": 3, "5": 2, "6": 1, "7a": 1, "7b": 3, "8": 1, "9": 1}
MOST_CLICKS = 4 if LOOK == "narrow" else 2  # in a narrow window the menu is opened and closed
COUNT_CLICKS = "addEventListener('click', () => { window.clicks += 1; }, true)"


@pytest.fixture(scope="module")
def figures(tmp_path_factory) -> Iterator[Server]:
    """A dashboard on studies in which all figures apply."""
    root = tmp_path_factory.mktemp("figures")
    for name, (make_runs, _) in STUDIES.items():
        add_study(root / "studies", name, make_runs(), root / "files" / name)
    yield from serve(root / "studies")


def captions_of(name: str) -> dict[str, str]:
    """Returns the captions that the page must show of a study, by number."""
    return {figure.number: figure.caption for figure in find_figures(diagnose(make_study(STUDIES[name][0]())))}


def caption_on(page: Page, caption: str) -> None:
    """Waits until a caption and its pictures stand."""
    expect(page.get_by_test_id("stMarkdown").filter(has_text=caption).first).to_be_visible()
    wait_until_drawn(page)


@pytest.mark.parametrize("name", STUDIES)
def test_each_figure_is_drawn_in_at_most_two_clicks_from_the_findings_and_its_link_opens_it(
    browser, page, figures, keep, name
):
    page.add_init_script(COUNT_CLICKS)
    captions = captions_of(name)
    page.goto(f"{figures.url}/?study={name}")
    for number in STUDIES[name][1]:
        expect(page.get_by_text("What was checked")).to_be_visible()
        page.evaluate("window.clicks = 0")
        go_to(page, "Figures")
        expect(page.get_by_role("heading", level=1)).to_have_text("Figures")
        expect(page.get_by_role("combobox", name="Study", exact=True)).to_have_value(name)
        if not page.get_by_text(captions[number]).is_visible():
            page.get_by_test_id("stButtonGroup").get_by_text(f"{number} ").first.click()
        caption_on(page, captions[number])
        expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(NUM_CHARTS[number])
        assert page.evaluate("window.clicks") <= MOST_CLICKS
        keep(f"figure_{number}")
        link = page.url
        go_to(page, "Findings")
    context = browser.new_context(viewport=page.viewport_size)
    other = context.new_page()
    other.set_default_timeout(PATIENCE)
    open_page(other, link, "Figures")
    caption_on(other, captions[number])
    context.close()
