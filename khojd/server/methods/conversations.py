"""khoj/conversations/*: what was asked and answered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from khojd.chat import export as exports
from khojd.chat import model as core
from khojd.content.names import slug
from khojd.errors import ChatError
from khojd.server import chat_values
from khojd.server import types_conversations as messages
from khojd.server.chat_values import Values
from khojd.server.message import INVALID_PARAMS, RpcError
from khojd.server.method import Method
from khojd.server.session import Session

if TYPE_CHECKING:
    from khojd.chat.store import Conversations


async def conversations(session: Session, params: messages.ConversationsParams) -> messages.ConversationsResult:
    """All conversations, or those that hold some words, last changed first."""
    store = _store(session)
    found = await store.list(params.query, limit=params.limit, offset=params.offset)
    return messages.ConversationsResult(conversations=tuple(map(_conversation, found)), problem=store.problem)


async def get(session: Session, params: messages.ConversationParams) -> messages.ConversationResult:
    """A conversation with its turns; what they cite is found in the notes as they are now."""
    store, values = _store(session), Values(session)
    id = await store.resolve(params.conversation)
    turns = [await _turn(values, turn, params) for turn in await store.turns(id)]
    aside = [await _turn(values, turn, params) for turn in await store.turns(id, aside=True)] if params.aside else []
    return messages.ConversationResult(conversation=_conversation(await store.get(id)), turns=tuple(turns), aside=tuple(aside))


async def rename(session: Session, params: messages.RenameConversationParams) -> messages.Conversation:
    """Give a conversation another title."""
    store = _store(session)
    return _conversation(await store.rename(await store.resolve(params.conversation), params.title))


async def delete(session: Session, params: messages.DeleteConversationParams) -> messages.DeletedConversation:
    """Remove a conversation for good. An answer that is being written in it is cancelled."""
    store = _store(session)
    gone = await store.get(params.conversation)
    for turn in await store.turns(gone.id):
        if turn.state == "running":
            await session.host.chat.cancel(turn.id)
    await store.delete(gone.id)
    return messages.DeletedConversation(conversation=_conversation(gone))


async def fork(session: Session, params: messages.ForkConversationParams) -> messages.Conversation:
    """A new conversation that begins with copies of a turn and all that led to it."""
    store = _store(session)
    if bool(params.turn) == bool(params.conversation):
        reason = "khoj/conversations/fork takes either a turn or a conversation"
        raise RpcError(INVALID_PARAMS, reason, kind="params", method="khoj/conversations/fork", reason=reason)
    if params.turn:
        turn = await store.resolve_turn(params.turn)
    else:
        id = await store.resolve(params.conversation)
        turns = await store.turns(id)
        if not turns:
            raise ChatError(f"the conversation {id!r} has no turn yet that it could be forked at", conversation=id)
        turn = turns[-1].id
    return _conversation(await store.fork(turn))


async def export(session: Session, params: messages.ExportConversationParams) -> messages.ExportedConversation:
    """A conversation as a note in Markdown or Org, with links to what it cites."""
    store, values = _store(session), Values(session)
    one = await store.get(params.conversation)
    turns: list[core.Turn] = []
    stale: list[core.Citation] = []
    for turn in await store.turns(one.id):
        await asyncio.sleep(0)
        cited = []
        for citation in turn.citations:
            now = await values.citation(citation, 0)
            cited.append(replace(citation, line=now.location.range.start.line))
            stale += cited[-1:] if now.state == "stale" else []
        turns.append(replace(turn, citations=tuple(cited)))
    write = exports.org if params.format == "org" else exports.markdown
    text = await asyncio.to_thread(write, one, turns, stale=stale)
    name = (slug(one.title)[:80].strip("-") or "conversation") + exports.SUFFIXES[params.format]
    return messages.ExportedConversation(text=text, format=params.format, title=one.title, name=name)


def _store(session: Session) -> Conversations:
    return session.host.chat.store


def _conversation(one: core.Conversation) -> messages.Conversation:
    return messages.Conversation(
        id=one.id,
        title=one.title,
        titled=one.titled,
        created=one.created,
        updated=one.updated,
        turns=one.turns,
        persona=one.persona,
        filters=one.filters,
        forked_from=one.forked_from,
    )


async def _turn(values: Values, turn: core.Turn, params: messages.ConversationParams) -> messages.ConversationTurn:
    await asyncio.sleep(0)  # a conversation may be long, and others wait for the loop
    cited = {citation.number for citation in turn.citations}
    passages = [one for one in turn.passages if params.passages or one.number in cited]
    return messages.ConversationTurn(
        id=turn.id,
        question=turn.question,
        command=turn.command,
        answer=turn.answer,
        thinking=turn.thinking,
        state=turn.state,
        reason=turn.reason,
        extractive=turn.extractive,
        persona=turn.persona,
        provider=turn.provider,
        model=turn.model,
        queries=turn.queries,
        citations=await values.citations(turn.answer, turn.citations),
        removed=turn.removed,
        references=await values.references(passages),
        steps=tuple(map(chat_values.step, turn.steps)),
        proposals=tuple([await values.proposal(one) for one in turn.proposals]),
        usage=chat_values.usage(turn.usage),
        created=turn.created,
        finished=turn.finished,
    )


METHODS = (
    Method("khoj/conversations/list", messages.ConversationsParams, messages.ConversationsResult, conversations),
    Method("khoj/conversations/get", messages.ConversationParams, messages.ConversationResult, get),
    Method("khoj/conversations/rename", messages.RenameConversationParams, messages.Conversation, rename),
    Method("khoj/conversations/delete", messages.DeleteConversationParams, messages.DeletedConversation, delete),
    Method("khoj/conversations/fork", messages.ForkConversationParams, messages.Conversation, fork),
    Method("khoj/conversations/export", messages.ExportConversationParams, messages.ExportedConversation, export),
)
