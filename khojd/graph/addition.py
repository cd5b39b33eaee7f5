"""The notes as they would be with one more."""

import posixpath

from khojd.graph.graph import Graph
from khojd.graph.model import Note, Place
from khojd.graph.notes import Notes
from khojd.graph.sheet import Sheet
from khojd.index.catalog_graph import NAME, own_names


class _Added(Notes):
    """`notes`, and one that is about to be made."""

    def __init__(self, notes: Notes, note: Note) -> None:
        super().__init__(notes.db, notes.roots, notes.shown, notes.follows)
        self._note = note
        self._keys = own_names(note.path)

    def at(self, path: str) -> Note | None:
        return self._note if path == self._note.path else super().at(path)

    def by_id(self, document_id: int) -> Note | None:
        return self._note if document_id == self._note.id else super().by_id(document_id)

    def named(self, *keys: str) -> list[tuple[int, str, Note]]:
        return super().named(*keys) + [(NAME, self._keys[key], self._note) for key in keys if key in self._keys]


def added(graph: Graph, sheet: Sheet) -> tuple[Graph, Place]:
    """The graph with the note that `sheet` has, which is not there yet, and the place of that note."""
    root = graph.notes.root(sheet.path)
    name = posixpath.basename(sheet.path)
    note = Note(-1, sheet.path, root or posixpath.dirname(sheet.path), sheet.format, sheet.parsed.title, name, b"", True, True)
    after = graph.over({**graph.sheets, sheet.path: sheet})
    after.notes = _Added(graph.notes, note)
    return after, Place(sheet.path, "note", note=note)
