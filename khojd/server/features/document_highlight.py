"""textDocument/documentHighlight: the same tag, link or label, or a heading or block with the links to it, within the note."""

from __future__ import annotations

from lsprotocol import types as lsp

from khojd.content.model import Link
from khojd.graph import labels
from khojd.graph.graph import Graph
from khojd.graph.model import Place
from khojd.graph.sheet import Sheet
from khojd.server.feature import Feature
from khojd.server.features.document_symbol import heading_span
from khojd.server.session import Session

Found = list[tuple[int, int, lsp.DocumentHighlightKind]]

_READ, _WRITE = lsp.DocumentHighlightKind.Read, lsp.DocumentHighlightKind.Write


async def document_highlight(session: Session, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight] | None:
    """What is at the cursor, everywhere in the note: a definition is `Write`, a use `Read`; None where nothing is."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    offset = session.offset(sheet, params.position)
    label, tag = labels.at(sheet, offset), sheet.mark_at(offset, "tag")
    if label is not None:
        found: Found = [(one.start, one.end, _WRITE if one.defines else _READ) for one in labels.same(sheet, label)]
    elif tag is not None:
        name = tag.value.casefold()
        found = [(one.start, one.end, _READ) for one in sheet.marks if one.kind == "tag" and one.value.casefold() == name]
    elif (link := sheet.link_at(offset)) is not None:
        found = await session.graph(lambda graph: _like(graph, sheet, link))
    elif sheet.heading_at(offset) or sheet.anchor_at(offset) is not None:
        found = await session.graph(lambda graph: _to(graph, sheet, offset))
    else:
        return None
    return [lsp.DocumentHighlight(session.range(sheet, start, end), kind) for start, end, kind in sorted(found)]


def _like(graph: Graph, sheet: Sheet, link: Link) -> Found:
    """The links that lead where `link` does, and that place when it is in this note."""
    place = _place(graph, sheet, link)
    if place is None:
        return [(one.start, one.end, _READ) for one in sheet.links if one.target == link.target]
    return [*_definition(sheet, place), *_uses(graph, sheet, place)]


def _to(graph: Graph, sheet: Sheet, offset: int) -> Found:
    """The heading or anchor at `offset`, and the links to it."""
    place = graph.place_at(sheet, offset)
    return [] if place is None else [*_definition(sheet, place), *_uses(graph, sheet, place)]


def _uses(graph: Graph, sheet: Sheet, place: Place) -> Found:
    wanted = _key(place)
    places = ((link, _place(graph, sheet, link)) for link in sheet.links)
    return [(link.start, link.end, _READ) for link, leads in places if leads is not None and _key(leads) == wanted]


def _definition(sheet: Sheet, place: Place) -> Found:
    if place.path != sheet.path or place.kind in ("note", "file"):
        return []
    if place.kind == "heading":
        start, end = heading_span(sheet, place.section)
        return [(start, end, _WRITE)]
    return [(place.start, place.end, _WRITE)]


def _place(graph: Graph, sheet: Sheet, link: Link) -> Place | None:
    found = graph.resolve(sheet, link)
    return found.places[0] if found.status in ("found", "ambiguous", "outside") else None


def _key(place: Place) -> tuple[str, str, int]:
    return place.path, place.kind, place.start


FEATURE = Feature("document_highlight", {lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: document_highlight})
