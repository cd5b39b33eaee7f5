"""What waits for the words index and for the embedding model."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from khojd.index.catalog_names import NOTHING, entry_names, notes_called
from khojd.index.rows import PendingEntry, WordsRow

_headings = msgspec.json.Decoder(tuple[str, ...]).decode
_ids = msgspec.json.Encoder().encode

_WORDS = """
SELECT e.id, d.title, e.headings, e.text, d.path, d.folder, d.id, e.position FROM entries e
JOIN documents d ON d.id = e.document_id WHERE e.words = 0 ORDER BY e.id LIMIT ?"""
_TAGS = """
SELECT DISTINCT s.entry_id, v.value FROM json_each(?) wanted CROSS JOIN sections s ON s.entry_id = wanted.value
CROSS JOIN section_values v ON v.section_id = s.id AND +v.kind = 'tag'"""
_VECTORS = """
SELECT e.id, d.title, e.headings, e.text FROM entries e JOIN documents d ON d.id = e.document_id
WHERE {where} ORDER BY e.id DESC LIMIT ?"""


def words_pending(db: sqlite3.Connection, limit: int) -> list[WordsRow]:
    """Entries that the words index lacks, or has under an old name, oldest first."""
    rows = db.execute(_WORDS, (limit,)).fetchall()
    if not rows:
        return []
    ids = [row[0] for row in rows]
    tags: dict[int, list[str]] = {}
    for entry_id, tag in db.execute(_TAGS, (id_list(ids),)):
        tags.setdefault(entry_id, []).append(tag)
    notes, own = notes_called(db, {row[-2] for row in rows}), entry_names(db, ids)
    found = []
    for entry_id, title, headings, text, path, folder, document_id, position in rows:
        note = notes.get(document_id, NOTHING)
        # A search for another name of a note is one for its beginning; its other entries are found by it as by the file's name.
        names = (note.names if position == 0 else ()) + tuple(name for name in own.get(entry_id, ()) if name not in note.names)
        about = note.about if position == 0 else ""
        name = "\n".join((_below(path, folder), *note.names))
        found.append(WordsRow(entry_id, title, _headings(headings), text, tuple(tags.get(entry_id, ())), name, names, about))
    return found


def mark_words(db: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Record that the words index has these entries, committed."""
    db.execute("UPDATE entries SET words = 1 WHERE id IN (SELECT value FROM json_each(?))", (id_list(ids),))


def forget_words(db: sqlite3.Connection) -> int:
    """Let every entry wait for the words index, which starts from nothing; returns how many did not wait yet."""
    forgotten = db.execute("UPDATE entries SET words = 0 WHERE words <> 0").rowcount
    db.execute("DELETE FROM words_tombstones")
    return forgotten


def highest_entry(db: sqlite3.Connection) -> int:
    """The largest id that an entry has had."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
    return int(row[0]) if row else 0


def tombstones(db: sqlite3.Connection, limit: int = -1) -> list[int]:
    """Ids of removed entries whose words may still be in the words index; -1 is all."""
    return [row[0] for row in db.execute("SELECT entry_id FROM words_tombstones LIMIT ?", (limit,))]


def clear_tombstones(db: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Record that the words index has lost these entries, committed."""
    db.execute("DELETE FROM words_tombstones WHERE entry_id IN (SELECT value FROM json_each(?))", (id_list(ids),))


def vectors_pending(db: sqlite3.Connection, model_id: int, limit: int) -> list[PendingEntry]:
    """Entries not embedded with the model, newest first; those without vectors of any model come before the others."""
    rows = _pending(db, "e.vectors = 0", (), limit)
    if len(rows) < limit:
        rows += _pending(db, "(e.vectors BETWEEN 1 AND ? - 1 OR e.vectors > ?)", (model_id, model_id), limit - len(rows))
    return rows


def count_vectors_pending(db: sqlite3.Connection, model_id: int) -> int:
    """How many entries are not embedded with the model."""
    return int(db.execute("SELECT count(*) FROM entries WHERE vectors < ?1 OR vectors > ?1", (model_id,)).fetchone()[0])


def mark_embedded(db: sqlite3.Connection, model_id: int, ids: Iterable[int]) -> None:
    """Record that the chunks of these entries and their vectors of this model are in the catalog."""
    db.execute("UPDATE entries SET vectors = ? WHERE id IN (SELECT value FROM json_each(?))", (model_id, id_list(ids)))


def id_list(ids: Iterable[int]) -> str:
    """A JSON array of ids, for json_each."""
    return _ids(list(ids)).decode()


def _pending(db: sqlite3.Connection, where: str, values: Sequence[int], limit: int) -> list[PendingEntry]:
    rows = db.execute(_VECTORS.format(where=where), (*values, limit))
    return [PendingEntry(entry_id, title, _headings(headings), text) for entry_id, title, headings, text in rows]


def _below(path: str, folder: str) -> str:
    return path[len(folder) :].lstrip("/\\") if path.startswith(folder) else path
