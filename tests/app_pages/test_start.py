"""The server packs its files once, reads ahead what a page will show, and leaves that to nobody without a role."""

import gc
import gzip
from types import SimpleNamespace

import pytest

from app_pages import sessions, start, studies
from app_pages.compressed_files import CompressedFiles
from app_pages.start import HeadStart
from tests.app_pages.apart import run_apart
from tests.app_pages.stores import add_study
from tests.studies import sweep

SCRIPT = b"const a = 1;\n" * 500


def ask(app, path, headers=(), query=b"", method="GET"):
    """Sends a request to an ASGI application; returns status, headers and body of its answer."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": list(headers)}
    run_apart(app(scope, None, send))
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(each.get("body", b"") for each in sent[1:])


class Files:
    """A server of files that counts what it is asked for."""

    def __init__(self, kind=b"text/javascript; charset=utf-8", status=200):
        self.kind, self.status, self.asked = kind, status, 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        headers = [(b"content-type", self.kind), (b"content-length", b"%d" % len(SCRIPT)), (b"etag", b'"a"')]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": SCRIPT[:100], "more_body": True})
        await send({"type": "http.response.body", "body": SCRIPT[100:]})


GZIP = (b"accept-encoding", b"gzip, br")


def test_a_script_is_packed_once_and_comes_from_memory_then():
    files = Files()
    app = CompressedFiles(files)
    first, again = (ask(app, "/static/js/index.abc.js", [GZIP]) for _ in range(2))
    assert first == again
    status, headers, body = first
    assert (status, gzip.decompress(body), files.asked) == (200, SCRIPT, 1)
    assert len(body) < len(SCRIPT) / 10
    assert headers[b"content-length"] == b"%d" % len(body)
    assert (headers[b"content-encoding"], headers[b"vary"], headers[b"etag"]) == (b"gzip", b"Accept-Encoding", b'W/"a"')


@pytest.mark.parametrize(
    ("path", "headers", "files"),
    [
        ("/static/js/a.js", [], Files()),
        ("/static/js/a.js", [GZIP, (b"range", b"bytes=0-9")], Files()),
        ("/static/js/a.js", [GZIP, (b"if-none-match", b'"a"')], Files()),
        ("/static/media/a.woff2", [GZIP], Files(b"font/woff2")),
        ("/static/js/none.js", [GZIP], Files(status=404)),
        ("/media/a.js", [GZIP], Files()),
    ],
)
def test_what_is_no_whole_script_for_a_browser_that_unpacks_passes_as_it_is(path, headers, files):
    app = CompressedFiles(files)
    answers = [ask(app, path, headers) for _ in range(2)]
    assert [(status, body, b"content-encoding" in fields) for status, fields, body in answers] == [
        (files.status, SCRIPT, False)
    ] * 2
    assert files.asked == 2


class AtOnce:
    """A thread whose work is done when `start` returns."""

    def __init__(self, target, args, **_):
        self.target, self.args = target, args

    def start(self):
        """Does the work."""
        self.target(*self.args)


PAGE = (b"accept", b"text/html,application/xhtml+xml")


@pytest.fixture
def begun(monkeypatch):
    """What is read ahead, and the threads it happens in."""
    keys = []
    monkeypatch.setattr(start, "read_ahead", keys.append)
    monkeypatch.setattr(start, "threading", SimpleNamespace(Thread=AtOnce))
    return keys


def test_a_page_begins_to_read_its_study_and_a_part_of_a_page_does_not(begun, monkeypatch):
    app = HeadStart(Files())
    for path, headers, query in (
        ("/loss", [PAGE], b"study=a+b&x=1"),
        ("/", [PAGE], b""),
        ("/a.js", [GZIP], b"study=a"),
    ):
        monkeypatch.setattr(sessions, "login_is_on", lambda: False)
        assert ask(app, path, headers, query)[0] == 200
    assert begun == ["a b", None]


def test_where_there_is_a_login_nothing_is_read_for_a_visitor(begun, monkeypatch):
    monkeypatch.setattr(sessions, "login_is_on", lambda: True)
    assert ask(HeadStart(Files()), "/", [PAGE], b"study=a")[0] == 200
    assert begun == []


def test_a_study_that_was_read_ahead_is_not_read_again(tmp_path, monkeypatch):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    add_study(tmp_path / "studies", "ahead", sweep(0.3), tmp_path / "files")
    asked = []
    monkeypatch.setattr(studies, "read_study", lambda *where: asked.append(where) or read(*where))
    studies.prepare("ahead")
    studies.prepare(None)
    monkeypatch.setattr(studies.st, "session_state", {studies.KEY: "ahead"})
    assert len(studies.current().runs) == len(sweep(0.3))
    assert asked == [("ahead", None)]


def test_what_is_there_before_the_first_page_is_out_of_the_way_of_the_garbage_collector():
    before = len(gc.get_objects())
    start.spare_collector()
    try:
        assert len(gc.get_objects()) < before / 100
    finally:
        gc.unfreeze()


def test_a_name_that_is_no_study_of_the_store_is_not_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    monkeypatch.setattr(studies, "read_study", None)
    for key in ("../../etc", ".read-0123", "missing"):
        studies.prepare(key)


read = studies.read_study
