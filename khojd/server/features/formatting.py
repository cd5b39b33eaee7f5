"""textDocument/formatting and rangeFormatting: tables aligned and lists numbered on, when a person asks for it."""

from __future__ import annotations

from lsprotocol import types as lsp

from khojd.graph.sheet import Sheet
from khojd.layout import note
from khojd.server.feature import Feature
from khojd.server.session import Session
from khojd.server.sheets import go_through


async def formatting(session: Session, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
    """The whole note. The options (the size of a tab and so on) are an editor's for programs; notes have their own rules."""
    return await _edits(session, await session.sheet(params.text_document.uri, marks=True))


async def range_formatting(session: Session, params: lsp.DocumentRangeFormattingParams) -> list[lsp.TextEdit]:
    """The tables and lists that have lines in the range, each as a whole."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    first, last = params.range.start.line, params.range.end.line
    if last > first and not params.range.end.character:
        last -= 1  # the range ends with the line end before
    return await _edits(session, sheet, (first, max(first, last) + 1))


async def _edits(session: Session, sheet: Sheet, within: tuple[int, int] | None = None) -> list[lsp.TextEdit]:
    asked = sheet.text, sheet.lines, sheet.format, sheet.marks, within
    found = await go_through(sheet, lambda: note.lay_out(*asked))
    return [lsp.TextEdit(session.range(sheet, edit.start, edit.end), edit.text) for edit in found]


FEATURE = Feature("formatting", {lsp.TEXT_DOCUMENT_FORMATTING: formatting, lsp.TEXT_DOCUMENT_RANGE_FORMATTING: range_formatting})
