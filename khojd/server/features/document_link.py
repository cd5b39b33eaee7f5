"""textDocument/documentLink: the links of a note; where one leads is looked up when it is asked for."""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp

from khojd.content import targets
from khojd.content.model import Link
from khojd.errors import NotFound
from khojd.graph.model import Resolution
from khojd.graph.sheet import Sheet
from khojd.server import plain
from khojd.server.feature import Feature
from khojd.server.places import Desk
from khojd.server.session import Session
from khojd.server.sheets import go_through

_LONGEST = 2_000  # characters of a target that are sent; that of a picture in the text may have millions


async def document_link(session: Session, params: lsp.DocumentLinkParams) -> list[plain.DocumentLink]:
    """Every link of the note, in order. Addresses stand in the answer, places in notes are for `documentLink/resolve`."""
    uri = params.text_document.uri
    sheet = await session.sheet(uri)
    return await go_through(sheet, lambda: _links(session, sheet, uri))


def _links(session: Session, sheet: Sheet, uri: str) -> list[plain.DocumentLink]:
    abbreviations = sheet.abbreviations
    found = []
    for link in sheet.links:
        reading = targets.read(link, abbreviations)[0]
        if reading.kind == "empty":
            continue
        range = plain.range(sheet, link.start, link.end, session.documents.encoding)
        if reading.kind == "external" and len(link.target) <= _LONGEST:
            found.append(plain.DocumentLink(range=range, target=_address(reading.path)))
        else:
            data = {"uri": uri, "kind": link.kind, "target": link.target[:_LONGEST], "at": link.start}
            found.append(plain.DocumentLink(range=range, data=data))
    return found


async def resolve(session: Session, asked: lsp.DocumentLink) -> lsp.DocumentLink:
    """The link with its target, and a tooltip that says what it is, or why there is none."""
    data: dict[str, Any] = asked.data if isinstance(asked.data, dict) else {}
    if asked.target is not None or not isinstance(data.get("uri"), str):
        return asked
    try:
        sheet = await session.sheet(data["uri"])
    except NotFound:
        return asked
    link = _again(sheet, data)
    if link is None:
        asked.tooltip = "The note has changed: this link is no longer there"
        return asked
    found = await session.graph(lambda graph: graph.resolve(sheet, link))
    if found.status == "external":
        asked.target = _address(found.target.path)
        return asked
    if not found.places:
        asked.tooltip = found.reason or f"There is no note {link.target[:_LONGEST]}"
        return asked
    place = found.places[0]
    (location,) = await Desk(session).locations([place])
    line = location.range.start.line
    asked.target = location.uri + (f"#L{line + 1}" if line else "")
    asked.tooltip = _tooltip(found)
    return asked


def _again(sheet: Sheet, data: dict[str, Any]) -> Link | None:
    """The link that was sent, as near to its place as it is now."""
    at = data.get("at")
    wanted = data.get("kind"), data.get("target")
    same = [link for link in sheet.links if (link.kind, link.target[:_LONGEST]) == wanted]
    return min(same, key=lambda link: abs(link.start - at), default=None) if isinstance(at, int) else None


def _tooltip(found: Resolution) -> str:
    place = found.places[0]
    note = place.note
    name = (note.title or note.name) if note is not None else place.path
    said = f"{name} › {place.label}" if place.label else name
    if found.status == "no-anchor":
        return f"{said}: {found.reason}"
    if found.status == "outside":
        return f"{said} ({found.reason})"
    if found.status == "ambiguous":
        return f"{said} (the first of {len(found.places)})"
    return said


def _address(address: str) -> str:
    return f"https:{address}" if address.startswith("//") else address


FEATURE = Feature("document_link", {lsp.TEXT_DOCUMENT_DOCUMENT_LINK: document_link, lsp.DOCUMENT_LINK_RESOLVE: resolve})
