"""A review by three people in three browsers, signed in at a real OpenID Connect provider."""

import re
import time

from playwright.sync_api import expect

from tests.browser.teamwork import (
    Late,
    choose,
    comment_on_steps,
    export,
    fill_decision,
    go_to_point,
    open_review,
    stands,
    switch,
    words,
)

CONFLICT = "decided on this point while you were writing"
MOST_SECONDS = 180


def test_three_people_hold_a_review_together(visitors, team_server, tmp_path):
    url, began = team_server.url, time.monotonic()
    ana, bob, vera = visitors("ana"), visitors("bob"), visitors("vera")

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
    expect(words(ana, "It breaks here")).to_be_visible()

    fill_decision(ana, "Needs a probe", "Because of A")
    fill_decision(bob, "Leave as it is", "Because of B")
    ana.get_by_role("button", name="Decide", exact=True).click(no_wait_after=True)
    bob.get_by_role("button", name="Decide", exact=True).click(no_wait_after=True)
    for page in (ana, bob):
        expect(page.get_by_role("button", name="Decide again").or_(page.get_by_text(CONFLICT)).first).to_be_visible()
    slow, own, other = (bob, "B", "A") if bob.get_by_text(CONFLICT).count() else (ana, "A", "B")
    expect(slow.get_by_text(CONFLICT).first).to_be_visible()
    expect(slow.get_by_label("Reason")).to_have_value(f"Because of {own}")
    expect(words(slow, f"Because of {other}")).to_be_visible()
    slow.get_by_role("button", name="I have read it").click()
    expect(slow.get_by_role("button", name="I have read it")).to_have_count(0)
    slow.get_by_role("button", name="Decide", exact=True).click()
    for page in (ana, bob, vera):
        expect(words(page, f"Because of {own}")).to_be_visible()

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


def test_what_was_typed_stays_while_others_change_the_review(visitors, team_server):
    ana, bob = visitors("ana"), visitors("bob")
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


def test_a_message_that_left_before_the_browser_heard_of_a_click_does_not_take_it_back(visitors, team_server):
    """The server's words reach the browser only after the page's clock has sent the state of before."""
    ana, vera = visitors("ana"), visitors("vera")
    address, late = open_review(ana, team_server.url), Late()
    vera.route_web_socket(re.compile("/stream"), late.connect)
    vera.goto(address)
    switch(ana, "Present")
    go_to_point(ana, 3)
    stands(vera, 3)
    late.hold(vera, lambda: choose(vera, 2))
    stands(vera, 2)
    expect(vera.get_by_role("switch", name="Follow Ana")).not_to_be_checked()
    ana.get_by_role("button", name="Comment", exact=True).last.click()
    ana.get_by_label("Comment", exact=True).fill("Seen by all")
    ana.get_by_role("button", name="Send", exact=True).click()
    expect(words(vera, "Seen by all")).to_be_visible()
    stands(vera, 2)
