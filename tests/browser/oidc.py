"""A real OpenID Connect provider of its own process, and the settings of a dashboard that asks it."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "only for this test, thirty-two letters"
client_id = "steadystep"
client_secret = "secret"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""
FURTHER = """
[auth.{name}]
client_id = "steadystep"
client_secret = "secret"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@contextlib.contextmanager
def provide(people: Mapping[str, Mapping[str, object]], seconds: int = 3600) -> Iterator[str]:
    """Starts a provider that knows these people, their claims by subject, and gives its address.

    Args:
        people: Claims by subject.
        seconds: How long its tokens last.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--token-max-age", str(seconds)]
    for subject, claims in people.items():
        command += ["--user-claims", json.dumps({"sub": subject, **claims})]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if "running on" in line:
                    break
            assert process.poll() is None, said
            threading.Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop it
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def write_secrets(folder: Path, provider: str, **further: str) -> Path:
    """Writes the secrets.toml of a dashboard that asks this provider, and further ones by name."""
    path = folder / "secrets.toml"
    others = [FURTHER.format(name=name, provider=address) for name, address in further.items()]
    path.write_text("".join([SECRETS.format(provider=provider), *others]))
    return path
