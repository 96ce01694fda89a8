"""What several people do with a dashboard that has a login, in words of browser tests."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, WebSocketRoute, expect

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
BRIEF, BRIEF_SECONDS = "brief", 12  # a provider whose tokens end soon, but not before a page is on a busy machine


def serve_team(root: Path) -> Iterator[Server]:
    """Starts a dashboard with a login, on a store with a sweep that breaks early beside a steady one."""
    add_study(root / "studies", STUDY, sweep(0.3, stride="1x1") + sweep(9.0, stride="2x2", seeds=2), root / "files")
    with provide(PEOPLE) as provider, provide(PEOPLE, BRIEF_SECONDS) as brief:
        options = ["--secrets.files", str(write_secrets(root, provider, **{BRIEF: brief}))]
        yield from serve(root / "studies", options, STEADYSTEP_ROLE_CLAIM="groups")


class Visitors:
    """People in browsers of their own, whose pages must neither throw nor leave this machine."""

    def __init__(self, browser: Browser, url: str):
        self.browser, self.url = browser, url
        self.contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    def __call__(self, subject: str, provider: str = "") -> Page:
        """Opens a browser and signs somebody in."""
        context = self.browser.new_context(viewport={"width": 1360, "height": 1000}, accept_downloads=True)
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.set_default_navigation_timeout(2 * PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        context.route(is_foreign, lambda route: route.abort())  # the provider's page asks for a style sheet
        page.on("request", self.note)
        sign_in(page, self.url, subject, provider)
        return page

    def note(self, request: Request) -> None:
        """Keeps what a page of the dashboard asks for elsewhere."""
        if is_foreign(request.url) and request.frame.url.startswith(self.url):
            self.problems.append(request.url)

    def leave(self) -> None:
        """Closes all browsers."""
        for context in self.contexts:
            context.close()
        assert self.problems == []


def sign_in(page: Page, url: str, subject: str, provider: str = "") -> None:
    """Signs in as people do, and comes back to the page; before that nothing of the team's is on it."""
    page.goto(f"{url}/review?study={STUDY}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Steadystep")
    assert STUDY not in page.inner_text("body")
    with_ = f" with {provider}" if provider else ""
    page.get_by_role("button", name=re.compile(f"Sign in{with_}$")).click()
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


def choose(page: Page, point: int) -> None:
    """Clicks on a point of the agenda."""
    page.get_by_test_id("stRadio").locator("label").filter(has_text=re.compile(rf"^{point}\. ")).click()


def go_to_point(page: Page, point: int) -> None:
    """Chooses a point of the agenda, and waits for it."""
    choose(page, point)
    stands(page, point)


class Late:
    """A connection on which what the server says can be held back."""

    def __init__(self):
        self.num_sent, self.is_held, self.held = 0, False, []

    def connect(self, route: WebSocketRoute) -> None:
        """Connects a page to its server."""
        server = route.connect_to_server()
        self.tell = route.send

        def send(message: str | bytes) -> None:
            self.num_sent += 1
            server.send(message)

        route.on_message(send)
        server.on_message(lambda message: self.held.append(message) if self.is_held else route.send(message))

    def hold(self, page: Page, deed: Callable[[], None]) -> None:
        """Does something of which the page hears only after it has sent two more messages, its own and the clock's."""
        self.is_held, before = True, self.num_sent
        deed()
        while self.num_sent < before + 2:
            page.evaluate("() => new Promise(requestAnimationFrame)")
        self.is_held = False
        for message in self.held:
            self.tell(message)


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
    expect(words(page, text)).to_be_visible()


def words(page: Page, text: str) -> Locator:
    """Returns what stands on the page with this text, not the field in which it was typed."""
    return page.get_by_test_id("stMarkdown").get_by_text(text, exact=True).first


def fill_decision(page: Page, choice: str, reason: str) -> None:
    """Fills the form to decide; nothing is sent yet."""
    page.get_by_role("button", name="Decide", exact=True).click()
    page.get_by_role("radio", name=choice).click()
    page.get_by_label("Reason").fill(reason)
    page.get_by_label("Reason").blur()
    wait_until_drawn(page)  # what was typed is known; a button is not replaced under the mouse


def export(page: Page, folder: Path) -> dict:
    """Takes the review as a file, of a page that stands: a link of before a change leads nowhere after it."""
    wait_until_drawn(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export JSON").click()
    waiting.value.save_as(folder / "review.json")
    return json.loads((folder / "review.json").read_text())
