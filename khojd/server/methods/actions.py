"""khoj/actions/*, khoj/contents/*, khoj/links/insert: changes to an open note that are proposed to the client."""

from __future__ import annotations

import difflib

from lsprotocol import types as lsp

from khojd.content import names
from khojd.errors import EditError
from khojd.graph import compose, contents, habit
from khojd.graph.graph import Graph
from khojd.graph.model import Place
from khojd.graph.outline import heading_place
from khojd.graph.sheet import Sheet
from khojd.search.types import SearchRequest
from khojd.server import types, types_notes
from khojd.server.actions import execution
from khojd.server.actions.inquiry import Planned
from khojd.server.edits import Edits
from khojd.server.method import Method
from khojd.server.methods.links import propose
from khojd.server.methods.notes import show
from khojd.server.session import Session


async def apply(session: Session, params: types_notes.ActionParams) -> types.EditResult:
    """Do what a code action says. Raises EditError when the note changed meanwhile."""
    planned = Planned(
        what=params.what,
        uri=params.uri,
        stamp=params.stamp,
        title=params.title,
        start=params.start,
        end=params.end,
        text=params.text,
    )
    edits = await execution.edits(session, planned)
    shown = session.uri(params.text) if params.what == "create" else params.uri
    result = await propose(session, edits, params.title, shown)
    if result.applied and params.what == "create":
        await show(session, session.path(params.text))
    return result


async def update(session: Session, params: types_notes.ContentsParams) -> types.EditResult:
    """Write the table of contents of a note anew. Raises EditError when it has none."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    if not contents.has(sheet):
        mark = "a heading tagged :TOC:" if sheet.format == "org" else "<!-- toc --> and <!-- tocstop -->"
        raise EditError(f"{sheet.path} has no table of contents; {mark} says where it stands", path=sheet.path)
    edits = Edits(session)
    label = "Update the table of contents"
    await execution.contents_of(session, sheet, edits, label, insert=False)
    if not edits:
        return types.EditResult(applied=False, uri=session.uri(sheet.path), reason="it is up to date")
    return await propose(session, edits, label, session.uri(sheet.path))


async def insert(session: Session, params: types_notes.InsertLinkParams) -> types.EditResult:
    """Put a link at a position. Raises EditError for a target that is not there, or a query that finds nothing."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    if bool(params.target) == bool(params.query):
        raise EditError("khoj/links/insert takes either a target or a query")
    if sheet.format not in ("markdown", "org"):
        raise EditError(f"{sheet.path} is plain text, which has no links", path=sheet.path)
    offset = session.offset(sheet, lsp.Position(params.position.line, params.position.character))
    target, heading = (session.path(params.target), params.heading) if params.target else await _best(session, sheet, params.query)

    def work(graph: Graph) -> str:
        place = _place(graph, target, heading)
        return compose.link(graph, sheet, place, habit.of(graph.db, graph.notes, sheet), params.text)

    link = await session.graph(work)
    edits = Edits(session)
    edits.replace(sheet, offset, offset, link, label="Insert a link")
    return await propose(session, edits, "Insert a link", session.uri(sheet.path))


async def _best(session: Session, sheet: Sheet, query: str) -> tuple[str, str]:
    """The note and heading of the best hit elsewhere."""
    found = await session.engine.search(SearchRequest(query=query, limit=5))
    hit = next((hit for hit in found.hits if hit.path != sheet.path), None)
    if hit is None:
        raise EditError(f"nothing is found for {query!r}")
    return hit.path, hit.headings[-1] if len(hit.headings) > 1 else ""


def _place(graph: Graph, path: str, heading: str) -> Place:
    note = graph.notes.at(path)
    if note is None and path not in graph.sheets:
        raise EditError(f"{path} is no note of the configured folders", path=path)
    if not heading:
        return Place(path, "note", note=note)
    headings = graph.outline(path, note).headings
    wanted = names.heading_key(heading)
    found = next((one for one in headings if names.heading_key(one.text) == wanted), None)
    if found is None:
        close = difflib.get_close_matches(heading, [one.text for one in headings], n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise EditError(f"{path} has no heading {heading!r}{meant}", path=path)
    return heading_place(found, path, note)


METHODS = (
    Method("khoj/links/insert", types_notes.InsertLinkParams, types.EditResult, insert),
    Method("khoj/contents/update", types_notes.ContentsParams, types.EditResult, update),
    Method("khoj/actions/apply", types_notes.ActionParams, types.EditResult, apply, needed=True),
)
