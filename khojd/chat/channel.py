"""What a running turn says, on its way to who asked."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from khojd.chat.model import ChatEvent, TextPart, ThinkingPart


class Channel:
    """Events in the order they are said. Parts of text that wait for a slow reader are joined, so what waits stays short.

    The turn does not wait for its reader: an answer is no longer than the model makes it, and it is kept in any case.
    """

    def __init__(self) -> None:
        self._waiting: deque[ChatEvent] = deque()
        self._joined: list[str] = []  # texts of the last one that waits, when it is of `_kind`
        self._kind: type[TextPart] | type[ThinkingPart] | None = None
        self._there = asyncio.Event()
        self._closed = False

    def say(self, event: ChatEvent) -> None:
        """Add an event."""
        if isinstance(event, TextPart | ThinkingPart):
            if self._kind is not type(event):
                self._settle()
                self._kind = type(event)
            self._joined.append(event.text)
        else:
            self._settle()
            self._waiting.append(event)
        self._there.set()

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._there.set()

    async def events(self) -> AsyncIterator[ChatEvent]:
        """All that is said, to the end. For one reader."""
        while True:
            self._settle()
            while self._waiting:
                yield self._waiting.popleft()
            if self._joined:
                continue
            if self._closed:
                return
            self._there.clear()
            await self._there.wait()

    def _settle(self) -> None:
        if self._kind is not None:
            self._waiting.append(self._kind("".join(self._joined)))
            self._joined, self._kind = [], None
