import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from reviews import hand_off

MESSAGE = {"text": "Review gpt-small is closed."}


class Chat(BaseHTTPRequestHandler):
    """Takes messages; the path says what it answers."""

    def do_POST(self):
        self.server.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        code = int(self.path.split("/")[1])
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/200/elsewhere")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def chat():
    server = HTTPServer(("127.0.0.1", 0), Chat)
    server.taken = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def send_to(monkeypatch, url: str) -> hand_off.HandOff:
    monkeypatch.setenv("STEADYSTEP_WEBHOOK", url)
    return hand_off.send(MESSAGE)


def test_nothing_is_sent_unless_a_webhook_is_set(monkeypatch):
    monkeypatch.delenv("STEADYSTEP_WEBHOOK", raising=False)
    assert not hand_off.is_on()
    assert hand_off.send(MESSAGE) == hand_off.HandOff(
        False, "Nothing was sent: no webhook is set. It needs STEADYSTEP_WEBHOOK. Ask whoever runs the dashboard."
    )


def test_the_summary_arrives_as_json(monkeypatch, chat):
    sent = send_to(monkeypatch, f"http://127.0.0.1:{chat.server_port}/200/secret-token")
    assert sent == hand_off.HandOff(True, "The summary was sent to 127.0.0.1.")
    assert [(path, json.loads(body)) for path, body in chat.taken] == [("/200/secret-token", MESSAGE)]


@pytest.mark.parametrize("code", [302, 404, 500])
def test_another_answer_is_one_sentence_and_a_redirect_is_not_followed(monkeypatch, chat, code):
    sent = send_to(monkeypatch, f"http://localhost:{chat.server_port}/{code}/secret-token")
    assert not sent.is_sent
    assert sent.sentence == f"The summary did not reach localhost: it answered {code}. Copy it, or send it again."
    assert len(chat.taken) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/secret", "http://127.0.0.1.example.org/secret", "ftp://127.0.0.1/secret", "file:///etc/secret",
        "secret", "https://", "http://[::1", "http://127.0.0.1:99999/secret", "http://192.0.2.1/secret",
    ],
)  # fmt: skip
def test_only_https_or_this_machine_is_called(monkeypatch, url):
    sent = send_to(monkeypatch, url)
    assert sent.sentence.startswith("Nothing was sent: the webhook is no")
    assert "secret" not in sent.sentence


def test_a_server_that_is_not_there_is_one_sentence(monkeypatch):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        sent = send_to(monkeypatch, f"http://127.0.0.1:{taken.getsockname()[1]}/secret")
    assert not sent.is_sent
    assert sent.sentence.startswith("The summary did not reach 127.0.0.1: ")
    assert "secret" not in sent.sentence


def test_a_server_that_never_answers_is_waited_for_only_so_long(monkeypatch):
    assert hand_off.SECONDS == 5.0
    monkeypatch.setattr(hand_off, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sent = send_to(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}/secret")
    assert (
        "no answer in 0.2 seconds" in sent.sentence
        or "timed out" in sent.sentence.lower()
        or "Timeout" in sent.sentence
    )
