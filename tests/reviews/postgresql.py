"""A PostgreSQL server of the tests' own: in a temporary folder, on a free port, ended by its process ids."""

import contextlib
import os
import pwd
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

import psycopg

USER = "postgres"  # Debian's; as root the server starts as this user, for it refuses to run as root


def find_binary(name: str) -> str:
    """Returns the path of a PostgreSQL program, the newest one."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, f"{name} is missing: run tests/reviews/install_postgresql.sh"
    return path


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server; `start` and `kill` may follow each other, its data stay until `remove`."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="steadystep-postgresql-"))
        self.password, self.port, self.process = secrets.token_hex(16), free_port(), None
        is_root = os.getuid() == 0
        self.as_user = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []} if is_root else {}
        word = self.folder / "password"
        word.write_text(self.password)
        if is_root:
            for path in (self.folder, word):
                shutil.chown(path, USER)
        self.run("initdb", "-D", f"{self.folder}/data", "-U", "tests", "-A", "scram-sha-256", f"--pwfile={word}")

    def run(self, name: str, *arguments: str) -> None:
        """Runs a PostgreSQL program to its end."""
        command = [find_binary(name), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self.as_user)

    def start(self) -> None:
        """Starts the server and waits until it takes connections."""
        command = [find_binary("postgres"), "-D", f"{self.folder}/data", "-p", str(self.port), "-k", str(self.folder)]
        command += ["-h", "127.0.0.1", "-c", "max_connections=100"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=self.folder, **self.as_user
        )
        said = []
        for line in self.process.stderr:
            said.append(line)
            if "ready to accept connections" in line:
                break
        assert self.process.poll() is None, "".join(said)
        self.drain = threading.Thread(target=self.process.stderr.read, daemon=True)  # or the pipe fills up
        self.drain.start()

    def kill(self) -> None:
        """Kills every process of the server, the first one first, and waits until they are gone."""
        main = self.process.pid
        children = map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())
        watched = [os.pidfd_open(pid) for pid in (main, *children)]
        for handle in watched:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        for handle in watched:
            assert select.select([handle], [], [], 60)[0]
            os.close(handle)
        self.wait()

    def stop(self) -> None:
        """Ends the server at once and removes its data."""
        self.process.send_signal(signal.SIGQUIT)
        self.wait()
        shutil.rmtree(self.folder)

    def wait(self) -> None:
        """Waits for the end of the server."""
        self.process.wait()
        self.drain.join()
        self.process.stderr.close()

    def url(self, database: str) -> str:
        """Returns the URL of a database."""
        return f"postgresql://tests:{self.password}@127.0.0.1:{self.port}/{database}"

    def make_database(self) -> str:
        """Makes an empty database and returns its name."""
        name = f"d{secrets.token_hex(8)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
        return name

    def empty_database(self, name: str, tables: Iterable[str]) -> None:
        """Empties tables, as only a superuser can who switches off the triggers that keep the audit."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("SET session_replication_role = replica")
            connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
