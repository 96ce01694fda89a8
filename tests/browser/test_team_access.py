"""Who gets what of a dashboard with a login, in a real browser, and for how long."""

import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.teamwork import BRIEF, STUDY, fill_decision, words
from tests.browser.test_journeys import wait_until_drawn
from tests.studies import sweep_run

MOST_SECONDS = 180  # from a log on a disk to a signed decision
ENDED = """async () => {  // 401 is what the server says of files without a sign-in
  const end = performance.now() + 30000;
  while ((await fetch('/media/none')).status !== 401)
    if (performance.now() > end) throw new Error('the sign-in does not end');
    else await new Promise(requestAnimationFrame);
}"""


def stands_at_the_door(page: Page) -> None:
    """Waits until a page asks to sign in, and nothing else is on it any more."""
    expect(page.get_by_role("heading", name="Steadystep", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


def test_who_has_no_role_sees_that_and_who_signs_out_is_out_in_every_tab(visitors, team_server):
    mallory = visitors("mallory")
    expect(mallory.get_by_text("You are signed in as Mallory, but have no role here")).to_be_visible()
    assert STUDY not in mallory.inner_text("body")

    bob = visitors("bob")
    bob.goto(f"{team_server.url}/loss?study={STUDY}")
    expect(bob.get_by_role("heading", level=1)).to_have_text("Loss")
    other = bob.context.new_page()
    other.goto(f"{team_server.url}/fixes?study={STUDY}")
    expect(other.get_by_role("heading", level=1)).to_have_text("Fixes")
    wait_until_drawn(other)
    cookies = bob.context.cookies(team_server.url)
    other.get_by_role("button", name="Bob").click()
    other.get_by_role("button", name="Sign out").click()
    other.get_by_role("button", name="End session").click()  # at the provider
    stands_at_the_door(other)
    bob.get_by_text("All runs").click()
    stands_at_the_door(bob)
    assert upload_with(team_server.url, cookies) == 401


def test_an_open_page_is_shut_at_its_next_rerun_once_its_token_has_ended(visitors, team_server):
    ana = visitors("ana", BRIEF)
    expect(ana.get_by_role("heading", level=1)).to_have_text("Review")
    assert STUDY in ana.get_by_role("combobox", name="Study", exact=True).input_value()
    ana.evaluate(ENDED)
    ana.get_by_label("Title").fill("Too late")
    ana.get_by_role("button", name="Open a review").click()
    stands_at_the_door(ana)
    expect(ana.get_by_role("combobox")).to_have_count(0)
    assert STUDY not in ana.inner_text("body")
    assert "Too late" not in ana.inner_text("body")
    assert upload_with(team_server.url, ana.context.cookies()) == 401


def test_a_file_is_taken_from_those_alone_who_may(visitors, team_server):
    assert upload_with(team_server.url, []) == 401
    vera = visitors("vera")
    assert upload_with(team_server.url, vera.context.cookies()) == 403
    vera.goto(f"{team_server.url}/import_logs?study={STUDY}")
    expect(vera.get_by_text("Reading files takes the role of a reviewer")).to_be_visible()
    expect(vera.get_by_test_id("stFileUploaderDropzoneInput")).to_have_count(0)


def logs() -> list[dict]:
    """Returns the logs of a small sweep that breaks, as files to upload."""
    runs = {lr: sweep_run(lr, 0, 0.3).steps.to_pandas().assign(lr=lr) for lr in (0.03, 0.1, 0.3, 1.0)}
    return [
        {"name": f"lr_{lr}.csv", "mimeType": "text/csv", "buffer": rows.to_csv(index=False).encode()}
        for lr, rows in runs.items()
    ]


def test_from_a_log_on_a_disk_to_a_signed_decision_takes_less_than_three_minutes(visitors, team_server, capsys):
    bob, began = visitors("bob"), time.monotonic()
    bob.goto(f"{team_server.url}/import_logs?study={STUDY}")
    bob.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(logs())
    name = bob.get_by_role("combobox", name="Keep them in study")
    name.fill("fresh")
    name.press("Enter")
    bob.get_by_role("button", name="Keep", exact=True).click()
    expect(bob.get_by_text("4 runs written to study fresh.")).to_be_visible()
    bob.get_by_role("button", name="Team").click()
    bob.get_by_role("menuitem", name="Review").click()
    bob.get_by_role("button", name="Open a review").click()
    expect(bob.get_by_role("heading", level=1)).to_have_text("fresh")
    expect(bob.get_by_test_id("stVegaLiteChart")).to_have_count(1)
    fill_decision(bob, "Leave as it is", "We train at 0.1.")
    bob.get_by_role("button", name="Decide", exact=True).click()
    expect(words(bob, "We train at 0.1.")).to_be_visible()
    wait_until_drawn(bob)  # who signs has seen all that was decided
    bob.get_by_role("button", name="Sign these decisions").click()
    expect(bob.get_by_test_id("stMarkdown").filter(has_text="verified Bob, ")).to_be_visible()
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\nfrom a log to a signed decision: {seconds:.1f} s")
    assert seconds < MOST_SECONDS
    bob.get_by_role("link", name="Findings").click()
    with bob.expect_download() as waiting:
        bob.get_by_role("button", name="As Markdown").click()
    assert "We train at 0.1." in Path(waiting.value.path()).read_text()


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
