"""textDocument/foldingRange: sections, and the blocks that fill whole lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol import types as lsp

from khojd.graph.sheet import Sheet
from khojd.server import plain
from khojd.server.feature import Feature
from khojd.server.session import Session
from khojd.server.sheets import go_through

_REGION, _COMMENT = lsp.FoldingRangeKind.Region.value, lsp.FoldingRangeKind.Comment.value
_BLOCKS = {
    "code": None,
    "drawer": None,
    "table": None,
    "list": None,
    "quote": None,
    "frontmatter": _REGION,
    "comment": _COMMENT,
    "html": None,
}
_MARKER = re.compile(r"\s*<!--\s*#?(end)?region\b.*-->\s*", re.DOTALL)


async def folding_range(session: Session, params: lsp.FoldingRangeParams) -> list[plain.FoldingRange]:
    """Whole lines, so that it makes no difference whether a client folds only those.

    Where a client takes no more than some number of ranges, it gets the sections of the upper levels before all else.
    """
    sheet = await session.sheet(params.text_document.uri, marks=True)
    limit = _limit(session)
    return await go_through(sheet, lambda: _ranges(sheet, limit))


def _ranges(sheet: Sheet, limit: int | None) -> list[plain.FoldingRange]:
    found: dict[tuple[int, int], tuple[int, str | None]] = {}
    for start, end, depth, kind in (*_sections(sheet), *_blocks(sheet), *_regions(sheet)):
        if end > start:
            found.setdefault((start, end), (depth, kind))
    kept = sorted(found, key=lambda lines: (found[lines][0], lines))[:limit]
    return [plain.FoldingRange(start_line=start, end_line=end, kind=found[start, end][1]) for start, end in sorted(kept)]


def _limit(session: Session) -> int | None:
    documents = session.client_capabilities.text_document
    folding = documents and documents.folding_range
    return folding.range_limit if folding else None


def _sections(sheet: Sheet) -> Iterator[tuple[int, int, int, str | None]]:
    """First line, last line with text, depth, kind."""
    depths: list[int] = []
    for section in sheet.sections:
        depths.append(depths[section.parent] + 1 if section.parent >= 0 else 0)
        if section.heading_segment is not None:
            yield section.heading_segment.line, _last_line(sheet, section.span.end), depths[-1], _REGION


def _blocks(sheet: Sheet) -> Iterator[tuple[int, int, int, str | None]]:
    for mark in sheet.marks:
        if mark.kind in _BLOCKS:
            yield sheet.lines.line(mark.start), _last_line(sheet, mark.end), 1000, _BLOCKS[mark.kind]


def _regions(sheet: Sheet) -> Iterator[tuple[int, int, int, str | None]]:
    """From `<!-- #region -->` to the `<!-- #endregion -->` of the same depth."""
    opened: list[int] = []
    for mark in sorted((one for one in sheet.marks if one.kind == "comment"), key=lambda one: one.start):
        marker = _MARKER.fullmatch(sheet.text, mark.start, mark.end)
        if marker is not None and not marker[1]:
            opened.append(sheet.lines.line(mark.start))
        elif marker is not None and opened:
            yield opened.pop(), _last_line(sheet, mark.end), 1000, _REGION


def _last_line(sheet: Sheet, end: int) -> int:
    """The last line before `end` that has text."""
    while end and sheet.text[end - 1].isspace():
        end -= 1
    return sheet.lines.line(max(end - 1, 0))


FEATURE = Feature("folding_range", {lsp.TEXT_DOCUMENT_FOLDING_RANGE: folding_range})
