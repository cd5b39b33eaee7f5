"""Tags over all notes."""

import sqlite3
from collections.abc import Collection

from msgspec import Struct

from khojd.graph.model import Note, Place
from khojd.graph.notes import Notes


class TagCount(Struct, frozen=True):
    """A tag as it is most often written, and in how many notes it stands."""

    name: str
    notes: int


def counts(db: sqlite3.Connection) -> list[TagCount]:
    """Every tag, the most used first."""
    rows = db.execute(
        "SELECT v.folded, count(DISTINCT s.document_id), v.value FROM section_values v JOIN sections s ON s.id = v.section_id"
        " JOIN seen d ON d.id = s.document_id WHERE v.kind = 'tag' GROUP BY v.folded"
    )
    spellings: dict[str, tuple[int, str]] = {}
    for folded, value, uses in db.execute(
        "SELECT folded, value, count(*) FROM section_values WHERE kind = 'tag' GROUP BY folded, value"
    ):
        spellings[folded] = max(spellings.get(folded, (0, "")), (uses, value))
    found = [TagCount(spellings.get(folded, (0, value))[1], notes) for folded, notes, value in rows]
    return sorted(found, key=lambda tag: (-tag.notes, tag.name))


def pages(notes: Notes, tag: str, source: str) -> tuple[Place, ...]:
    """The page of a tag in the note at `source`, as Logseq (`#page`) and Dendron (`tags.page`) have them; all of its name."""
    found = (notes.by_name(name, source) for name in (tag, f"tags.{tag.replace('/', '.')}"))
    return next((one.places for one in found if one.places), ())


def of_page(notes: Notes, note: Note) -> set[str]:
    """The tags, case-folded, that may lead to a note as their page: by its name, its title and its aliases."""
    called = {note.name, *notes.names_of(note).values()}
    below = {name.removeprefix("tags.") for name in called if name.startswith("tags.")}
    called |= below | {name.replace(".", "/") for name in below}
    return {name.replace("___", "/").casefold() for name in called}


def may_stand(text: str, wanted: Collection[str]) -> bool:
    """Whether one of the tags, case-folded, may stand in a text; a cheap look before its marks are read."""
    folded = text.casefold()
    return any(tag in folded for tag in wanted)


def documents(db: sqlite3.Connection, tag: str, *, nested: bool = True) -> list[int]:
    """Ids of the documents that answer now and have `tag`, or with `nested` one below it (`tag/…`), in the order of paths."""
    folded = tag.casefold()
    below = (folded + "/", folded + "0") if nested else (folded, folded)  # "0" follows "/"
    rows = db.execute(
        "SELECT DISTINCT d.id, d.path FROM section_values v JOIN sections s ON s.id = v.section_id"
        " JOIN seen d ON d.id = s.document_id WHERE v.kind = 'tag' AND v.folded_key = ''"
        " AND (v.folded = ? OR (v.folded >= ? AND v.folded < ?)) ORDER BY d.path",
        (folded, *below),
    )
    return [row[0] for row in rows]
