"""Questions about links, answered from the catalog for all notes, and from the texts at hand for those."""

import posixpath
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from khojd.content import names, targets
from khojd.content.model import Link
from khojd.content.targets import Target
from khojd.graph.mentions import Phrase
from khojd.graph.model import Note, Place, Reference, Resolution
from khojd.graph.notes import Follows, Notes
from khojd.graph.outline import Outline, anchor_place, heading_place
from khojd.graph.sheet import Sheet
from khojd.graph.stop import Stop
from khojd.index import catalog_graph

# note.md#L12, note.md#L12-L15; a column is not followed, as in GitHub's #L12C3 and VS Code's #L12,3.
_LINES = re.compile(r"L([0-9]{1,9})(?:[C,][0-9]+)?(?:-L?([0-9]{1,9})(?:[C,][0-9]+)?)?")
# Of several readings of a link the one that gets furthest counts.
_ORDER = ("found", "ambiguous", "external", "outside", "no-anchor", "no-note", "refused", "empty")


class Graph:
    """The link graph as it is at this moment. An object serves one request on one thread and keeps what it looked up.

    `sheets` are the texts that the asking editor shows, by path: for these notes they count, not what the catalog has, which
    lags by the tenth of a second that indexing takes.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        roots: Sequence[str],
        sheets: Mapping[str, Sheet],
        phrase: Phrase,
        *,
        stop: Stop | None = None,
        follows: Follows = bool,
    ) -> None:
        self.db = db
        self.stop = stop or Stop()
        self.phrase = phrase
        self.sheets = sheets
        self.notes = Notes(db, roots, sheets.keys(), follows)
        self._outlines: dict[str, Outline] = {}
        self._resolved: dict[tuple[str, str, str, str], Resolution] = {}

    def over(self, sheets: Mapping[str, Sheet]) -> "Graph":
        """The graph with these texts in place of its own."""
        return Graph(self.db, self.notes.roots, sheets, self.phrase, stop=self.stop, follows=self.notes.follows)

    # Where a link leads

    def resolve(self, sheet: Sheet, link: Link) -> Resolution:
        """What `link` in `sheet` means."""
        found = self.meaning(sheet.path, link, sheet.abbreviations)
        if found.status == "no-note" and found.target.kind == "attachment":
            return self._attachment(sheet, link)
        return found

    def meaning(self, source: str, link: Link, abbreviations: Mapping[str, str]) -> Resolution:
        """What a link in the note at `source` means, by the reading of it that gets furthest; attachments are not looked for."""
        # A link within its note depends on the note, any other on its directory and on the note's suffix alone.
        known = (source, link.kind, link.target, link.text)
        found = self._resolved.get(known)
        if found is None:
            self.stop.check()
            readings = [self.follow(target, source) for target in targets.read(link, abbreviations)]
            found = self._resolved[known] = min(readings, key=lambda reading: _ORDER.index(reading.status))
        return found

    def follow(self, target: Target, source: str) -> Resolution:
        """What a target means in the note at `source`."""
        if target.kind in ("empty", "external"):
            return Resolution(target.kind, target=target)
        if target.kind == "here":
            note = self.notes.at(source)
            return self._within(Resolution("found", (Place(source, "note", note=note),)), target)
        if target.kind == "id":
            return self._within(self._by_id(target.path), target)
        if target.kind == "attachment":
            return Resolution("no-note", target=target)
        by = self.notes.by_name if target.kind == "name" else self.notes.by_path
        return self._within(by(target.path, source), target)

    def outline(self, path: str, note: Note | None) -> Outline:
        """The headings and anchors of a note."""
        known = self._outlines.get(path)
        if known is None:
            sheet = self.sheets.get(path)
            if sheet is not None:
                known = Outline.of(sheet)
            else:
                known = Outline.read(self.db, note.id) if note is not None else Outline((), ())
            self._outlines[path] = known
        return known

    def places_with_id(self, value: str) -> tuple[Place, ...]:
        """The headings, blocks and notes that have this id; more than one is a mistake."""
        return self._by_id(value).places

    # What leads to a place

    def backlinks(self, place: Place) -> list[Reference]:
        """The links to a place, those within its own note included, in the order of paths and of the text.

        For a whole note: all links to it or into it. For a heading, a block or an id: those that name it.
        """
        return list(self.each_backlink(place))

    def each_backlink(self, place: Place) -> Iterator[Reference]:
        """The same one by one, for who needs only the first."""
        note = place.note or self.notes.at(place.path)
        if note is None:
            return
        for source, links, abbreviations in self._sources(note):
            for link in links:
                resolution = self.meaning(source.path, link, abbreviations)
                if resolution.status in ("found", "ambiguous", "no-anchor") and leads(resolution.places[0], place):
                    yield Reference(source, link, resolution.target, resolution.places[0])

    def place_at(self, sheet: Sheet, offset: int) -> Place | None:
        """The heading or anchor that stands at `offset`; the note itself at its title or its start."""
        note = self.notes.at(sheet.path)
        anchor = sheet.anchor_at(offset)
        if anchor is not None:
            found = next((one for one in self.outline(sheet.path, note).anchors if one.start == anchor.start), None)
            if found is not None:
                return anchor_place(found, sheet.path, note)
        index = sheet.heading_at(offset)
        if index:
            heading = self.outline(sheet.path, note).heading(index)
            return heading_place(heading, sheet.path, note) if heading is not None else None
        return Place(sheet.path, "note", note=note)

    # Inside

    def _within(self, found: Resolution, target: Target) -> Resolution:
        """The place in the note that was found which the target's anchor means."""
        found = msgspec.structs.replace(found, target=target)
        lines = _LINES.fullmatch(target.anchor) if target.anchor_kind == "heading" else None
        if found.status == "outside" and lines:
            return _at_lines(found, lines)
        if found.status not in ("found", "ambiguous") or not target.anchor:
            return found
        if target.anchor_kind == "line":
            place = found.places[0]
            line = max(int(target.anchor) - 1, 0)
            return msgspec.structs.replace(found, places=(Place(place.path, "note", note=place.note, line=line),))
        if all(place.note is None or not place.note.indexed for place in found.places) and not any(
            place.path in self.sheets for place in found.places
        ):
            return _at_lines(found, lines) if lines else found  # a program's code; the page of a PDF, say
        if target.anchor_kind == "any" and target.anchor[:1] in "(/":
            return found  # a reference into code, a regular expression: Org looks for them in the text
        places = [
            inner
            for place in found.places
            if (inner := self.outline(place.path, place.note).find(target, place.path, place.note)) is not None
        ]
        if not places and lines:
            return _at_lines(found, lines)
        if not places:
            return Resolution("no-anchor", found.places, f"there is no {target.anchor!r} in it", target)
        return Resolution("found" if len(places) == 1 else "ambiguous", tuple(places), found.reason, target)

    def _by_id(self, value: str) -> Resolution:
        rows = self.db.execute(
            "SELECT DISTINCT s.document_id, s.position, s.level, s.heading, s.start FROM section_values v"
            " JOIN sections s ON s.id = v.section_id JOIN seen d ON d.id = s.document_id"
            " WHERE v.kind = 'id' AND v.folded_key = '' AND v.folded = ? ORDER BY d.path, s.position",
            (value.casefold(),),
        ).fetchall()
        places = []
        for document_id, position, level, heading, start in rows:
            note = self.notes.by_id(document_id)
            if note is None or note.path in self.sheets:
                continue  # it went away a moment ago, or the text at hand counts
            anchor = next(iter(self.outline(note.path, note).anchors_named(value)), None)
            if anchor is not None and anchor.kind == "block":
                places.append(Place(note.path, "block", anchor.start, anchor.end, anchor.name, anchor.section, note))
            elif level:
                places.append(Place(note.path, "heading", start, start, heading, position, note))
            else:
                places.append(Place(note.path, "note", note=note))
        for path in self.sheets:
            for anchor in self.outline(path, None).anchors_named(value):
                if anchor.kind == "block":
                    places.append(anchor_place(anchor, path, self.notes.at(path)))
                elif anchor.kind == "id":
                    places.append(self._anchored(path, anchor.section))
        places.sort(key=lambda place: (place.path, place.start))
        if not places:
            return Resolution("no-note", (), f"no heading or block has the id {value}")
        if len(places) == 1:
            return Resolution("found", tuple(places))
        return Resolution("ambiguous", tuple(places), f"{len(places)} places have the id {value}")

    def _anchored(self, path: str, section: int) -> Place:
        note = self.notes.at(path)
        heading = self.outline(path, note).heading(section)
        return heading_place(heading, path, note) if heading is not None else Place(path, "note", note=note)

    def _attachment(self, sheet: Sheet, link: Link) -> Resolution:
        """Org's attachments: in the directory that the section or one above names, else in `data/`, parted by the section's id."""
        target = targets.read(link)[0]
        index = link.section
        while index >= 0:
            section = sheet.sections[index]
            properties = {key.upper(): value for key, value in section.properties}
            own = properties.get("DIR") or properties.get("ATTACH_DIR")
            folders = [own] if own else [f"data/{name[:2]}/{name[2:]}" for name in section.ids if len(name) > 2]
            for folder in folders:
                found = self.notes.by_path(posixpath.join(folder, target.path), sheet.path)
                if found.places:
                    return msgspec.structs.replace(found, target=target)
            index = section.parent
        return Resolution("no-note", (), f"no attachment {target.path!r} is there", target)

    def _sources(self, note: Note) -> Iterator[tuple[Note, Sequence[Link], Mapping[str, str]]]:
        """The notes whose links may lead to `note` or into it, with these links."""
        keys = set(self.notes.names_of(note)) | {names.key(note.path)}
        ids = [anchor.name for anchor in self.outline(note.path, note).anchors if anchor.kind in ("id", "block")]
        keys |= {targets.id_key(name) for name in ids}
        sources = dict.fromkeys(catalog_graph.documents_with(self.db, sorted(keys)))
        sources[note.id] = None
        needles = tuple({*(key.removeprefix("id:") for key in keys)})
        notes = {found.path: found for found in map(self.notes.by_id, sources) if found is not None}
        # What the asking editor has typed a moment ago.
        for path, sheet in self.sheets.items():
            if path not in notes and any(_may_name(link, needles) for link in sheet.links) and (typed := self.notes.at(path)):
                notes[path] = typed
        for path in sorted(notes):
            self.stop.check()
            source, own = notes[path], path == note.path
            links, abbreviations = self.links_of(source)
            links = [one for one in links if abbreviations or _may_name(one, needles) or (own and _is_inner(one))]
            yield source, links, abbreviations

    def links_of(self, note: Note) -> tuple[Sequence[Link], Mapping[str, str]]:
        """The links of a note and its Org abbreviations, from its text where there is one at hand."""
        sheet = self.sheets.get(note.path)
        if sheet is not None:
            return sheet.links, sheet.abbreviations
        return catalog_graph.links_of(self.db, note.id)


