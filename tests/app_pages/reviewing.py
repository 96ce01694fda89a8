"""What people do on the review page, in words of tests."""

from app_pages import meeting, people
from reviews import agenda
from reviews import people as team
from tests.app_pages.stores import text_of

HOSTILE = "![x](//evil.example/a) :red[a] <img src=x onerror=alert(1)> [x](javascript:1)"


def press(app, label: str, place: int = 0):
    """Presses a button by its words."""
    return [button for button in app.button if button.label == label][place].click().run()


def opened(app, title: str = "Monday"):
    """Opens a review."""
    app.text_input(key="title").input(title)
    return press(app, "Open a review")


def field(app, kind: str, what: str):
    """Returns a field of a form by what it takes."""
    return next(each for each in app.get(kind) if (each.key or "").startswith(f"{what}_"))


def go_to(app, review_id: str):
    """Opens a review by its address."""
    app.query_params[meeting.REVIEW] = review_id
    return app.run()


def decide(app, choice: str, reason: str):
    """Decides on the point that is looked at."""
    press(app, "Decide" if any(b.label == "Decide" for b in app.button) else "Decide again")
    field(app, "button_group", "choice").set_value(choice)
    field(app, "text_area", "reason").input(reason)
    app.run()
    return press(app, "Decide")


def only_review(reviews):
    """Returns the only review, and somebody who may read it."""
    me = team.sign_in(reviews, people.LOCAL_SUBJECT) or team.sign_in(reviews, "ana")
    (review,) = agenda.list_reviews(reviews, me)
    return review, me


def latest(reviews):
    """Returns who reads, and the newest review."""
    me = team.sign_in(reviews, people.LOCAL_SUBJECT)
    return me, agenda.list_reviews(reviews, me)[0].id


def sees_nothing(app) -> None:
    """Holds a page to the place to sign in and nothing else."""
    assert not app.exception
    assert app.title[0].value == "Steadystep"
    assert not app.selectbox
    assert not app.get("vega_lite_chart")
    assert not app.get("page_link")
    assert not any(word in text_of(app) for word in ("edge", "momentum", "Found"))
