"""What links can name, and the links, of each document. Writing functions work inside the caller's transaction."""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain, repeat

import msgspec

from khojd.content import names
from khojd.content.model import Anchor, Link
from khojd.index.rows import DocumentRows

NAME, ALIAS, TITLE, HEADING = 0, 1, 2, 3

_links = msgspec.msgpack.Decoder(tuple[Link, ...])
_anchors = msgspec.msgpack.Decoder(tuple[Anchor, ...])
_DENOTE = re.compile(r"([0-9]{8}T[0-9]{6})(?=--|==|__|\.|$)")
_EMPTY = msgspec.msgpack.encode(())
_NONE: tuple[tuple[str, ...], tuple[int, ...], tuple[str, ...]] = ((), (), ())


def store(db: sqlite3.Connection, document_id: int, path: str, rows: DocumentRows, *, fresh: bool = False) -> None:
    """Make names and links those of a document. `fresh`: nothing of it has been stored before."""
    if not fresh:
        forget(db, document_id)
    _name(db, document_id, path, rows.named)
    if rows.links:
        db.executemany("INSERT OR IGNORE INTO link_keys VALUES (?, ?)", zip(rows.link_keys, repeat(document_id)))
        db.execute(
            "INSERT OR REPLACE INTO document_links VALUES (?, ?, ?, ?)", (document_id, rows.links, rows.anchors, rows.abbreviations)
        )


def store_name(db: sqlite3.Connection, document_id: int, path: str) -> None:
    """The name alone, of a file that is not read."""
    forget(db, document_id)
    _name(db, document_id, path, _NONE)


def rename(db: sqlite3.Connection, document_id: int, path: str) -> None:
    """The file has another path; its links stay."""
    db.execute("DELETE FROM note_names WHERE document_id = ? AND kind = ?", (document_id, NAME))
    _name(db, document_id, path, _NONE)


def forget(db: sqlite3.Connection, document_id: int) -> None:
    """Remove names and links."""
    for table in ("note_names", "link_keys", "document_links"):
        db.execute(f"DELETE FROM {table} WHERE document_id = ?", (document_id,))


def links_of(db: sqlite3.Connection, document_id: int) -> tuple[tuple[Link, ...], dict[str, str]]:
    """The links of a document, and its Org abbreviations."""
    row = db.execute("SELECT links, abbreviations FROM document_links WHERE document_id = ?", (document_id,)).fetchone()
    return (_links.decode(row[0]), msgspec.json.decode(row[1])) if row else ((), {})


def anchors_of(db: sqlite3.Connection, document_id: int) -> tuple[Anchor, ...]:
    row = db.execute("SELECT anchors FROM document_links WHERE document_id = ?", (document_id,)).fetchone()
    return _anchors.decode(row[0]) if row and row[0] != _EMPTY else ()


def documents_with(db: sqlite3.Connection, keys: Sequence[str]) -> list[int]:
    """Ids of the documents that answer now and have a link under one of `keys`."""
    found: set[int] = set()
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        marks = ",".join("?" * len(part))
        found.update(
            row[0]
            for row in db.execute(
                f"SELECT k.document_id FROM link_keys k JOIN seen d ON d.id = k.document_id WHERE k.key IN ({marks})",
                part,
            )
        )
    return sorted(found)


def own_names(path: str) -> dict[str, str]:
    """What a file is called by its path alone, by key: the name of the file, and the id that Denote starts it with."""
    stem = names.stem(path)
    found = {names.key(path.rpartition("/")[2]): stem}
    if denote := _DENOTE.match(stem):
        found[names.fold(denote[1])] = denote[1]
    return found


def _name(db: sqlite3.Connection, document_id: int, path: str, named: tuple[Iterable[str], Iterable[int], Iterable[str]]) -> None:
    values = [(key, document_id, NAME, name) for key, name in own_names(path).items() if key]
    keys, kinds, written = named
    db.executemany(
        "INSERT OR REPLACE INTO note_names VALUES (?, ?, ?, ?)", chain(values, zip(keys, repeat(document_id), kinds, written))
    )
