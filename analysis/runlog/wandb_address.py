"""What names runs on a W&B server: a path, or the address of a page in the browser. And which server that is."""

import os
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment

from analysis.runlog.study import RunLogError

KEY, BASE_URL = "WANDB_API_KEY", "WANDB_BASE_URL"
PREFIX = "wandb:"
DEFAULT = "https://api.wandb.ai"
PAGES = ("wandb.ai", "www.wandb.ai")  # where people look at runs of the default server
PROJECT_VIEWS = ("workspace", "table", "overview")
RUNS = "runs"
LONGEST = 128  # W&B's own limit of a name
FORMS = "Give ENTITY/PROJECT, ENTITY/PROJECT/RUN or the address of one in the browser"


@dataclass(frozen=True)
class Address:
    """Runs on a server.

    Attributes:
        entity: Team or person.
        project: Their project.
        run: Id of one run, "" for all of the project.
    """

    entity: str
    project: str
    run: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.entity, self.project, self.run) if part)


def is_address(path: str) -> bool:
    """Returns whether a path names runs on a server and no file.

    >>> is_address("wandb:team/gpt"), is_address("https://wandb.ai/team/gpt"), is_address("wandb/gpt")
    (True, True, False)
    """
    return path.startswith((PREFIX, "https://", "http://"))


def base_url() -> str:
    """Returns the server: WANDB_BASE_URL, else W&B's own.

    Raises:
        RunLogError: It is no address of a server.
    """
    url = (os.environ.get(BASE_URL) or DEFAULT).rstrip("/")
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise RunLogError(f"{BASE_URL} is no address of a server. Set it as {DEFAULT}")
    return url


def find_proxy(url: str) -> str:
    """Returns the proxy that the environment (HTTPS_PROXY, NO_PROXY) names for a server, "" where there is none."""
    parts = urlsplit(url)
    proxy = getproxies_environment().get(parts.scheme, "")
    if not proxy or proxy_bypass_environment(parts.netloc):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def read_address(text: str) -> Address:
    """Returns the runs that a path or the address of a page names.

    >>> str(read_address("https://wandb.ai/team/gpt/runs/6bep0nut?nw=x")), str(read_address("team/gpt"))
    ('team/gpt/6bep0nut', 'team/gpt')

    Raises:
        RunLogError: It names no runs, or a page of another server.
    """
    text = text.strip()
    if "://" in text:
        return _read_page(text)
    parts = text.removeprefix(PREFIX).strip("/").split("/")
    if len(parts) == 4 and parts[2] == RUNS:
        del parts[2]
    return _check(parts, text)


def _read_page(text: str) -> Address:
    try:
        url = urlsplit(text)
        host = url.hostname
    except ValueError:
        host = None
    server = urlsplit(base_url()).hostname
    pages = (server, *PAGES) if server == urlsplit(DEFAULT).hostname else (server,)
    if host is None or host not in pages:
        raise RunLogError(
            f"{text[:80]} is no page of {pages[-1]}, the only server that is asked. Set {BASE_URL} to ask another"
        )
    entity, project, *rest = [unquote(part) for part in url.path.strip("/").split("/")] + [""]
    rest = rest[:-1] if rest else rest
    if rest and rest[0] == RUNS and len(rest) > 1:
        return _check([entity, project, rest[1]], text)
    if rest and rest[0] not in PROJECT_VIEWS:
        raise RunLogError(f"{text[:80]} is no page of runs. {FORMS}")
    return _check([entity, project], text)


def _check(parts: list[str], text: str) -> Address:
    if len(parts) not in (2, 3) or not all(0 < len(part) <= LONGEST and part.isprintable() for part in parts):
        raise RunLogError(f"{text[:80]!r} names no runs on a W&B server. {FORMS}")
    return Address(*parts)
