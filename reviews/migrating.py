"""Bringing a store to the newest schema, by one process at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

from reviews.engines import is_sqlite
from reviews.errors import ReviewError

FOLDER = Path(__file__).parent / "migrations"
NEWEST = "0003"  # a test holds it to the files
KNOWN = ("0001", "0002", NEWEST)
LOCK_NUMBER = 5_783_241_009  # ours: any number, the same for all processes


def migrate(engine: Engine, revision: str = NEWEST) -> None:
    """Upgrades a store in one transaction, or leaves it as it was; does nothing to one that is up to date."""
    with locked(engine), engine.begin() as connection:
        if not is_sqlite(engine):
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
        found = current_revision(connection)
        if found is not None and found not in KNOWN:
            raise ReviewError(
                f"The reviews were written by a newer version (schema {found}). "
                f"This one knows schemas up to {NEWEST}. Update Steadystep"
            )
        if found != revision:
            upgrade(connection, revision)


def current_revision(connection: Connection) -> str | None:
    """Returns the schema of a store, None of an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(connection: Connection, revision: str) -> None:
    """Runs the migrations; imports Alembic only then."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@contextlib.contextmanager
def locked(engine: Engine) -> Iterator[None]:
    """Holds the lock file of a SQLite store: its journal mode, too, is set by one process at a time."""
    if not is_sqlite(engine):
        yield
        return
    handle = os.open(f"{engine.url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
