"""textDocument/codeLens and inlayHint: how many notes link to a heading, and how many are related. Both are off by default.

A lens is sent without its text, which is worked out when the client shows it (codeLens/resolve).
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp

from khojd.graph import subject
from khojd.graph.graph import Graph
from khojd.graph.model import Place
from khojd.graph.sheet import Sheet
from khojd.server.feature import Feature
from khojd.server.places import Desk
from khojd.server.related import related
from khojd.server.session import Session

MOST_RELATED = 10
_SHOW = "editor.action.showReferences"  # VS Code's own; other clients show the title alone


async def code_lens(session: Session, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
    """One lens for each heading."""
    sheet = await session.sheet(params.text_document.uri)
    lenses = []
    for section in sheet.sections:
        if section.heading_segment is not None and section.heading:
            line = sheet.lines.line(section.heading_segment.start)
            where = session.range(sheet, sheet.lines.starts[line], sheet.lines.end(line))
            lenses.append(
                lsp.CodeLens(range=where, data={"uri": params.text_document.uri, "heading": section.heading, "line": line})
            )
    return lenses


async def resolve(session: Session, lens: lsp.CodeLens) -> lsp.CodeLens:
    """The lens with its counts; one whose heading is gone counts nothing."""
    data: Any = lens.data if isinstance(lens.data, dict) else {}
    sheet = await session.sheet(str(data.get("uri", "")))
    index = _heading(sheet, data.get("heading"), data.get("line"))
    if index is None:
        lens.command = lsp.Command(title="", command="")
        return lens
    desk = Desk(session)
    place, count = (await desk.graph(lambda graph: _counted(graph, sheet, [index])))[0]
    near = len({hit.path for hit in await related(session, sheet, index, MOST_RELATED)})
    parts = [f"{count} backlink{'' if count == 1 else 's'}"]
    if near:
        parts.append(f"{near} related")
    lens.command = lsp.Command(title=", ".join(parts), command="")
    if count and place is not None and session.can("workspace.execute_command"):
        references = await desk.graph(lambda graph: graph.backlinks(place))
        locations = [session.location(one, link.start, link.end) for one, link in await desk.links(references)]
        lens.command = lsp.Command(
            title=lens.command.title, command=_SHOW, arguments=[session.uri(sheet.path), lens.range.start, locations]
        )
    return lens


async def inlay_hint(session: Session, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
    """The number of backlinks after each heading in the range that has any."""
    sheet = await session.sheet(params.text_document.uri)
    start, end = session.offset(sheet, params.range.start), session.offset(sheet, params.range.end)
    shown = [
        index
        for index, section in enumerate(sheet.sections)
        if section.heading_segment is not None and start <= section.heading_segment.start <= end
    ]
    counted = await Desk(session).graph(lambda graph: _counted(graph, sheet, shown))
    hints = []
    for index, (_, count) in zip(shown, counted, strict=True):
        segment = sheet.sections[index].heading_segment
        if count and segment is not None:
            at = sheet.lines.end(sheet.lines.line(segment.start))
            hints.append(lsp.InlayHint(session.range(sheet, at, at).start, f"← {count}", padding_left=True))
    return hints


def _counted(graph: Graph, sheet: Sheet, indices: list[int]) -> list[tuple[Place | None, int]]:
    """Each heading's place, and how many links lead there; of the title how many lead to the note."""
    found = []
    for index in indices:
        place = graph.place_at(sheet, sheet.sections[index].span.start)
        if place is not None and place.kind == "heading" and subject.is_title(sheet, place):
            place = Place(place.path, "note", note=place.note)
        found.append((place, len(graph.backlinks(place)) if place is not None else 0))
    return found


def _heading(sheet: Sheet, heading: object, line: object) -> int | None:
    """The section of a lens, where the text has changed the nearest one of that name."""
    same = [index for index, section in enumerate(sheet.sections) if section.level and section.heading == heading]
    if not isinstance(line, int):
        return None
    return min(same, key=lambda index: abs(sheet.lines.line(sheet.sections[index].span.start) - line), default=None)


CODE_LENS = Feature(
    "code_lens",
    {lsp.TEXT_DOCUMENT_CODE_LENS: code_lens, lsp.CODE_LENS_RESOLVE: resolve},
    options=lambda _: {lsp.TEXT_DOCUMENT_CODE_LENS: lsp.CodeLensOptions(resolve_provider=True)},
)
INLAY_HINT = Feature("inlay_hint", {lsp.TEXT_DOCUMENT_INLAY_HINT: inlay_hint})
