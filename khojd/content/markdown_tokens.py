"""What an editor shows in its own way in a Markdown note, or acts on (see `model.Mark`).

The rules are those by which `markdown_marks` reads metadata; here they give places. Whole-line marks end with the line end of their
last line; a comment within a line is marked from sign to sign.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date

from khojd.content import frontmatter, frontmatter_places, markdown_blocks, markdown_heading, markdown_marks, markdown_outline
from khojd.content.dates import find_dates
from khojd.content.lines import LineIndex
from khojd.content.markdown_marks import Source
from khojd.content.markdown_outline import OPAQUE
from khojd.content.model import ContentSettings, Mark, Parsed

_PRIORITY = re.compile(r"\[#([A-Za-z0-9])\]")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COMMENTS = (("<!--", "-->"), ("%%", "%%"))


def read(text: str, parsed: Parsed, settings: ContentSettings) -> list[Mark]:
    """The marks of a Markdown text, in no order."""
    lines = LineIndex(text)
    front = frontmatter.read(text)
    first = lines.line(front.end) if not front.end or text[front.end - 1] in "\r\n" else len(lines)
    outline = markdown_outline.read(text[front.end :], len(lines) - first)
    source = Source(text, lines, bytearray((OPAQUE,)) * first + outline.kinds, bytearray(len(lines)))
    marks = [Mark("frontmatter", 0, front.end)] if front.end else []
    if front.end and front.valid:
        marks += frontmatter_places.read(text, front.end)
    marks += markdown_blocks.read(text, lines, first, source.kinds)
    if first < len(lines):
        marks += _inline(source, first, parsed, markdown_marks.OPEN.union(settings.todo_keywords))
    return list(dict.fromkeys(marks))


def _inline(source: Source, first: int, parsed: Parsed, keywords: frozenset[str]) -> list[Mark]:
    start = source.lines.starts[first]
    hidden = _Hidden(source, parsed)
    comments = sorted(_comments(source, start, hidden), key=lambda comment: comment.start)
    hidden.comments = _merged(comments)
    marks = [
        *_tags(source.text, start),
        *(Mark("property", low, high, source.text[low:high]) for (low, high), _ in _properties(source, first)),
        *_tasks(source, start, parsed, keywords),
        *(Mark("priority", *found.span(), found[1].upper()) for found in _PRIORITY.finditer(source.text, start)),
        *_dates(source.text, start),
    ]
    shown = [mark for mark in marks if not hidden.holds(mark.start)]
    # The names in `tags:: [[a]], b` are links, too, and tags nevertheless.
    listed = [tag for tag in _listed_tags(source, first) if not hidden.in_code(tag.start)]
    return [*comments, *_drawers(source, first), *shown, *listed]


def _merged(marks: Iterable[Mark]) -> list[tuple[int, int]]:
    """Ranges of the marks, which are in order, without overlaps."""
    ranges: list[tuple[int, int]] = []
    for mark in marks:
        if ranges and mark.start < ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(mark.end, ranges[-1][1]))
        else:
            ranges.append((mark.start, mark.end))
    return ranges


class _Hidden:
    """Where nothing is marked: code, HTML, comments, the targets of links."""

    def __init__(self, source: Source, parsed: Parsed) -> None:
        self.source = source
        self.targets = sorted({(link.target_start, link.target_end) for link in parsed.links})
        self.comments: list[tuple[int, int]] = []
        self.code: dict[int, list[tuple[int, int]]] = {}

    def holds(self, at: int) -> bool:
        return self.in_code(at) or _within(self.targets, at)

    def in_code(self, at: int) -> bool:
        """In code, HTML or a comment."""
        number = self.source.lines.line(at)
        if self.source.kinds[number] == OPAQUE or _within(self.comments, at):
            return True
        if number not in self.code:
            line = self.source.line(number)
            start = self.source.lines.starts[number]
            self.code[number] = (
                [(start + low, start + high) for low, high in markdown_marks.code_spans(line)] if "`" in line else []
            )
        return _within(self.code[number], at)


def _within(ranges: list[tuple[int, int]], at: int) -> bool:
    index = bisect_right(ranges, at, key=lambda one: one[0]) - 1
    return index >= 0 and at < ranges[index][1]


def _tags(text: str, start: int) -> Iterator[Mark]:
    for at, name in markdown_marks.find_tags(text, start):
        place = text.index(name, at)
        yield Mark("tag", place, place + len(name), name)


def _properties(source: Source, first: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Ranges of the keys and values of `key:: value`."""
    text, lines = source.text, source.lines
    at = text.find("::", lines.starts[first])
    while at >= 0:
        number = lines.line(at)
        start = lines.starts[number]
        for key, value in markdown_marks.find_properties(source.line(number)):
            yield (start + key[0], start + key[1]), (start + value[0], start + value[1])
        at = text.find("::", lines.end(number))


def _listed_tags(source: Source, first: int) -> Iterator[Mark]:
    for (start, end), value in _properties(source, first):
        if source.text[start:end].lower() in ("tags", "tag"):
            yield from frontmatter_places.tags(source.text, *value)


def _tasks(source: Source, start: int, parsed: Parsed, keywords: frozenset[str]) -> Iterator[Mark]:
    for low, high, done in markdown_marks.find_tasks(source, start, keywords):
        yield Mark("todo", low, high, "DONE" if done else "TODO")
    known = keywords | markdown_marks.DONE
    for section in parsed.sections:
        if section.heading_segment is not None:
            place = markdown_heading.task(source.text, section.heading_segment.start, section.heading_segment.end, known)
            if place is not None:
                written = source.text[slice(*place)]
                done = written in markdown_marks.DONE or written[1:2] in ("x", "X")
                yield Mark("todo", *place, "DONE" if done else "TODO")


def _dates(text: str, start: int) -> Iterator[Mark]:
    planned = sorted(markdown_marks.find_planned(text, start))
    for low, high, day in planned:
        yield Mark("date", low, high, day.isoformat())
    taken = [(low, high) for low, high, _ in planned]
    for span, ref in find_dates(text, day_first=True):
        if span.start >= start and _ISO_DAY.fullmatch(text, span.start, span.end) and not _within(taken, span.start):
            yield Mark("date", span.start, span.end, date.fromordinal(ref.start).isoformat())


def _comments(source: Source, start: int, hidden: _Hidden) -> Iterator[Mark]:
    """Obsidian's and HTML's; those that fill their lines with the line ends. HTML's own blocks are known already."""
    text, lines = source.text, source.lines
    for opening, closing in _COMMENTS:
        at = text.find(opening, start)
        while at >= 0:
            if hidden.in_code(at):
                at = text.find(opening, at + len(opening))
                continue
            close = text.find(closing, at + len(opening))
            if close < 0:
                break
            end = close + len(closing)
            if _starts_line(source, at) and not text[end : lines.end(lines.line(end))].strip():
                number, last = lines.line(at), lines.line(end)
                yield Mark("comment", lines.starts[number], lines.starts[last + 1] if last + 1 < len(lines) else len(text))
            else:
                yield Mark("comment", at, end)
            at = text.find(opening, end)


def _starts_line(source: Source, at: int) -> bool:
    return not source.text[source.lines.starts[source.lines.line(at)] : at].strip()


def _drawers(source: Source, first: int) -> Iterable[Mark]:
    lines = source.lines
    for low, high in markdown_marks.find_drawers(source, lines.starts[first]):
        yield Mark("drawer", lines.starts[low], lines.starts[high] if high < len(lines) else len(source.text))
