"""textDocument/definition: follow the link at the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types as lsp

from khojd.errors import NotFound
from khojd.graph import labels, tags
from khojd.graph.graph import Graph
from khojd.graph.model import Place, Resolution
from khojd.graph.sheet import Sheet
from khojd.server.feature import Feature
from khojd.server.places import Desk
from khojd.server.session import Session


async def definition(session: Session, params: lsp.DefinitionParams) -> Sequence[lsp.Location] | Sequence[lsp.LocationLink] | None:
    """Where a link leads: all candidates of an ambiguous one, the note where a heading in it is missing.

    A heading is its own target, a tag has the page of its name, a label or footnote its definition. Null where there is nothing
    to follow.
    Raises NotFound with the reason for a link that leads above the configured folders.
    """
    sheet = await session.sheet(params.text_document.uri, marks=True)
    offset = session.offset(sheet, params.position)
    desk = Desk(session)
    if (label := labels.at(sheet, offset)) is not None:
        defined = labels.definition(sheet, label)
        there = [session.location(sheet, defined.first, defined.last)] if defined is not None else []
        return _answer(session, sheet, there, label.start, label.end)
    link = sheet.link_at(offset)
    if link is None:
        places = await desk.graph(lambda graph: _places(graph, sheet, offset))
        return await desk.locations(places) if places else None

    def resolve(graph: Graph) -> Resolution:
        return graph.resolve(sheet, link)

    found = await desk.graph(resolve)
    if found.status == "refused":
        raise NotFound(
            f"the link to {link.target[:200]!r} is not followed: {found.reason}", path=sheet.path, link=link.target[:200]
        )
    return _answer(session, sheet, await desk.locations(found.places), link.start, link.end)


def _answer(
    session: Session, sheet: Sheet, found: list[lsp.Location], start: int, end: int
) -> Sequence[lsp.Location] | Sequence[lsp.LocationLink] | None:
    """Locations, or links from [start, end) to them where the client takes those."""
    if not found or not session.can("text_document.definition.link_support"):
        return found or None
    origin = session.range(sheet, start, end)
    return [
        lsp.LocationLink(target_uri=at.uri, target_range=at.range, target_selection_range=at.range, origin_selection_range=origin)
        for at in found
    ]


def _places(graph: Graph, sheet: Sheet, offset: int) -> Sequence[Place]:
    """The page of a tag, else the heading or anchor at the cursor."""
    if (tag := sheet.mark_at(offset, "tag")) is not None and (pages := tags.pages(graph.notes, tag.value, sheet.path)):
        return pages
    place = graph.place_at(sheet, offset)
    return (place,) if place is not None and place.kind != "note" else ()


FEATURE = Feature("definition", {lsp.TEXT_DOCUMENT_DEFINITION: definition})
