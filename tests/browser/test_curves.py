"""What people do with long curves: find one bad step, send a link to it, and watch a run that is being written."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app_pages.studies import PROJECT
from tests.app_pages.stores import add_study
from tests.browser.conftest import PATIENCE, Server, serve
from tests.browser.test_journeys import go_to, open_page, wait_until_drawn
from tests.studies import make_run, sweep

STEPS, SPIKE_STEP, SPIKE = 100_000, 61_803, 9.0
WATCHED = float(os.environ.get("STEADYSTEP_WATCHED", 8))  # seconds; tests.browser.pictures watches for 60
ROW_HEIGHT = 35  # pixels of a table, its heading too
PEAK = """chart => {
    const paths = [...chart.querySelectorAll('.mark-line path')];
    const points = paths[0].getAttribute('d').matchAll(/[ML]([-\\d.e]+),([-\\d.e]+)/g);
    let best = null;
    for (const [, x, y] of points) if (!best || +y < best.y) best = {x: +x, y: +y};
    const at = new DOMPoint(best.x, best.y).matrixTransform(paths[0].getScreenCTM());
    return [at.x, at.y];
}"""

COUNT_FLICKER = """() => {
    window.framesSeen = window.framesEmpty = 0;
    const look = () => {
        window.framesSeen += 1;
        const line = document.querySelector('[data-testid=stVegaLiteChart] .mark-line path');
        if (!line || !line.getAttribute('d')) window.framesEmpty += 1;
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


@pytest.fixture(scope="module")
def curves(tmp_path_factory) -> Iterator[Server]:
    """A dashboard on a store with an imported run of 100,000 steps, one of which is a spike, and a small sweep."""
    root = tmp_path_factory.mktemp("curves")
    rng = np.random.default_rng(0)
    loss = 0.3 + 2 * np.exp(-np.arange(STEPS) / 8_000) + 0.02 * rng.random(STEPS)
    loss[SPIKE_STEP] = SPIKE
    add_study(root / "studies", "small", sweep(0.3, stride="1x1"), root / "files" / "a")
    add_study(root / "studies", "long", [make_run(loss, run_id="long-run", base_lr=0.1)], root / "files" / "b")
    yield from serve(root / "studies")


def chart_of(page: Page):
    """Returns the picture of the losses."""
    return page.get_by_test_id("stVegaLiteChart").first


SEEN = "all => all.filter(each => +(each.getAttribute('opacity') ?? 1) > 0).map(each => each.textContent).sort()"


def ticks_of(page: Page) -> list[str]:
    """Returns the labels of the axes of the losses that can be seen, sorted: Vega uses those of other ticks again."""
    return chart_of(page).locator(".role-axis-label text").evaluate_all(SEEN)


def steps_on(page: Page) -> list[str]:
    """Returns the steps on the axis of the losses, which are smaller numbers."""
    return [
        label for label in ticks_of(page) if label.replace(",", "").isdigit() and float(label.replace(",", "")) >= 10
    ]


def zoom_of(page: Page) -> tuple[float, float] | None:
    """Returns the steps that the address bar names."""
    named = parse_qs(urlsplit(page.url).query).get("zoom")
    found = named and re.fullmatch(r"step (\S+) to (\S+)", named[0])
    return (float(found[1]), float(found[2])) if found else None


def zoom_at_the_peak(page: Page) -> None:
    """Turns the wheel a few notches over the highest point of the losses, and waits until the link says so."""
    chart_of(page).evaluate("chart => chart.scrollIntoView({block: 'center'})")  # not below the page's head
    x, y = chart_of(page).evaluate(PEAK)
    before = page.url
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    for _ in range(6):
        page.mouse.wheel(0, -120)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.keyboard.up("Control")
    page.wait_for_function("url => location.href !== url", arg=before)
    wait_until_drawn(page)


def zoom_to_the_spike(page: Page, most_steps: float) -> tuple[float, float]:
    """Zooms until at most so many steps are left, and returns them."""
    for _ in range(60):
        zoom = zoom_of(page)
        if zoom and zoom[1] - zoom[0] <= most_steps:
            return zoom
        zoom_at_the_peak(page)
    raise AssertionError(f"still {zoom}")


def test_one_bad_step_of_a_hundred_thousand_is_found_and_its_link_opens_it_in_another_browser(
    browser, page, curves, keep
):
    open_page(page, f"{curves.url}/loss?study=long&steps=The+whole+run", "Loss")
    expect(page.get_by_text(re.compile(r"of 100,000 points drawn")).first).to_be_visible()
    low, high = zoom_to_the_spike(page, 5)
    assert low < SPIKE_STEP < high
    page.mouse.move(*[part + 1 for part in chart_of(page).evaluate(PEAK)])
    tip = page.locator("#vg-tooltip-element")
    expect(tip).to_contain_text(f"{SPIKE_STEP:,}")
    expect(tip).to_contain_text(f"{SPIKE:g}")
    keep("spike_found")
    page.mouse.move(5, 5)
    ticks = ticks_of(page)
    assert f"{SPIKE_STEP:,}" in ticks
    context = browser.new_context(viewport=page.viewport_size)
    other = context.new_page()
    other.set_default_timeout(PATIENCE)
    open_page(other, page.url, "Loss")
    assert zoom_of(other) == zoom_of(page)
    assert ticks_of(other) == ticks
    context.close()


def test_all_steps_are_shown_again_and_the_link_forgets_the_part(page, curves):
    open_page(page, f"{curves.url}/loss?study=long&steps=The+whole+run&zoom=step+61790+to+61820", "Loss")
    assert "61,800" in ticks_of(page)
    page.get_by_role("button", name="Show all steps").click()
    page.wait_for_function("() => !location.search.includes('zoom')")
    expect(chart_of(page).locator(".role-axis-label text").get_by_text("80,000")).to_be_visible()
    wait_until_drawn(page)
    zoom_at_the_peak(page)
    box = chart_of(page).bounding_box()
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("() => !location.search.includes('zoom')")
    wait_until_drawn(page)
    assert {"0", "80,000"} <= set(ticks_of(page))


def test_the_crosshair_tells_the_value_of_every_run_at_one_step(page, curves):
    open_page(page, f"{curves.url}/loss?study=small&run=1x1-0.1-0&run=1x1-0.3-0&run=1x1-1-0", "Loss")
    box = chart_of(page).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    page.mouse.move(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] / 3)
    tip = page.locator("#vg-tooltip-element")
    for name in ("step", "1x1-0.1-0", "1x1-0.3-0", "1x1-1-0"):
        expect(tip).to_contain_text(name)


def test_the_numbers_of_a_picture_are_downloaded_with_the_spike_in_them(page, curves):
    open_page(page, f"{curves.url}/loss?study=long&steps=The+whole+run", "Loss")
    with page.expect_download() as waited:
        page.get_by_test_id("stDownloadButton").get_by_text("Data").locator("visible=true").click()
    lines = waited.value.path().read_text().splitlines()
    assert lines[0] == "run,line,kind,step,at,train_loss"
    assert any(f",{SPIKE_STEP},{SPIKE_STEP},{SPIKE}" in line for line in lines)
    with page.expect_download() as waited:
        page.get_by_test_id("stDownloadButton").get_by_text("SVG").locator("visible=true").click()
    assert waited.value.path().read_text().startswith("<svg")


def test_a_ticked_run_is_shown_alone_on_the_next_pages_until_all_are_picked_again(page, curves):
    page.goto(f"{curves.url}/?study=small")
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    wait_until_drawn(page)
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    table.click(position={"x": 18, "y": ROW_HEIGHT * 1.5})
    expect(page.get_by_text("Only 1 run")).to_be_visible()
    expect(page).to_have_url(re.compile("run=1x1-0.003-0"))
    go_to(page, "Gradient norm")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gradient norm")
    expect(page.get_by_text("Only 1 run")).to_be_visible()
    expect(page).to_have_url(re.compile("run=1x1-0.003-0"))
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("Only 1 run")).not_to_be_visible()
    expect(page).not_to_have_url(re.compile("run=1x1-0.003-0"))


