"""Sending a summary to a chat: off unless STEADYSTEP_WEBHOOK is set; a failure is one sentence, never an error."""

import ipaddress
import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

VARIABLE = "STEADYSTEP_WEBHOOK"
SECONDS = 5.0  # ours: as long as somebody waits for a page


@dataclass(frozen=True)
class HandOff:
    """What became of a message, in a sentence for the page."""

    is_sent: bool
    sentence: str


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the address was chosen by an admin, not by who answers there."""

    def redirect_request(self, *_args, **_kwargs):
        """Leaves the answer as it is."""


def is_on() -> bool:
    """Returns whether summaries can be sent."""
    return bool(os.environ.get(VARIABLE))


def send(message: Mapping[str, str]) -> HandOff:
    """Sends what `summary.write_chat` wrote; waits five seconds at most. The address is a secret and never shown."""
    if not is_on():
        return HandOff(
            False, f"Nothing was sent: no webhook is set. It needs {VARIABLE}. Ask whoever runs the dashboard."
        )
    try:
        parts = urlsplit(os.environ[VARIABLE])
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return HandOff(False, f"Nothing was sent: the webhook is no URL. It needs https. Correct {VARIABLE}.")
    if not is_allowed(parts):
        return HandOff(
            False, f"Nothing was sent: the webhook is not https. It needs https, or this machine. Correct {VARIABLE}."
        )
    outcome: list[str] = []
    worker = threading.Thread(target=lambda: outcome.append(post(parts, message)), daemon=True)
    worker.start()
    worker.join(SECONDS)  # a server that answers letter by letter would outlast the timeout of each read
    problem = outcome[0] if outcome else f"no answer in {SECONDS:g} seconds"
    if not problem:
        return HandOff(True, f"The summary was sent to {host}.")
    return HandOff(False, f"The summary did not reach {host}: {problem}. Copy it, or send it again.")


def is_allowed(parts: SplitResult) -> bool:
    """Returns whether an address is https, or of this machine."""
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    )


def is_loopback(host: str) -> bool:
    """Returns whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def post(parts: SplitResult, message: Mapping[str, str]) -> str:
    """Posts a message; returns what went wrong, "" if nothing did."""
    handlers = [NoRedirects, *([urllib.request.ProxyHandler({})] if is_loopback(parts.hostname) else [])]
    body = json.dumps({"text": message["text"]}).encode()
    try:
        request = urllib.request.Request(parts.geturl(), body, {"Content-Type": "application/json"}, method="POST")
        with urllib.request.build_opener(*handlers).open(request, timeout=SECONDS) as answer:
            return "" if 200 <= answer.status < 300 else f"it answered {answer.status}"
    except urllib.error.HTTPError as error:
        with error:
            return f"it answered {error.code}"
    except Exception as error:  # whatever it is, the page goes on
        return f"{type(error).__name__} of the connection"
