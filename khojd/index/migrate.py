"""Forward migrations of the catalog. `PRAGMA user_version` holds the version; 0 is an empty file.

A step is SQL or a function of the connection, and runs in one transaction together with the new version number, so that a crash
leaves the database at one version or the next.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from importlib import resources

from khojd.errors import IndexTooNew

Step = str | Callable[[sqlite3.Connection], None]


def script(name: str) -> str:
    """The SQL of a version."""
    return resources.files("khojd.index").joinpath(name).read_text("utf-8")


def _from(name: str) -> Step:
    def step(db: sqlite3.Connection) -> None:
        for statement in statements(script(name)):
            db.execute(statement)

    return step


MIGRATIONS: Mapping[int, Step] = {
    1: _from("schema.sql"),
    2: _from("graph.sql"),
    3: "CREATE INDEX documents_hidden ON documents (visible, state_at) WHERE visible = 0",
    # Files behind a buffer were hidden from everyone; now the reader leaves out what its viewer does not see (catalog.SEEN).
    4: "CREATE INDEX documents_overlays ON documents (overlay) WHERE overlay > 0;"
    " UPDATE documents SET visible = 1 WHERE overlay = 0 AND visible = 0 AND state <> 'pending'",
    5: _from("vectors.sql"),
    # What the status counts stands in indexes: it is asked for many times during a long run.
    6: "CREATE INDEX documents_states ON documents (folder, overlay, state); DROP INDEX entries_words_pending;"
    " CREATE INDEX entries_words_pending ON entries (words) WHERE words = 0",
}


def version(db: sqlite3.Connection) -> int:
    """The version of the database, 0 when it is empty."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: sqlite3.Connection, path: str, steps: Mapping[int, Step] = MIGRATIONS) -> list[int]:
    """Bring `db` (in autocommit mode) to the newest version of `steps` and return the versions passed. Raises IndexTooNew."""
    check(db, path, steps)
    done = []
    for target in sorted(step for step in steps if step > version(db)):
        step = steps[target]
        db.execute("BEGIN IMMEDIATE")
        try:
            if isinstance(step, str):
                for statement in statements(step):
                    db.execute(statement)
            else:
                step(db)
            db.execute(f"PRAGMA user_version = {target:d}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        done.append(target)
    return done


def check(db: sqlite3.Connection, path: str, steps: Mapping[int, Step] = MIGRATIONS) -> None:
    """Raise IndexTooNew when `db` was made by a newer khojd."""
    found, newest = version(db), max(steps)
    if found > newest:
        raise IndexTooNew(
            f"the index {path} has version {found}, this khojd reads up to {newest}:"
            " update khojd, or remove the index to build it anew",
            path=path,
            found=found,
            supported=newest,
        )


def statements(script: str) -> Iterator[str]:
    """The statements of an SQL script (sqlite3's executescript would commit an open transaction)."""
    pending = ""
    for piece in re.split("(?<=;)", script):
        pending += piece
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if re.sub("--.*", "", pending).strip():
        yield pending