def test_a_live_run_is_watched_while_the_zoom_stays_and_nothing_flickers(page, curves, keep):
    command = [sys.executable, "-m", "tests.browser.live_writer", str(curves.store), "live"]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE) as writer:
        try:
            page.goto(f"{curves.url}/loss")
            wait_for_study(page, curves, "live")
            zoom_to_the_spike(page, 150)
            zoom, steps, seen = zoom_of(page), steps_on(page), set()
            page.evaluate(COUNT_FLICKER)
            end = time.monotonic() + WATCHED
            while time.monotonic() < end or len(seen) < 2:
                caption = drawn_of(page)
                seen.add(caption)
                page.wait_for_function(
                    "said => !document.body.innerText.includes(said)", arg=f"{caption} points drawn", timeout=PATIENCE
                )
                wait_until_drawn(page)
                assert zoom_of(page) == zoom
                assert steps_on(page) == steps
            frames, empty = page.evaluate("[window.framesSeen, window.framesEmpty]")
            assert frames >= 10
            assert empty == 0
            keep("live_watched")
        finally:
            writer.stdin.close()
    assert writer.returncode == 0


def wait_for_study(page: Page, curves: Server, study: str) -> None:
    """Opens the losses of a study as soon as it has rows to show."""
    end = time.monotonic() + PATIENCE / 1_000
    while time.monotonic() < end:
        open_page(page, f"{curves.url}/loss?study={study}", "Loss")
        if page.get_by_role("combobox", name="Study").input_value() == study and drawn_of(page):
            return
    raise AssertionError(f"no study {study}")


def drawn_of(page: Page) -> str:
    """Returns "N of M" as the caption of the losses says it; "" where there is none yet."""
    said = re.search(r"([\d,]+ of [\d,]+) points drawn", page.get_by_test_id("stMain").inner_text())
    return said[1] if said else ""
