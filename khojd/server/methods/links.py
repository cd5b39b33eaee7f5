"""khoj/links/*: what a link needs in the note it leads to. Changes are proposed to the client, which makes them."""

from __future__ import annotations

from lsprotocol import types as lsp

from khojd.errors import EditError
from khojd.graph import anchors
from khojd.graph.sheet import Sheet
from khojd.server import types, uris
from khojd.server.edits import Edits
from khojd.server.method import Method
from khojd.server.session import Session


async def anchor(session: Session, params: types.AnchorParams) -> types.EditResult:
    """Propose to put an id at a place. One that has an id by now keeps it: then nothing is changed. Raises EditError, NotFound."""
    sheet = await session.sheet(params.uri, marks=True)
    insertion = _insertion(sheet, params)
    if insertion is None:
        return types.EditResult(applied=False, uri=uris.from_path(sheet.path), reason="it has an id already")
    edits = Edits(session)
    label = f"Give it the id {params.id}"
    edits.replace(sheet, insertion.offset, insertion.offset, insertion.text, label=label, confirm=True)
    return await propose(session, edits, label, uris.from_path(sheet.path))


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
