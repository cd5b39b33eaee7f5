"""textDocument/documentSymbol: the headings of a note as a tree."""

from lsprotocol import types as lsp

from khojd.graph.rename.headings import text_span
from khojd.graph.sheet import Sheet
from khojd.server import plain
from khojd.server.feature import Feature
from khojd.server.session import Session
from khojd.server.sheets import go_through
from khojd.server.types import Location

_DEEPEST = 64  # levels of the tree; deeper headings stand in the last one, as deep nesting cannot be written
KIND = lsp.SymbolKind.String.value
NAMELESS = "(no heading)"


async def document_symbol(session: Session, params: lsp.DocumentSymbolParams) -> list[plain.DocumentSymbol] | list[plain.Symbol]:
    """A tree for a client that takes one, else a list."""
    sheet = await session.sheet(params.text_document.uri)
    if session.can("text_document.document_symbol.hierarchical_document_symbol_support"):
        return await go_through(sheet, lambda: _tree(session, sheet))
    return await go_through(sheet, lambda: _flat(session, sheet))


def heading_span(sheet: Sheet, index: int) -> tuple[int, int]:
    """Where the text of a section's heading stands, without stars, hashes, keyword and tags; its line where it has no text."""
    segment = sheet.sections[index].heading_segment
    if segment is None:
        return 0, 0
    found = text_span(sheet, index)
    if found is not None and found.start < found.end:
        return found.start, found.end
    line = sheet.text[segment.start : segment.end]
    start = segment.start + len(line) - len(line.lstrip())
    return start, max(start, segment.start + len(line.rstrip()))


def _tree(session: Session, sheet: Sheet) -> list[plain.DocumentSymbol]:
    top: list[plain.DocumentSymbol] = []
    made: dict[int, tuple[plain.DocumentSymbol, int]] = {}  # with its depth
    encoding = session.documents.encoding
    for index, section in enumerate(sheet.sections):
        if section.heading_segment is None:
            continue
        symbol = plain.DocumentSymbol(
            name=section.heading.strip() or NAMELESS,
            kind=KIND,
            range=plain.range(sheet, section.span.start, section.span.end, encoding),
            selection_range=plain.range(sheet, *heading_span(sheet, index), encoding),
            detail=_detail(sheet, index),
            children=[],
        )
        parent, depth = made.get(section.parent, (None, 0))
        (top if parent is None else parent.children).append(symbol)
        made[index] = (parent, depth) if parent is not None and depth >= _DEEPEST else (symbol, depth + 1)
    return top


def _flat(session: Session, sheet: Sheet) -> list[plain.Symbol]:
    uri, encoding = session.uri(sheet.path), session.documents.encoding
    return [
        plain.Symbol(
            name=section.heading.strip() or NAMELESS,
            kind=KIND,
            location=Location(uri=uri, range=plain.range(sheet, section.span.start, section.span.end, encoding)),
            container_name=sheet.sections[section.parent].heading or None if section.parent > 0 else None,
        )
        for section in sheet.sections
        if section.heading_segment is not None
    ]


def _detail(sheet: Sheet, index: int) -> str | None:
    """State, priority and the tags that its parent does not have."""
    section = sheet.sections[index]
    inherited = set(sheet.sections[section.parent].tags) if section.parent >= 0 else set()
    parts = [section.todo, f"[#{section.priority}]" if section.priority else ""]
    parts += [f"#{tag}" for tag in section.tags if tag not in inherited]
    return " ".join(part for part in parts if part) or None


FEATURE = Feature("document_symbol", {lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL: document_symbol})
