"""No page has an accessibility violation of ours that axe-core calls serious or critical, in light and in dark."""

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from app_pages.frame import PAGES
from app_pages.studies import SAMPLE_KEY
from tests.browser.conftest import PATIENCE
from tests.browser.test_journeys import wait_until_drawn

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RUN = """async names => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  const grave = found.violations.filter(each => ['serious', 'critical'].includes(each.impact));
  return grave.flatMap(each => each.nodes.map(node => {
    const at = document.querySelector(node.target[0]);
    const theirs = names.filter(([rule, selector]) => rule === each.id && at?.closest(selector));
    return {rule: each.id, html: node.html, why: node.failureSummary, theirs: theirs.map(pair => pair.join(' '))};
  }));
}"""
STREAMLITS = [  # what Streamlit 1.67 draws so, and no option of ours changes: rule, selector
    # Words of code blocks: two of their colors (cyan, blue-green) are fixed, on the background of our theme.
    ["color-contrast", "[data-testid=stCode] .token"],
    # What is chosen, in dark: one primaryColor is the background of white words and the color of these words. White
    # on it needs a luminance of 0.18 at most, it on the page one of 0.24 at least.
    ["color-contrast", "[data-selected=true], [data-testid=stSlider], [data-testid=stSelectSlider]"],
    # Formulas wider than their column scroll, and cannot be reached with the keyboard.
    ["scrollable-region-focusable", ".katex-display"],
]
NAMES = [name for section in PAGES.values() for name in section]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_no_page_has_a_serious_violation_of_ours(page, server_without_runs, name, scheme):
    page.emulate_media(color_scheme=scheme)
    assert [each for each in violations(page, server_without_runs.url, name) if not each["theirs"]] == []


def violations(page, url, name):
    """Opens a page of the sample study and returns what axe-core calls serious or critical on it."""
    page.goto(f"{url}/{'' if name == 'findings' else name}?study={SAMPLE_KEY}")
    page.get_by_role("heading", level=1).first.wait_for()
    expect.set_options(timeout=PATIENCE)
    wait_until_drawn(page)
    page.evaluate(AXE)
    return page.evaluate(RUN, STREAMLITS)


def test_all_that_is_listed_as_streamlits_is_there(page, server_without_runs):
    page.emulate_media(color_scheme="dark")
    found = violations(page, server_without_runs.url, "update_rules")
    assert {name for each in found for name in each["theirs"]} == {" ".join(pair) for pair in STREAMLITS}


def test_pale_words_of_ours_are_seen(page, server_without_runs):
    page.goto(server_without_runs.url)
    page.get_by_role("heading", level=1).first.wait_for()
    wait_until_drawn(page)
    page.add_style_tag(content="h1, h1 * {color: #CCCCCC !important}")
    page.evaluate(AXE)
    found = page.evaluate(RUN, STREAMLITS)
    assert [(each["rule"], each["theirs"]) for each in found] == [("color-contrast", [])]
