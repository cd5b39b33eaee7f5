"""Answers of LSP that come by the hundred, as Structs: lsprotocol's objects take 50 times as long to make and to write.

A handler that returns one of these, or a list of them, is answered as with lsprotocol's types of the same names.
"""

from typing import Any

from msgspec import Struct

from khojd.graph.sheet import Sheet
from khojd.server import ranges
from khojd.server.types import Location, Position, Range


class Answer(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base: what is None is left out."""


class DocumentSymbol(Answer, frozen=True, kw_only=True):
    name: str
    detail: str | None = None
    kind: int
    range: Range
    selection_range: Range
    children: list["DocumentSymbol"]


class UriOnly(Answer, frozen=True, kw_only=True):
    uri: str


class Symbol(Answer, frozen=True, kw_only=True):
    """SymbolInformation, and WorkspaceSymbol where the location has no range yet or there are data."""

    name: str
    kind: int
    location: Location | UriOnly
    container_name: str | None = None
    data: Any = None


class DocumentLink(Answer, frozen=True, kw_only=True):
    range: Range
    target: str | None = None
    data: Any = None


class FoldingRange(Answer, frozen=True, kw_only=True):
    start_line: int
    end_line: int
    kind: str | None = None


class RelatedInformation(Answer, frozen=True, kw_only=True):
    location: Location
    message: str


class CodeDescription(Answer, frozen=True, kw_only=True):
    href: str


class Diagnostic(Answer, frozen=True, kw_only=True):
    range: Range
    severity: int
    code: str
    code_description: CodeDescription | None = None
    source: str
    message: str
    related_information: list[RelatedInformation] | None = None
    data: dict[str, Any]


class PublishDiagnostics(Answer, frozen=True, kw_only=True):
    uri: str
    version: int | None = None
    diagnostics: list[Diagnostic]


class DiagnosticReport(Answer, frozen=True, kw_only=True):
    """`kind` is `full`, or `unchanged` without items."""

    kind: str
    items: list[Diagnostic] | None = None
    result_id: str


class CodeLens(Answer, frozen=True, kw_only=True):
    range: Range
    data: Any


class SemanticTokens(Answer, frozen=True, kw_only=True):
    data: list[int]
    result_id: str | None = None


class SemanticTokensEdit(Answer, frozen=True, kw_only=True):
    start: int
    delete_count: int
    data: list[int]


class SemanticTokensDelta(Answer, frozen=True, kw_only=True):
    edits: list[SemanticTokensEdit]
    result_id: str


def position(sheet: Sheet, offset: int, encoding: str) -> Position:
    line, character = ranges.place(sheet, offset, encoding)
    return Position(line=line, character=character)


def range(sheet: Sheet, start: int, end: int, encoding: str) -> Range:
    """The range of [start, end), as `ranges.to_range` makes it."""
    first = position(sheet, start, encoding)
    return Range(start=first, end=first if end <= start else position(sheet, end, encoding))
