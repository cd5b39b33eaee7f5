"""Markdown: CommonMark with front matter, footnotes, tables, and what Obsidian, Dendron and Logseq add.

Only headings at the top level make sections, not those in lists, block quotes or callouts, except in Logseq's outlines (see
`markdown_logseq`). Everything else stays text, whole lines as written: wikilinks, embeds, callouts, tables, HTML (comments too),
footnotes, code. What is metadata, and which lines are left out of the text for it, stands in `frontmatter` and `markdown_marks`.
"""

import re
from bisect import bisect_right

from msgspec import Struct

from khojd.content import (
    frontmatter,
    markdown_heading,
    markdown_html,
    markdown_links,
    markdown_logseq,
    markdown_marks,
    markdown_outline,
)
from khojd.content.lines import LineIndex
from khojd.content.markdown_heading import Heading
from khojd.content.markdown_marks import Own, Source
from khojd.content.markdown_outline import HEADING, OPAQUE, Block
from khojd.content.model import Anchor, ContentSettings, DateRef, Parsed, Section, Segment, Span

_BULLET = re.compile(r"-[ \t]*")
_ATX = re.compile(r"(#{1,6})(?:[ \t]+|$)")
_INEXACT = "too long or too deeply nested for the Markdown parser: headings were found line by line"


class _Head(Struct, frozen=True):
    """Where a section begins: its heading stands in lines [first, last); a Logseq block has none of its own, so last == first."""

    first: int
    last: int
    level: int
    heading: Heading


class _File(Struct):
    """What is said for every section of the file."""

    title: str
    tags: list[str]
    properties: list[tuple[str, str]]
    dates: tuple[DateRef, ...]


def parse(text: str, settings: ContentSettings) -> Parsed:
    """Sections of a Markdown text. Never fails: what cannot be read as metadata is noted and stays text."""
    lines = LineIndex(text)
    front = frontmatter.read(text)
    first = _line_after(front.end, text, lines)
    outline = markdown_outline.read(text[front.end :], len(lines) - first)
    kinds = bytearray((OPAQUE,)) * first + outline.kinds
    left_out = bytearray((front.valid,)) * first + bytearray(len(outline.kinds))
    source = Source(text, lines, kinds, left_out)
    file = _File(front.title, list(front.tags), list(front.properties), front.dates)
    owned: dict[int, Own] = {}
    keywords = markdown_marks.OPEN.union(settings.todo_keywords)
    heads: list[_Head] = []
    firsts: list[int] = []
    if first < len(lines):
        if "%%" in text:
            markdown_marks.mark_comments(source, first)
        start = _page(source, first, file) if "::" in text else first
        heads = _heads(source, first, outline.headings, keywords | markdown_marks.DONE) or _blocks(source, start, keywords)
        firsts = [head.first for head in heads]
        markdown_marks.collect(source, first, lambda line: owned.setdefault(bisect_right(firsts, line), Own()), keywords)
    if "<" in text:
        markdown_html.anchors(source, front.end)
    notes = front.notes if outline.exact else (*front.notes, _INEXACT)
    starts = [lines.starts[head] for head in firsts]
    return Parsed(
        title=file.title,
        sections=_sections(source, heads, owned, file),
        language=front.language,
        notes=notes,
        links=markdown_links.read(source, front.end, first, starts),
        anchors=tuple(
            Anchor(kind, text[start:end], start, end, bisect_right(starts, start)) for start, end, kind in sorted(source.anchors)
        ),
    )


def _line_after(offset: int, text: str, lines: LineIndex) -> int:
    """The line that starts at `offset`; the number of lines when the block before it ends the file without a line end."""
    if offset == 0:
        return 0
    return len(lines) if text[offset - 1] not in "\r\n" else lines.line(offset)


def _page(source: Source, first: int, file: _File) -> int:
    """Take Logseq's page properties, and Dataview's at the head of a file; gives the line after them."""
    own = Own()
    found, after = markdown_marks.page_properties(source, first)
    for key, value in found:
        if key.lower() == "title":
            file.title = file.title or value
        else:
            markdown_marks.set_property(own, key, value)
    file.tags += own.shared
    file.properties += own.properties
    file.dates += tuple(own.dates)
    return after


def _heads(source: Source, first: int, headings: list[Block], keywords: frozenset[str]) -> list[_Head]:
    heads = []
    for block in headings:
        start, end = block.first + first, block.last + first
        if source.kinds[start] == HEADING:  # not one in a comment
            heading = _heading(source, start, end, markdown_heading.read(_content(source, start, end), keywords))
            heads.append(_Head(start, end, block.level, heading))
    return heads


def _heading(source: Source, first: int, last: int, heading: Heading) -> Heading:
    """The heading in lines [first, last), after its ids have been kept as anchors."""
    if heading.ids:
        start, end = source.lines.starts[first], source.lines.end(last - 1)
        source.anchors += markdown_heading.anchors(source.text, start, end, heading.ids)
    return heading


