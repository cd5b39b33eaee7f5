"""A document as rows of the catalog. Pure work, done where the document was parsed: the process that writes has enough to do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from khojd.content import names
from khojd.content.model import DateRef, Document, Entry, Section, Segment
from khojd.index.catalog_graph import ALIAS, HEADING, TITLE
from khojd.index.catalog_names import NOTHING, called
from khojd.index.rows import DocumentRows, EntryRow

_pack = msgspec.msgpack.Encoder().encode


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


# The order of importance of dates for lists; within a rank the first in the entry counts.
_DAY_RANK = {"scheduled": 0, "deadline": 0, "timestamp": 0, "filename": 1, "frontmatter": 1, "inactive": 2, "text": 2, "closed": 2}


def rows_of(document: Document) -> DocumentRows:
    """What the catalog stores of a document."""
    owners = [-1] * len(document.sections)
    for position, entry in enumerate(document.entries):
        for index in entry.sections:
            owners[index] = position
    other = called(document.sections[0].properties) if document.sections else NOTHING
    linked = bool(document.links or document.anchors)
    return DocumentRows(
        format=document.format,
        language=document.language,
        encoding=document.encoding,
        title=document.title,
        notes=_json(document.notes),
        entries=_entries(document),
        owners=tuple(owners),
        sections=_columns(map(_section, range(len(document.sections)), document.sections), 9),
        values=_columns(_values(document.sections), 7),
        dates=_columns(
            ((at, date.kind, date.start, date.end) for at, section in enumerate(document.sections) for date in section.dates), 4
        ),
        named=_columns(_named(document, other.names), 3),
        names=other.names,
        about=other.about,
        link_keys=document.link_keys if linked else (),
        links=_pack(document.links) if linked else b"",
        anchors=_pack(document.anchors) if linked else b"",
        abbreviations=_json(dict(document.abbreviations)),
    )


def _columns(rows: Iterable[tuple[object, ...]], number: int) -> Any:
    return tuple(zip(*rows, strict=True)) or ((),) * number


def _entries(document: Document) -> tuple[EntryRow, ...]:
    headings_at = {s.heading_segment.start: s.heading_segment for s in document.sections if s.heading_segment}
    return tuple(
        (
            *(position, *_range(entry, headings_at), _pack(entry.segments), _day(document.sections, entry.sections)),
            *(entry.key, _json(entry.headings), entry.text),
        )
        for position, entry in enumerate(document.entries)
    )


def _section(position: int, section: Section) -> tuple[object, ...]:
    return (
        *(position, section.parent, section.level, section.heading, section.span.start, section.span.end),
        *(section.heading_segment.line if section.heading_segment else 0, section.todo, section.priority),
    )


def _values(sections: Iterable[Section]) -> Iterable[tuple[object, ...]]:
    for position, section in enumerate(sections):
        own = [("tag", "", "", tag, tag.casefold()) for tag in section.tags]
        own += [("prop", key, key.casefold(), value, value.casefold()) for key, value in section.properties]
        own += [("id", "", "", value, value.casefold()) for value in section.ids]
        for place, value in enumerate(own):
            yield (position, place, *value)


def _named(document: Document, other: Iterable[str]) -> Iterable[tuple[str, int, str]]:
    """Key, kind and name of what links can call the note, besides the name of its file."""
    named = {(names.fold(name), ALIAS): name for name in other}
    if document.title:
        named[names.fold(document.title), TITLE] = document.title
    elif heading := _first_heading(document):
        # Many notes have their title there alone; links may have its slug.
        named[names.fold(heading), HEADING] = named[names.slug(heading), HEADING] = heading
    return ((key, kind, name) for (key, kind), name in named.items() if key)


def _first_heading(document: Document) -> str:
    """The heading that a Markdown note begins with, if it is the only one on the first level; else ""."""
    if document.format != "markdown" or len(document.sections) < 2 or document.sections[1].level != 1:
        return ""
    alone = sum(section.level == 1 for section in document.sections) == 1
    return document.sections[1].heading if alone and not document.sections[0].segments else ""


def _range(entry: Entry, headings_at: Mapping[int, Segment]) -> tuple[int, int, int, int, int, int]:
    """Start and end of the entry as offsets, then as line and column of each.

    The entry knows no line of its end: it is the place of the heading that starts there, else the end of its last text.
    """
    start, end = entry.span.start, entry.span.end
    first = headings_at.get(start) or (entry.segments[0] if entry.segments else Segment(start, start, 0))
    following = headings_at.get(end)
    if following is not None:
        place = (following.line, following.column)
    elif not entry.segments:
        place = (first.line, first.column + first.end - first.start)
    else:
        last = entry.segments[-1]
        text = entry.text[len(entry.text) - (last.end - last.start) :]
        breaks = text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)
        tail = len(text) - 1 - max(text.rfind("\n"), text.rfind("\r"))
        place = (last.line + breaks, tail if breaks else last.column + tail)
    return start, end, first.line, first.column, *place


def _day(sections: Sequence[Section], indices: Iterable[int]) -> int | None:
    best: DateRef | None = None
    for index in indices:
        for date in sections[index].dates:
            if best is None or _DAY_RANK.get(date.kind, 2) < _DAY_RANK.get(best.kind, 2):
                best = date
    return None if best is None else best.start
