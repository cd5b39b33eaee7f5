"""khoj/chat and khoj/chat/cancel: a question and its answer, as it comes where the client wants that."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from lsprotocol import types as lsp
from msgspec.structs import replace

from khojd.chat import model as core
from khojd.content.registry import settings_of
from khojd.errors import ChatError, ConfigError, KhojdError, NotFound, ProviderError, QueryError
from khojd.llm.model import Image
from khojd.server import chat_values, types, types_chat
from khojd.server.chat_values import Values
from khojd.server.message import INVALID_PARAMS, RpcError
from khojd.server.method import Method
from khojd.server.progress import Work
from khojd.server.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from khojd.graph.sheet import Sheet

MOST_IMAGE_BYTES = 20_000_000
# Members of errors that name what was asked for -> the member of the params at fault.
_PARAMS = {
    "question": "message",
    "command": "message",
    "conversation": "conversation",
    "persona": "persona",
    "turn": "replaces",
    "model": "model",
}
_KINDS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


class Running:
    """One khoj/chat of a client."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._turn = ""
        self._unwanted = False

    @contextmanager
    def known_by(self, *tokens: types.Token | None) -> Iterator[None]:
        """Let it be cancelled by these tokens meanwhile."""
        known, given = self._session.keep(Tokens), {token for token in tokens if token is not None}
        for token in given:
            known.setdefault(token, []).append(self)
        try:
            yield
        finally:
            for token in given:
                known[token].remove(self)
                if not known[token]:
                    del known[token]

    async def began(self, turn: str) -> None:
        self._turn = turn
        if self._unwanted:
            await self._session.host.chat.cancel(turn)

    async def cancel(self) -> bool:
        """End it, and have the client told of what there is."""
        self._unwanted = True
        return await self._session.host.chat.cancel(self._turn) if self._turn else True


class Tokens(dict[types.Token, list[Running]]):
    """What a client runs, by the tokens it gave."""


async def chat(session: Session, params: types_chat.ChatParams) -> types_chat.ChatResult:
    """Ask a question about the notes. Errors name the member of the params at fault in `data.param`."""
    if not params.message.strip() and not params.images:
        raise _named(ChatError("the question is empty"), "message")
    running = Running(session)
    with running.known_by(params.partial_result_token, params.work_done_token):
        return await _asked(session, params, running)


async def _asked(session: Session, params: types_chat.ChatParams, running: Running) -> types_chat.ChatResult:
    sheets = session.documents.sheets(settings_of(session.engine.config.content))
    ask = core.Ask(
        params.message,
        conversation=params.conversation,
        persona=params.persona,
        model=params.model,
        filters=params.filters,
        folders=session.paths(params.folders),
        attached=tuple([await attached(session, number, place) for number, place in enumerate(params.context)]),
        images=tuple([await _image(session, number, place) for number, place in enumerate(params.images)]),
        replaces=params.replaces,
    )
    try:
        if params.dry_run:
            return await _dry_run(session, ask, sheets)
        return await _answered(session, params, ask, sheets, running)
    except KhojdError as error:
        if (name := _at_fault(error)) and "param" not in error.data:
            _named(error, name)
        raise


async def _answered(
    session: Session, params: types_chat.ChatParams, ask: core.Ask, sheets: Mapping[str, Sheet], running: Running
) -> types_chat.ChatResult:
    token = params.partial_result_token
    work = None
    if params.work_done_token is not None:
        work = Work(session, params.work_done_token, "Answering", cancellable=True, measured=False)
    finished: core.Finished | None = None
    try:
        told = _Told(session, token, work)
        async with aclosing(session.host.chat.ask(ask, sheets=sheets)) as events:
            async for event in events:
                if isinstance(event, core.Started):
                    await running.began(event.turn.id)
                if isinstance(event, core.Finished):
                    finished = event
                else:
                    await told.tell(event)
        assert finished is not None, "a turn that begins says how it ended"
        if work is not None:
            work.end(finished.turn.reason or finished.turn.state)
        return await _result(session, finished, streamed=token is not None)
    finally:
        if work is not None:
            work.end("stopped")


class _Told:
    """Sends what a turn says. A client that is behind is waited for; what comes meanwhile is joined by the turn's channel."""

    def __init__(self, session: Session, token: types.Token | None, work: Work | None) -> None:
        self._session = session
        self._token = token
        self._work = work
        self._answer = chat_values.Answer(session)
        self._values = Values(session)
        self._begun = False

    async def tell(self, event: core.ChatEvent) -> None:
        if self._work is not None:
            self._report(self._work, event)
        if self._token is not None and (value := await self._value(event)) is not None:
            await self._session.partial(self._token, value)

    def _report(self, work: Work, event: core.ChatEvent) -> None:
        if isinstance(event, core.Stepped):
            work.say(event.step.text)
        elif isinstance(event, core.TextPart) and not self._begun:
            self._begun = True
            work.say("writing the answer")

    async def _value(self, event: core.ChatEvent) -> types.Message | None:
        match event:
            case core.TextPart():
                self._answer.add(event.text)
                return types_chat.ChatText(text=event.text)
            case core.ThinkingPart():
                return types_chat.ChatThinking(text=event.text)
            case core.Citing():
                at = self._answer.unit(event.citation.at)
                return types_chat.ChatCitation(citation=await self._values.citation(event.citation, at))
            case core.Stepped():
                return types_chat.ChatStep(step=chat_values.step(event.step))
            case core.Proposed():
                return types_chat.ChatProposal(proposal=await self._values.proposal(event.proposal))
            case core.References():
                return types_chat.ChatReferences(references=await self._values.references(event.passages))
            case core.Started():
                return types_chat.ChatStarted(
                    conversation=event.conversation.id, turn=event.turn.id, title=event.conversation.title
                )
            case core.Finished():
                return None


