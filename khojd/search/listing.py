"""Small facts about entries, and lists without a ranking."""

import sqlite3
from collections.abc import Sequence, Set
from typing import NamedTuple

from khojd.index.catalog_queue import id_list

_FACTS = """
SELECT e.id, d.path, e.position, d.format, e.day, d.mtime_ns FROM json_each(?) wanted
CROSS JOIN entries e ON e.id = wanted.value JOIN seen d ON d.id = e.document_id"""
_NEWEST = """
SELECT e.id FROM json_each(?) wanted CROSS JOIN entries e ON e.id = wanted.value JOIN seen d ON d.id = e.document_id
ORDER BY e.day IS NULL, e.day DESC, d.mtime_ns DESC, d.path, e.position LIMIT ?"""
_BY_DAY = """
SELECT e.id, e.day FROM entries e CROSS JOIN seen d ON d.id = e.document_id
WHERE e.day IS NOT NULL ORDER BY e.day DESC"""
MANY = 2000  # entries from which it pays to read by day instead of sorting all

# The index on hidden documents serves both; state_at tells a folder that is hidden again from before.
_HIDDEN_MARK = "SELECT count(*), total(id), total(id * id), max(state_at) FROM documents WHERE visible = 0"
_HIDDEN = "SELECT e.id FROM documents d CROSS JOIN entries e ON e.document_id = d.id WHERE d.visible = 0"
_UNSEEN = "SELECT e.id FROM unseen d CROSS JOIN entries e ON e.document_id = d.id"
_SEEN = "SELECT e.id FROM seen d CROSS JOIN entries e ON e.document_id = d.id"


class Facts(NamedTuple):
    """What ranking asks of an entry. `day` is a proleptic Gregorian ordinal, `modified` seconds since the epoch."""

    path: str
    position: int
    format: str
    day: int | None
    modified: float


def facts(db: sqlite3.Connection, entry_ids: Sequence[int]) -> dict[int, Facts]:
    """Facts of the entries that exist and that the viewer sees."""
    rows = db.execute(_FACTS, (id_list(entry_ids),))
    return {entry_id: Facts(path, place, format_, day, mtime_ns / 1e9) for entry_id, path, place, format_, day, mtime_ns in rows}


def newest(db: sqlite3.Connection, entry_ids: Set[int], limit: int) -> list[int]:
    """The `limit` newest of the entries by their day, then by when their file was changed; those without a day come last."""
    some = entry_ids if len(entry_ids) <= MANY else _latest(db, entry_ids, limit)
    return [row[0] for row in db.execute(_NEWEST, (id_list(some), limit))]


def _latest(db: sqlite3.Connection, entry_ids: Set[int], limit: int) -> Set[int]:
    """Some of the entries, the newest `limit` among them: read by day until there are enough; all when too few have a day."""
    found: set[int] = set()
    last = None
    for entry_id, day in db.execute(_BY_DAY):
        if len(found) >= limit and day != last:
            return found
        if entry_id in entry_ids:
            found.add(entry_id)
            last = day
    return found if len(found) >= limit else entry_ids


def hidden_mark(db: sqlite3.Connection) -> tuple[object, ...]:
    """A value that changes when a folder's files are hidden or shown."""
    found: tuple[object, ...] = db.execute(_HIDDEN_MARK).fetchone()
    return found


def hidden_entries(db: sqlite3.Connection) -> Set[int]:
    """Ids of the entries of files that are hidden with their folder."""
    return frozenset(row[0] for row in db.execute(_HIDDEN))


def unseen_entries(db: sqlite3.Connection) -> Set[int]:
    """Ids of the entries of other editors' buffers, and of the files that the viewer's own stand in for."""
    return frozenset(row[0] for row in db.execute(_UNSEEN))


def seen_entries(db: sqlite3.Connection) -> Set[int]:
    """Ids of all entries that the viewer sees."""
    return frozenset(row[0] for row in db.execute(_SEEN))