def _blocks(source: Source, first: int, keywords: frozenset[str]) -> list[_Head]:
    """The blocks of a Logseq page; none when it is no such page."""
    return [_block(source, number, keywords | markdown_marks.DONE) for number in markdown_logseq.blocks(source, first)]


def _content(source: Source, first: int, last: int) -> str:
    """A heading's content, without hashes or underline."""
    if last - first > 1:
        return " ".join(source.line(number).strip(" \t") for number in range(first, last - 1))
    return _atx(source.line(first).strip(" \t").lstrip("#"))


def _atx(content: str) -> str:
    content = content.strip(" \t")
    bare = content.rstrip("#")
    return bare.rstrip(" \t") if not bare or bare[-1] in " \t" else content


def _block(source: Source, number: int, keywords: frozenset[str]) -> _Head:
    line = _BULLET.sub("", source.line(number).rstrip(), count=1)
    if found := _ATX.match(line):
        source.kinds[number] = HEADING
        heading = markdown_heading.read(_atx(line[found.end() :]), keywords)
        return _Head(number, number + 1, len(found[1]), _heading(source, number, number + 1, heading))
    heading = markdown_heading.read(line, keywords)
    text = markdown_logseq.shorten(heading.text)
    # Its first line is text like its others, so tags and ids are found there.
    return _Head(number, number, markdown_logseq.BLOCK_LEVEL, Heading(text, heading.todo, heading.priority))


def _sections(source: Source, heads: list[_Head], owned: dict[int, Own], file: _File) -> tuple[Section, ...]:
    starts, size = source.lines.starts, len(source.text)
    parents, ends = _tree(heads, starts, size)
    file_tags = tuple(file.tags)
    file_properties = tuple(dict.fromkeys(file.properties))
    inherited: list[tuple[str, ...]] = []
    nothing = Own()
    sections = []
    for index in range(len(heads) + 1):
        head = heads[index - 1] if index else None
        own = owned.get(index, nothing)
        heading = head.heading if head else None
        above = inherited[parents[index]] if head else file_tags
        shared = (*above, *(heading.tags if heading else ()), *own.shared)
        inherited.append(tuple(dict.fromkeys(shared)))
        body_end = heads[index].first if index < len(heads) else len(starts)
        sections.append(
            Section(
                parent=parents[index],
                level=head.level if head else 0,
                heading=heading.text if heading else "",
                span=Span(starts[head.first] if head else 0, ends[index]),
                heading_segment=_heading_segment(head, source) if head else None,
                segments=_segments(source, head.last if head else 0, body_end),
                todo=(heading.todo if heading else "") or markdown_marks.todo_of(own.tasks),
                priority=heading.priority if heading else "",
                tags=tuple(dict.fromkeys((*inherited[index], *own.tags))) if own.tags else inherited[index],
                properties=(*file_properties, *dict.fromkeys(own.properties)) if own.properties else file_properties,
                dates=(*file.dates, *dict.fromkeys(own.dates)) if own.dates else file.dates,
                ids=tuple(dict.fromkeys((*(heading.ids if heading else ()), *own.ids))),
            )
        )
    return tuple(sections)


def _tree(heads: list[_Head], starts: list[int], size: int) -> tuple[list[int], list[int]]:
    """Parents and ends of the sections, the root first: a heading ends all open ones of its level and below."""
    parents, ends = [-1], [size] * (len(heads) + 1)
    open_sections = [0]
    for index, head in enumerate(heads, 1):
        while open_sections[-1] and heads[open_sections[-1] - 1].level >= head.level:
            ends[open_sections.pop()] = starts[head.first]
        parents.append(open_sections[-1])
        open_sections.append(index)
    return parents, ends


def _heading_segment(head: _Head, source: Source) -> Segment:
    starts = source.lines.starts
    end = starts[head.last] if head.last < len(starts) else len(source.text)
    return Segment(starts[head.first], end, head.first)


def _segments(source: Source, first: int, last: int) -> tuple[Segment, ...]:
    """Lines [first, last) without those left out and without blank ones at the head."""
    segments = []
    while first < last:
        stop = source.left_out.find(1, first, last)
        stop = last if stop < 0 else stop
        if first < stop and (segment := _segment(source, first, stop)):
            segments.append(segment)
        shown = source.left_out.find(0, stop, last)
        first = last if shown < 0 else shown
    return tuple(segments)


def _segment(source: Source, first: int, last: int) -> Segment | None:
    starts = source.lines.starts
    start = starts[first]
    end = starts[last] if last < len(starts) else len(source.text)
    text = source.text[start:end]
    lead = len(text) - len(text.lstrip())
    if lead == len(text):
        return None
    line = source.lines.line(start + lead) if lead else first
    return Segment(starts[line], end, line)
