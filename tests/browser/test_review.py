"""A review by three people in three browsers, signed in at a real OpenID Connect provider."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.app_pages.stores import add_study
from tests.browser.conftest import PATIENCE, Server, is_foreign, serve
from tests.browser.oidc import provide, write_secrets
from tests.browser.test_journeys import wait_until_drawn
from tests.studies import sweep

PEOPLE = {
    "ana": {"name": "Ana", "groups": ["steps", "reviewer"]},
    "bob": {"name": "Bob", "groups": ["reviewer"]},
    "vera": {"name": "Vera", "groups": ["viewer"]},
    "mallory": {"name": "Mallory", "groups": ["sales"]},
}
STUDY, TITLE = "stride", "Monday"
CONFLICT = "decided on this point while you were writing"
MOST_SECONDS = 180


@pytest.fixture(scope="module")
def team_server(tmp_path_factory) -> Iterator[Server]:
    """A dashboard with a login, on a store with a sweep that breaks early beside a steady one."""
    root = tmp_path_factory.mktemp("team")
    add_study(root / "studies", STUDY, sweep(0.3, stride="1x1") + sweep(9.0, stride="2x2", seeds=2), root / "files")
    with provide(PEOPLE) as provider:
        options = ["--secrets.files", str(write_secrets(root, provider))]
        yield from serve(root / "studies", options, STEADYSTEP_ROLE_CLAIM="groups")


@pytest.fixture
def visit(browser: Browser, team_server) -> Iterator:
    """Gives each person a browser of their own, signed in."""
    contexts, problems = [], []

    def visited(subject: str) -> Page:
        context = browser.new_context(viewport={"width": 1360, "height": 1000}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.set_default_navigation_timeout(2 * PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.on("pageerror", lambda error: problems.append(str(error)))
        context.route(is_foreign, lambda route: route.abort())  # the provider's page asks for a style sheet
        page.on("request", lambda request: problems.append(request.url) if leaves(request, team_server.url) else None)
        sign_in(page, team_server.url, subject)
        return page

    yield visited
    for context in contexts:
        context.close()
    assert problems == []


def leaves(request: Request, url: str) -> bool:
    """Whether a page of the dashboard asks for something from elsewhere."""
    return is_foreign(request.url) and request.frame.url.startswith(url)


def sign_in(page: Page, url: str, subject: str) -> None:
    """Signs in as people do, and comes back to the page; before that nothing of the team's is on it."""
    page.goto(f"{url}/review?study={STUDY}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Steadystep")
    assert STUDY not in page.inner_text("body")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=subject, exact=True).click()
    page.wait_for_url(f"{url}/review**")


def open_review(page: Page, url: str) -> str:
    """Opens a review of the study, and returns its address."""
    page.goto(f"{url}/review?study={STUDY}")
    page.get_by_label("Title").fill(TITLE)
    page.get_by_role("button", name="Open a review").click()
    stands(page)
    page.wait_for_url("**review=**")
    return page.url


def stands(page: Page, point: int | None = None) -> None:
    """Waits until the review, and a point of it, is on the page."""
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    if point is not None:
        expect(page.get_by_role("heading", name=f"Point {point}", exact=True)).to_be_visible()


def switch(page: Page, label: str) -> None:
    """Turns a switch."""
    page.get_by_test_id("stCheckbox").filter(has_text=label).locator("label").click()


def go_to_point(page: Page, point: int) -> None:
    """Chooses a point of the agenda."""
    page.get_by_test_id("stRadio").locator("label").filter(has_text=re.compile(rf"^{point}\. ")).click()
    stands(page, point)


def comment_on_steps(page: Page, url: str, text: str) -> None:
    """Zooms into the losses of a run, and comments on the steps that are left."""
    page.goto(f"{url}/loss?study={STUDY}&view=All+runs")
    wait_until_drawn(page)
    box = page.get_by_test_id("stVegaLiteChart").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    button = page.get_by_role("button", name="Comment on these steps")
    page.keyboard.down("Control")
    for _ in range(4):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    expect(button).to_be_enabled()
    button.click()
    page.get_by_label("Comment", exact=True).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text(text)).to_be_visible()


def fill_decision(page: Page, choice: str, reason: str) -> None:
    """Fills the form to decide; nothing is sent yet."""
    page.get_by_role("button", name="Decide", exact=True).click()
    page.get_by_role("radio", name=choice).click()
    page.get_by_label("Reason").fill(reason)


