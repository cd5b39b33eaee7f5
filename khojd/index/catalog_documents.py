"""Writing documents: each function works inside the caller's transaction."""

import sqlite3
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import count, repeat

from khojd.index import catalog_graph as graph
from khojd.index.catalog_names import NOTHING, Called, notes_called
from khojd.index.rows import PLACE, Change, DocumentRows, FileStat, State

_INSERT_DOCUMENT = """
INSERT INTO documents (path, overlay, folder, state, reason, state_at, size, mtime_ns, inode, hash, fingerprint,
                       format, language, encoding, title, notes)
VALUES (?, ?, ?, 'indexed', '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE_DOCUMENT = """
UPDATE documents SET visible = 1, folder = ?, state = 'indexed', reason = '', state_at = ?, size = ?, mtime_ns = ?, inode = ?,
  hash = ?, fingerprint = ?, format = ?, language = ?, encoding = ?, title = ?, notes = ? WHERE id = ?"""
_INSERT_ENTRY = """
INSERT INTO entries (document_id, id, position, start, end, start_line, start_column, end_line, end_column, segments, day,
                     key, headings, text)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_STATE = """
INSERT INTO documents (path, overlay, visible, folder, state, reason, state_at, size, mtime_ns, inode, hash, fingerprint)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE_STATE = """
UPDATE documents SET folder = ?, state = ?, reason = ?, state_at = CASE WHEN state = ? AND reason = ? THEN state_at ELSE ? END,
  size = ?, mtime_ns = ?, inode = ?, hash = ?, fingerprint = ?, format = '', language = '', encoding = '', title = '', notes = '[]'
WHERE id = ?"""
_UPDATE_ENTRY = """
UPDATE entries SET position = ?, start = ?, end = ?, start_line = ?, start_column = ?, end_line = ?, end_column = ?, segments = ?,
  day = ? WHERE id = ?"""
_OLD_ENTRIES = """
SELECT key, id, position, start, end, start_line, start_column, end_line, end_column, segments, day
FROM entries WHERE document_id = ? ORDER BY position"""
_INSERT_SECTION = """
INSERT INTO sections (id, document_id, entry_id, position, parent, level, heading, start, end, line, todo, priority)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_VALUE = "INSERT INTO section_values (section_id, place, kind, key, folded_key, value, folded) VALUES (?, ?, ?, ?, ?, ?, ?)"
_INSERT_DATE = "INSERT OR IGNORE INTO section_dates (section_id, kind, start, end) VALUES (?, ?, ?, ?)"


def store_document(db: sqlite3.Connection, file: FileStat, rows: DocumentRows) -> Change:
    """Make a document what the catalog has for `file`, with the state `indexed`.

    Entries whose key is unchanged keep their id, words and vectors, and only move; equal keys are matched in order. Their words are
    written again where the note is called otherwise. New ones wait for words and vectors; vanished ones leave a tombstone for the
    words index.
    """
    row = db.execute("SELECT id, hash, state FROM documents WHERE path = ? AND overlay = ?", (file.path, file.overlay)).fetchone()
    fresh = row is None or (row[2] == "pending" and not row[1])  # announced, but never read
    about = (
        *(time.time(), file.size, file.mtime_ns, file.inode, file.hash, file.fingerprint),
        *(rows.format, rows.language, rows.encoding, rows.title, rows.notes),
    )
    before = now = Called(rows.names, rows.about)
    old: dict[bytes, deque[tuple[int, tuple[object, ...]]]] = defaultdict(deque)
    if row is None:
        known = db.execute(_INSERT_DOCUMENT, (file.path, file.overlay, file.folder, *about)).lastrowid or 0
    else:
        known = int(row[0])
        db.execute(_UPDATE_DOCUMENT, (file.folder, *about, known))
    if not fresh:
        before = notes_called(db, (known,)).get(known, NOTHING)
        for key, entry_id, *place in db.execute(_OLD_ENTRIES, (known,)):
            old[key].append((entry_id, tuple(place)))
        db.execute("DELETE FROM sections WHERE document_id = ?", (known,))

    next_id = _last(db, "SELECT seq FROM sqlite_sequence WHERE name = 'entries'") + 1
    ids, added, kept, inserts, updates, again = [], [], [], [], [], []
    for entry in rows.entries:
        matches = old.get(entry[PLACE])
        if matches:
            entry_id, former = matches.popleft()
            kept.append(entry_id)
            place = entry[:PLACE]
            if former != place:
                updates.append((*place, entry_id))
            if now != NOTHING and (former[0] == 0) != (entry[0] == 0):
                again.append((entry_id,))  # the note begins elsewhere
        else:
            entry_id, next_id = next_id, next_id + 1
            added.append(entry_id)
            inserts.append((known, entry_id, *entry))
        ids.append(entry_id)
    removed = tuple(entry_id for matches in old.values() for entry_id, _ in matches)
    if updates:
        db.executemany(_UPDATE_ENTRY, updates)
    if inserts:
        db.executemany(_INSERT_ENTRY, inserts)
    if now != before:
        again = [(entry_id,) for entry_id in kept]
    if again:
        db.executemany("UPDATE entries SET words = 0 WHERE id = ?", again)
    _store_sections(db, known, rows, ids)
    graph.store(db, known, file.path, rows, fresh=fresh)
    if removed:
        gone = [(entry_id,) for entry_id in removed]
        db.executemany("INSERT OR IGNORE INTO words_tombstones VALUES (?)", gone)
        db.executemany("DELETE FROM entries WHERE id = ?", gone)
    return Change(known, tuple(added), tuple(kept), removed)


