"""Titles of conversations by the small model, in the background."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from khojd.chat import titles
from khojd.errors import KhojdError
from khojd.llm.model import ChatRequest, Message

if TYPE_CHECKING:
    from khojd.chat.turn import Running

PATIENCE = 30.0  # seconds; nobody waits
_NEW = 3  # turns; one that has no title by then keeps that of its first question
_EXCERPT = 1200  # characters of question and answer each
_MARKER = re.compile(r"\s*\[\^?\d+\]")
_INSTRUCTIONS = "Give this conversation a title of 3 to 7 words, in its language. Answer with the title alone, without quotes."


def name_conversation(turn: Running) -> None:
    """Have a new conversation titled, after a turn that a model answered."""
    new = not turn.conversation.titled and turn.conversation.turns <= _NEW and turn.record.usage.requests > 0
    if new and turn.config.chat.titles and turn.chat.router.has("small", turn.model):
        turn.chat.spawn(_name(turn), f"title of {turn.conversation.id}")


async def _name(turn: Running) -> None:
    record = turn.record.turn
    text = f"Question: {turn.question[:_EXCERPT]}\n\nAnswer: {record.answer[:_EXCERPT]}"
    request = ChatRequest((Message("system", _INSTRUCTIONS), Message("user", text)), max_tokens=200)
    router = turn.chat.router
    try:
        said = await router.complete("small", request, seconds=PATIENCE, model=router.helper(turn.model))
        first = said.strip().partition("\n")[0]
        title = titles.tidy(_MARKER.sub("", first).strip("\"'*#“”„ ."))
        if title:
            await turn.chat.store.entitle(turn.conversation.id, titles.shortened(title))
    except KhojdError:
        return  # the title from the question stays
