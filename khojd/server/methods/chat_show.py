"""khoj/chat/show: a question whose answer is shown by editors that have no plugin for chat."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from khojd.chat import model as core
from khojd.content.registry import processor, settings_of
from khojd.errors import ChatError, KhojdError
from khojd.server import shown_answers, types_chat, uris
from khojd.server.method import Method
from khojd.server.methods.chat import attached
from khojd.server.progress import Work
from khojd.server.session import Session

if TYPE_CHECKING:
    from khojd.chat.export import Format

log = logging.getLogger(__name__)

MOST_SHOWN = 2_000  # characters of a message
_numbers = iter(range(1, 1 << 62))


async def show(session: Session, params: types_chat.ChatShowParams) -> types_chat.ChatShowResult:
    """Ask, and show the answer when it is there: as a file of its own, or as a message where the client shows no files.

    Returns at once, because some editors wait for the end of a command. Errors of the question are raised; later ones are shown.
    """
    if not params.message.strip():
        raise ChatError("the question is empty", param="message")
    places = tuple([await attached(session, number, place) for number, place in enumerate(params.context)])
    session.spawn(_show(session, core.Ask(params.message, attached=places)), "showing an answer")
    return types_chat.ChatShowResult(started=True)


async def _show(session: Session, ask: core.Ask) -> None:
    work = await _begin(session)
    try:
        finished = await _answer(session, ask, work)
    except KhojdError as error:
        _say(session, lsp.MessageType.Error, error.message)
        return
    finally:
        if work is not None:
            work.end("stopped")
    if finished is not None and not await _present(session, ask, finished):
        turn = finished.turn
        text = turn.answer if len(turn.answer) <= MOST_SHOWN else turn.answer[:MOST_SHOWN] + " …"
        _say(session, lsp.MessageType.Info, text or turn.reason)


async def _answer(session: Session, ask: core.Ask, work: Work | None) -> core.Finished | None:
    sheets = session.documents.sheets(settings_of(session.engine.config.content))
    finished = None
    async with aclosing(session.host.chat.ask(ask, sheets=sheets)) as events:
        async for event in events:
            if isinstance(event, core.Finished):
                finished = event
            elif isinstance(event, core.Stepped) and work is not None:
                work.say(event.step.text)
    return finished


async def _begin(session: Session) -> Work | None:
    """Progress that the client shows, by which a person can cancel; None where it shows none."""
    if not session.can("window.work_done_progress"):
        return None
    token = f"khojd-{session.owner}-answer-{next(_numbers)}"
    try:
        await session.window_work_done_progress_create_async(lsp.WorkDoneProgressCreateParams(token=token))
    except JsonRpcException:
        return None
    task = asyncio.current_task()
    assert task is not None, "it was spawned"
    session.protocol.tokens.watch(token, task)
    return Work(session, token, "Answering", cancellable=True, measured=False)


async def _present(session: Session, ask: core.Ask, finished: core.Finished) -> bool:
    """Whether the client has shown the answer as a file."""
    if not finished.turn.answer or not session.can("window.show_document.support"):
        return False
    format = _format(ask)
    try:
        path = await asyncio.to_thread(shown_answers.write, finished.conversation, finished.turn, format)
        document = lsp.ShowDocumentParams(uri=uris.from_path(str(path)), take_focus=True)
        return (await session.window_show_document_async(document)).success
    except OSError as error:
        log.warning("an answer cannot be written: %s", error.strerror)
    except JsonRpcException as error:
        log.info("%s does not show an answer: %s", session.label, error)
    return False


def _format(ask: core.Ask) -> Format:
    """That of the note that was asked about."""
    first = next((place.path for place in ask.attached), "")
    return "org" if first and processor(first).format == "org" else "markdown"


def _say(session: Session, kind: lsp.MessageType, message: str) -> None:
    session.window_show_message(lsp.ShowMessageParams(type=kind, message=message))


METHODS = (Method("khoj/chat/show", types_chat.ChatShowParams, types_chat.ChatShowResult, show, needed=True),)
