"""The catalog: one SQLite database that is the truth about files, entries, chunks and vectors.

Writes go through `transaction()`, one thread at a time; every thread reads through its own `reader()`. The helpers that read and
write rows are in catalog_documents, catalog_queue, catalog_vectors, catalog_hits and catalog_status; they take the connection.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from khojd.errors import IndexCorrupt, StorageFull, StoreError
from khojd.index import migrate
from khojd.paths import private_dir
from khojd.sources.buffers import NOBODY, SHARED

FILE = "catalog.db"
BUSY_SECONDS = 10.0
WRITER_CACHE_KIB = 16_384
READER_CACHE_KIB = 4_096
WAL_BYTES = 64 * 1024 * 1024  # the log file is cut back to this after a checkpoint
MUCH_ROOM = 16 * 1024 * 1024  # bytes without use from which on they are given back

log = logging.getLogger(__name__)

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_STORAGE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_DAMAGED = _CORRUPT | {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_IOERR,
}  # what reading may say of a damaged file: tables are missing, it is cut off
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}

# Rows that point nowhere, though every foreign key holds.
_DANGLING = {
    "sections whose entry is of another document": """
        SELECT count(*) FROM sections s JOIN entries e ON e.id = s.entry_id WHERE e.document_id <> s.document_id""",
    "entries marked as embedded with a chunk that has no vector": """
        SELECT count(DISTINCT e.id) FROM entries e JOIN chunks c ON c.entry_id = e.id AND c.model_id = e.vectors
        LEFT JOIN vectors v ON v.hash = c.hash WHERE v.hash IS NULL""",
    "entries of files that are failed or skipped": """
        SELECT count(*) FROM entries e JOIN documents d ON d.id = e.document_id WHERE d.state IN ('failed', 'skipped')""",
    "files hidden without their folder": """
        SELECT count(*) FROM documents WHERE overlay = 0 AND visible = 0 AND state <> 'pending'""",
    "entries waiting for removal from the words index that are still in the catalog": """
        SELECT count(*) FROM words_tombstones t JOIN entries e ON e.id = t.entry_id""",
}

# The documents that answer in what somebody asks (`Catalog.seen_by`): those that are visible, but not other editors' buffers, nor
# the files that the viewer's own stand in for. Failed and skipped files have no entries; those of pending ones still answer.
_SEEN = "CREATE TEMP VIEW seen AS SELECT * FROM main.documents WHERE visible = 1 AND id NOT IN (SELECT id FROM unseen)"
_UNSEEN = f"""
CREATE TEMP VIEW unseen (id) AS
SELECT id FROM main.documents WHERE overlay > 0 AND overlay NOT IN ({SHARED}, viewer())
UNION ALL SELECT file.id FROM main.documents own CROSS JOIN main.documents file ON file.path = own.path AND file.overlay = 0
WHERE own.overlay > 0 AND own.overlay IN ({SHARED}, viewer()) AND own.visible = 1"""


class Reader:
    """A thread's reading connection, and whose buffers it shows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.viewer = NOBODY
        connection.create_function("viewer", 0, lambda: self.viewer)
        connection.execute(_UNSEEN)
        connection.execute(_SEEN)
        connection.execute("PRAGMA query_only = ON")