def _may_name(link: Link, needles: Sequence[str]) -> bool:
    """Whether a link's text holds one of the folded names; a cheap look before it is resolved."""
    written = link.target + "\n" + link.text if link.kind in ("wiki", "embed") else link.target
    if "%" in written or "___" in written or "\\" in written or "&" in written or not written.isascii():
        return True
    folded = " ".join(written.lower().split())
    return any(needle in folded for needle in needles)


def _is_inner(link: Link) -> bool:
    """Whether a link leads to a place of its own note."""
    return any(target.kind == "here" for target in targets.read(link))


def leads(one: Place, place: Place) -> bool:
    """Whether a link to `one` is among the backlinks of `place`: of a note's are all into it."""
    if one.path != place.path:
        return False
    if place.kind in ("note", "file"):
        return True
    same_heading = place.kind == "heading" and one.kind == "id" and one.section == place.section
    return (one.kind, one.start) == (place.kind, place.start) or same_heading


def _at_lines(found: Resolution, lines: re.Match[str]) -> Resolution:
    """The lines that an anchor names as web sites and editors do, where no heading has that name."""
    first = max(int(lines[1]) - 1, 0)
    last = max(int(lines[2]) - 1, first) if lines[2] else None
    places = tuple(Place(place.path, "note", note=place.note, line=first, last_line=last) for place in found.places)
    target = msgspec.structs.replace(found.target, anchor_kind="line")
    return msgspec.structs.replace(found, places=places, target=target)
