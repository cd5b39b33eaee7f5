"""khoj/links/*: what a link needs in the note it leads to. Changes are proposed to the client, which makes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import msgspec
from lsprotocol import types as lsp

from khojd.errors import EditError, KhojdError
from khojd.graph import anchors
from khojd.graph.sheet import Sheet
from khojd.server import types, uris
from khojd.server.edits import Edits
from khojd.server.feature import Event
from khojd.server.method import Method
from khojd.server.session import Session

PATIENCE = 1.0  # seconds that a client has to run the command of what it completed
REMEMBERED = 60.0  # seconds for which an offered id may be taken
_SIGNS = {"id": "id:", "block": "^"}  # before it in a link


class Promised:
    """The ids in the completions offered last, by the note they were offered in, which nobody has yet.

    No capability says whether a client runs the command of a completion (Eglot does not). So an id that was taken, and not asked
    for, is proposed all the same: else its link would lead nowhere.
    """

    def __init__(self) -> None:
        self._offered: dict[str, types.AnchorParams] = {}
        self._path = ""
        self._until = 0.0  # of time.monotonic

    def offer(self, path: str, arguments: Iterable[Any]) -> None:
        """Those of one list, each as `AnchorParams` in JSON. A client may still show the list before, so its ids are kept, too."""
        found = {str(one["id"]): msgspec.convert(one, types.AnchorParams) for one in arguments}
        if found:
            before = list(self._offered.items())[-len(found) :] if path == self._path else []
            self._offered, self._path = {**dict(before), **found}, path
            self._until = time.monotonic() + REMEMBERED

    def taken(self, path: str, text: str) -> list[str]:
        """Those that the text of the note links to."""
        if path != self._path or time.monotonic() > self._until:
            return []
        return [name for name, one in self._offered.items() if f"{_SIGNS[one.kind]}{name}" in text]

    def pop(self, name: str) -> types.AnchorParams | None:
        return self._offered.pop(name, None)


def follow(session: Session, event: Event, path: str) -> None:
    """See that ids that were promised are given."""
    if event != "changed":
        return
    for name in session.keep(Promised).taken(path, session.documents.text(path) or ""):
        session.spawn(_give(session, path, name), "giving an id")


async def _give(session: Session, path: str, name: str) -> None:
    await asyncio.sleep(PATIENCE)
    if name not in session.keep(Promised).taken(path, session.documents.text(path) or ""):
        return  # the client has asked for it, or the link is gone
    wanted = session.keep(Promised).pop(name)
    if wanted is None:
        return
    try:
        await anchor(session, wanted)
    except KhojdError as error:
        session.tell(error.message)


async def anchor(session: Session, params: types.AnchorParams) -> types.EditResult:
    """Propose to put an id at a place. One that has an id by now keeps it: then nothing is changed. Raises EditError, NotFound."""
    session.keep(Promised).pop(params.id)
    sheet = await session.sheet(params.uri, marks=True)
    insertion = _insertion(sheet, params)
    if insertion is None:
        return types.EditResult(applied=False, uri=session.uri(sheet.path), reason="it has an id already")
    edits = Edits(session)
    label = f"Give it the id {params.id}"
    edits.replace(sheet, insertion.offset, insertion.offset, insertion.text, label=label, confirm=True)
    return await propose(session, edits, label, session.uri(sheet.path))


async def propose(session: Session, edits: Edits, label: str, uri: str) -> types.EditResult:
    """Ask the client to apply `edits`. Raises EditError for one that cannot."""
    if not session.can("workspace.apply_edit"):
        raise EditError("this editor takes no changes from a language server (workspace.applyEdit)", path=uris.to_path(uri))
    answer = await session.workspace_apply_edit_async(lsp.ApplyWorkspaceEditParams(edit=edits.build(), label=label))
    return types.EditResult(applied=answer.applied, uri=uri, reason=answer.failure_reason or "")


def _insertion(sheet: Sheet, params: types.AnchorParams) -> anchors.Insertion | None:
    if params.line >= len(sheet.lines):
        raise EditError(f"{sheet.path} has no line {params.line + 1}: it changed meanwhile, ask again", path=sheet.path)
    start = sheet.lines.starts[params.line]
    if params.kind == "id":
        index = sheet.heading_at(start)
        if index is None or (params.line and not index):
            raise EditError(f"there is no heading in line {params.line + 1} of {sheet.path}: ask again", path=sheet.path)
        taken = any(one.kind == "id" and one.section == index for one in sheet.anchors)
        return None if taken else anchors.org_id(sheet, index, params.id)
    block = next((one for one in anchors.blocks(sheet) if one.start <= start < max(one.end, one.start + 1)), None)
    if block is None:
        raise EditError(f"there is no paragraph in line {params.line + 1} of {sheet.path}: ask again", path=sheet.path)
    return None if block.identity else anchors.Insertion(block.end, f" ^{params.id}")


METHODS = (Method("khoj/links/anchor", types.AnchorParams, types.EditResult, anchor, needed=True),)
