"""The headings and anchors of a note, and which of them the part of a link after its `#` or `::` means."""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Self, TypeVar

from msgspec import Struct

from khojd.content import names
from khojd.content.model import Anchor
from khojd.content.targets import Target
from khojd.graph.lazy import lazy
from khojd.graph.model import Kind, Note, Place
from khojd.graph.sheet import Sheet
from khojd.index import catalog_graph

_NUMBERED = re.compile(r"(.+)-([0-9]+)$")
_PLACES: dict[str, Kind] = {
    "block": "block",
    "id": "id",
    "custom_id": "id",
    "target": "target",
    "radio": "target",
    "name": "target",
}


class Heading(Struct, frozen=True):
    """A heading; `section` and `parent` are indices of sections."""

    section: int
    parent: int
    level: int
    text: str
    start: int  # of its line


_Named = TypeVar("_Named", Heading, Anchor)


class Outline(Struct, frozen=True, dict=True):
    """What can be named in a note, in file order."""

    headings: tuple[Heading, ...]
    anchors: tuple[Anchor, ...]

    @classmethod
    def of(cls, sheet: Sheet) -> Self:
        """That of a text as it is now."""
        found = (
            Heading(index, section.parent, section.level, section.heading, section.span.start)
            for index, section in enumerate(sheet.sections)
            if section.level
        )
        return cls(tuple(found), sheet.anchors)

    @classmethod
    def read(cls, db: sqlite3.Connection, document_id: int) -> Self:
        """That of a text as the catalog has it."""
        rows = db.execute(
            "SELECT position, parent, level, heading, start FROM sections WHERE document_id = ? AND level > 0 ORDER BY position",
            (document_id,),
        )
        return cls(tuple(Heading(*row) for row in rows), catalog_graph.anchors_of(db, document_id))

    def find(self, target: Target, path: str, note: Note | None) -> Place | None:
        """The place in the note at `path` that `target`'s anchor means, the first one where several fit."""
        found: Heading | Anchor | None = None
        if target.anchor_kind == "heading":
            for anchor in names.spellings(target.anchor):
                found = found or self._heading(anchor) or self._anchor(anchor, "custom_id", "id")
        elif target.anchor_kind == "block":
            found = self._anchor(target.anchor, "block")
        elif target.anchor_kind == "custom_id":
            found = self._anchor(target.anchor, "custom_id")
        elif target.anchor_kind == "any":
            found = self._anchor(target.anchor, "target", "radio", "name") or self._heading(target.anchor)
        if found is None:
            return None
        return heading_place(found, path, note) if isinstance(found, Heading) else anchor_place(found, path, note)

    def heading(self, section: int) -> Heading | None:
        """The heading of a section; None for the root."""
        return self._by_section.get(section)

    def anchors_named(self, name: str) -> Sequence[Anchor]:
        """The anchors of any kind with this name, in file order."""
        return self._by_name.get(names.fold(name), ())

    def _heading(self, anchor: str) -> Heading | None:
        *above, last = [names.heading_key(part) for part in anchor.split("#") if part.strip()] or [""]
        for heading in self._by_key.get(last, ()):
            if not above or self._below(heading, above):
                return heading
        if "#" in anchor:  # a part of the heading's own text
            return self._heading(anchor.replace("#", " "))
        # GitHub drops punctuation where the key has a space (`v1.2` is `v12`), and numbers equal slugs.
        slug = anchor.strip().lower()
        readings = [(slug, 0)]
        if (numbered := _NUMBERED.match(slug)) is not None:
            readings.append((numbered[1], int(numbered[2])))
        for text, number in readings:
            same = self._by_slug.get(text, [])
            if number < len(same):
                return same[number]
        return None

    def _below(self, heading: Heading, above: list[str]) -> bool:
        """Whether the headings `above` stand over it in this order, with others in between or not."""
        wanted = list(above)
        for ancestor in self.ancestors(heading):
            if wanted and names.heading_key(ancestor.text) == wanted[-1]:
                wanted.pop()
        return not wanted

    def ancestors(self, heading: Heading) -> Iterator[Heading]:
        """The headings above, the nearest first."""
        while (parent := self._by_section.get(heading.parent)) is not None:
            yield parent
            heading = parent

    def _anchor(self, name: str, *kinds: str) -> Anchor | None:
        return next((anchor for anchor in self.anchors_named(name) if anchor.kind in kinds), None)

    @lazy
    def slugs(self) -> dict[int, str]:
        """The fragments of the headings by section; of one slug the second ends in -1, and so on."""
        return {
            heading.section: f"{slug}-{number}" if number else slug
            for slug, same in self._by_slug.items()
            for number, heading in enumerate(same)
        }

    # A long note has as many links to its headings as headings: each is looked up, not looked for.

    @lazy
    def _by_section(self) -> dict[int, Heading]:
        return {heading.section: heading for heading in self.headings}

    @lazy
    def _by_key(self) -> dict[str, list[Heading]]:
        return _grouped((names.heading_key(heading.text), heading) for heading in self.headings)

    @lazy
    def _by_slug(self) -> dict[str, list[Heading]]:
        return _grouped((names.slug(heading.text), heading) for heading in self.headings)

    @lazy
    def _by_name(self) -> dict[str, list[Anchor]]:
        return _grouped((names.fold(anchor.name), anchor) for anchor in self.anchors)


def _grouped(pairs: Iterable[tuple[str, _Named]]) -> dict[str, list[_Named]]:
    groups: dict[str, list[_Named]] = {}
    for key, one in pairs:
        groups.setdefault(key, []).append(one)
    return groups


def heading_place(heading: Heading, path: str, note: Note | None) -> Place:
    return Place(path, "heading", heading.start, heading.start, heading.text, heading.section, note)


def anchor_place(anchor: Anchor, path: str, note: Note | None) -> Place:
    return Place(path, _PLACES[anchor.kind], anchor.start, anchor.end, anchor.name, anchor.section, note)
