"""What holds of a stream whichever kind of server it comes from: one that stalls, one that is left, one that is not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from khojd import config
from khojd.errors import ProviderError
from khojd.llm.model import ChatRequest, Message, Text
from khojd.llm.table import open_provider
from tests.llm import test_anthropic, test_google
from tests.llm.ollama_server import know, lines, said, shown
from tests.llm.openai_client import CHAT
from tests.llm.replay import HANG, Replay, json_reply, refused_url, sse, stream_reply

QUESTION = ChatRequest((Message("user", "When is the meeting?"),))


class Kind(NamedTuple):
    name: Any
    path: str
    begun: bytes  # the beginning of an answer that says Hello
    content: str = "text/event-stream"


HELLO = {"choices": [{"index": 0, "delta": {"content": "Hello"}}]}
KINDS = (
    Kind("anthropic", "/v1/messages", test_anthropic.streamed(test_anthropic.BEGIN, *test_anthropic.SPOKEN)),
    Kind("google", "/v1beta/models/m:streamGenerateContent", test_google.BEGUN),
    Kind("openai", CHAT, sse(HELLO, end=b"")),
    Kind("ollama", "/api/chat", b"".join(lines(said("Hello"))), "application/x-ndjson"),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@asynccontextmanager
async def asked(kind: Kind, url: str, **settings: Any) -> AsyncIterator[Any]:
    base = f"{url}/v1" if kind.name == "openai" else url
    provider = await open_provider("work", config.Provider(kind=kind.name, base_url=base, **settings))
    try:
        yield provider.chat("m", QUESTION)
    finally:
        await provider.close()


@asynccontextmanager
async def hanging(kind: Kind) -> AsyncIterator[Replay]:
    """A server that begins an answer and says nothing more."""
    async with Replay() as server:
        know(server, {"m": shown("completion")})
        server.on("GET", "/v1/models", json_reply({"data": [{"id": "m"}]}))
        server.on("POST", kind.path, stream_reply(kind.begun, HANG, kind=kind.content))
        yield server


async def test_nothing_listens(kind: Kind) -> None:
    async with asked(kind, refused_url()) as events:
        with pytest.raises(ProviderError, match="Is it running\\?") as caught:
            await anext(events)
    assert caught.value.reason == "unreachable"


async def test_a_stalled_stream_is_given_up_by_the_connection_too(kind: Kind) -> None:
    """Some time after khojd/llm/guard.py has given it up."""
    async with hanging(kind) as server, asked(kind, server.url, first_seconds=0.05, idle_seconds=0.05) as events:
        with pytest.raises(ProviderError) as caught:
            async for _ in events:
                pass
    assert caught.value.reason == "timeout"


@pytest.mark.parametrize("leaving", ["aclose", "cancel"])
async def test_leaving_an_answer_closes_its_connection_at_once(kind: Kind, leaving: str) -> None:
    async with hanging(kind) as server, asked(kind, server.url) as events:
        began = asyncio.Event()

        async def read() -> None:
            async for event in events:
                if isinstance(event, Text) and event.text:
                    began.set()
                    if leaving == "aclose":
                        break
            await events.aclose()

        reading = asyncio.create_task(read())
        async with asyncio.timeout(60):
            await began.wait()
            if leaving == "cancel":
                reading.cancel()
            await asyncio.wait([reading])
            chat = next(one for one in server.requests if one.path == kind.path)
            await chat.left.wait()
            await server.idle()
