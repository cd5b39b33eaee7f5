"""textDocument/selectionRange: from the word to the sentence, the block, the section and those around it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol import types as lsp

from khojd.graph.sheet import Sheet
from khojd.server.feature import Feature
from khojd.server.features.document_symbol import heading_span
from khojd.server.session import Session

_DEEPEST = 64  # sections around a place
_BLOCKS = ("code", "drawer", "table", "list", "quote", "frontmatter", "comment", "html")
_INLINE = ("tag", "todo", "priority", "date", "property", "keyword")
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』）]*")
_ITEM = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)]|[A-Za-z][.)])(?:[ \t]|$)")
_SPACE = " \t\r\n\f\v"


async def selection_range(session: Session, params: lsp.SelectionRangeParams) -> list[lsp.SelectionRange]:
    """One chain for each position, each range within its parent, the innermost first."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    found = []
    for position in params.positions:
        chain: lsp.SelectionRange | None = None
        for start, end in reversed(spans(sheet, session.offset(sheet, position))):
            chain = lsp.SelectionRange(session.range(sheet, start, end), chain)
        assert chain is not None, "the whole file is always there"
        found.append(chain)
    return found


def spans(sheet: Sheet, offset: int) -> list[tuple[int, int]]:
    """The ranges around an offset, each one larger than the one before and around it; the last one is the whole text."""
    around = sorted(
        {(start, end) for start, end in _candidates(sheet, offset) if start <= offset <= end and start < end},
        key=lambda span: span[1] - span[0],
    )
    chain: list[tuple[int, int]] = []
    for start, end in (*around, (0, len(sheet.text))):
        if not chain or (start <= chain[-1][0] and chain[-1][1] <= end and (start, end) != chain[-1]):
            chain.append((start, end))
    return chain


def _candidates(sheet: Sheet, offset: int) -> Iterator[tuple[int, int]]:
    text, lines = sheet.text, sheet.lines
    line = lines.line(offset)
    start, end = lines.starts[line], lines.end(line)
    for word in _WORD.finditer(text, start, end):
        yield word.span()
    for link in sheet.links:
        if link.start <= offset <= link.end:
            yield from ((link.start, link.end), (link.target_start, link.target_end), (link.text_start, link.text_end))
    for mark in sheet.marks:
        if mark.start <= offset <= mark.end and mark.kind in (*_INLINE, *_BLOCKS):
            yield mark.start, mark.end if mark.kind in _INLINE else _rstrip(text, mark.start, mark.end)
    yield _strip(text, start, end)
    index = sheet.section_at(offset)
    section = sheet.sections[index]
    children = (one.span.start for one in sheet.sections[index + 1 : index + 2] if one.parent == index)
    heading = section.heading_segment
    body_start, body_end = heading.end if heading else section.span.start, min(children, default=section.span.end)
    if heading is not None and offset < heading.end:
        yield heading_span(sheet, index)
        yield heading.start, _rstrip(text, heading.start, heading.end)
    else:
        yield from _paragraph(sheet, line, body_start, body_end, offset)
        yield _strip(text, body_start, body_end)
    depth = 0
    while index >= 0 and depth < _DEEPEST:
        section = sheet.sections[index]
        yield section.span.start, _rstrip(text, section.span.start, section.span.end)
        index, depth = section.parent, depth + 1


def _paragraph(sheet: Sheet, line: int, low: int, high: int, offset: int) -> Iterator[tuple[int, int]]:
    """The lines without a blank one between them; in it the list item and the sentence."""
    lines = sheet.lines
    first = last = line
    if not sheet.line_text(line).strip():
        return
    bottom = lines.line(low)
    top = lines.line(max(high - 1, low))
    while first > bottom and sheet.line_text(first - 1).strip():
        first -= 1
    while last < top and sheet.line_text(last + 1).strip():
        last += 1
    yield _strip(sheet.text, lines.starts[first], lines.end(last))
    item = line
    while item > first and not _ITEM.match(sheet.line_text(item)):
        item -= 1
    from_line, to_line = first, last
    if _ITEM.match(sheet.line_text(item)):
        depth = _indent(sheet.line_text(item))
        inner = line
        while inner < last and not _ITEM.match(sheet.line_text(inner + 1)):
            inner += 1
        from_line, to_line = item, inner
        yield _strip(sheet.text, lines.starts[item], lines.end(inner))
        below = inner
        while below < last and _indent(sheet.line_text(below + 1)) > depth:
            below += 1
        yield _strip(sheet.text, lines.starts[item], lines.end(below))
    yield from _sentences(sheet.text, lines.starts[from_line], lines.end(to_line), offset)


def _sentences(text: str, start: int, end: int, offset: int) -> Iterator[tuple[int, int]]:
    marker = _ITEM.match(text, start, end)
    start = marker.end() if marker else start
    for stop in _SENTENCE_END.finditer(text, start, end):
        if stop.end() >= offset:
            yield _strip(text, start, stop.end())
            return
        start = stop.end()
    yield _strip(text, start, end)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    end = _rstrip(text, start, end)
    while start < end and text[start] in _SPACE:
        start += 1
    return start, end


def _rstrip(text: str, start: int, end: int) -> int:
    while start < end and text[end - 1] in _SPACE:
        end -= 1
    return end


FEATURE = Feature("selection_range", {lsp.TEXT_DOCUMENT_SELECTION_RANGE: selection_range})
