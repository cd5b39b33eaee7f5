"""The database file of the conversations: made, opened, migrated, and set aside when it does not read back.

Apart from the catalog on purpose: a catalog is thrown away and built anew when it is damaged, conversations cannot be; and a long
transaction of the index must not hold up a turn.
"""

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from khojd.errors import IndexCorrupt, IndexTooNew, StorageFull, StoreError
from khojd.index import migrate
from khojd.paths import private_dir

log = logging.getLogger(__name__)

FILE = "conversations.db"
SUSPECT = "conversations.suspect"  # stands beside it when something did not read back
BUSY_SECONDS = 5.0

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_STORAGE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_LOG_FILES = ("-wal", "-shm")


def _first(db: sqlite3.Connection) -> None:
    for statement in migrate.statements(resources.files("khojd.chat").joinpath("conversations.sql").read_text("utf-8")):
        db.execute(statement)


MIGRATIONS: Mapping[int, migrate.Step] = {1: _first}


def open_writable(directory: Path, steps: Mapping[int, migrate.Step] = MIGRATIONS) -> sqlite3.Connection:
    """Open or create the file, whole and of the newest version. Raises StorageFull, IndexCorrupt, IndexTooNew, StoreError."""
    path = directory / FILE
    with errors(path):
        _make_private(directory, path)
        # A log file that is left says that the last process ended uncleanly.
        unsure = (directory / SUSPECT).exists() or _size(path.with_name(FILE + "-wal")) > 0
        db = _connect(path, "mode=rw")
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = ON")  # what a person deletes is gone from the file
            _check_version(db, path, steps)
            migrate.migrate(db, str(path), steps)
            _check_tables(db, path, whole=unsure)
        except BaseException:
            db.close()
            raise
    (directory / SUSPECT).unlink(missing_ok=True)
    return db


def open_readable(directory: Path, steps: Mapping[int, migrate.Step] = MIGRATIONS) -> sqlite3.Connection:
    """Open the file without writing a byte; an empty database in memory where there is none. Raises IndexCorrupt, IndexTooNew."""
    path = directory / FILE
    with errors(path):
        if not _size(path):
            return empty(steps)
        db = connect_readable(path)
        try:
            _check_version(db, path, steps)
            if migrate.version(db) < max(steps):
                message = f"{path} was made by an older khojd and cannot be brought up to date: it is read-only"
                raise StorageFull(message, path=str(path))
            _check_tables(db, path, whole=False)
        except BaseException:
            db.close()
            raise
        return db


def empty(steps: Mapping[int, migrate.Step] = MIGRATIONS) -> sqlite3.Connection:
    """A database in memory, for want of a file."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate.migrate(db, ":memory:", steps)
    return db


def set_aside(directory: Path) -> Path:
    """Give the file, with its log, another name. Returns the path under which it is kept. Raises StorageFull."""
    path = directory / FILE
    stamp = time.strftime("%Y%m%dT%H%M%S")
    aside = directory / f"{FILE}.damaged-{stamp}"
    number = 1
    while aside.exists():
        number += 1
        aside = directory / f"{FILE}.damaged-{stamp}-{number}"
    try:
        path.rename(aside)
        for suffix in _LOG_FILES:
            with contextlib.suppress(FileNotFoundError):
                path.with_name(FILE + suffix).rename(aside.with_name(aside.name + suffix))
        (directory / SUSPECT).unlink(missing_ok=True)
    except OSError as error:
        raise StorageFull(f"{path} does not read back and cannot be set aside: {error.strerror}", path=str(path)) from error
    return aside


def mark_suspect(directory: Path) -> None:
    """Have the next start read the whole file before it is trusted."""
    with contextlib.suppress(OSError):
        (directory / SUSPECT).touch(mode=0o600)


@contextlib.contextmanager
def errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into IndexCorrupt, StorageFull and StoreError that say what is the matter with the conversations."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _CORRUPT:
            message = f"the conversations in {path} do not read back ({error})"
            raise IndexCorrupt(message, path=str(path), store="conversations") from error
        if code in _STORAGE:
            raise StorageFull(f"conversations cannot be kept: {path} cannot be written ({error})", path=str(path)) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreError(f"another program holds {path}; close it and try again", path=str(path)) from error
        raise


def connect_readable(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing."""
    # Without a log file nothing can be missing from the database, and only then SQLite needs no shared-memory file beside it.
    return _connect(path, "mode=ro" if _size(path.with_name(path.name + "-wal")) else "mode=ro&immutable=1")


def _connect(path: Path, options: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _check_version(db: sqlite3.Connection, path: Path, steps: Mapping[int, migrate.Step]) -> None:
    found, newest = migrate.version(db), max(steps)
    if found > newest:
        # Conversations cannot be made again, so nobody is told to remove them.
        message = f"the conversations in {path} have version {found}, this khojd reads up to {newest}: update khojd"
        raise IndexTooNew(message, path=str(path), found=found, supported=newest)


def _check_tables(db: sqlite3.Connection, path: Path, *, whole: bool) -> None:
    found = ""
    try:
        db.execute("SELECT count(*) FROM conversations, turns WHERE 0").fetchone()
        if whole:
            found = next((str(row[0]) for row in db.execute("PRAGMA quick_check(1)") if row[0] != "ok"), "")
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        found = str(error)
    if found:
        raise IndexCorrupt(f"the conversations in {path} do not read back ({found})", path=str(path), store="conversations")


def _make_private(directory: Path, path: Path) -> None:
    try:
        private_dir(directory)
        if not os.access(directory, os.W_OK):
            raise StorageFull(f"conversations cannot be kept: the directory {directory} is read-only", path=str(directory))
        # SQLite gives its log files the mode of the database.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StorageFull(f"conversations cannot be kept: {path} cannot be written ({error.strerror})", path=str(path)) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
