"""Counts and states for status, files and doctor."""

import sqlite3
from collections.abc import Sequence

import msgspec

from khojd.index.catalog_vectors import active_model
from khojd.index.rows import FileRow, Statistics

_notes = msgspec.json.Decoder(tuple[str, ...]).decode

_FILES = """
SELECT d.path, d.folder, d.state, d.reason, d.state_at, d.mtime_ns, d.size,
       (SELECT count(*) FROM entries e WHERE e.document_id = d.id),
       (SELECT count(*) FROM entries e WHERE e.document_id = d.id AND (e.words = 0 OR e.vectors = 0)),
       d.format, d.language, d.encoding, d.notes, d.overlay
FROM documents d WHERE {where} ORDER BY d.path, d.overlay LIMIT ? OFFSET ?"""


def statistics(db: sqlite3.Connection, model_id: int | None = None) -> Statistics:
    """Counts over the catalog. Entries wait for vectors of `model_id`, by default the active model; without one none waits."""
    target = active_model(db) if model_id is None else model_id
    states: dict[str, int] = {"indexed": 0, "pending": 0, "skipped": 0, "failed": 0}
    for state, number in db.execute("SELECT state, count(*) FROM documents WHERE overlay = 0 GROUP BY folder, state"):
        states[state] += number
    pages, size = _one(db, "PRAGMA page_count"), _one(db, "PRAGMA page_size")
    return Statistics(
        documents=states,
        buffers=_one(db, "SELECT count(*) FROM documents WHERE overlay > 0 AND state = 'indexed'"),
        entries=_one(db, "SELECT count(*) FROM entries"),
        pending_words=_one(db, "SELECT count(*) FROM entries WHERE words = 0"),
        pending_vectors=0 if target is None else _one(db, "SELECT count(*) FROM entries WHERE vectors <> ?", target),
        bytes=pages * size,
    )


def count_vectors(db: sqlite3.Connection) -> int:
    """Vectors of all models."""
    return _one(db, "SELECT count(*) FROM vectors")


def file_rows(
    db: sqlite3.Connection,
    *,
    states: Sequence[str] = (),
    under: str = "",
    limit: int = -1,
    offset: int = 0,
) -> list[FileRow]:
    """Files in the order of their paths, a file's buffer after it. `states` and `under`, a path they are at or below, narrow the
    list."""
    where, values = ["1"], []
    if states:
        where.append("d.state IN (SELECT value FROM json_each(?))")
        values.append(msgspec.json.encode(list(states)).decode())
    if under:
        where.append("(d.path = ? OR (d.path > ? AND d.path < ?))")
        values += [under, f"{under}/", f"{under}0"]
    rows = db.execute(_FILES.format(where=" AND ".join(where)), (*values, limit, offset))
    listed = ((*row[:5], row[5] / 1e9, *row[6:-2], _notes(row[-2]), bool(row[-1])) for row in rows)
    return [FileRow(*row) for row in listed]


def sample(db: sqlite3.Connection, most: int, characters: int) -> list[str]:
    """The beginnings of at most `most` entries, from all over the catalog."""
    highest = _one(db, "SELECT coalesce(max(id), 0) FROM entries")
    ids = msgspec.json.encode(list(range(1, highest + 1, max(1, -(-highest // most))))).decode()
    rows = db.execute("SELECT substr(text, 1, ?) FROM entries WHERE id IN (SELECT value FROM json_each(?))", (characters, ids))
    return [text for (text,) in rows]


def _one(db: sqlite3.Connection, sql: str, *values: object) -> int:
    return int(db.execute(sql, values).fetchone()[0])
