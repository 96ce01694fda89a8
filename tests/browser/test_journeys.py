"""What people do with the dashboard, in a real browser on a real server."""

import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from app_pages.security_headers import HEADERS, HIDDEN_PATHS
from tests.app_pages.stores import headline_of, write_csv
from tests.browser.conftest import HEIGHT, LOOKS
from tests.studies import sweep, sweep_run

VERDICT = headline_of(sweep(0.3, stride="1x1"), sweep(9.0, stride="2x2", seeds=2))
PAGES = ("", "lr_sweep", "loss", "grad_norm", "compare", "fixes", "import_logs")
CHARTS = (2, 6, 1, 5, 1, 0, 0)  # on each page
TITLES = (VERDICT, "Learning-rate sweep", "Loss", "Gradient norm", "Compare", "Fixes", "Import logs")


def open_page(page: Page, url: str, title: str) -> None:
    """Opens a page and waits until it stands."""
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    wait_until_drawn(page)


def wait_until_drawn(page: Page) -> None:
    """Waits until the script has run, nothing is a placeholder any more, and every chart has its axes.

    Parts of the page are loaded when they are first needed: until then a chart is a placeholder, not a chart.
    """
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", re.compile("notRunning"))
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=stVegaLiteChart]')]"
        ".every(chart => chart.querySelector('.role-axis-label text, canvas'))"
    )


def go_to(page: Page, title: str) -> None:
    """Opens another page by its link in the bar; in a narrow window that is a menu, which lies over the page."""
    folded = page.get_by_test_id("stExpandSidebarButton")
    is_folded = folded.is_visible()
    if is_folded:
        folded.click()
    page.get_by_role("link", name=title, exact=True).click()
    if is_folded:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()


def test_the_first_visit_shows_the_sample_study_and_its_verdict(page, server_without_runs):
    page.goto(server_without_runs.url)
    expect(page.get_by_role("combobox", name="Study")).to_have_value("Sample study")
    expect(page.get_by_role("heading", level=1)).to_contain_text("learning rate")
    wait_until_drawn(page)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)


def test_from_the_verdict_to_the_loss_of_a_run(page, server):
    open_page(page, f"{server.url}/?study=stride", VERDICT)
    page.get_by_test_id("stPageLink").get_by_text("Edge of instability").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Learning-rate sweep")
    wait_until_drawn(page)
    page.locator("path[aria-label*='run: 1x1-1-0;']").first.click(force=True)
    follow = page.get_by_text(re.compile("^Loss of 1x1"))
    follow.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Loss")
    expect(page).to_have_url(re.compile(r"run=1x1-"))
    wait_until_drawn(page)
    expect(page.get_by_text(re.compile(r"^300 of 300 points|^\d+ of \d+ points drawn")).first).to_be_visible()


def test_the_percentile_slider_moves_the_share_of_clipped_updates(page, server):
    open_page(page, f"{server.url}/grad_norm?study=stride", "Gradient norm")
    expect(page.get_by_text("10% of updates would be clipped")).to_be_visible()
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("PageDown")
    expect(page.get_by_text("10% of updates would be clipped")).not_to_be_visible()
    expect(page.get_by_text(re.compile(r"\d+% of updates would be clipped"))).to_be_visible()
    expect(page).to_have_url(re.compile("percentile="))


def test_a_link_opens_the_percentile_it_names_and_more_than_half_is_a_warning(page, server):
    open_page(page, f"{server.url}/grad_norm?study=stride&percentile=40", "Gradient norm")
    expect(page.get_by_text("a lower learning rate in disguise")).to_be_visible()


def test_a_link_opens_the_runs_it_compares_and_the_sweep_leads_to_its_series(page, server):
    open_page(page, f"{server.url}/compare?study=stride&by=Runs&compared=1x1-0.1-0&compared=1x1-0.3-0", "Compare")
    expect(page.get_by_text("They differ in one factor")).to_be_visible()
    expect(page.get_by_text("base lr 0.1 is lowest")).to_be_visible()
    open_page(page, f"{server.url}/lr_sweep?study=stride", "Learning-rate sweep")
    page.get_by_text("Both at their best checkpoints").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare")
    expect(page.get_by_text("stride 2x2: ").first).to_be_visible()
    wait_until_drawn(page)


def test_an_uploaded_csv_is_judged_at_once(page, server, tmp_path):
    run = sweep_run(0.3, 0, edge=0.3)
    path, verdict = write_csv(run, tmp_path / "my_run.csv"), headline_of([run])
    open_page(page, f"{server.url}/import_logs", "Import logs")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(path)
    expect(page.get_by_role("heading", level=3)).to_have_text([verdict, "From the command line"])
    page.get_by_test_id("stPageLink").get_by_text("Open its findings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(verdict)


def test_a_broken_file_is_one_clear_line(page, server, tmp_path):
    path = tmp_path / "broken.csv"
    path.write_text("step,train_loss\n0,1.0\n1,what\n")
    open_page(page, f"{server.url}/import_logs", "Import logs")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(path)
    expect(page.get_by_test_id("stAlert")).to_contain_text("broken.csv")
    assert page.get_by_test_id("stException").count() == 0
    assert "Traceback" not in page.content()


def test_hostile_names_are_text(page, server):
    open_page(page, f"{server.url}/loss?study=hostile", "Loss")
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src*=evil]").count() == 0


def test_every_answer_carries_the_security_headers(server):
    for path in ("/", "/loss", "/_stcore/health"):
        with urllib.request.urlopen(server.url + path, timeout=30) as answer:
            for name, value in HEADERS.items():
                assert answer.headers[name] == value, path
    for path in HIDDEN_PATHS:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(server.url + path, timeout=30)
        with refused.value as answer:
            assert answer.code == 404


def test_no_page_is_wider_than_its_window_wide_or_narrow(page, server):
    for name, title, num_charts in zip(PAGES, TITLES, CHARTS, strict=True):
        open_page(page, f"{server.url}/{name}?study=stride", title)
        expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(num_charts)
        assert_fits(page, name)


def assert_fits(page: Page, name: str) -> None:
    """Checks that nothing of a page lies right of its window, in all widths that looks have."""
    main = page.get_by_test_id("stMain")
    for width in sorted({width for width, _ in LOOKS.values()}, reverse=True):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        wait_until_drawn(page)
        assert main.evaluate("element => element.scrollWidth <= element.clientWidth"), (name, width)
