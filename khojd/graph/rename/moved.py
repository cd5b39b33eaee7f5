"""The notes as they would be after files and folders have got other paths."""

import posixpath
from collections.abc import Iterable

from msgspec import structs

from khojd.content import names
from khojd.content.dates import filename_date
from khojd.graph.model import Note
from khojd.graph.notes import Notes
from khojd.index.catalog_graph import NAME, own_names


class Moves:
    """Old paths and new ones, of files and of folders with all that is in them."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = tuple(pairs)

    def new(self, path: str) -> str:
        """Where `path` is afterwards."""
        return _carried(path, self.pairs)

    def old(self, path: str) -> str | None:
        """What is at `path` afterwards, by its path before; None when it has left and nothing took its place."""
        before = _carried(path, [(new, old) for old, new in self.pairs])
        return before if self.new(before) == path else None


def _carried(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    inside = [(old, new) for old, new in pairs if path == old or path.startswith(old + "/")]
    if not inside:
        return path
    old, new = max(inside, key=lambda pair: len(pair[0]))
    return new + path[len(old) :]


class Moved(Notes):
    """`notes` after `moves`; everything is asked by new paths."""

    def __init__(self, notes: Notes, moves: Moves) -> None:
        super().__init__(notes.db, notes.roots, notes.shown, notes.follows)
        self.moves = moves
        self._carried = [self._shift(note) for old, _ in moves.pairs for note in notes.below(old)]
        self._by_key: dict[str, list[tuple[str, Note]]] = {}
        for note in self._carried:
            for key, name in own_names(note.path).items():
                self._by_key.setdefault(key, []).append((name, note))

    def at(self, path: str) -> Note | None:
        before = self.moves.old(path)
        note = super().at(before) if before is not None else None
        return self._shift(note) if note is not None else None

    def by_id(self, document_id: int) -> Note | None:
        note = super().by_id(document_id)
        return self._shift(note) if note is not None else None

    def named(self, *keys: str) -> list[tuple[int, str, Note]]:
        found = []
        for kind, name, note in super().named(*keys):
            shifted = self._shift(note)
            if kind != NAME or shifted is note:
                found.append((kind, name, shifted))
        return found + [(NAME, name, note) for key in keys for name, note in self._by_key.get(key, ())]

    def exists(self, path: str) -> bool:
        before = self.moves.old(path)
        return before is not None and super().exists(before)

    def daily(self, start: int, end: int) -> list[Note]:
        shifted = [self._shift(note) for note in super().daily(start, end)]
        carried = {note.id for note in self._carried}
        return [note for note in shifted if note.id not in carried or _day(note) == (start, end)]

    def _shift(self, note: Note) -> Note:
        path = self.moves.new(note.path)
        if path == note.path:
            return note
        return structs.replace(note, path=path, folder=self.root(path) or posixpath.dirname(path), name=names.stem(path))


def _day(note: Note) -> tuple[int, int] | None:
    day = filename_date(note.name)
    return (day.start, day.end) if day is not None else None
