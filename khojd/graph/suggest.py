"""Names that begin with, hold, or are spelled by what was typed: notes, headings, tags, property keys."""

import sqlite3
from collections.abc import Sequence
from urllib.parse import unquote

from msgspec import Struct

from khojd.content import names

LONGEST = 60  # characters of what was typed that count
_NAMED = "n.document_id, n.kind, n.name, d.path, d.title"
_ESCAPE = " ESCAPE '\\'"


class Named(Struct, frozen=True):
    """A note under one of its names; `kind` 0 the name of its file, 1 an alias, 2 its title, 3 its first heading."""

    document_id: int
    kind: int
    name: str
    path: str
    title: str


class NamedHeading(Struct, frozen=True):
    """A heading with its note; `identity` is its Org ID, "" when it has none."""

    document_id: int
    path: str
    section: int
    heading: str
    start: int
    line: int
    identity: str


def notes(db: sqlite3.Connection, typed: str, limit: int, *, files: bool = False) -> list[Named]:
    """Notes by what was typed, each once, the nearest names first; those changed last without any text.

    files: pictures and other files that are not read, too, when something was typed.
    """
    typed = unquote(typed)  # a path as it stands in a URL
    above, _, last = typed.lstrip("./").rpartition("/")
    if above and (below := _below(db, above[:LONGEST], names.fold(last)[:LONGEST], limit)):
        return below
    folded = names.fold(typed.strip("./")).rsplit("/", 1)[-1][:LONGEST]
    if not folded:
        rows = db.execute(
            f"SELECT {_NAMED} FROM (SELECT id, path, title, mtime_ns FROM documents INDEXED BY documents_recent"
            " WHERE visible = 1 AND state = 'indexed' AND id NOT IN (SELECT id FROM unseen) ORDER BY mtime_ns DESC LIMIT ?) d"
            " JOIN note_names n ON n.document_id = d.id AND n.kind = 0 ORDER BY d.mtime_ns DESC, d.path",
            (limit,),
        ).fetchall()
    else:
        order, values = _nearness("key", folded)
        # More than asked for: some may be hidden, and some are names of one note.
        rows = db.execute(
            f"SELECT {_NAMED} FROM (SELECT *, row_number() OVER (ORDER BY {order}, length(key), kind) AS place FROM note_names"
            # Logseq's file of the page a/b is a___b.
            f" WHERE key LIKE ?{_ESCAPE} OR (instr(name, '___') AND name LIKE ?{_ESCAPE})"
            " ORDER BY place LIMIT ?) n JOIN seen d ON d.id = n.document_id"
            " WHERE (d.state = 'indexed' OR ?) ORDER BY n.place, d.path LIMIT ?",
            (*values, _spelled(folded), f"{_literals(folded)}%", 4 * limit, files, limit),
        ).fetchall()
    found: dict[int, Named] = {}
    for row in rows:
        found.setdefault(row[0], Named(*row))
    return list(found.values())


def _below(db: sqlite3.Connection, above: str, last: str, limit: int) -> list[Named]:
    """Notes in a folder, or in one of Logseq's namespaces, by the last part of their names."""
    rows = db.execute(
        f"SELECT {_NAMED} FROM note_names n JOIN seen d ON d.id = n.document_id"
        f" WHERE n.kind = 0 AND (d.path LIKE ?{_ESCAPE} OR n.name LIKE ?{_ESCAPE}) AND n.key LIKE ?{_ESCAPE}"
        " AND d.state = 'indexed' ORDER BY length(d.path), d.path LIMIT ?",
        (f"%/{_literals(above)}/%", f"%{_literals(above.replace('/', '___') + '___')}%", _spelled(last), limit),
    )
    return [Named(*row) for row in rows]


def of_documents(db: sqlite3.Connection, ids: Sequence[int]) -> list[Named]:
    """The notes with these ids, in their order."""
    marks = ",".join("?" * len(ids))
    rows = db.execute(
        "SELECT n.document_id, n.kind, n.name, d.path, d.title FROM note_names n JOIN seen d ON d.id = n.document_id"
        f" WHERE d.id IN ({marks}) AND n.kind = 0 AND d.state = 'indexed'",
        tuple(ids),
    )
    by_id = {row[0]: Named(*row) for row in rows}
    return [by_id[one] for one in ids if one in by_id]


def headings(db: sqlite3.Connection, typed: str, limit: int, *, format: str) -> list[NamedHeading]:
    """Headings of all notes of a format by what was typed, those with an id first."""
    folded = typed.strip()[:LONGEST]
    order, values = _nearness("s.heading", folded)
    rows = db.execute(
        "SELECT s.document_id, d.path, s.position, s.heading, s.start, s.line, coalesce((SELECT v.value FROM section_values v"
        " WHERE v.section_id = s.id AND v.kind = 'prop' AND v.folded_key = 'id' LIMIT 1), '') AS identity"
        " FROM sections s JOIN seen d ON d.id = s.document_id"
        f" WHERE s.level > 0 AND s.heading <> '' AND s.heading LIKE ?{_ESCAPE} AND d.format = ?"
        f" ORDER BY {order}, identity = '', length(s.heading), d.path, s.position LIMIT ?",
        (_spelled(folded), format, *values, limit),
    )
    return [NamedHeading(*row) for row in rows]


def property_keys(db: sqlite3.Connection, format: str, limit: int = 200) -> list[str]:
    """The keys of properties in all notes of a format, the most used first."""
    rows = db.execute(
        "SELECT v.key, count(*) AS uses FROM section_values v JOIN sections s ON s.id = v.section_id"
        " JOIN seen d ON d.id = s.document_id WHERE v.kind = 'prop' AND d.format = ?"
        " GROUP BY v.folded_key ORDER BY uses DESC LIMIT ?",
        (format, limit),
    )
    return [row[0] for row in rows]


def todo_keywords(db: sqlite3.Connection) -> list[str]:
    """The TODO keywords in all notes, the most used first."""
    rows = db.execute("SELECT todo, count(*) AS uses FROM sections WHERE todo <> '' GROUP BY todo ORDER BY uses DESC")
    return [row[0] for row in rows]


def _spelled(text: str) -> str:
    """A LIKE pattern: the characters in this order, with others in between or not."""
    return "%" + "".join(_literal(char) + "%" for char in text if not char.isspace())


def _nearness(column: str, text: str) -> tuple[str, tuple[str, ...]]:
    """ORDER BY terms: exactly this, begins with it, a word begins with it, holds it."""
    literal = _literals(text)
    patterns = (literal, f"{literal}%", f"% {literal}%", f"%{literal}%")
    return ", ".join(f"{column} LIKE ?{_ESCAPE} DESC" for _ in patterns), patterns


def _literals(text: str) -> str:
    return "".join(map(_literal, text))


def _literal(text: str) -> str:
    return f"\\{text}" if text in "%_\\" else text
