"""khoj/chat/apply: a change that an answer proposed is made in the client, once a person has agreed to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from khojd.chat import proposals
from khojd.chat.model import Proposal, Turn, text_hash
from khojd.errors import EditError, NotFound
from khojd.paths import plain
from khojd.server import draft, edits, types_proposals
from khojd.server.edits import Edits
from khojd.server.method import Method
from khojd.server.methods.links import propose
from khojd.server.methods.notes import show

if TYPE_CHECKING:
    from khojd.graph.sheet import Sheet
    from khojd.server.session import Session

YES = "Change it"
NO = "No"
_SHOWN = 300  # characters of each side of a change in a question


async def apply(session: Session, params: types_proposals.ApplyParams) -> types_proposals.ApplyResult:
    """Propose the change to the client. Raises NotFound for an unknown one, EditError when the note no longer has its place."""
    turn = await session.host.chat.turn(params.turn)
    proposal = next((one for one in turn.proposals if one.id == params.proposal), None)
    if proposal is None:
        raise NotFound(f"the answer {turn.id} has no proposal {params.proposal!r}", proposal=params.proposal, turn=turn.id)
    change, sheet = await _change(session, turn, proposal)
    uri = session.uri(change.path)
    label = f"Chat proposes to {change.why or 'change a note'}"
    if params.edit_only:
        try:
            edit = _edits(session, change, sheet, label).build()
        except EditError:
            return types_proposals.ApplyResult(False, uri, "", change, None)
        return types_proposals.ApplyResult(False, uri, "", change, _plain(edit))
    made = _edits(session, change, sheet, label, confirm=not params.confirmed)
    shown = _plain(made.build())
    if not params.confirmed and not edits.annotates(session) and not await _agreed(session, change):
        return types_proposals.ApplyResult(False, uri, "it was not agreed to", change, shown)
    done = await propose(session, made, label, uri)
    if done.applied and change.create:
        await show(session, change.path)
    return types_proposals.ApplyResult(done.applied, uri, done.reason, change, shown)


async def _change(session: Session, turn: Turn, proposal: Proposal) -> tuple[types_proposals.Change, Sheet | None]:
    """The proposal in the text that this client has. Raises EditError."""
    path, create = proposal.path, not proposal.text_hash
    _check(session, path)
    sheet, start, end, digest = None, 0, 0, ""
    if create:
        if await session.graph(lambda graph: draft.taken(graph, path)):
            raise EditError(f"{path} is there already: ask for the change again", path=path)
    else:
        sheet = await session.sheet(path)
        start, end = proposals.fit(proposal, sheet.text)
        digest = text_hash(sheet.text)
    change = types_proposals.Change(
        path=path,
        create=create,
        start=start,
        end=end,
        before=sheet.text[start:end] if sheet is not None else "",
        after=proposals.as_in(sheet.text, proposal.after) if sheet is not None else proposal.after,
        text_hash=digest,
        why=proposal.why,
        origin=_origin(turn),
    )
    return change, sheet


def _check(session: Session, path: str) -> None:
    """Raises EditError for a file that is in none of the folders, wherever links lead."""
    real = plain(os.path.realpath(path))
    tops = [plain(os.path.realpath(folder.path)).rstrip("/") for folder in session.engine.folders()]
    if not any(real.startswith(top + "/") for top in tops):
        raise EditError(f"{path} is in none of the folders of notes", path=path)


def _origin(turn: Turn) -> str:
    who = f"{turn.provider}/{turn.model}" if turn.model else "chat"
    question = " ".join(turn.question.split())
    return f"by {who}, asked “{question if len(question) <= 120 else question[:119] + '…'}”"


def _edits(session: Session, change: types_proposals.Change, sheet: Sheet | None, label: str, *, confirm: bool = True) -> Edits:
    """Raises EditError for a client that cannot make it."""
    made = Edits(session)
    named = f"{label} ({change.origin})"
    if sheet is None:
        made.create(change.path, change.after, label=named, confirm=confirm)
    else:
        made.replace(sheet, change.start, change.end, change.after, label=named, confirm=confirm)
    return made


def _plain(edit: lsp.WorkspaceEdit) -> dict[str, object]:
    from khojd.server.wire import CONVERTER

    built: dict[str, object] = CONVERTER.unstructure(edit)
    return built


async def _agreed(session: Session, change: types_proposals.Change) -> bool:
    """Ask a client that does not show edits before it makes them. Raises EditError for one that cannot be asked."""
    if not session.can("window.show_message"):
        raise EditError(
            "this editor neither shows changes before it makes them (changeAnnotationSupport) nor questions (window.showMessage): "
            "show the change yourself and send confirmed",
            path=change.path,
        )
    replaced = f"\n\nInstead of:\n{_short(change.before)}" if change.before else ""
    question = lsp.ShowMessageRequestParams(
        type=lsp.MessageType.Info,
        message=f"Chat proposes to {change.why or 'change a note'} ({change.origin}).{replaced}\n\nNew:\n{_short(change.after)}",
        actions=[lsp.MessageActionItem(title=title) for title in (YES, NO)],
    )
    try:
        answer = await session.window_show_message_request_async(question)
    except JsonRpcException:
        return False
    return answer is not None and answer.title == YES


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text) - _SHOWN:,} more characters)"


METHODS = (Method("khoj/chat/apply", types_proposals.ApplyParams, types_proposals.ApplyResult, apply),)
