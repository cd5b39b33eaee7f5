"""What the cursor is on, as far as other notes can refer to it: a note, a heading, a block, an id, or a tag."""

from __future__ import annotations

from typing import NamedTuple

from khojd.content import names
from khojd.graph.graph import Graph
from khojd.graph.model import Place
from khojd.graph.sheet import Sheet


class Subject(NamedTuple):
    """Either a `place` or a `tag`. `start` and `end` are the range of what was pointed at in the sheet."""

    place: Place | None
    tag: str
    start: int
    end: int


def at(graph: Graph, sheet: Sheet, offset: int) -> Subject | None:
    """What a link at `offset` leads to, else the tag, heading or anchor there, else the note itself; None for a link to nowhere."""
    link = sheet.link_at(offset)
    if link is not None:
        found = graph.resolve(sheet, link)
        return Subject(found.places[0], "", link.start, link.end) if found.places else None
    tag = sheet.mark_at(offset, "tag")
    if tag is not None:
        return Subject(None, tag.value, tag.start, tag.end)
    place = place_at(graph, sheet, offset)
    return Subject(place, "", place.start, place.end) if place is not None else None


def place_at(graph: Graph, sheet: Sheet, offset: int) -> Place | None:
    """The heading or anchor at `offset`; the note at its title and at its start."""
    place = graph.place_at(sheet, offset)
    if place is not None and place.kind == "heading" and is_title(sheet, place):
        return Place(place.path, "note", note=place.note)
    return place


def is_title(sheet: Sheet, place: Place) -> bool:
    """Whether a heading stands for the whole note: the first one of a Markdown note, alone on the first level.

    It is what the note begins with, or named as the note is. Front matter may give another title: people read this one.
    """
    if sheet.format != "markdown" or sheet.sections[place.section].level != 1:
        return False
    if sum(section.level == 1 for section in sheet.sections) > 1 or place.section != 1:
        return False
    title = names.heading_key(place.label)
    stem = names.stem(sheet.path)
    return not sheet.sections[0].segments or title in (names.heading_key(sheet.parsed.title or stem), names.heading_key(stem))
