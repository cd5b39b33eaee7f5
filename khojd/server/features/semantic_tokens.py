"""textDocument/semanticTokens: headings, tags, links, states, dates and properties as an editor colours code."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import Any

from lsprotocol import types as lsp

from khojd.graph.sheet import Sheet
from khojd.server import encoding, plain
from khojd.server.feature import Event, Feature, announced
from khojd.server.session import Session
from khojd.server.sheets import go_through

# What a note has, as the standard type of a token that comes nearest. Where ranges overlap the later one here is shown.
KINDS: dict[str, str] = {
    "heading": "class",
    "comment": "comment",
    "keyword": "macro",
    "property": "property",
    "link": "string",
    "anchor": "variable",
    "date": "number",
    "tag": "decorator",
    "todo": "keyword",
    "priority": "enumMember",
}
DECLARATION = "declaration"  # anchors: what links can name
LEGEND = lsp.SemanticTokensLegend(token_types=list(KINDS.values()), token_modifiers=[DECLARATION])
_LONG = 5_000  # integers from which they are compared in a thread
_RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
_MARKS = frozenset(KINDS) - {"heading", "link", "anchor"}


class Sent:
    """What a client has got last for each open note, so that it can be told what changed."""

    def __init__(self) -> None:
        self.number = 0
        self.by_path: dict[str, tuple[str, list[int]]] = {}

    def keep(self, path: str, data: list[int]) -> str:
        self.number += 1
        self.by_path[path] = (str(self.number), data)
        return str(self.number)


async def full(session: Session, params: lsp.SemanticTokensParams) -> plain.SemanticTokens:
    path, data = await _tokens(session, params.text_document.uri)
    if path not in session.documents:
        return plain.SemanticTokens(data=data)
    return plain.SemanticTokens(data=data, result_id=session.keep(Sent).keep(path, data))


async def full_delta(session: Session, params: lsp.SemanticTokensDeltaParams) -> plain.SemanticTokens | plain.SemanticTokensDelta:
    """The one edit that turns what was sent into what is; all tokens when that was too long ago."""
    path, data = await _tokens(session, params.text_document.uri)
    if path not in session.documents:
        return plain.SemanticTokens(data=data)
    sent = session.keep(Sent)
    known, before = sent.by_path.get(path, ("", []))
    name = sent.keep(path, data)
    if known != params.previous_result_id:
        return plain.SemanticTokens(data=data, result_id=name)
    if len(data) < _LONG:
        return plain.SemanticTokensDelta(edits=edits(before, data), result_id=name)
    return plain.SemanticTokensDelta(edits=await asyncio.to_thread(edits, before, data), result_id=name)


async def ranged(session: Session, params: lsp.SemanticTokensRangeParams) -> plain.SemanticTokens:
    """Those that touch the range."""
    _, data = await _tokens(session, params.text_document.uri, params.range)
    return plain.SemanticTokens(data=data)


def follow(session: Session, event: Event, path: str) -> None:
    """Forget what was sent for a note that is closed."""
    if event == "closed":
        session.keep(Sent).by_path.pop(path, None)


async def _tokens(session: Session, uri: str, range: lsp.Range | None = None) -> tuple[str, list[int]]:
    sheet = await session.sheet(uri, marks=True)
    low, high = 0, len(sheet.text)
    if range is not None:
        low, high = session.offset(sheet, range.start), session.offset(sheet, range.end)
    support = session.can("text_document.semantic_tokens.multiline_token_support")

    def work() -> list[int]:
        shown = ((start, end, kind) for start, end, kind in visible(spans(sheet)) if start < high and end > low)
        return encoded(sheet, shown if support else by_lines(sheet, shown), session.documents.encoding)

    return sheet.path, await go_through(sheet, work)


def spans(sheet: Sheet) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of all that is coloured, in no order; ranges may lie in each other."""
    for section in sheet.sections:
        segment = section.heading_segment
        if segment is not None:
            line = sheet.text[segment.start : segment.end]
            yield segment.start + len(line) - len(line.lstrip()), segment.start + len(line.rstrip()), "heading"
    for link in sheet.links:
        yield link.start, link.end, "link"
    for anchor in sheet.anchors:
        yield anchor.start, anchor.end, "anchor"
    for mark in sheet.marks:
        if mark.kind in _MARKS:
            yield mark.start, mark.end, mark.kind


def visible(found: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """The ranges in order and cut so that none overlaps another: where several lie, the kind that is last in KINDS is seen."""
    ordered = sorted((start, end, kind) for start, end, kind in found if start < end)
    open_: list[tuple[int, int, str]] = []  # heap of (-rank, end, kind) that have begun
    at = 0
    for index, (start, end, kind) in enumerate(ordered):
        at = max(at, start)
        heappush(open_, (-_RANKS[kind], end, kind))
        stop = ordered[index + 1][0] if index + 1 < len(ordered) else None
        while open_ and (stop is None or at < stop):
            _, last, top = open_[0]
            if last <= at:
                heappop(open_)
                continue
            until = last if stop is None else min(last, stop)
            yield at, until, top
            at = until


def by_lines(sheet: Sheet, found: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """The ranges with those of several lines cut at line ends."""
    lines = sheet.lines
    for start, end, kind in found:
        line = lines.line(start)
        at = start
        while at < end:
            stop = min(end, lines.end(line))
            if at < stop:
                yield at, stop, kind
            line += 1
            at = lines.starts[line] if line < len(lines) else end


def encoded(sheet: Sheet, found: Iterable[tuple[int, int, str]], kind: str) -> list[int]:
    """LSP's five integers a token: line and start relative to the one before, length, type, modifiers."""
    text, starts = sheet.text, sheet.lines.starts
    measure = len if text.isascii() else encoding.measure(kind)
    data: list[int] = []
    last_line, last = 0, 0  # of the token before, or of the text's start
    for start, end, name in found:
        line = sheet.lines.line(start)
        column = measure(text[last if line == last_line else starts[line] : start])
        data += (line - last_line, column, measure(text[start:end]), _RANKS[name])
        data.append(1 if name == "anchor" else 0)
        last_line, last = line, start
    return data


def edits(before: list[int], after: list[int]) -> list[plain.SemanticTokensEdit]:
    """What turns `before` into `after`: nothing, or one replacement of what lies between the first and the last difference."""
    if before == after:
        return []
    shorter = min(len(before), len(after))
    head = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    tail = next((at for at in range(shorter - head) if before[-1 - at] != after[-1 - at]), shorter - head)
    return [plain.SemanticTokensEdit(start=head, delete_count=len(before) - head - tail, data=after[head : len(after) - tail])]


def options(_: Session) -> Mapping[str, Any]:
    return dict.fromkeys((lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE), LEGEND)


FEATURE = Feature(
    "semantic_tokens",
    {
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: full,
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA: full_delta,
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE: ranged,
    },
    options,
    follow,
    offered={
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: announced("text_document.semantic_tokens.requests.full"),
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA: announced("text_document.semantic_tokens.requests.full.delta"),
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE: announced("text_document.semantic_tokens.requests.range"),
    },
)
