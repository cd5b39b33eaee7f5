"""The providers against a real llama-server with tiny models: `make test-llm`, which builds the server once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from khojd import config
from khojd.errors import ProviderError
from khojd.llm.model import Called, ChatRequest, Ended, Event, Message, Text, Thinking, Tool, Used
from khojd.llm.table import open_provider
from tests.llm import llama
from tests.llm.llama import SAID

if TYPE_CHECKING:
    from khojd.llm.protocol import Provider

pytestmark = pytest.mark.llm

ASKED = ChatRequest((Message("user", "When is the meeting?"),), thinking=False)
SEARCH = Tool(
    "search_notes",
    "Search the notes.",
    {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running llama-server, without a path."""
    if why := llama.missing():
        pytest.skip(why)
    with llama.running(tmp_path_factory.mktemp("models")) as address:
        yield address


@pytest.fixture(params=["openai", "anthropic"])
async def provider(request: pytest.FixtureRequest, server: str) -> AsyncIterator["Provider"]:
    """The same server by two of its faces: /v1/chat/completions and /v1/messages."""
    if request.param == "openai":
        settings = config.Provider(kind="openai", preset="llama-cpp", base_url=server + "/v1")
    else:
        settings = config.Provider(kind="anthropic", base_url=server)
    opened = await open_provider("real", settings)
    yield opened
    await opened.close()


@pytest.fixture
async def compatible(server: str) -> AsyncIterator["Provider"]:
    opened = await open_provider("real", config.Provider(kind="openai", preset="llama-cpp", base_url=server + "/v1"))
    yield opened
    await opened.close()


async def heard(provider: "Provider", request: ChatRequest, model: str = "tiny-canned") -> list[Event]:
    async with aclosing(provider.chat(model, request)) as stream:  # type: ignore[type-var]
        return [event async for event in stream]


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


async def test_an_answer_streams_and_ends_with_its_usage(provider: "Provider") -> None:
    events = await heard(provider, ASKED)
    assert text(events) == SAID
    assert len([event for event in events if isinstance(event, Text)]) > 3
    used = [event for event in events if isinstance(event, Used)][-1]
    assert used.prompt > 0
    assert used.completion > 0
    end = events[-1]
    assert isinstance(end, Ended)
    assert end.reason == "stop"


async def test_thinking_comes_apart_from_the_answer(provider: "Provider") -> None:
    events = await heard(provider, ChatRequest(ASKED.messages, thinking=True, max_tokens=1024))
    assert "".join(event.text for event in events if isinstance(event, Thinking)).strip()
    assert text(events).strip() == SAID


async def test_a_tool_is_called_and_its_result_answered(provider: "Provider") -> None:
    events = await heard(provider, ChatRequest(ASKED.messages, tools=(SEARCH,), thinking=False))
    [call] = [event.call for event in events if isinstance(event, Called)]
    assert (call.name, call.arguments) == ("search_notes", {"query": "meeting"})
    end = events[-1]
    assert isinstance(end, Ended)
    assert end.reason == "tools"
    result = Message("tool", "[1] The meeting is on Friday.", tool_call_id=call.id, tool_name=call.name)
    again = await heard(provider, ChatRequest((*ASKED.messages, end.message, result), tools=(SEARCH,), thinking=False))
    assert text(again) == SAID


async def test_an_answer_that_is_cut_by_its_limit_says_so(provider: "Provider") -> None:
    events = await heard(provider, ChatRequest(ASKED.messages, max_tokens=3, thinking=False))
    end = events[-1]
    assert isinstance(end, Ended)
    assert end.reason == "length"


async def test_a_closed_stream_frees_the_server_at_once(provider: "Provider") -> None:
    async with asyncio.timeout(30):
        async with aclosing(provider.chat("tiny-loop", ASKED)) as stream:  # type: ignore[type-var]
            async for event in stream:
                if isinstance(event, Text):
                    break
        # It has one place: a second request would wait for ever behind an answer that never ends.
        async with aclosing(provider.chat("tiny-loop", ASKED)) as stream:  # type: ignore[type-var]
            async for event in stream:
                if isinstance(event, Text):
                    break


async def test_a_prompt_that_is_too_long_is_an_overflow(provider: "Provider") -> None:
    with pytest.raises(ProviderError) as failure:
        await heard(provider, ChatRequest((Message("user", "meeting " * 5000),), thinking=False))
    assert failure.value.reason == "overflow"


async def test_an_unknown_model_is_said_to_be_unknown(provider: "Provider") -> None:
    with pytest.raises(ProviderError) as failure:
        await heard(provider, ASKED, "tiny-caned")
    assert failure.value.reason == "model"
    assert "tiny-caned" in failure.value.message


async def test_models_are_listed_and_described(compatible: "Provider") -> None:
    await heard(compatible, ASKED)  # loads it
    assert {"tiny-canned", "tiny-embed", "tiny-rerank"} <= {model.name for model in await compatible.models()}
    info = await compatible.info("tiny-canned")
    assert info.context == 2048
    assert {"chat", "tools"} <= info.capabilities
    assert (await compatible.health()).ok


async def test_tokens_are_counted_by_the_server(compatible: "Provider") -> None:
    counted = await compatible.count("tiny-canned", ASKED.messages)
    used = [event for event in await heard(compatible, ASKED) if isinstance(event, Used)][-1]
    assert abs(counted - used.prompt) <= 8


async def test_texts_are_embedded_in_their_order(compatible: "Provider") -> None:
    texts = ["the meeting is on Friday", "search notes", "user asks about something"]
    together = await compatible.embed("tiny-embed", texts)
    assert together.shape == (3, 64)
    for row, one in zip(together, texts, strict=True):
        alone = (await compatible.embed("tiny-embed", [one]))[0]
        assert float(np.dot(row, alone) / (np.linalg.norm(row) * np.linalg.norm(alone))) > 0.999


async def test_a_text_that_is_too_long_to_embed_is_an_overflow(compatible: "Provider") -> None:
    with pytest.raises(ProviderError) as failure:
        await compatible.embed("tiny-embed", ["meeting " * 3000])
    assert failure.value.reason == "overflow"


async def test_passages_are_scored_for_a_query(compatible: "Provider") -> None:
    scores = await compatible.rerank("tiny-rerank", "meeting", ["the meeting is on Friday", "search notes", "Friday"])
    assert len(scores) == 3
    assert len(set(scores)) > 1
    again = await compatible.rerank("tiny-rerank", "meeting", ["Friday", "the meeting is on Friday"])
    assert again[0] == pytest.approx(scores[2], abs=1e-3)