class Catalog:
    """The open catalog of one index directory.

    `read_only` is true when the directory cannot be written: readers work, `transaction()` raises StorageFull.
    """

    def __init__(self, directory: Path, writer: sqlite3.Connection, *, read_only: bool, beside: bool = False) -> None:
        self.directory = directory
        self.read_only = read_only
        self._beside = beside  # another process may be writing
        self._writer = writer
        self._lock = threading.RLock()
        self._readers: dict[int, Reader] = {}
        self._readers_lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, directory: Path, *, steps: Mapping[int, migrate.Step] = migrate.MIGRATIONS) -> Self:
        """Open or create the catalog in `directory`, and migrate it. Raises IndexCorrupt, IndexTooNew, StorageFull."""
        path = directory / FILE
        with errors(path):
            try:
                private_dir(directory)
            except OSError as error:
                raise StorageFull(
                    f"the index directory {directory} cannot be made: {error.strerror}", path=str(directory)
                ) from error
            read_only = not writable(directory)
            if not read_only:
                _make_private(directory, path)
            elif not path.exists():
                raise StorageFull(f"the index directory {directory} cannot be written, and holds no index yet", path=str(directory))
            writer = _connect(path, WRITER_CACHE_KIB, read_only=read_only)
            try:
                if read_only:
                    migrate.check(writer, str(path), steps)
                else:
                    _set_up(writer)
                    migrate.migrate(writer, str(path), steps)
                writer.execute("SELECT count(*) FROM documents, meta, entries WHERE 0").fetchone()
            except sqlite3.OperationalError as error:
                writer.close()
                if "no such table" in str(error):
                    raise IndexCorrupt(f"the catalog {path} lacks tables: {error}", path=str(path), store="catalog") from error
                raise
            except BaseException:
                writer.close()
                raise
        return cls(directory, writer, read_only=read_only)

    @classmethod
    def examine(cls, directory: Path, *, steps: Mapping[int, migrate.Step] = migrate.MIGRATIONS) -> Self:
        """Open a catalog that is there for reading only, beside its daemon or without one: nothing is made, migrated or mended.

        Raises as `open` does.
        """
        path = directory / FILE
        with errors(path):
            connection = _connect(path, READER_CACHE_KIB, read_only=True, beside=writable(directory))
            try:
                migrate.check(connection, str(path), steps)
            except BaseException:
                connection.close()
                raise
        return cls(directory, connection, read_only=True, beside=writable(directory))

    @property
    def path(self) -> Path:
        return self.directory / FILE

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The writing connection inside a transaction: committed at the end, rolled back on any exception.

        Threads wait for each other. Raises StorageFull, IndexCorrupt.
        """
        if self.read_only:
            raise StorageFull(f"the index {self.directory} is read-only", path=str(self.directory))
        with self._lock, errors(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def reader(self) -> sqlite3.Connection:
        """This thread's reading connection (autocommit: every statement sees the newest committed state)."""
        return self._reader().connection

    def seen_by(self, viewer: int) -> sqlite3.Connection:
        """The same, with `seen` as the owner of the overlay `viewer` sees it; until the thread asks for another one's view."""
        reader = self._reader()
        reader.viewer = viewer
        return reader.connection

    def _reader(self) -> Reader:
        thread = threading.get_ident()
        reader = self._readers.get(thread)
        if reader is None:
            with errors(self.path), self._readers_lock:
                if self._closed:
                    raise StoreError(f"the catalog {self.path} is closed", path=str(self.path))
                # A thread's id is reused only after it ended, so a connection is never in two threads at once.
                opened = _connect(self.path, READER_CACHE_KIB, read_only=self.read_only, beside=self._beside)
                reader = self._readers[thread] = Reader(opened)
        return reader

    def integrity(self) -> list[str]:
        """What is wrong with the catalog, one line each; reads the whole database. An unreadable one is a line, too.

        Raises StorageFull and StoreError where it cannot be looked at.
        """
        found: list[str] = []
        with errors(self.path):
            db = self.reader()
            try:
                found += [str(row[0]) for row in db.execute("PRAGMA quick_check(20)") if row[0] != "ok"]
                broken = len(db.execute("PRAGMA foreign_key_check").fetchall())
                if broken:
                    found.append(f"{broken} rows that refer to rows which are gone")
                for what, sql in _DANGLING.items():
                    (count,) = db.execute(sql).fetchone()
                    if count:
                        found.append(f"{count} {what}")
            except sqlite3.DatabaseError as error:
                if _code(error) not in _DAMAGED:
                    raise
                found.append(f"cannot be read: {error}")
        return found

    def checkpoint(self) -> None:
        """Move the write-ahead log into the database and cut it back; for quiet moments. Raises StorageFull, IndexCorrupt."""
        if not self.read_only:
            with self._lock, errors(self.path):
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def interrupt(self) -> None:
        """End what is being read: it fails with sqlite3.OperationalError. For threads that nobody waits for any more."""
        with self._readers_lock:
            for reader in self._readers.values():
                reader.connection.interrupt()

    def close(self) -> None:
        """Close every connection; threads must have stopped reading."""
        with self._lock, self._readers_lock:
            self._closed = True
            for reader in self._readers.values():
                reader.connection.close()
            self._readers.clear()
            if not self.read_only and not self._beside:
                _shrink(self._writer)
            self._writer.close()


def _shrink(db: sqlite3.Connection) -> None:
    """Give the room of removed notes back where it is most of the file, and their text with it."""
    try:
        free, pages, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count", "page_size"))
        if free * size < MUCH_ROOM or 2 * free < pages:
            return
        db.execute("PRAGMA busy_timeout = 0")
        db.execute("PRAGMA temp_store = FILE")  # all that is kept is written there first
        db.execute("VACUUM")
    except sqlite3.Error as error:
        log.warning("the catalog keeps room that nothing uses: %s", error)


@contextmanager
def errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into IndexCorrupt, StorageFull and StoreError; for what reads through `Catalog.reader()` as well."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = _code(error)
        if code in _CORRUPT:
            raise IndexCorrupt(f"the catalog {path} does not read back ({error})", path=str(path), store="catalog") from error
        if code in _STORAGE:
            raise StorageFull(f"the catalog {path} cannot be written ({error})", path=str(path)) from error
        if code in _HELD:
            raise StoreError(f"another program holds the catalog {path}; close it and try again", path=str(path)) from error
        raise


def _code(error: sqlite3.DatabaseError) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def writable(directory: Path) -> bool:
    """Whether the index in `directory` can be written, as far as rights and mounts tell."""
    path = directory / FILE
    return os.access(directory, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def _connect(path: Path, cache_kib: int, *, read_only: bool, beside: bool = False) -> sqlite3.Connection:
    if read_only:
        # Without a log file nothing can be missing from the database, and only then SQLite needs no shared-memory file beside it.
        pending = path.with_name(path.name + "-wal")
        frozen = not beside and not (pending.exists() and pending.stat().st_size)
        options = "mode=ro&immutable=1" if frozen else "mode=ro"
    else:
        options = "mode=rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _set_up(writer: sqlite3.Connection) -> None:
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA synchronous = NORMAL")
    writer.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")


def _make_private(directory: Path, path: Path) -> None:
    try:
        directory.chmod(0o700)
        # SQLite gives its log files the mode of the database.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StorageFull(f"the index file {path} cannot be written: {error.strerror}", path=str(path)) from error
