"""textDocument/codeAction and codeAction/resolve: repairs, links, new notes, tables of contents, questions."""

from __future__ import annotations

import msgspec
from lsprotocol import types as lsp

from khojd.server.actions import execution, inquiry, offers
from khojd.server.actions.inquiry import Inquiry, Offer
from khojd.server.feature import Feature
from khojd.server.session import Session

COMMAND = "khoj.actions.apply"
ASK = "khoj.chat.show"


async def code_action(session: Session, params: lsp.CodeActionParams) -> list[lsp.CodeAction | lsp.Command] | None:
    """Actions with their edits worked out later where the client can ask for them; commands for one that knows no actions."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    if sheet.format not in ("markdown", "org"):
        return None
    about = Inquiry(session, sheet, params)
    found = await offers.gather(about)
    if not session.can("text_document.code_action.code_action_literal_support"):
        return [_command(one) for one in found]
    return [await _action(session, about, one) for one in found]


async def resolve(session: Session, action: lsp.CodeAction) -> lsp.CodeAction:
    """The action with its edit. Raises EditError where the note changed meanwhile."""
    if action.data is not None and action.edit is None:
        action.edit = (await execution.edits(session, inquiry.read(action.data))).build()
    return action


async def _action(session: Session, about: Inquiry, offer: Offer) -> lsp.CodeAction:
    if offer.planned is None:
        return lsp.CodeAction(title=offer.title, kind=offer.kind, command=_command(offer))
    span = session.range(about.sheet, *offer.span)
    same = [one for one in about.diagnostics if one.code == offer.code and one.range == span] if offer.code else []
    lazy = _resolves(session)
    return lsp.CodeAction(
        title=offer.title,
        kind=lsp.CodeActionKind(offer.kind) if offer.kind in _STANDARD else offer.kind,
        diagnostics=same or None,
        is_preferred=True if offer.preferred and session.can("text_document.code_action.is_preferred_support") else None,
        edit=None if lazy else (await execution.edits(session, offer.planned)).build(),
        data=msgspec.to_builtins(offer.planned) if lazy else None,
    )


def _command(offer: Offer) -> lsp.Command:
    if offer.planned is None:
        return lsp.Command(title=offer.title, command=ASK, arguments=[offer.question])
    return lsp.Command(title=offer.title, command=COMMAND, arguments=[msgspec.to_builtins(offer.planned)])


def _resolves(session: Session) -> bool:
    """Whether the client asks for the edit of an action that it shows, and keeps the data that says what it is."""
    text = session.client_capabilities.text_document
    actions = text.code_action if text else None
    known = actions.resolve_support.properties if actions and actions.resolve_support else ()
    return bool(actions and actions.data_support and "edit" in known)


_STANDARD = {kind.value for kind in lsp.CodeActionKind}


def _options(_: Session) -> dict[str, lsp.CodeActionOptions]:
    options = lsp.CodeActionOptions(code_action_kinds=list(inquiry.KINDS), resolve_provider=True)
    return {lsp.TEXT_DOCUMENT_CODE_ACTION: options}


FEATURE = Feature("code_action", {lsp.TEXT_DOCUMENT_CODE_ACTION: code_action, lsp.CODE_ACTION_RESOLVE: resolve}, options=_options)
