"""What the tests of OpenAI-compatible servers share: a provider of a test server, and an answer taken down."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from khojd import config
from khojd.errors import ProviderError
from khojd.llm.model import Called, ChatRequest, Ended, Event, Message, Text, Thinking, Tool, Used
from khojd.llm.providers.openai import OpenAI
from tests.llm.replay import Replay

CHAT = "/v1/chat/completions"
KEY = "sk-test-4f9a8c7e6b5d"
SEARCH = Tool("search_notes", "Search the notes", {"type": "object", "properties": {"query": {"type": "string"}}})


@asynccontextmanager
async def provider(url: str, *, name: str = "work", key: str = "", **settings: Any) -> AsyncIterator[OpenAI]:
    asked = OpenAI(name, config.Provider(**{"base_url": url, **settings}), key)
    try:
        yield asked
    finally:
        await asked.close()


@asynccontextmanager
async def served(*, name: str = "work", key: str = "", **settings: Any) -> AsyncIterator[tuple[Replay, OpenAI]]:
    async with Replay() as server, provider(server.url, name=name, key=key, **settings) as asked:
        yield server, asked


def question(text: str = "When is the meeting?", **more: Any) -> ChatRequest:
    return ChatRequest((Message("user", text),), **more)


@dataclass
class Taken:
    """An answer, with neighbouring bits of text put together, and the error that ended it."""

    text: str = ""
    thinking: str = ""
    called: list[Called] = field(default_factory=list)
    used: Used | None = None
    ended: Ended | None = None
    error: ProviderError | None = None

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            assert self.ended is None, "nothing follows the end"
            match event:
                case Text():
                    self.text += event.text
                case Thinking():
                    self.thinking += event.text
                case Called():
                    self.called.append(event)
                case Used():
                    self.used = event
                case Ended():
                    self.ended = event


async def asked(client: OpenAI, request: ChatRequest | None = None, model: str = "tiny-canned") -> Taken:
    taken = Taken()
    try:
        async for event in client.chat(model, request or question()):
            taken.add([event])
    except ProviderError as error:
        taken.error = error
    return taken
