"""What links can name, and the links, of each document. Writing functions work inside the caller's transaction."""

import re
import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from khojd.content import names
from khojd.content.aliases import aliases
from khojd.content.model import Anchor, Document, Link

NAME, ALIAS, TITLE, HEADING = 0, 1, 2, 3

_pack = msgspec.msgpack.Encoder().encode
_links = msgspec.msgpack.Decoder(tuple[Link, ...])
_anchors = msgspec.msgpack.Decoder(tuple[Anchor, ...])
_DENOTE = re.compile(r"([0-9]{8}T[0-9]{6})(?=--|==|__|\.|$)")
_EMPTY = _pack(())


def store(db: sqlite3.Connection, document_id: int, path: str, document: Document, *, fresh: bool = False) -> None:
    """Make names and links those of `document`. `fresh`: nothing of it has been stored before."""
    if not fresh:
        forget(db, document_id)
    named = {(names.fold(name), ALIAS): name for name in aliases(document.sections[0].properties)} if document.sections else {}
    if document.title:
        named[names.fold(document.title), TITLE] = document.title
    elif heading := _first_heading(document):
        # Many notes have their title there alone; links may have its slug.
        named[names.fold(heading), HEADING] = named[names.slug(heading), HEADING] = heading
    _name(db, document_id, path, named)
    if document.links or document.anchors:
        db.executemany("INSERT OR IGNORE INTO link_keys VALUES (?, ?)", [(key, document_id) for key in document.link_keys])
        abbreviations = msgspec.json.encode(dict(document.abbreviations)).decode() if document.abbreviations else "{}"
        db.execute(
            "INSERT OR REPLACE INTO document_links VALUES (?, ?, ?, ?)",
            (document_id, _pack(document.links), _pack(document.anchors), abbreviations),
        )


def store_name(db: sqlite3.Connection, document_id: int, path: str) -> None:
    """The name alone, of a file that is not read."""
    forget(db, document_id)
    _name(db, document_id, path, {})


def rename(db: sqlite3.Connection, document_id: int, path: str) -> None:
    """The file has another path; its links stay."""
    db.execute("DELETE FROM note_names WHERE document_id = ? AND kind = ?", (document_id, NAME))
    _name(db, document_id, path, {})


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


def _first_heading(document: Document) -> str:
    """The heading that a Markdown note begins with, if it is the only one on the first level; else ""."""
    if document.format != "markdown" or len(document.sections) < 2 or document.sections[1].level != 1:
        return ""
    alone = sum(section.level == 1 for section in document.sections) == 1
    return document.sections[1].heading if alone and not document.sections[0].segments else ""


def own_names(path: str) -> dict[str, str]:
    """What a file is called by its path alone, by key: the name of the file, and the id that Denote starts it with."""
    stem = names.stem(path)
    found = {names.key(path.rpartition("/")[2]): stem}
    if denote := _DENOTE.match(stem):
        found[names.fold(denote[1])] = denote[1]
    return found


def _name(db: sqlite3.Connection, document_id: int, path: str, named: dict[tuple[str, int], str]) -> None:
    rows = {(key, NAME): name for key, name in own_names(path).items()}
    rows.update(named)
    values: Iterable[tuple[str, int, int, str]] = ((key, document_id, kind, name) for (key, kind), name in rows.items() if key)
    db.executemany("INSERT OR REPLACE INTO note_names VALUES (?, ?, ?, ?)", values)
