"""Who is looking at the page: somebody who signed in, or the one person of a dashboard without a login."""

import streamlit as st

from analysis.runlog import RunLogError
from app_pages import review_store, sessions, shown, sign_outs
from app_pages.sessions import Login
from reviews import Person, ReviewStore, people

LOCAL_SUBJECT, LOCAL_NAME = "local", "Local user"
CHECK = "30s"  # ours: an open page that nobody touches is cleared this long after its sign-in ended
FILES_NEED = "Reading files takes the role of a reviewer. Ask an admin for it."
EXPERIMENTS_NEED = "Starting experiments takes the role of a reviewer: copy a command and start it in a terminal."
ROLE_WORDS = {"viewer": "may read", "reviewer": "may comment and decide", "admin": "may do everything"}


def login() -> Login | None:
    """Returns the sign-in of this page, if there is one that still counts."""
    found = sessions.read_login(st.user.to_dict()) if sessions.login_is_on() else None
    return found if found is not None and sign_outs.counts(found) else None


def may(role: str) -> bool:
    """Whether whoever looks at the page has a role: without a login everybody has each."""
    if not sessions.login_is_on():
        return True
    found = login()
    return found is not None and found.may(role)


def current(store: ReviewStore) -> Person | None:
    """Returns the person of the page as the reviews know them, with the role of their sign-in; None for nobody.

    Raises:
        RunLogError: The store of reviews does not answer.
    """
    if not sessions.login_is_on():
        return people.sign_in(store, LOCAL_SUBJECT) or people.enroll(store, LOCAL_SUBJECT, LOCAL_NAME, "admin")
    found = login()
    if found is None or found.role is None:
        return None
    known = people.sign_in(store, found.subject)
    if known is not None and (known.role, known.name) == (found.role, found.name):
        return known
    return people.enroll(store, found.subject, found.name, found.role)


def reviews_or_stop() -> tuple[ReviewStore, Person]:
    """Returns the store and the person of the page; without either, says why and ends the page."""
    try:
        store = review_store.reviews()
        person = current(store)
    except RunLogError as error:
        st.error(shown.sentence(str(error)), icon=":material/error:")
        st.stop()
    if person is None:
        st.rerun()  # the frame offers to sign in
    return store, person


def show_sign_in() -> None:
    """Shown instead of every page to those who are not signed in, and to those without a role."""
    st.title("Steadystep", anchor=False)
    claims = st.user.to_dict()
    found = login()
    if found is not None and found.role is None:
        st.markdown(f"You are signed in as {shown.sentence(found.name)}, but have no role here. Ask an admin for one.")
        show_sign_out()
        return
    if problem := sign_outs.problem():
        st.error(shown.sentence(problem), icon=":material/error:")
    if claims.get("is_logged_in"):
        st.markdown("Your sign-in has ended. Sign in again to go on.")
    else:
        st.markdown("Sign in to see the studies of your team.")
    if not sessions.providers():
        st.warning("The settings of the login cannot be read. Ask whoever runs this dashboard to look at them.")
    for provider in sessions.providers():
        label = "Sign in" if provider is None else f"Sign in with {shown.sentence(provider)}"
        if st.button(label, type="primary", icon=":material/login:", key=f"sign_in_{provider}"):
            st.login(provider)


def show_who() -> None:
    """Says who is looking, in the line of the study."""
    found = login()
    if found is None:
        st.caption("Local, one person", width="content", help="Nobody signs in here. docs/deployment.md says how.")
        return
    with st.popover(shown.sentence(found.name), icon=":material/account_circle:", type="tertiary"):
        st.markdown(f"Role {found.role}: {ROLE_WORDS[found.role]}.")
        show_sign_out()
    watch_login()


def show_sign_out() -> None:
    """Shows the button that ends the sign-in, here and in other tabs."""
    if st.button("Sign out", icon=":material/logout:"):
        found = login()
        st.logout()  # first: an ended sign-in cuts off this page, which must hear where to go before that
        if found is not None:
            sign_outs.end(found)


@st.fragment(run_every=CHECK)
def watch_login() -> None:
    """Redraws the page, which then offers to sign in, once the sign-in does not count any more."""
    if login() is None:
        st.rerun()
