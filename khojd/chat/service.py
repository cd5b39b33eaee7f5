"""Chat as the daemon offers it: turns that run, wait for one another, and can be cancelled."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from khojd.chat.channel import Channel
from khojd.chat.passages import Library
from khojd.chat.rewrite import Rewriter
from khojd.chat.tokens import Scale
from khojd.chat.turn import Running

if TYPE_CHECKING:
    from khojd.chat.model import Ask, ChatEvent, Conversation, Turn
    from khojd.chat.preview import Preview
    from khojd.chat.store import Conversations
    from khojd.chat.tools.registry import Registry
    from khojd.config import Config
    from khojd.engine import Engine
    from khojd.graph.sheet import Sheet
    from khojd.llm.router import Router

log = logging.getLogger(__name__)


_MOST_UNKEPT = 20


class Unkept(NamedTuple):
    """A conversation that could not be written to disk; it lasts as long as the daemon."""

    conversation: Conversation
    turns: list[Turn]


class Chat:
    """Asks and answers. Make it with `open`, end it with `close`; the engine is left open."""

    def __init__(self, engine: Engine, router: Router, store: Conversations, tools: Registry) -> None:
        self.engine = engine
        self.router = router
        self.store = store
        self.tools = tools
        self.library = Library(engine)
        self.scale = Scale()
        self.rewriter = Rewriter()
        self.unkept: dict[str, Unkept] = {}  # by the conversation's id
        self._turns: dict[str, tuple[Running, asyncio.Task[None]]] = {}
        self._lines: dict[str, asyncio.Lock] = {}  # conversations with a turn; the next one waits
        self._tasks: set[asyncio.Task[None]] = set()  # titles, which nobody waits for

    @classmethod
    async def open(cls, engine: Engine) -> Self:
        """The chat over an engine: the conversations beside its index, and the models of its configuration. No server is asked."""
        from khojd.chat.store import Conversations
        from khojd.chat.tools.table import standard
        from khojd.llm.router import Router

        store = await Conversations.open(engine.index_dir)
        return cls(engine, Router(engine.config), store, standard())

    async def reconfigure(self, config: Config) -> None:
        """Go on with other settings; turns that run end with those they began with."""
        await self.router.reconfigure(config)
        self.rewriter = Rewriter()  # a small model that was too slow may be another one now

    @property
    def running(self) -> int:
        """Turns that are being answered or wait for their conversation."""
        return len(self._turns)

    async def ask(self, ask: Ask, *, sheets: Mapping[str, Sheet] | None = None) -> AsyncGenerator[ChatEvent, None]:
        """The turn as it happens: `Started` first, `Finished` last. Closing the iterator cancels the turn.

        `sheets` are the texts that the asking editor shows. Raises before `Started` what is wrong with the question (ChatError,
        QueryError, NotFound), and after `Finished` what a turn that has no text failed by.
        """
        channel = Channel()
        turn = await Running.make(self, secrets.token_hex(8), ask, dict(sheets or {}), channel.say)
        if ask.replaces:
            await self.cancel(ask.replaces)  # whoever asks anew does not wait for the old answer
        task = asyncio.create_task(self._run(turn, channel), name=f"turn {turn.id}")
        self._turns[turn.id] = turn, task
        try:
            async for event in channel.events():
                yield event
        finally:
            await self._end(turn, task, "whoever asked is gone")
        if turn.failure is not None and not turn.said:
            raise turn.failure

    async def preview(self, ask: Ask, *, sheets: Mapping[str, Sheet] | None = None) -> Preview:
        """What would be sent, with queries made by rules; no chat model is sent anything, and nothing is kept. Raises as `ask`."""
        turn = await Running.make(self, "", ask, dict(sheets or {}), lambda event: None, keep=False)
        return await turn.preview()

    async def cancel(self, turn_id: str) -> bool:
        """End a turn that runs; it is kept as `cancelled`. False when no such turn runs, or it was about to end by itself."""
        found = self._turns.get(turn_id)
        if found is None:
            return False
        await self._end(*found, "cancelled")
        return bool(found[0].reason)

    async def turn(self, id: str) -> Turn:
        """A turn as it stands, also while it is being answered; of one that has ended the beginning of its id will do."""
        running = self._turns.get(id)
        return running[0].record.now() if running is not None else await self.store.turn(await self.store.resolve_turn(id))

    async def stop(self, reason: str) -> None:
        """End all turns, and return when they are kept."""
        for turn, task in list(self._turns.values()):
            self._cancel(turn, task, reason)
        await asyncio.gather(*(task for _, task in self._turns.values()), return_exceptions=True)
        # After the turns: one that was about to end may just have asked for a title.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """End all turns, close the store and the connections to models."""
        await self.stop("khojd ended before the answer was whole")
        await self.router.close()
        await self.store.close()

    def remember(self, conversation: Conversation, turn: Turn) -> None:
        """Have a turn of a conversation that cannot be kept at hand for the questions after it."""
        known = self.unkept.pop(conversation.id, None) or Unkept(conversation, [])
        known.turns.append(turn)
        self.unkept[conversation.id] = known
        if len(self.unkept) > _MOST_UNKEPT:
            del self.unkept[next(iter(self.unkept))]

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Something that nobody waits for; it ends with the chat."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s ended by an error: %s", task.get_name(), type(error).__name__)

    @asynccontextmanager
    async def line(self, conversation: str) -> AsyncIterator[None]:
        """Turns of one conversation follow one another."""
        async with self._lines.setdefault(conversation, asyncio.Lock()):
            yield

    def waits(self, conversation: str) -> bool:
        """Whether another turn of the conversation is being answered."""
        return conversation in self._lines and self._lines[conversation].locked()

    async def _run(self, turn: Running, channel: Channel) -> None:
        try:
            await turn.run()
        finally:
            channel.close()
            del self._turns[turn.id]
            if not any(other.conversation.id == turn.conversation.id for other, _ in self._turns.values()):
                self._lines.pop(turn.conversation.id, None)

    async def _end(self, turn: Running, task: asyncio.Task[None], reason: str) -> None:
        self._cancel(turn, task, reason)
        # Whoever waits here may be cancelled again; the turn is still kept.
        await asyncio.wait([task])

    def _cancel(self, turn: Running, task: asyncio.Task[None], reason: str) -> None:
        # Once, and not at its end: the cancel would reach the turn while it is being kept.
        if not task.done() and not turn.reason and not turn.settled:
            turn.reason = reason
            task.cancel()
