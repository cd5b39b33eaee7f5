"""Titles of conversations by the small model, in the background."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from khojd.chat import titles
from khojd.chat.model import Step
from khojd.chat.preview import Foreseen
from khojd.chat.requests import Requests, amended, model_step
from khojd.errors import KhojdError
from khojd.llm.model import ChatRequest, Message

if TYPE_CHECKING:
    from khojd.chat.turn import Running

log = logging.getLogger(__name__)

PATIENCE = 30.0  # seconds; nobody waits
_NEW = 3  # turns; one that has no title by then keeps that of its first question
_EXCERPT = 1200  # characters of question and answer each
_FOR = "for a title"
_UNKNOWN = "(the beginning of the answer)"
_INSTRUCTIONS = "Give this conversation a title of 3 to 7 words, in its language. Answer with the title alone, without quotes."


async def wants_name(turn: Running, *, foreseen: bool = False) -> bool:
    """Whether a model is asked for a title after a turn: of a new conversation that nobody has titled, when one answered.

    `foreseen`: the turn is not asked yet.
    """
    if not (turn.config.chat.titles and (foreseen or turn.requests.main.requests) and turn.chat.router.has("small", turn.model)):
        return False
    conversation = turn.conversation
    if not foreseen:
        try:
            conversation = await turn.chat.store.get(conversation.id)
        except KhojdError:  # it was deleted
            return False
    return not conversation.titled and conversation.turns + foreseen <= _NEW


def foreseen_title(turn: Running) -> Foreseen:
    """The request for a title of a turn that is not asked yet."""
    to = turn.chat.router.expected("small", turn.chat.router.helper(turn.model))
    return Foreseen(_FOR, to, _messages(turn.question, _UNKNOWN))


def title_step(turn: Running) -> Step:
    """Where the request for a title goes."""
    return model_step(turn.chat.router.expected("small", turn.chat.router.helper(turn.model)), _FOR)


def name_conversation(turn: Running) -> None:
    """Have the conversation titled; nobody waits for it."""
    turn.chat.spawn(_name(turn), f"title of {turn.conversation.id}")


def _messages(question: str, answer: str) -> tuple[Message, ...]:
    text = f"Question: {question[:_EXCERPT]}\n\nAnswer: {answer[:_EXCERPT]}"
    return Message("system", _INSTRUCTIONS), Message("user", text)


async def _name(turn: Running) -> None:
    record, chat = turn.record.turn, turn.chat
    request = ChatRequest(_messages(turn.question, record.answer), max_tokens=200)
    steps: list[Step] = []
    later = Requests(chat.router, steps.append)
    try:
        try:
            helper = chat.router.helper(turn.model)
            said = await later.complete(request, model=helper, seconds=PATIENCE, what=_FOR)
        finally:
            # The step that the turn has already says where it was to go; others, that it went elsewhere.
            new = [step for step in steps if step not in record.steps]
            await chat.store.amend(turn.id, lambda kept: amended(kept, later, *new))
        if title := titles.from_model(said, _INSTRUCTIONS, record.answer):
            await chat.store.entitle(turn.conversation.id, title)
    except KhojdError as error:
        log.info("no title by the small model: %s", error.name)  # that of the question stays