def export(page: Page, folder: Path) -> dict:
    """Takes the review as a file."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export JSON").click()
    waiting.value.save_as(folder / "review.json")
    return json.loads((folder / "review.json").read_text())


def test_three_people_hold_a_review_together(visit, team_server, tmp_path):
    url, began = team_server.url, time.monotonic()
    ana, bob, vera = visit("ana"), visit("bob"), visit("vera")

    address = open_review(ana, url)
    for page in (bob, vera):
        page.goto(address)
        stands(page, 1)

    switch(ana, "Present")
    go_to_point(ana, 2)
    for page in (bob, vera):
        stands(page, 2)
    go_to_point(vera, 1)
    go_to_point(ana, 3)
    stands(bob, 3)
    stands(vera, 1)
    switch(vera, "Follow Ana")
    stands(vera, 3)

    comment_on_steps(bob, url, "It breaks here")
    bob.goto(address)
    stands(bob, 3)
    expect(ana.get_by_text("It breaks here", exact=True)).to_be_visible()

    fill_decision(ana, "Needs a probe", "Because of A")
    fill_decision(bob, "Leave as it is", "Because of B")
    ana.get_by_role("button", name="Decide", exact=True).click(no_wait_after=True)
    bob.get_by_role("button", name="Decide", exact=True).click(no_wait_after=True)
    for page in (ana, bob):
        expect(page.get_by_role("button", name="Decide again").or_(page.get_by_text(CONFLICT))).to_be_visible()
    slow, own, other = (bob, "B", "A") if bob.get_by_text(CONFLICT).count() else (ana, "A", "B")
    expect(slow.get_by_text(CONFLICT)).to_be_visible()
    expect(slow.get_by_label("Reason")).to_have_value(f"Because of {own}")
    expect(slow.get_by_text(f"Because of {other}", exact=True)).to_be_visible()
    slow.get_by_role("button", name="I have read it").click()
    expect(slow.get_by_role("button", name="I have read it")).to_have_count(0)
    slow.get_by_role("button", name="Decide", exact=True).click()
    for page in (ana, bob, vera):
        expect(page.get_by_text(f"Because of {own}", exact=True)).to_be_visible()

    for page in (ana, bob):
        page.get_by_role("button", name="Sign these decisions").click()
        expect(page.get_by_role("button", name="Sign these decisions")).to_have_count(0)
    for page, name in ((vera, "Ana"), (ana, "Bob")):
        expect(page.get_by_test_id("stMarkdown").filter(has_text=re.compile(f"^verified {name}, 20"))).to_be_visible()

    exported = export(ana, tmp_path)
    (decided,) = [item["decisions"] for item in exported["items"] if item["decisions"]]
    assert [made["reason"] for made in decided] == [f"Because of {other}", f"Because of {own}"]
    assert [comment["text"] for comment in exported["comments"]] == ["It breaks here"]
    assert len(exported["sign_offs"]) == 2
    assert time.monotonic() - began < MOST_SECONDS


def test_what_was_typed_stays_while_others_change_the_review(visit, team_server):
    ana, bob = visit("ana"), visit("bob")
    address = open_review(ana, team_server.url)
    bob.goto(address)
    stands(bob, 1)
    fill_decision(bob, "Reject", "Half a sent")
    ana.get_by_role("button", name="Comment", exact=True).last.click()
    ana.get_by_label("Comment", exact=True).fill("**Hello** [there](https://example.org/) <b>x</b>")
    ana.get_by_role("button", name="Send", exact=True).click()
    link = bob.get_by_role("link", name="there")
    expect(link).to_be_visible()
    assert "noopener" in link.get_attribute("rel")
    expect(bob.get_by_text("<b>x</b>")).to_be_visible()
    expect(bob.get_by_label("Reason")).to_have_value("Half a sent")


def test_who_has_no_role_sees_that_and_who_signs_out_is_out_in_every_tab(visit, team_server):
    mallory = visit("mallory")
    expect(mallory.get_by_text("You are signed in as Mallory, but have no role here")).to_be_visible()
    assert STUDY not in mallory.inner_text("body")

    bob = visit("bob")
    bob.goto(f"{team_server.url}/loss?study={STUDY}")
    expect(bob.get_by_role("heading", level=1)).to_have_text("Loss")
    other = bob.context.new_page()
    other.goto(f"{team_server.url}/fixes?study={STUDY}")
    expect(other.get_by_role("heading", level=1)).to_have_text("Fixes")
    cookies = bob.context.cookies(team_server.url)
    other.get_by_role("button", name="Bob").click()
    other.get_by_role("button", name="Sign out").click()
    other.get_by_role("button", name="End session").click()  # at the provider
    expect(other.get_by_role("heading", level=1)).to_have_text("Steadystep")
    bob.get_by_text("All runs").click()
    expect(bob.get_by_role("heading", level=1)).to_have_text("Steadystep")
    assert upload_with(team_server.url, cookies) == 401


def test_a_file_is_taken_from_those_alone_who_are_signed_in(visit, team_server):
    assert upload_with(team_server.url, []) == 401
    ana, vera = visit("ana"), visit("vera")
    assert upload_with(team_server.url, vera.context.cookies()) == 403
    ana.goto(f"{team_server.url}/import_logs?study={STUDY}")
    log = "step,train_loss\n" + "\n".join(f"{step},{2 - step / 100}" for step in range(100))
    ana.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": log.encode()}
    )
    expect(ana.get_by_text("Keep them in study")).to_be_visible()
    vera.goto(f"{team_server.url}/import_logs?study={STUDY}")
    expect(vera.get_by_text("Reading files takes the role of a reviewer")).to_be_visible()
    expect(vera.get_by_test_id("stFileUploaderDropzoneInput")).to_have_count(0)


def upload_with(url: str, cookies: list[dict]) -> int:
    """Sends a file as a program would, with the cookies of a browser, and returns the status."""
    header = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)
    request = urllib.request.Request(f"{url}/_stcore/upload_file/session/1", b"x", {"Cookie": header}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