def set_state(db: sqlite3.Connection, file: FileStat, state: State, reason: str) -> Change:
    """Record that `file` is `pending`, `skipped` or `failed`, and why.

    The entries of a skipped or failed file are withdrawn, and with them its links and what it was called; those of a pending one
    still answer. In place of a buffer that is not read (`visible` is 0), its file answers. The file's stat is kept as given, so
    that an unchanged file is not read again; a pending file keeps the hash and fingerprint of what its entries were made from.
    What fails again for the same reason has done so since the first time.
    """
    now = time.time()
    stat = (file.size, file.mtime_ns, file.inode, file.hash, file.fingerprint)
    known = document_id(db, file.path, overlay=file.overlay)
    if known is None:
        known = (
            db.execute(_INSERT_STATE, (file.path, file.overlay, not file.overlay, file.folder, state, reason, now, *stat)).lastrowid
            or 0
        )
        if state != "pending":  # that one gets its names with its text
            graph.store_name(db, known, file.path)
        return Change(known)
    if state == "pending":
        db.execute("UPDATE documents SET state = ?, reason = ?, state_at = ? WHERE id = ?", (state, reason, now, known))
        return Change(known)
    db.execute(_UPDATE_STATE, (file.folder, state, reason, state, reason, now, *stat, known))
    if file.overlay:
        db.execute("UPDATE documents SET visible = 0 WHERE id = ?", (known,))
    graph.store_name(db, known, file.path)
    return Change(known, removed=_withdraw(db, known))


def touch(db: sqlite3.Connection, document_id: int, *, size: int, mtime_ns: int, inode: int) -> None:
    """Record the new stat of a file whose bytes are unchanged."""
    db.execute("UPDATE documents SET size = ?, mtime_ns = ?, inode = ? WHERE id = ?", (size, mtime_ns, inode, document_id))


def remove_document(db: sqlite3.Connection, document_id: int) -> Change:
    """Remove a file or a buffer with all that belongs to it."""
    removed = _withdraw(db, document_id)
    db.execute("DELETE FROM documents WHERE id = ?", (document_id,))
    return Change(document_id, removed=removed)


def rename_document(db: sqlite3.Connection, document_id: int, path: str, folder: str) -> Change:
    """Move a file to another path: its entries keep their ids and vectors, their words are written again with the new name.

    A file that was known at `path` is removed. Where the format or the date in the name changed, the entries do, too: then the
    caller stores the document again after this.
    """
    replaced = db.execute("SELECT id FROM documents WHERE path = ? AND overlay = 0 AND id <> ?", (path, document_id)).fetchone()
    removed = remove_document(db, replaced[0]).removed if replaced else ()
    db.execute("UPDATE documents SET path = ?, folder = ?, visible = 1 WHERE id = ?", (path, folder, document_id))
    db.execute("UPDATE entries SET words = 0 WHERE document_id = ?", (document_id,))
    graph.rename(db, document_id, path)
    return Change(document_id, kept=_entry_ids(db, document_id), removed=removed)


def clear_overlays(db: sqlite3.Connection) -> int:
    """Remove every buffer (at start-up no editor is attached) and show their files; returns how many there were."""
    ids = [row[0] for row in db.execute("SELECT id FROM documents WHERE overlay > 0")]
    for overlay in ids:
        remove_document(db, overlay)
    return len(ids)


def document_id(db: sqlite3.Connection, path: str, *, overlay: int = 0) -> int | None:
    """The id of a file, or of the buffer that stands in for it."""
    row = db.execute("SELECT id FROM documents WHERE path = ? AND overlay = ?", (path, overlay)).fetchone()
    return None if row is None else int(row[0])


def _withdraw(db: sqlite3.Connection, document_id: int) -> tuple[int, ...]:
    ids = _entry_ids(db, document_id)
    db.execute("INSERT OR IGNORE INTO words_tombstones SELECT id FROM entries WHERE document_id = ?", (document_id,))
    db.execute("DELETE FROM sections WHERE document_id = ?", (document_id,))
    db.execute("DELETE FROM entries WHERE document_id = ?", (document_id,))
    return ids


def _entry_ids(db: sqlite3.Connection, document_id: int) -> tuple[int, ...]:
    return tuple(row[0] for row in db.execute("SELECT id FROM entries WHERE document_id = ? ORDER BY position", (document_id,)))


def _store_sections(db: sqlite3.Connection, document_id: int, rows: DocumentRows, entry_ids: Sequence[int]) -> None:
    first = _last(db, "SELECT max(id) FROM sections") + 1
    owners = map([*entry_ids, None].__getitem__, rows.owners)  # the last one is that of -1
    db.executemany(_INSERT_SECTION, zip(count(first), repeat(document_id), owners, *rows.sections))
    for sql, (positions, *columns) in ((_INSERT_VALUE, rows.values), (_INSERT_DATE, rows.dates)):
        if positions:
            db.executemany(sql, zip(map(first.__add__, positions), *columns, strict=True))


def _last(db: sqlite3.Connection, sql: str) -> int:
    row = db.execute(sql).fetchone()
    return int(row[0] or 0) if row else 0
