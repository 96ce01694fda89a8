"""Connections to the two databases, set up so that what was acknowledged stays."""

import os
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from reviews.errors import ReviewError

BUSY_MS = 60_000  # ours: how long a writer waits for the others before it gives up
POOL_SIZE, MAX_OVERFLOW, CONNECT_SECONDS = 5, 15, 10  # ours: connections of one process
SQLITE_SETTINGS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",  # on disk before a write is acknowledged
    "foreign_keys": "ON",
}
POSTGRESQL_SETTINGS = {"synchronous_commit": "on"}  # the same, whatever the server's own setting
READING = "steadystep_reading"


def parse_url(url: str | URL | os.PathLike) -> URL:
    """Returns the URL of a store; a path is a SQLite file."""
    if isinstance(url, os.PathLike) or (isinstance(url, str) and "://" not in url):
        return URL.create("sqlite", database=str(Path(url)))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None  # the text may hold a password: it is not repeated
    backend = parsed.drivername.split("+")[0] if parsed is not None else "unreadable"
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
        return URL.create("sqlite", database=parsed.database)
    raise ReviewError(
        f"The URL of the reviews is of the kind {backend[:20]!r}. It needs sqlite:///FILE or "
        "postgresql://USER@HOST/NAME. Change STEADYSTEP_REVIEWS"
    )


def is_sqlite(engine: Engine) -> bool:
    """Returns whether the store is a SQLite file."""
    return engine.dialect.name == "sqlite"


def connect(url: URL) -> Engine:
    """Makes the engine of a store; a SQLite file is made where it is missing, readable by its owner only."""
    if url.drivername != "sqlite":
        return connect_postgresql(url)
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(url.database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise ReviewError(
            f"{url.database} cannot be opened ({error.strerror}). Reviews need a file that can be written. "
            "Set STEADYSTEP_REVIEWS to another one"
        ) from error
    engine = create_engine(
        url, pool_size=POOL_SIZE, max_overflow=MAX_OVERFLOW, connect_args={"timeout": BUSY_MS / 1000}
    )
    event.listen(engine, "connect", set_up_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def connect_postgresql(url: URL) -> Engine:
    """Makes the engine of a server; one that is gone is noticed, and found again when it is back."""
    options = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": BUSY_MS, "application_name": "steadystep"}
    engine = create_engine(
        url, pool_pre_ping=True, pool_size=POOL_SIZE, max_overflow=MAX_OVERFLOW, connect_args=options
    )
    event.listen(engine, "connect", set_up_postgresql)
    return engine


def reading_engine(engine: Engine) -> Engine:
    """Returns the engine whose transactions see one state and change nothing."""
    if is_sqlite(engine):
        return engine.execution_options(**{READING: True})
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def set_up_sqlite(connection, _record) -> None:
    """Sets what SQLite keeps per connection."""
    connection.isolation_level = None  # the driver begins nothing by itself: begin_sqlite does
    try:
        for name, value in {"busy_timeout": BUSY_MS, **SQLITE_SETTINGS}.items():
            connection.execute(f"PRAGMA {name} = {value}")
    except BaseException:
        connection.close()
        raise


def set_up_postgresql(connection, _record) -> None:
    """Sets what PostgreSQL keeps per connection."""
    for name, value in {"lock_timeout": BUSY_MS, **POSTGRESQL_SETTINGS}.items():
        connection.execute(f"SET {name} = {value}")
    connection.commit()


def begin_sqlite(connection: Connection) -> None:
    """Begins a transaction; a writing one takes its lock now, for one that reads first cannot wait for it later."""
    is_reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")