async def _result(session: Session, finished: core.Finished, *, streamed: bool) -> types_chat.ChatResult:
    turn, values = finished.turn, Values(session)
    cited = {citation.number for citation in turn.citations}
    return types_chat.ChatResult(
        conversation=finished.conversation.id,
        title=finished.conversation.title,
        turn=turn.id,
        state="complete" if turn.state == "running" else turn.state,
        reason=turn.reason,
        text="" if streamed else turn.answer,
        extractive=turn.extractive,
        persona=turn.persona,
        provider=turn.provider,
        model=turn.model,
        citations=await values.citations(turn.answer, turn.citations),
        removed=turn.removed,
        references=await values.references(one for one in turn.passages if one.number in cited),
        steps=() if streamed else tuple(map(chat_values.step, turn.steps)),
        proposals=tuple([await values.proposal(one) for one in turn.proposals]),
        usage=chat_values.usage(turn.usage),
    )


async def _dry_run(session: Session, ask: core.Ask, sheets: Mapping[str, Sheet]) -> types_chat.ChatResult:
    preview = await session.host.chat.preview(ask, sheets=sheets)
    nothing = core.Turn(id="", conversation="", question=ask.question, persona=ask.persona, steps=preview.steps)
    result = await _result(session, core.Finished(nothing, core.Conversation("", "", 0.0, 0.0)), streamed=False)
    prompt, requests = chat_values.prompt(preview.messages), tuple(map(chat_values.foreseen, preview.requests))
    return replace(result, state="dry-run", prompt=prompt, requests=requests)


def _at_fault(error: KhojdError) -> str:
    """The member of the params that an error is about; "" where it is about none."""
    if isinstance(error, QueryError):
        return "filters"
    if isinstance(error, ConfigError):
        return "model" if error.data.get("key") == "model" else ""
    if isinstance(error, ProviderError) and error.reason != "model":
        return ""
    return next((_PARAMS[key] for key in _PARAMS if error.data.get(key)), "")


# --- params ----------------------------------------------------------------------------------------------------------------------


async def attached(session: Session, number: int, place: types_chat.ChatContext) -> core.Attached:
    """The `number`th place of a question's context. Raises NotFound, which names the member of the params."""
    try:
        path = session.path(place.text_document.uri)
        if place.range is None:
            return core.Attached(path)
        sheet = await session.sheet(path)
    except NotFound as error:
        raise _named(error, f"context[{number}]") from None
    start = session.offset(sheet, lsp.Position(place.range.start.line, place.range.start.character))
    end = session.offset(sheet, lsp.Position(place.range.end.line, place.range.end.character))
    if start == end:
        return core.Attached(path)
    return core.Attached(path, min(start, end), max(start, end), "selection")


async def _image(session: Session, number: int, place: str) -> Image:
    """A picture by what it is, not by its name. Raises NotFound, or RpcError for what is none."""
    name = f"images[{number}]"
    try:
        data = _inline(place) if place.startswith("data:") else await asyncio.to_thread(_read, session.path(place))
    except NotFound as error:
        raise _named(error, name) from None
    except ValueError as error:
        raise _refused(name, str(error)) from None
    webp = "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""
    kind = next((kind for start, kind in _KINDS if data.startswith(start)), webp)
    if not kind:
        raise _refused(name, "is no PNG, JPEG, GIF or WebP picture")
    return Image(data, kind)


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_IMAGE_BYTES + 1)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}", path=path) from None
    if len(data) > MOST_IMAGE_BYTES:
        raise ValueError(f"is larger than {MOST_IMAGE_BYTES // 1_000_000} MB: {path}")
    return data


def _inline(uri: str) -> bytes:
    head, comma, body = uri.partition(",")
    if not comma:
        raise ValueError("is a data: URI without data")
    raw = unquote_to_bytes(body)
    if not head.endswith(";base64"):
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error as error:
        raise ValueError(f"is no base64: {error}") from None


def _refused(name: str, reason: str) -> RpcError:
    return RpcError(INVALID_PARAMS, f"khoj/chat: {name} {reason}", kind="params", method="khoj/chat", param=name, reason=reason)


def _named(error: KhojdError, param: str) -> KhojdError:
    error.data["param"] = param
    return error


# --- cancelling ------------------------------------------------------------------------------------------------------------------


async def cancel(session: Session, params: types_chat.ChatCancelParams) -> types_chat.ChatCancelResult:
    """End an answer; its khoj/chat gets its reply, with the state `cancelled`."""
    if (params.token is None) == (not params.turn):
        reason = "khoj/chat/cancel takes either a token or a turn"
        raise RpcError(INVALID_PARAMS, reason, kind="params", method="khoj/chat/cancel", reason=reason)
    if params.token is None:
        return types_chat.ChatCancelResult(cancelled=await session.host.chat.cancel(params.turn))
    ended = [await running.cancel() for running in tuple(session.keep(Tokens).get(params.token, ()))]
    return types_chat.ChatCancelResult(cancelled=any(ended))


METHODS = (
    Method("khoj/chat", types_chat.ChatParams, types_chat.ChatResult, chat, partial=types_chat.STREAMED),
    Method("khoj/chat/cancel", types_chat.ChatCancelParams, types_chat.ChatCancelResult, cancel),
)
