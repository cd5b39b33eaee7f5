"""textDocument/codeLens and inlayHint: how many notes link to a heading, and how many are related. Both are off by default.

A lens is sent without its text, which is worked out when the client shows it (codeLens/resolve).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from lsprotocol import types as lsp

from khojd.errors import NotFound
from khojd.graph import subject
from khojd.graph.graph import Graph, leads
from khojd.graph.model import Place, Reference
from khojd.graph.sheet import Sheet
from khojd.server import plain
from khojd.server.feature import Event, Feature, announced
from khojd.server.places import Desk
from khojd.server.related import related
from khojd.server.session import Session
from khojd.server.sheets import go_through

MOST_RELATED = 10
_SHOW = "editor.action.showReferences"  # VS Code's own; other clients show the title alone


class Known:
    """The links to the notes whose lenses a client shows: looked up once for all headings of a note, until anything changes."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int | None, bytes], list[Reference]] = {}
        self._looking = asyncio.Lock()  # an editor asks for all the lenses that it shows at once

    async def backlinks(self, session: Session, desk: Desk, sheet: Sheet) -> list[Reference]:
        """The links to a note and into it."""
        async with self._looking:
            if not self._found:
                self._watch(session)
            found, key = self._found, (sheet.path, sheet.version, sheet.digest)
            if key not in found:
                found[key] = await desk.graph(lambda graph: _into(graph, sheet))
            return found[key]

    def _watch(self, session: Session) -> None:
        """Forget with the next change of the index; what sessions are told of those comes some time later."""

        def changed() -> None:
            end()
            self.forget()

        end = session.engine.subscribe(changed)

    def forget(self) -> None:
        self._found = {}  # what is being looked up was found among links that are old by now


def follow(session: Session, event: Event, path: str) -> None:
    """Any change in an open note may be one of a link."""
    session.keep(Known).forget()


async def code_lens(session: Session, params: lsp.CodeLensParams) -> list[plain.CodeLens]:
    """One lens for each heading."""
    uri = params.text_document.uri
    sheet = await session.sheet(uri)
    return await go_through(sheet, lambda: list(_lenses(sheet, uri, session.documents.encoding)))


def _lenses(sheet: Sheet, uri: str, encoding: str) -> Iterator[plain.CodeLens]:
    for section in sheet.sections:
        if section.heading_segment is not None and section.heading:
            line = sheet.lines.line(section.heading_segment.start)
            where = plain.range(sheet, sheet.lines.starts[line], sheet.lines.end(line), encoding)
            yield plain.CodeLens(range=where, data={"uri": uri, "heading": section.heading, "line": line})


async def resolve(session: Session, lens: lsp.CodeLens) -> lsp.CodeLens:
    """The lens with its counts; one whose heading or note is gone counts nothing."""
    data: Any = lens.data if isinstance(lens.data, dict) else {}
    lens.command = lsp.Command(title="", command="")
    try:
        sheet = await session.sheet(str(data.get("uri", "")))
    except NotFound:
        return lens
    index = _heading(sheet, data.get("heading"), data.get("line"))
    if index is None:
        return lens
    desk = Desk(session)
    into = await session.keep(Known).backlinks(session, desk, sheet)
    place, references = (await desk.graph(lambda graph: _led(graph, sheet, [index], into)))[0]
    count = len(references)
    near = len({hit.path for hit in await related(session, sheet, index, MOST_RELATED)})
    parts = [f"{count} backlink{'' if count == 1 else 's'}"]
    if near:
        parts.append(f"{near} related")
    lens.command = lsp.Command(title=", ".join(parts), command="")
    if count and place is not None and session.can("workspace.execute_command"):
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

    def look(graph: Graph) -> list[tuple[Place | None, list[Reference]]]:
        return _led(graph, sheet, shown, _into(graph, sheet))

    hints = []
    for index, (_, references) in zip(shown, await Desk(session).graph(look), strict=True):
        segment = sheet.sections[index].heading_segment
        if references and segment is not None:
            at = sheet.lines.end(sheet.lines.line(segment.start))
            hints.append(lsp.InlayHint(session.range(sheet, at, at).start, f"← {len(references)}", padding_left=True))
    return hints


def _into(graph: Graph, sheet: Sheet) -> list[Reference]:
    return graph.backlinks(Place(sheet.path, "note", note=graph.notes.at(sheet.path)))


def _led(graph: Graph, sheet: Sheet, indices: list[int], into: Sequence[Reference]) -> list[tuple[Place | None, list[Reference]]]:
    """Each heading's place, and those of the links into the note that lead there; of the title all of them."""
    found: list[tuple[Place | None, list[Reference]]] = []
    for index in indices:
        place = subject.place_at(graph, sheet, sheet.sections[index].span.start)
        there = [one for one in into if one.place is not None and leads(one.place, place)] if place is not None else []
        found.append((place, there))
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
    follow=follow,
)
INLAY_HINT = Feature(
    "inlay_hint",
    {lsp.TEXT_DOCUMENT_INLAY_HINT: inlay_hint},
    offered={lsp.TEXT_DOCUMENT_INLAY_HINT: announced("text_document.inlay_hint")},
)
