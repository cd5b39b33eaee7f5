"""What an editor shows in its own way in an Org note, or acts on (see `model.Mark`).

Syntax: https://orgmode.org/worg/org-syntax.html. Whole-line marks end with their last line's line end.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from operator import itemgetter

from khojd.content import org
from khojd.content.dates import find_dates
from khojd.content.lines import LineIndex
from khojd.content.model import ContentSettings, Link, Mark, Parsed
from khojd.content.org_dates import find_stamps
from khojd.content.org_headline import locate
from khojd.content.org_lines import Passage, Range, line_end, read_passages
from khojd.content.org_lists import find_items
from khojd.content.org_properties import find_keys

_CODE = frozenset({"begin_src", "begin_example", "begin_export"})
_COMMENT = "begin_comment"
_OPAQUE = _CODE | {_COMMENT}

_RUNS = (
    ("comment", re.compile(r"[ \t]*#(?: |$)")),
    ("code", re.compile(r"[ \t]*:(?: |$)")),
    ("table", re.compile(r"[ \t]*\|")),
)
_FORMULA = re.compile(r"[ \t]*#\+TBLFM:", re.IGNORECASE)
_CHECK_BOX = re.compile(r"[ \t]*(?:[-+*]|[0-9]+[.)])[ \t]+(?:\[@[0-9]+\][ \t]*)?(\[[ Xx-]\])(?=[ \t]|$)")
_FILE_TAG = re.compile(r"[^\s:,]+")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read(text: str, parsed: Parsed, settings: ContentSettings) -> list[Mark]:
    """The marks of an Org text, in no order."""
    lines = LineIndex(text)
    passages = list(read_passages(text))
    opaque = [(start, end) for kind, name, start, end in passages if kind == "block" and name.lower() in _OPAQUE]
    marks = [*_headings(text, parsed, settings), *_passages(text, passages), *_runs(text, lines, opaque)]
    for start, end in find_items(text, lines, [passage for passage in passages if passage.kind == "block"]):
        marks.append(Mark("list", start, end))
        if box := _CHECK_BOX.match(text, start, lines.end(lines.line(start))):
            marks.append(Mark("todo", *box.span(1), "DONE" if box[1].lower() == "[x]" else "TODO"))
    literal = sorted((mark.start, mark.end) for mark in marks if mark.kind in ("code", "comment"))
    marks += _dates(text, literal, parsed.links)
    return marks


def _headings(text: str, parsed: Parsed, settings: ContentSettings) -> Iterator[Mark]:
    known, done = org.keywords(text, settings)
    for section in parsed.sections:
        if section.heading_segment is None:
            continue
        start = section.heading_segment.start + section.level
        parts = locate(text[start : section.heading_segment.end].rstrip("\r\n"), known)
        if parts.todo:
            yield _mark("todo", start, parts.todo, "DONE" if section.todo in done else "TODO")
        if parts.priority:
            yield _mark("priority", start, parts.priority, section.priority)
        for name in parts.tags:
            yield _mark("tag", start, name, text[start + name[0] : start + name[1]])


def _mark(kind: str, offset: int, within: Range, value: str) -> Mark:
    return Mark(kind, offset + within[0], offset + within[1], value)


def _passages(text: str, passages: Iterable[Passage]) -> Iterator[Mark]:
    for kind, name, start, end in passages:
        if kind == "keyword":
            yield Mark("keyword", start, end, name.upper())
            if name.lower() == "filetags":
                for tag in _FILE_TAG.finditer(text, end, line_end(text, end)):
                    yield Mark("tag", *tag.span(), tag[0])
        elif kind == "drawer":
            yield Mark("drawer", start, end)
            if name.upper() == "PROPERTIES":
                yield from (Mark("property", *key) for key in find_keys(text, start, end))
        elif name.lower() in _CODE:
            yield Mark("code", start, end)
        else:
            yield Mark("comment" if name.lower() == _COMMENT else "quote", start, end)


def _runs(text: str, lines: LineIndex, opaque: Sequence[Range]) -> Iterator[Mark]:
    """Comments, fixed-width text and tables: adjacent lines of one kind."""
    kind, first, number = "", 0, 0
    while number < len(lines):
        start, end = lines.starts[number], lines.end(number)
        if block := _holding(opaque, start):
            found = ""
            following = lines.line(block[1]) if block[1] < len(text) or block[1] == lines.starts[-1] else len(lines)
        else:
            found = next((name for name, line in _RUNS if line.match(text, start, end)), "")
            following = number + 1
            if kind == "table" and _FORMULA.match(text, start, end):
                found = kind
        if found != kind:
            if kind:
                yield Mark(kind, first, start)
            kind, first = found, start
        number = following
    if kind:
        yield Mark(kind, first, len(text))


def _dates(text: str, literal: Sequence[Range], links: Sequence[Link]) -> Iterator[Mark]:
    """Time stamps, and ISO days in the text outside of them and of the targets of links."""
    # The brackets of `[[file:day.org][2024-05-01]]` and `[[2024-05-01]]` are no stamp's.
    brackets = sorted(around for link in links if link.kind == "org" for around in _around(link))
    stamps = [stamp for stamp in find_stamps(text) if not _holding(brackets, stamp.start)]
    for start, end, ref in stamps:
        if not _holding(literal, start):
            yield Mark("date", start, end, date.fromordinal(ref.start).isoformat())
    taken = (literal, [(start, end) for start, end, _ in stamps], [(link.target_start, link.target_end) for link in links])
    for span, ref in find_dates(text, day_first=True):
        if _ISO_DAY.fullmatch(text, span.start, span.end) and not any(_holding(ranges, span.start) for ranges in taken):
            yield Mark("date", span.start, span.end, date.fromordinal(ref.start).isoformat())


def _around(link: Link) -> Iterator[Range]:
    """What of a link in brackets is not its text."""
    if link.text:
        yield link.start, link.text_start
        yield link.text_end, link.end
    else:
        yield link.start, link.end


def _holding(ranges: Sequence[Range], offset: int) -> Range | None:
    """Which of the ranges, which are in order and apart from each other, holds `offset`."""
    index = bisect_right(ranges, offset, key=itemgetter(0)) - 1
    return ranges[index] if index >= 0 and offset < ranges[index][1] else None
