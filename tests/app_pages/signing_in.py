"""People of a provider, for tests: claims as a sign-in leaves them, and the cookie that carries them."""

import json
import threading
import time

from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from app_pages import sessions, sign_outs

SECRET = "a secret of thirty-two letters..."
AUTH = {
    "client_id": "steadystep",
    "client_secret": "secret",
    "cookie_secret": SECRET,
    "redirect_uri": "https://steps.example.org/oauth2callback",
    "server_metadata_url": "https://login.example.org/.well-known/openid-configuration",
}
ROLES = {"admin": ["adam"], "reviewer": ["ana", "bob"], "viewer": ["vera"]}


def claims_of(subject: str, *, age: float = 0, lasts: float = 3600, **more: object) -> dict[str, object]:
    """Returns the claims of somebody who signed in `age` seconds ago with a token that lasts so many seconds."""
    began = time.time() - age
    facts = {"iss": "https://login.example.org", "sub": subject, "name": subject.capitalize(), "provider": "default"}
    return facts | {"iat": began, "exp": began + lasts, "nonce": "n", "is_logged_in": True} | more


def cookie_of(claims: dict[str, object], secret: str = SECRET) -> str:
    """Returns the cookie that Streamlit would set for claims."""
    return f"{USER_COOKIE_NAME}={create_signed_value(secret, USER_COOKIE_NAME, json.dumps(claims)).decode()}"


def restart(monkeypatch) -> None:
    """Has the server know no more than one that was just started."""
    monkeypatch.setattr(sessions, "_ended", {})
    monkeypatch.setattr(sign_outs, "_answered", threading.Event())
    monkeypatch.setattr(sign_outs, "_silent", {"until": 0.0})
