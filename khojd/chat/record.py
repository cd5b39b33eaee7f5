"""What a turn has come to so far: said as it happens, and kept so that a crash loses two seconds of it at most."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from khojd.chat.citations import Citer
from khojd.chat.model import (
    ChatEvent,
    Citation,
    Citing,
    Passage,
    Proposal,
    Proposed,
    References,
    Step,
    Stepped,
    TextPart,
    ThinkingPart,
    Turn,
    Usage,
)
from khojd.chat.store import Conversations
from khojd.errors import KhojdError

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds between two savings of a running turn


class Record:
    """A turn that is being answered. `passages` are those that the model was given, by number."""

    def __init__(self, turn: Turn, say: Callable[[ChatEvent], None]) -> None:
        self.turn = turn
        self.passages: tuple[Passage, ...] = ()
        self.usage = Usage()
        self.citer: Citer | None = None
        self._say = say
        self._texts: list[str] = []
        self._thinking: list[str] = []
        self._steps: list[Step] = []
        self._citations: list[Citation] = []
        self._proposals: list[Proposal] = []
        self._keeping: asyncio.Task[None] | None = None

    # What is said

    @property
    def has_text(self) -> bool:
        return bool(self._texts)

    def step(self, step: Step) -> None:
        self._steps.append(step)
        self._say(Stepped(step))

    def notice(self, text: str, **data: Any) -> None:
        """Something that the person must know; once."""
        if not any(one.kind == "notice" and one.text == text for one in self._steps):
            self.step(Step("notice", text, data=data))

    def text(self, text: str) -> None:
        self._texts.append(text)
        self._say(TextPart(text))

    def thinking(self, text: str) -> None:
        self._thinking.append(text)
        self._say(ThinkingPart(text))

    def parts(self, parts: Iterable[TextPart | Citing]) -> None:
        """What a Citer made of an answer."""
        for part in parts:
            if isinstance(part, TextPart):
                self.text(part.text)
            else:
                self.cite(part.citation)

    def cite(self, citation: Citation) -> None:
        self._citations.append(citation)
        self._say(Citing(citation))

    def propose(self, proposal: Proposal) -> None:
        self._proposals.append(proposal)
        self._say(Proposed(proposal))

    def number(self, passages: Iterable[Passage]) -> tuple[Passage, ...]:
        """Give passages their numbers; one that was given before keeps its own."""
        known = {(one.path, one.start, one.end, one.text): one for one in self.passages}
        numbered = []
        for passage in passages:
            key = passage.path, passage.start, passage.end, passage.text
            if key not in known:
                known[key] = replace(passage, number=len(known) + 1)
                self.passages += (known[key],)
            numbered.append(known[key])
        if self.citer is not None:
            self.citer.add(numbered)
        return tuple(numbered)

    def refer(self) -> None:
        """Say which passages the answer cites, after its last text."""
        cited = {citation.number for citation in self._citations}
        if cited:
            self._say(References(tuple(one for one in self.passages if one.number in cited)))

    # What is kept

    def now(self, **changes: Any) -> Turn:
        """The turn as it stands."""
        self.turn = replace(
            self.turn,
            answer="".join(self._texts),
            thinking="".join(self._thinking),
            steps=tuple(self._steps),
            passages=self.passages,
            citations=tuple(self._citations),
            removed=self.citer.removed if self.citer is not None else 0,
            proposals=tuple(self._proposals),
            usage=self.usage,
            **changes,
        )
        return self.turn

    async def keep(self, store: Conversations) -> None:
        """Save the turn, and again every two seconds until `end`. What cannot be kept is said: the turn goes on without."""
        try:
            await store.add(self.now())
        except KhojdError as error:
            self.notice(f"this turn cannot be kept: {error.message}")
            return
        self._keeping = asyncio.create_task(self._save(store), name=f"keeping turn {self.turn.id}")

    async def _save(self, store: Conversations) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await store.save(self.now())
            except KhojdError as error:
                log.warning("a running turn cannot be saved: %s", error.message)

    async def end(self, store: Conversations, **changes: Any) -> Turn:
        """Save the turn for the last time."""
        kept = self._keeping is not None
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        turn = self.now(finished=time.time(), **changes)
        if kept:
            try:
                await store.save(turn)
            except KhojdError as error:
                self.notice(f"this turn cannot be kept: {error.message}")
                turn = self.now()
        return turn
