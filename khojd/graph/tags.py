"""Tags over all notes."""

import sqlite3

from msgspec import Struct


class TagCount(Struct, frozen=True):
    """A tag as it is most often written, and in how many notes it stands."""

    name: str
    notes: int


def counts(db: sqlite3.Connection) -> list[TagCount]:
    """Every tag, the most used first."""
    rows = db.execute(
        "SELECT v.value, count(DISTINCT s.document_id), v.folded FROM section_values v JOIN sections s ON s.id = v.section_id"
        " JOIN documents d ON d.id = s.document_id WHERE v.kind = 'tag' AND d.visible = 1 GROUP BY v.folded, v.value"
    )
    spellings: dict[str, list[tuple[int, str]]] = {}
    for value, number, folded in rows:
        spellings.setdefault(folded, []).append((number, value))
    found = [TagCount(max(written)[1], sum(number for number, _ in written)) for written in spellings.values()]
    return sorted(found, key=lambda tag: (-tag.notes, tag.name))


def documents(db: sqlite3.Connection, tag: str, *, nested: bool = True) -> list[int]:
    """Ids of the documents that answer now and have `tag`, or with `nested` one below it (`tag/…`), in the order of paths."""
    folded = tag.casefold()
    below = (folded + "/", folded + "0") if nested else (folded, folded)  # "0" follows "/"
    rows = db.execute(
        "SELECT DISTINCT d.id, d.path FROM section_values v JOIN sections s ON s.id = v.section_id"
        " JOIN documents d ON d.id = s.document_id WHERE v.kind = 'tag' AND v.folded_key = ''"
        " AND (v.folded = ? OR (v.folded >= ? AND v.folded < ?)) AND d.visible = 1 ORDER BY d.path",
        (folded, *below),
    )
    return [row[0] for row in rows]
