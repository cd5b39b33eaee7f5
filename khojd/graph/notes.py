"""Which notes there are, and which of them a name or path means.

What is followed: Obsidian's way with names (a link's path is the end of a note's path, letters' case does not count, an exact path
from the top of the folder comes first), CommonMark's and Org's with paths (relative to the file).
"""

import os
import posixpath
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence

from khojd.content import names, registry
from khojd.content.dates import filename_date
from khojd.graph.model import Note, Place, Resolution
from khojd.index.catalog_graph import NAME, own_names

Follows = Callable[[str], bool]  # whether a path below a folder is of a note: files may be left out

_COLUMNS = "d.id, d.path, d.folder, d.format, d.title, d.hash, d.overlay, d.state"


class Notes:
    """Notes as the catalog has them at the moment. Lookups are kept for the life of the object, which is a request's.

    `shown` are paths that the asking editor has open: a new note is there before the catalog has read it, if it will be.
    """

    def __init__(self, db: sqlite3.Connection, roots: Sequence[str], shown: Collection[str] = (), follows: Follows = bool) -> None:
        self.db = db
        self.shown = shown
        self.follows = follows
        self.roots = tuple(sorted(roots, key=len, reverse=True))
        self._named: dict[tuple[str, ...], list[tuple[int, str, Note]]] = {}
        self._components: dict[int, tuple[str, ...]] = {}

    def at(self, path: str) -> Note | None:
        """The note at exactly this path."""
        row = self.db.execute(f"SELECT {_COLUMNS} FROM seen d WHERE d.path = ?", (path,)).fetchone()
        if row is not None:
            return _note(row)
        return self._unread(path) if path in self.shown else None

    def by_id(self, document_id: int) -> Note | None:
        """The note of an id that another lookup gave."""
        if document_id < 0:
            return next((note for note in map(self.at, self.shown) if note is not None and note.id == document_id), None)
        row = self.db.execute(f"SELECT {_COLUMNS} FROM seen d WHERE d.id = ?", (document_id,)).fetchone()
        return _note(row) if row else None

    def all(self) -> Iterator[Note]:
        """Every note that is read, in the order of paths."""
        for row in self.db.execute(f"SELECT {_COLUMNS} FROM seen d WHERE d.state = 'indexed' ORDER BY d.path"):
            yield _note(row)

    def root(self, path: str) -> str:
        """The configured folder that holds `path`, the innermost one; "" when none does."""
        return next((root for root in self.roots if path == root or path.startswith(root + "/")), "")

    def by_name(self, name: str, source: str) -> Resolution:
        """The notes that `name` (a name, the end of a path, an alias or a title) means in the note at `source`."""
        if name.startswith(("./", "../")):
            return self.by_path(name, source)
        for spelling in names.spellings(name.strip("/")):
            best = self._best(spelling, source)
            if best:
                return _resolution([Place(note.path, "note", note=note) for note in best])
        if (day := filename_date(names.stem(name))) is not None and (dated := self.daily(day.start, day.end)):
            return _resolution([Place(note.path, "note", note=note) for note in dated])
        # Of a note in no folder, nothing but the files around it can be known.
        return Resolution("no-note") if self.root(source) else self.by_path(name, source)

    def by_path(self, path: str, source: str) -> Resolution:
        """The file that a path written in the note at `source` leads to."""
        climbs = False
        for spelling in names.spellings(path):
            target, climbs = self._absolute(spelling, source)
            if (place := self._existing(target, source)) is not None:
                if self.root(place.path):
                    return Resolution("found", (place,))
                if not climbs:
                    return Resolution("outside", (place,), "it is in none of the configured folders")
        if climbs:
            return Resolution("refused", (), f"{path} leads above the configured folders")
        if not path.startswith(("./", "../", "~")):
            # Programs with a vault write paths from its top, or as short as is unique.
            for spelling in names.spellings(path.strip("/")):
                if best := self._best(spelling, source, aliases=False):
                    return _resolution([Place(note.path, "note", note=note) for note in best])
        return Resolution("no-note")

    def named(self, *keys: str) -> list[tuple[int, str, Note]]:
        """The notes with a name under one of `keys`: kind of the name, name as written, note."""
        known = self._named.get(keys)
        if known is None:
            rows = self.db.execute(
                f"SELECT n.kind, n.name, {_COLUMNS} FROM note_names n JOIN seen d ON d.id = n.document_id"
                f" WHERE n.key IN ({','.join('?' * len(keys))})",
                keys,
            )
            known = self._named[keys] = [(kind, name, _note(row)) for kind, name, *row in rows]
            there = {note.path for _, _, note in known}
            for path in self.shown:
                called = own_names(path) if path not in there else {}
                if not called.keys().isdisjoint(keys) and (note := self.at(path)) is not None and note.unread:
                    known += [(NAME, name, note) for key, name in called.items() if key in keys]
        return known

    def below(self, path: str) -> list[Note]:
        """The file at `path`, or all files below this directory, those that are not read included."""
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM seen d WHERE (d.path = ? OR (d.path > ? AND d.path < ?)) ORDER BY d.path",
            (path, path + "/", path + "0"),  # "0" follows "/"
        )
        return [_note(row) for row in rows]

    def exists(self, path: str) -> bool:
        """Whether a file or directory is at `path`, known or not."""
        try:
            return os.path.lexists(path)
        except (OSError, ValueError):  # a name too long, or none at all
            return False

    def components(self, note: Note) -> tuple[str, ...]:
        """The folded parts of its path below its folder."""
        known = self._components.get(note.id)
        if known is None:
            known = self._components[note.id] = names.components(note.path[len(note.folder) + 1 :])
        return known

    def names_of(self, note: Note) -> dict[str, str]:
        """Its name, aliases and title as written, by key."""
        if note.unread:
            return own_names(note.path)
        return dict(self.db.execute("SELECT key, name FROM note_names WHERE document_id = ? ORDER BY kind DESC", (note.id,)))

    # Inside

    def _unread(self, path: str) -> Note | None:
        """A note that was opened a moment ago; its id is of no document."""
        root = self.root(path)
        if not root or not registry.supported(path) or not self.follows(path):
            return None
        number = -2 - sorted(self.shown).index(path)  # -1 is another's
        format = registry.processor(path).format
        return Note(number, path, root, format, "", names.stem(path), b"", unsaved=True, indexed=True)

    def _best(self, name: str, source: str, *, aliases: bool = True) -> list[Note]:
        """The candidates of the first kind that has any, those that come nearer first; one when it is clear."""
        wanted = names.components(name)
        if not wanted:
            return []
        suffix = name[len(names.without_suffix(name)) :].lower()
        tiers: dict[int, list[tuple[str, Note]]] = {}
        for kind, written, note in self.named(*dict.fromkeys((wanted[-1], names.fold(name)))):
            if kind == NAME:
                parts = self.components(note)
                if suffix and not note.path.lower().endswith(suffix):
                    continue
                if len(wanted) == 1 and not parts:
                    continue
                if parts == wanted and len(wanted) > 1:
                    tiers.setdefault(0, []).append((written, note))
                elif parts[-len(wanted) :] == wanted or len(wanted) == 1:
                    tiers.setdefault(1, []).append((written, note))
            elif aliases and (names.fold(written) == names.fold(name) or names.slug(written) == name):
                tiers.setdefault(1 + kind, []).append((written, note))
        return self._choose(tiers[min(tiers)], name, source) if tiers else []

    def _choose(self, candidates: list[tuple[str, Note]], name: str, source: str) -> list[Note]:
        unique = {note.id: (written, note) for written, note in candidates}
        found = list(unique.values())
        if len(found) == 1:
            return [found[0][1]]
        root, suffix = self.root(source), posixpath.splitext(source)[1].lower()
        wanted = names.stem(name)
        preferences = (
            lambda written, note: note.indexed,
            lambda written, note: self.root(note.path) == root,
            lambda written, note: posixpath.splitext(note.path)[1].lower() == suffix,
            lambda written, note: len(self.components(note)) == 1 and "/" not in name,  # at the top: its name is its path
            lambda written, note: written == wanted,
        )
        for preferred in preferences:
            if len(found) > 1 and (kept := [pair for pair in found if preferred(*pair)]):
                found = kept
        directory = posixpath.dirname(source)
        found.sort(key=lambda pair: (posixpath.dirname(pair[1].path) != directory, pair[1].path.count("/"), pair[1].path))
        return [note for _, note in found]

    def _absolute(self, path: str, source: str) -> tuple[str, bool]:
        """The path from the root of the file system, and whether `..` led out of every folder on the way."""
        if path.startswith("~"):
            return posixpath.normpath(os.path.expanduser(path)), False  # noqa: PTH111  a path as text
        if path.startswith("/"):
            below = self.root(source) + posixpath.normpath(path)
            if not self.root(path) and self.at(below) is not None:
                return below, False
            return posixpath.normpath(path), False
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        return target, ".." in path.split("/") and not self.root(target)

    def _existing(self, path: str, source: str) -> Place | None:
        candidates = [path]
        if not posixpath.splitext(path)[1] or names.without_suffix(path) == path:
            own = posixpath.splitext(source)[1]
            candidates += dict.fromkeys((path + own, path + ".md", path + ".org"))
        for candidate in candidates:
            if (note := self.at(candidate)) is not None:
                return Place(note.path, "note" if note.indexed else "file", note=note)
        folded = names.fold(path)
        for _, _, note in self.named(names.key(path)):
            if names.fold(note.path) == folded or names.fold(names.without_suffix(note.path)) == folded:
                return Place(note.path, "note" if note.indexed else "file", note=note)
        there = next((one for one in candidates if "\0" not in one and self.exists(one)), None)
        return Place(there, "file") if there is not None else None

    def daily(self, start: int, end: int) -> list[Note]:
        """The notes whose file is named after that day (Logseq and Dendron write days in several ways)."""
        rows = self.db.execute(
            f"SELECT DISTINCT {_COLUMNS} FROM section_dates t JOIN sections s ON s.id = t.section_id AND s.position = 0"
            " JOIN seen d ON d.id = s.document_id"
            " WHERE t.kind = 'filename' AND t.start = ? AND t.end = ? ORDER BY d.path",
            (start, end),
        )
        return [_note(row) for row in rows]


def _note(row: Sequence[object]) -> Note:
    identity, path, folder, format, title, digest, overlay, state = row
    assert isinstance(identity, int)
    assert isinstance(digest, bytes)
    return Note(
        identity, str(path), str(folder), str(format), str(title), names.stem(str(path)), digest, bool(overlay), state == "indexed"
    )


def _resolution(places: list[Place]) -> Resolution:
    if len(places) == 1:
        return Resolution("found", tuple(places))
    return Resolution("ambiguous", tuple(places), f"{len(places)} notes have this name")
