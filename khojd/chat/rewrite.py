"""Queries made by a small model. Whatever it does wrong, the queries made by rules are there already."""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from khojd.chat import queries
from khojd.chat.model import Turn
from khojd.chat.queries import Plan
from khojd.chat.requests import Requests
from khojd.config import Config
from khojd.errors import KhojdError
from khojd.llm.model import ChatRequest, Message
from khojd.llm.router import Router

log = logging.getLogger(__name__)

MOST = 5  # queries
WHAT = "for search queries"
PATIENCE = 4.0  # seconds; a person waits
_DESCRIBED = 8.0  # seconds for the server to describe the model, which is kept for some minutes
_REST = 300.0  # seconds without it after it was too slow or failed
_TURNS, _TOLD = 3, 400  # turns before, characters of each answer
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "queries": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string"}, "filters": {"type": "string"}},
                "required": ["text", "filters"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["queries"],
    "additionalProperties": False,
}
_INSTRUCTIONS = """\
You prepare searches in one person's notes. Write 1 to 4 short search queries that will find what their last message needs, in \
the language of the message. Each stands on its own: replace words like "it" or "she" by what they mean in the conversation. Use \
different words in each. Today is {today}.
Put filters in "filters" only where the message clearly asks for them, else leave it empty: date:"last week" \
date>=2024-05-01 file:"name" tag:name
Answer with JSON alone: {{"queries": [{{"text": "…", "filters": ""}}]}}"""


class Rewriting(Struct, frozen=True):
    """A request for queries. `model` "" is the small one."""

    request: ChatRequest
    model: str
    today: date


class Rewriter:
    """Asks for queries, and leaves the model alone for a while when it is too slow."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    def request(
        self, plan: Plan, question: str, history: Sequence[Turn], config: Config, *, router: Router, model: str
    ) -> Rewriting | None:
        """What the small model is asked; None where it is not, and the queries of `plan` stay.

        `model` is the one that the question is for, "" for the configured one. A chat model is asked in place of a small one only
        for questions that lean on those before: it costs as much as an answer.
        """
        if not (config.chat.rewrite and plan.queries and router.has("small", model)) or time.monotonic() < self._rests_until:
            return None
        helper = router.helper(model)
        if (helper or not config.models.small) and not plan.follows:
            return None
        today = date.today()
        messages = _messages(question, history, today)
        return Rewriting(ChatRequest(messages, max_tokens=400, temperature=0.0, schema=_SCHEMA), helper, today)

    async def improve(self, plan: Plan, asked: Rewriting, config: Config, *, requests: Requests) -> Plan:
        """`plan` with the small model's queries behind its own, at most MOST; as it is where there are none to be had."""
        try:
            async with asyncio.timeout(_DESCRIBED):  # apart from the patience for queries: its SDK may have to be imported
                await requests.router.choose("small", asked.model)
            said = await requests.complete(asked.request, model=asked.model, seconds=PATIENCE, what=WHAT)
        except (KhojdError, TimeoutError) as error:
            self._rests_until = time.monotonic() + _REST
            why = (
                error.message if isinstance(error, KhojdError) else f"the server says nothing of the model within {_DESCRIBED:g} s"
            )
            log.info("no queries by the small model: %s", why if isinstance(error, TimeoutError) else error.name)
            return replace(plan, notice=f"queries are made by rules: {why}")
        found = read(said, config, asked.today)
        if not found:
            return plan
        # The person's own words stay, unless they mean nothing without the conversation.
        own = plan.queries[-1:] if plan.follows else plan.queries
        return replace(plan, queries=tuple(dict.fromkeys((*own, *found)))[:MOST])


def read(said: str, config: Config, today: date) -> list[str]:
    """The queries of a model's answer, each with its filters that can be understood; [] for what is no such answer."""
    start, end = said.find("{"), said.rfind("}")
    try:
        items = json.loads(said[start : end + 1])["queries"]
        pairs = [(one, "") if isinstance(one, str) else (one["text"], one.get("filters") or "") for one in items]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    found = []
    for text, filters in pairs:
        if not isinstance(text, str) or not isinstance(filters, str):
            continue
        bare = queries.shortened(queries.safe(text.strip(), config, today))
        kept = queries.split(filters, config, today)[1]
        if bare:
            found.append(f"{bare} {kept}".strip())
    return found[:MOST]


def _messages(question: str, history: Sequence[Turn], today: date) -> tuple[Message, ...]:
    lines = []
    for turn in history[-_TURNS:]:
        answer = " ".join(turn.answer.split())
        lines += [f"Person: {turn.question}", f"Assistant: {answer[:_TOLD]}{'…' if len(answer) > _TOLD else ''}"]
    before = "The conversation so far:\n" + "\n".join(lines) + "\n\n" if lines else ""
    instructions = _INSTRUCTIONS.format(today=f"{today.isoformat()}, a {today.strftime('%A')}")
    return Message("system", instructions), Message("user", f"{before}The last message:\n{question}")
