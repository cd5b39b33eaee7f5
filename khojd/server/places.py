"""Places and links of many notes as locations in their texts as they are now.

The catalog gives offsets for the texts that it has read. They count for a text with the same hash, and for open documents, whose
sheets the graph has looked at itself; any other text is read again.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from lsprotocol import types as lsp

from khojd.content.model import Link
from khojd.content.registry import settings_of
from khojd.errors import NotFound
from khojd.graph.graph import Graph
from khojd.graph.model import Place, Reference
from khojd.graph.outline import Outline
from khojd.graph.sheet import Sheet, from_disk
from khojd.graph.stop import Stop
from khojd.server.session import Session
from khojd.server.sheets import on_thread

T = TypeVar("T")


class Desk:
    """What a session has open at one moment, and the files that a request has read besides."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._settings = settings_of(session.engine.config.content)
        self.open: Mapping[str, Sheet] = session.documents.sheets(self._settings)
        self._read: dict[str, Sheet | None] = {}

    async def graph(self, work: Callable[[Graph], T]) -> T:
        """The result of `work` on the link graph over these texts."""
        return await self._session.engine.graph(work, self.open)

    async def lay_out(self, paths: Iterable[str]) -> None:
        """Read the files among `paths` that are not open; one that cannot be read is left out of what follows."""
        wanted = [path for path in dict.fromkeys(paths) if path not in self.open and path not in self._read]
        if wanted:
            self._read.update(await on_thread(lambda stop: self._all(wanted, stop)))

    def sheet(self, path: str) -> Sheet | None:
        """The text of a path that was laid out or is open."""
        return self.open.get(path) or self._read.get(path)

    async def locations(self, places: Iterable[Place]) -> list[lsp.Location]:
        """Where the places are; those in files that cannot be read are at the file's start."""
        wanted = list(places)
        await self.lay_out(place.path for place in wanted if place.start or place.line is not None or place.label)
        # A file that the catalog does not know as it is now is parsed for that.
        return await on_thread(lambda stop: [self._location(place, stop) for place in wanted])

    async def links(self, references: Iterable[Reference]) -> list[tuple[Sheet, Link]]:
        """The links of references in the texts as they are now; a link that is there no longer is left out."""
        wanted = list(references)
        await self.lay_out(reference.note.path for reference in wanted)
        return await on_thread(lambda stop: self._links(wanted, stop))

    def span(self, place: Place) -> tuple[Sheet, int, int] | None:
        """The range of a place in its text: a heading's line (also for its id), an anchor's name. None for a text not laid out."""
        sheet = self.sheet(place.path)
        if sheet is None:
            return None
        if place.line is not None:
            line = min(place.line, len(sheet.lines) - 1)
            last = line if place.last_line is None else min(place.last_line, len(sheet.lines) - 1)
            return sheet, sheet.lines.starts[line], sheet.lines.end(last)
        if place.kind in ("note", "file"):
            return sheet, 0, 0
        current = place if self._is_known(sheet, place) else _find_again(sheet, place)
        if current is None:
            return sheet, 0, 0
        start = current.start if current.kind == "heading" else None
        if current.kind == "id" and (heading := sheet.sections[current.section].heading_segment) is not None:
            # It names the heading, wherever its property stands; the name that a tag of HTML gives names that tag.
            start = heading.start if sheet.format == "org" or heading.start <= current.start < heading.end else None
        if start is not None:
            return sheet, start, sheet.lines.end(sheet.lines.line(start))
        return sheet, current.start, current.end

    def _links(self, references: list[Reference], stop: Stop) -> list[tuple[Sheet, Link]]:
        found = []
        for reference in references:
            stop.check()
            sheet = self.sheet(reference.note.path)
            if sheet is not None and (link := _same_link(sheet, reference)) is not None:
                found.append((sheet, link))
        return found

    def _location(self, place: Place, stop: Stop) -> lsp.Location:
        stop.check()
        found = self.span(place)
        if found is None:
            zero = lsp.Position(0, 0)
            return lsp.Location(self._session.uri(place.path), lsp.Range(zero, zero))
        return self._session.location(*found)

    def _is_known(self, sheet: Sheet, place: Place) -> bool:
        return sheet.version is not None or (place.note is not None and sheet.digest == place.note.hash)

    def _all(self, paths: list[str], stop: Stop) -> dict[str, Sheet | None]:
        return {path: self._one(path, stop) for path in paths}

    def _one(self, path: str, stop: Stop) -> Sheet | None:
        stop.check()
        try:
            return from_disk(path, self._settings)
        except NotFound:
            return None


def _same_link(sheet: Sheet, reference: Reference) -> Link | None:
    if sheet.version is not None or sheet.digest == reference.note.hash:
        return reference.link
    wanted = reference.link
    same = [link for link in sheet.links if (link.kind, link.target, link.text) == (wanted.kind, wanted.target, wanted.text)]
    return min(same, key=lambda link: abs(link.start - wanted.start), default=None)


def _find_again(sheet: Sheet, place: Place) -> Place | None:
    outline = Outline.of(sheet)
    if place.kind == "heading":
        found = [heading for heading in outline.headings if heading.text == place.label]
        nearest = min(found, key=lambda heading: abs(heading.start - place.start), default=None)
        return (
            None if nearest is None else Place(place.path, "heading", nearest.start, nearest.start, nearest.text, nearest.section)
        )
    anchor = next((anchor for anchor in outline.anchors if anchor.name == place.label), None)
    return None if anchor is None else Place(place.path, place.kind, anchor.start, anchor.end, anchor.name, anchor.section)
