"""Every recorded stream, cut by the network wherever it can be: the answer is the same, down to its error.

The readers are the providers' own, from the bytes of the body to the events. What a socket does to them is in the tests of each
provider; here the pieces come without one, so that each position of each transcript can be tried.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khojd import config
from khojd.errors import ProviderError
from khojd.llm.failure import Origin
from khojd.llm.model import ChatRequest, Event, Message, ModelInfo, Text, Thinking
from khojd.llm.providers.anthropic import Anthropic
from khojd.llm.providers.google import Google
from khojd.llm.providers.ollama import Ollama
from khojd.llm.providers.openai_stream import Answer
from tests.llm import test_google
from tests.llm.replay import Reply, cut, transcript

QUESTION = ChatRequest((Message("user", "When is the meeting?"),))
NOWHERE = config.Provider(base_url="http://127.0.0.1:9")
Read = Callable[[Sequence[bytes]], object]

OPENAI = [
    f"{server}/{name}"
    for server in ("llama-server", "llama-cpp-python", "transformers", "vllm", "litellm", "ollama")
    for name in ("v1_chat_stream_usage", "v1_chat_tools_stream", "v1_chat_length", "v1_chat")
] + [f"llama-server/midstream_kill_{name}" for name in ("router", "router_v1_chat_completions", "single")]
ANTHROPIC = [
    f"{server}/{name}"
    for server in ("llama-server", "vllm", "litellm", "ollama")
    for name in ("v1_messages_stream", "v1_messages_tools_stream")
] + ["llama-server/midstream_kill_router_v1_messages"]
OLLAMA = [
    f"ollama/{name}"
    for name in (
        "chat_ctx_history_truncated",
        "chat_format_json",
        "chat_format_schema",
        "chat_load",
        "chat_num_predict",
        "chat_think_false",
        "chat_think_level",
        "chat_think_true_nostream",
        "chat_tool_result",
        "chat_tools_nostream",
        "chat_tools_stream",
        "chat_unload",
        "gotmpl_nothink_think_true",
        "gotmpl_tools_stream",
        "gotmplmode_plain",
        "gotmplmode_tools_stream",
        "midstream_kill",
    )
]
SMALL = [OPENAI[0], OPENAI[1], ANTHROPIC[0], ANTHROPIC[-2], OLLAMA[-2], OLLAMA[-1]]


def outcome(events: Sequence[Event], error: ProviderError | None) -> object:
    """What a reader is told, whatever the bits in which it comes."""
    text = "".join(event.text for event in events if isinstance(event, Text))
    thoughts = "".join(event.text for event in events if isinstance(event, Thinking))
    others = [event for event in events if not isinstance(event, Text | Thinking)]
    return text, thoughts, others, error and (error.message, error.data)


class Pieces(httpx.AsyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def openai_reader(reply: Reply) -> Read:
    headers = {name.lower(): value for name, value in reply.headers}

    def read(pieces: Sequence[bytes]) -> object:
        answer, events = Answer(Origin("work")), list[Event]()
        for piece in pieces:
            events += answer.feed(piece)
        if answer.failed is None:
            events += answer.finish(reply.status, headers)
        return outcome(events, answer.failed)

    return read


class Bodies:
    """A transport that answers everything with the status and headers of a reply, and the body that is set."""

    def __init__(self, reply: Reply) -> None:
        self.pieces: Sequence[bytes] = ()
        self._reply = reply

    def httpx(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self._reply.status, headers=list(self._reply.headers), stream=Pieces(self.pieces))

    def httpx2(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(self._reply.status, headers=list(self._reply.headers), stream=Pieces(self.pieces))


class Reading(Anthropic):
    """Without its request, which takes longer than all the rest."""

    def __init__(self, bodies: Bodies) -> None:
        super().__init__("work", NOWHERE)
        self._bodies = bodies

    async def _begin(self, content: bytes, origin: Origin) -> httpx2.Response:
        return self._bodies.httpx2(httpx2.Request("POST", self.base_url))


@contextmanager
def reader(kind: str, reply: Reply) -> Iterator[Read]:
    """From the pieces of a body to what a provider makes of them."""
    if kind == "openai":
        yield openai_reader(reply)
        return
    bodies = Bodies(reply)
    provider: Anthropic | Ollama | Google
    if kind == "anthropic":
        provider = Reading(bodies)
    elif kind == "google":
        provider = Google("work", NOWHERE)
        provider._http._transport = httpx2.MockTransport(bodies.httpx2)
    else:
        provider = Ollama("work", NOWHERE)
        provider._http._transport = httpx.MockTransport(bodies.httpx)
        provider._known["m"] = ModelInfo("m", frozenset({"chat", "thinking", "tools"}), 4096)

    async def heard() -> object:
        events, failed = list[Event](), None
        try:
            async for event in provider.chat("m", QUESTION):
                events.append(event)
        except ProviderError as error:
            failed = error
        return outcome(events, failed)

    with asyncio.Runner() as runner:

        def read(pieces: Sequence[bytes]) -> object:
            bodies.pieces = pieces
            return runner.run(heard())

        yield read
        runner.run(provider.close())


def body_of(reply: Reply) -> bytes:
    return b"".join(step for step in reply.body if isinstance(step, bytes))


def recorded(shared_data: Path, name: str) -> Reply:
    return transcript(shared_data / "llm-wire" / f"{name}.txt")


def kind_of(name: str) -> str:
    return "openai" if name in OPENAI else "anthropic" if name in ANTHROPIC else "ollama"


@pytest.mark.parametrize("name", [*OPENAI, *ANTHROPIC, *OLLAMA])
def test_an_answer_is_the_same_in_two_pieces_cut_anywhere_and_byte_by_byte(shared_data: Path, name: str) -> None:
    reply = recorded(shared_data, name)
    body = body_of(reply)
    with reader(kind_of(name), reply) as read:
        expected = read([body])
        assert read(cut(body, every=1)) == expected
        for position in range(1, len(body)):
            assert read([body[:position], body[position:]]) == expected, f"cut at byte {position}"


def test_a_written_answer_of_google_is_the_same_cut_anywhere() -> None:
    body = test_google.WHOLE
    with reader("google", Reply(headers=(("Content-Type", "text/event-stream"),))) as read:
        expected = read([body])
        assert test_google.ANSWER in str(expected)
        assert read(cut(body, every=1)) == expected
        for position in range(1, len(body)):
            assert read([body[:position], body[position:]]) == expected, f"cut at byte {position}"


@pytest.mark.parametrize("name", SMALL)
def test_an_answer_is_the_same_in_three_pieces_cut_anywhere(shared_data: Path, name: str) -> None:
    reply = recorded(shared_data, name)
    body = body_of(reply)
    places = st.integers(1, len(body) - 1)
    with reader(kind_of(name), reply) as read:
        expected = read([body])

        @settings(max_examples=200)
        @given(places, places)
        def same(one: int, other: int) -> None:
            assert read(cut(body, (one, other))) == expected

        same()
