"""SQLite databases of others: read as they are, and never a byte is written beside them."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Set
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from analysis.runlog.study import RunLogError

MAGIC = b"SQLite format 3\0"
WAL = "-wal"  # what a program that still writes has not yet moved into the database


@contextmanager
def open_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Yields a connection to a database, or to a private copy of it where a program still writes to it.

    Reading beside a writer needs a shared file next to the database, so only a copy can be read with what it has not
    yet moved into the database.

    Raises:
        RunLogError: The database is damaged, or has not the tables that are asked for.
    """
    waiting = path.with_name(path.name + WAL)
    with ExitStack() as stack:
        place, mode = path.absolute(), "mode=ro&immutable=1"
        if waiting.is_file() and waiting.stat().st_size:
            place, mode = (
                Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steadystep-"))) / path.name,
                "mode=rw",
            )
            shutil.copyfile(path, place)
            shutil.copyfile(waiting, place.with_name(place.name + WAL))
        try:
            connection = stack.enter_context(closing(sqlite3.connect(f"file:{quote(str(place))}?{mode}", uri=True)))
            connection.text_factory = lambda text: text.decode(errors="replace")
            yield connection
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise RunLogError(
                f"{path.name} cannot be read ({error}). Copy it again while no program writes to it"
            ) from error


def has_tables(path: Path, head: bytes, wanted: Mapping[str, Set[str]]) -> bool:
    """Returns whether a file is a database with these tables, and they have these columns."""
    if not head.startswith(MAGIC):
        return False
    try:
        with open_database(path) as database:
            return all(columns <= list_columns(database, table) for table, columns in wanted.items())
    except RunLogError:
        return False


def list_columns(database: sqlite3.Connection, table: str) -> set[str]:
    """Returns the names of the columns of a table, none where there is no such table."""
    query = "SELECT name FROM pragma_table_info(?) WHERE ? IN (SELECT name FROM sqlite_master WHERE type = 'table')"
    return {name for (name,) in database.execute(query, (table, table))}
