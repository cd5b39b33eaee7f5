"""Anthropic's API: recorded streams of servers that speak it, hand-written ones of what only Anthropic's own sends, and faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd import config
from khojd.errors import ProviderError
from khojd.llm.model import (
    Called,
    ChatRequest,
    Cited,
    Ended,
    Event,
    Image,
    Message,
    Source,
    Text,
    Thinking,
    Tool,
    ToolCall,
    Used,
)
from khojd.llm.providers.anthropic import Anthropic
from khojd.llm.providers.anthropic_wire import paragraphs
from tests.llm.replay import (
    CLOSE,
    HANG,
    RESET,
    Replay,
    Reply,
    Step,
    cut,
    json_reply,
    refused_url,
    stream_reply,
    text_reply,
    transcript,
)

KEY = "sk-ant-test-0123456789"
ANSWER = "According to note [1], the meeting is on Friday. Café 🙂"
QUESTION = ChatRequest((Message("system", "Be brief."), Message("user", "When is the meeting?")))
SEARCH = Tool("search_notes", "Searches.", {"type": "object", "properties": {"query": {"type": "string"}}})
PATH = "/v1/messages"


@asynccontextmanager
async def connected(server: Replay | str, key: str = KEY, **settings: Any) -> AsyncIterator[Anthropic]:
    url = server if isinstance(server, str) else server.url
    provider = Anthropic("claude", config.Provider(**{"base_url": url, "key_env": "X", **settings}), key)
    try:
        yield provider
    finally:
        await provider.close()


async def answer(server: Replay | str, reply: Reply | None = None, request: ChatRequest = QUESTION) -> list[Event]:
    if reply is not None and isinstance(server, Replay):
        server.on("POST", PATH, reply)
    async with connected(server) as provider:
        return [event async for event in provider.chat("tiny", request)]


async def failed(server: Replay | str, reply: Reply | None = None, request: ChatRequest = QUESTION) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await answer(server, reply, request)
    assert caught.value.data["provider"] == "claude"
    assert KEY not in caught.value.message
    assert "When is the meeting" not in caught.value.message
    return caught.value


def said(events: list[Event], kind: type[Text] | type[Thinking] = Text) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def streamed(*events: dict[str, Any], end: bytes = b"") -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event)) for event in events) + end


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, **said: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": said}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


BEGIN = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "usage": {"input_tokens": 25, "output_tokens": 1},
    },
}
PING = {"type": "ping"}
STOP = {"type": "message_stop"}


def finish(reason: str | None = "end_turn", **usage: int) -> dict[str, Any]:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": {"output_tokens": 15, **usage},
    }


def whole(*events: dict[str, Any], reason: str | None = "end_turn") -> bytes:
    return streamed(BEGIN, PING, *events, finish(reason), STOP)


SPOKEN = (start(0, type="text", text=""), delta(0, type="text_delta", text="Hello"), stop(0))


# What servers really sent


@pytest.mark.parametrize("every", [0, 1, 2, 3, 64])
@pytest.mark.parametrize("server_name", ["llama-server", "ollama", "litellm", "vllm"])
async def test_a_recorded_answer_is_whole_wherever_it_is_cut(shared_data: Path, server_name: str, every: int) -> None:
    async with Replay() as server:
        events = await answer(server, transcript(shared_data / f"llm-wire/{server_name}/v1_messages_stream.txt", every=every))
    thought = "The user asks about something" if server_name in ("llama-server", "ollama") else ""
    assert (said(events), said(events, Thinking)) == (ANSWER, thought)
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert (ended.reason, ended.message.text, ended.message.tool_calls) == ("stop", ANSWER, ())
    used = [event for event in events if isinstance(event, Used)][-1]
    assert used.prompt in (6, 16, 17)
    assert used.completion == (22 if server_name == "vllm" else 28)  # LiteLLM counts the thinking that it leaves out


@pytest.mark.parametrize("every", [0, 1, 2, 3, 64])
@pytest.mark.parametrize("server_name", ["llama-server", "ollama", "litellm", "vllm"])
async def test_a_recorded_tool_call_is_whole_wherever_it_is_cut(shared_data: Path, server_name: str, every: int) -> None:
    reply = transcript(shared_data / f"llm-wire/{server_name}/v1_messages_tools_stream.txt", every=every)
    async with Replay() as server:
        events = await answer(server, reply)
    calls = [event.call for event in events if isinstance(event, Called)]
    assert [(call.name, call.arguments) for call in calls] == [("search_notes", {"query": "meeting"})]
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert (ended.reason, ended.message.tool_calls) == ("tools", tuple(calls))


async def test_a_server_that_dies_in_mid_answer_has_not_answered(shared_data: Path) -> None:
    async with Replay() as server:
        error = await failed(server, transcript(shared_data / "llm-wire/llama-server/midstream_kill_router_v1_messages.txt"))
    assert error.reason == "cut"


@pytest.mark.parametrize("server_name", ["llama-cpp-python", "transformers"])
async def test_a_server_that_does_not_speak_it_is_told_from_a_missing_model(shared_data: Path, server_name: str) -> None:
    async with Replay() as server:
        error = await failed(server, transcript(shared_data / f"llm-wire/{server_name}/v1_messages_stream.txt"))
    assert error.reason == "request"
    assert "base_url" in error.message


# What Anthropic's own sends


@pytest.mark.parametrize("every", [0, 1])
async def test_citations_follow_the_text_that_they_support(every: int) -> None:
    request = ChatRequest(
        (Message("user", "When?", sources=(Source(7, "a.org", "A", "On Friday.\n\nAt noon."), Source(9, "b.md", "", "No."))),)
    )

    def citation(place: int, text: str) -> dict[str, Any]:
        cited = {
            "type": "search_result_location",
            "search_result_index": place,
            "cited_text": text,
            "source": "a.org",
            "title": "A",
        }
        return {"type": "citations_delta", "citation": {**cited, "start_block_index": 0, "end_block_index": 1}}

    body = whole(
        start(0, type="text", text=""),
        delta(0, type="text_delta", text="It is "),
        stop(0),
        start(1, type="text", text="", citations=[]),
        delta(1, **citation(0, "On Friday.\n\n")),  # before its text, which must not matter
        delta(1, type="text_delta", text="on Friday"),
        delta(1, **citation(0, "On Friday.\n\n")),
        delta(1, **citation(1, "No.")),
        delta(1, **citation(2, "never given")),
        delta(1, type="citations_delta", citation={"type": "page_location", "document_index": 0, "cited_text": "x"}),
        stop(1),
        start(2, type="text", text=""),
        delta(2, type="text_delta", text="."),
        stop(2),
    )
    async with Replay() as server:
        server.on("GET", "/v1/models", json_reply({"data": [{"id": "tiny", "capabilities": {"citations": {"supported": True}}}]}))
        server.on("POST", PATH, stream_reply(*cut(body, every=every)))
        async with connected(server) as provider:
            assert "citations" in (await provider.info("tiny")).capabilities
            events = [event async for event in provider.chat("tiny", request)]
        sent = server.requests[1].json["messages"][0]["content"]
    kept = [event for event in events if isinstance(event, Text | Cited) and event != Text("")]
    assert kept == [Text("It is "), Text("on Friday"), Cited(7, "On Friday."), Cited(9, "No."), Text(".")]
    assert sent == [
        {
            "type": "search_result",
            "source": "a.org",
            "title": "A",
            "content": [{"type": "text", "text": "On Friday.\n\n"}, {"type": "text", "text": "At noon."}],
            "citations": {"enabled": True},
        },
        {
            "type": "search_result",
            "source": "b.md",
            "title": "b.md",
            "content": [{"type": "text", "text": "No."}],
            "citations": {"enabled": True},
        },
        {"type": "text", "text": "When?"},
    ]
    assert isinstance(events[-1], Ended)
    assert events[-1].message.text == "It is on Friday."


@given(st.text(alphabet="a -1.\n*", max_size=40))
def test_the_parts_of_a_source_are_the_source_again(text: str) -> None:
    parts = paragraphs(text)
    assert "".join(parts) == (text if text.strip() else "")
    assert all(part.strip() for part in parts)


async def test_sources_of_tool_results_are_counted_with_the_others() -> None:
    call = ToolCall("call.1", "search_notes", {"query": "x"})
    request = ChatRequest(
        (
            Message("user", "When?", sources=(Source(1, "a.org", "A", "one"), Source(2, "blank.org", "Blank", " \n"))),
            Message("assistant", tool_calls=(call,)),
            Message("tool", "1 note", tool_call_id="call.1", tool_name="search_notes", sources=(Source(3, "c.org", "C", "three"),)),
        ),
        tools=(SEARCH,),
    )
    cited = {"type": "search_result_location", "search_result_index": 1, "cited_text": "three"}
    body = whole(*SPOKEN[:2], delta(0, type="citations_delta", citation=cited), stop(0))
    async with Replay() as server:
        server.on("GET", "/v1/models", json_reply({"data": [{"id": "tiny", "capabilities": {"citations": {"supported": True}}}]}))
        server.on("POST", PATH, stream_reply(body))
        async with connected(server) as provider:
            await provider.info("tiny")
            events = [event async for event in provider.chat("tiny", request)]
        messages = server.requests[1].json["messages"]
    assert Cited(3, "three") in events
    assert [block["type"] for block in messages[2]["content"][0]["content"]] == ["search_result", "text"]
    assert messages[1]["content"][0]["id"] == messages[2]["content"][0]["tool_use_id"] == "call_1"


async def test_without_citations_of_its_own_the_sources_stand_in_the_text() -> None:
    request = ChatRequest((Message("user", "When?", sources=(Source(4, "a.org", "A", "On Friday."),)),))
    async with Replay() as server:
        await answer(server, stream_reply(whole(*SPOKEN)), request)
        sent = server.requests[0].json["messages"]
    assert sent == [{"role": "user", "content": [{"type": "text", "text": "[4] A (a.org)\nOn Friday.\n\nWhen?"}]}]


async def test_signed_thinking_goes_back_as_it_came_to_the_model_that_signed_it() -> None:
    body = whole(
        start(0, type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="Let me "),
        delta(0, type="thinking_delta", thinking="see"),
        delta(0, type="signature_delta", signature="EqQBCg"),
        stop(0),
        start(1, type="redacted_thinking", data="b64"),
        stop(1),
        start(2, type="text", text=""),
        delta(2, type="text_delta", text="Looking."),
        stop(2),
        start(3, type="tool_use", id="toolu_1", name="search_notes", input={}),
        delta(3, type="input_json_delta", partial_json=""),
        delta(3, type="input_json_delta", partial_json='{"query": "mee'),
        delta(3, type="input_json_delta", partial_json='ting"}'),
        stop(3),
        reason="tool_use",
    )
    result = Message("tool", "Friday", tool_call_id="toolu_1", tool_name="search_notes")
    async with Replay() as server:
        server.on("POST", PATH, stream_reply(body), stream_reply(whole(*SPOKEN)))
        async with connected(server) as provider:
            events = [event async for event in provider.chat("tiny", QUESTION)]
            ended = events[-1]
            assert isinstance(ended, Ended)
            again = ChatRequest((*QUESTION.messages, ended.message, result), tools=(SEARCH,), thinking=True, temperature=0.7)
            for model in ("tiny", "other"):
                assert said([event async for event in provider.chat(model, again)]) == "Hello"
        same, other = (request.json for request in server.requests[1:])
    assert said(events, Thinking) == "Let me see"
    assert same["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Let me see", "signature": "EqQBCg"},
        {"type": "redacted_thinking", "data": "b64"},
        {"type": "text", "text": "Looking."},
        {"type": "tool_use", "id": "toolu_1", "name": "search_notes", "input": {"query": "meeting"}},
    ]
    assert [block["type"] for block in other["messages"][1]["content"]] == ["text", "tool_use"]
    assert same["messages"][2] == {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "Friday"}]}],
    }
    # Thinking takes part of the answer's tokens, and no temperature.
    assert same["thinking"]["type"] == "enabled"
    assert same["max_tokens"] > same["thinking"]["budget_tokens"] >= 1024
    assert "temperature" not in same


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("refusal", "refused"),
        ("something_new", "stop"),
    ],
)
async def test_an_answer_ends_for_a_reason(reason: str, expected: str) -> None:
    async with Replay() as server:
        ended = (await answer(server, stream_reply(whole(*SPOKEN, reason=reason))))[-1]
    assert isinstance(ended, Ended)
    assert ended.reason == expected


@pytest.mark.parametrize("written", ['{"query": "mee', '["meeting"]', "{'query': 1}"])
async def test_a_tool_call_with_broken_json_says_what_was_written(written: str) -> None:
    body = whole(
        start(0, type="tool_use", id="toolu_1", name="search_notes", input={}),
        delta(0, type="input_json_delta", partial_json=written),
        stop(0),
        reason="tool_use",
    )
    async with Replay() as server:
        events = await answer(server, stream_reply(body))
    assert Called(ToolCall("toolu_1", "search_notes", None, written)) in events


async def test_a_call_without_arguments_has_none_of_them() -> None:
    body = whole(start(0, type="tool_use", id="t", name="list_notes", input={}), stop(0), reason="tool_use")
    async with Replay() as server:
        assert Called(ToolCall("t", "list_notes", {}, "{}")) in await answer(server, stream_reply(body))


async def test_blocks_may_overlap_and_unknown_events_are_passed_over() -> None:
    body = whole(
        {"type": "weather", "sun": True},
        start(1, type="text", text="A"),
        start(0, type="thinking", thinking="t"),
        delta(1, type="text_delta", text="B"),
        delta(0, type="thinking_delta", thinking="u"),
        delta(1, type="smell_delta", smell="coffee"),
        delta(5, type="text_delta", text="of no block"),
        start(2, type="hologram", data=1),
        stop(1),
        stop(0),
        stop(2),
        stop(9),
    )
    async with Replay() as server:
        events = await answer(server, stream_reply(body))
    assert (said(events), said(events, Thinking)) == ("AB", "tu")


async def test_a_server_that_only_pings_shows_that_it_lives() -> None:
    async with Replay() as server:
        server.on("POST", PATH, stream_reply(streamed(BEGIN, PING), HANG))
        async with connected(server) as provider:
            events = provider.chat("tiny", QUESTION)
            assert [await anext(events), await anext(events)] == [Used(25, 1, 0), Text("")]
            await events.aclose()


async def test_usage_is_of_the_whole_answer_cache_included() -> None:
    end = finish(input_tokens=5, cache_creation_input_tokens=10, cache_read_input_tokens=100)
    async with Replay() as server:
        events = await answer(server, stream_reply(streamed(BEGIN, *SPOKEN, end, STOP)))
    assert [event for event in events if isinstance(event, Used)][-1] == Used(prompt=115, completion=15, cached=100)


# Requests


async def test_a_request_says_what_is_asked() -> None:
    request = ChatRequest(
        (
            Message("system", "One."),
            Message("user", "Look", images=(Image(b"\x89PNG", "image/png"),)),
            Message("assistant", "A cat."),
            Message("assistant", "  "),
            Message("user", "Sure?"),
            Message("user", "Half a pair: \ud83d"),
        ),
        tools=(SEARCH,),
        tool_choice="required",
        max_tokens=100,
        temperature=1.5,
        thinking=False,
    )
    async with Replay() as server:
        await answer(server, stream_reply(whole(*SPOKEN)), request)
        sent = server.requests[0]
    assert sent.json == {
        "model": "tiny",
        "stream": True,
        "max_tokens": 100,
        "temperature": 1.0,
        "system": "One.",
        "thinking": {"type": "disabled"},
        "tools": [{"name": "search_notes", "description": "Searches.", "input_schema": SEARCH.parameters}],
        "tool_choice": {"type": "any"},
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}},
                    {"type": "text", "text": "Look"},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
            {"role": "user", "content": [{"type": "text", "text": "Sure?"}, {"type": "text", "text": "Half a pair: \ufffd"}]},
        ],
    }
    assert sent.headers["anthropic-version"]
    assert sent.headers["x-api-key"] == KEY
    assert not [header for header in sent.headers if header.startswith("x-stainless")]


async def test_a_schema_asks_for_structured_output_and_long_prompts_arrive_whole() -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"], "additionalProperties": False}
    text = "word " * 20_000
    async with Replay() as server:
        await answer(server, stream_reply(whole(*SPOKEN)), ChatRequest((Message("user", text),), schema=schema))
        sent = server.requests[0].json
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert sent["messages"][0]["content"][0]["text"] == text


async def test_tools_that_were_called_are_described_when_none_is_offered_any_more() -> None:
    history = (
        Message("user", "When?"),
        Message("assistant", "", tool_calls=(ToolCall("a", "search_notes", None, "{"),)),
        Message("tool", "broken", tool_call_id="a"),
        Message("tool", "", tool_call_id="b"),
    )
    async with Replay() as server:
        await answer(server, stream_reply(whole(*SPOKEN)), ChatRequest(history))
        sent = server.requests[0].json
    assert [tool["name"] for tool in sent["tools"]] == ["search_notes"]
    assert sent["tool_choice"] == {"type": "none"}
    assert [block["type"] for block in sent["messages"][2]["content"]] == ["tool_result", "tool_result"]


async def test_the_environment_neither_redirects_nor_adds_to_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", refused_url())
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-of-the-environment")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Extra: 1\nAuthorization: Bearer of-the-environment")
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, refused_url())
    async with Replay() as server:
        server.on("POST", PATH, stream_reply(whole(*SPOKEN)))
        for key, authorization in ((KEY, f"Bearer {KEY}"), ("", None)):
            async with connected(server, key) as provider:
                assert said([event async for event in provider.chat("tiny", QUESTION)]) == "Hello"
            sent = server.requests[-1]
            assert sent.headers.get("authorization") == authorization
            assert "environment" not in str(sent.headers)
            assert "x-extra" not in sent.headers


async def test_a_base_url_may_end_in_the_version() -> None:
    async with Replay() as server:
        server.on("POST", PATH, stream_reply(whole(*SPOKEN)))
        async with connected(f"{server.url}/v1/") as provider:
            assert said([event async for event in provider.chat("tiny", QUESTION)]) == "Hello"


# Faults


def refusal(kind: str, message: str, status: int, *headers: tuple[str, str]) -> Reply:
    return json_reply({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}, status, headers)


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (refusal("authentication_error", f"invalid x-api-key {KEY}", 401), "auth", "key_env"),
        (refusal("permission_error", "not yours", 403), "auth", "key_env"),
        (refusal("not_found_error", "model: tiny", 404), "model", 'no model "tiny"'),
        (refusal("rate_limit_error", "slow down", 429), "rate", "too many requests"),
        (refusal("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", 400), "overflow", "longer"),
        (refusal("invalid_request_error", "messages: text content blocks must be non-empty", 400), "request", "non-empty"),
        (refusal("overloaded_error", "Overloaded", 529), "busy", "no room"),
        (text_reply("it broke", 500), "server", "it broke"),
        (json_reply({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, 503), "busy", "loading"),
        (text_reply("<html><body>Hello</body></html>", kind="text/html"), "garbled", "web page"),
        (text_reply("hello"), "garbled", "text/plain"),
        (json_reply({"error": {"code": 500, "message": "no slot", "type": "server_error"}}), "server", "no slot"),
        (json_reply({"id": "msg_1", "content": []}), "garbled", "application/json"),
        (text_reply("", 200, kind="text/event-stream"), "cut", "end mark"),
        (Reply(307, (("Location", "http://elsewhere.example/v1/messages"),), framing="length"), "request", "elsewhere.example"),
    ],
)
async def test_a_refusal_says_what_to_do(reply: Reply, reason: str, words: str) -> None:
    async with Replay() as server:
        error = await failed(server, reply)
        assert len(server.requests) == 1  # whoever asks decides on trying again
    assert (error.reason, error.data["model"]) == (reason, "tiny")
    assert words in error.message


async def test_too_many_requests_may_say_when_to_come_back() -> None:
    async with Replay() as server:
        error = await failed(server, refusal("rate_limit_error", "slow down", 429, ("Retry-After", "7")))
    assert error.retry_after == 7


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([streamed(BEGIN, *SPOKEN), RESET], "cut"),
        ([streamed(BEGIN, *SPOKEN), CLOSE], "cut"),
        ([streamed(BEGIN, *SPOKEN, finish())], "cut"),
        ([streamed(BEGIN, *SPOKEN, STOP)], "cut"),
        ([streamed(BEGIN, *SPOKEN, finish(None), STOP)], "cut"),
        ([streamed(BEGIN, *SPOKEN), b"proxy error: Failed to read connection"], "cut"),
        ([streamed(BEGIN, *SPOKEN), b'event: message_delta\ndata: {"type": "message_de'], "cut"),
        ([streamed(BEGIN, *SPOKEN), b"event: content_block_delta\ndata: {oops}\n\n"], "garbled"),
        ([streamed(BEGIN, *SPOKEN), b"event: content_block_delta\ndata: [1]\n\n"], "garbled"),
        ([streamed(BEGIN, *SPOKEN), b'event: x\ndata: {"text": "\xc3', b'\x28"}\n\n'], "garbled"),
        ([streamed(BEGIN, *SPOKEN, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})], "busy"),
        ([streamed(BEGIN, *SPOKEN, {"type": "error", "error": {"type": "rate_limit_error", "message": "wait"}})], "rate"),
        ([streamed(BEGIN, *SPOKEN, {"type": "error", "error": {"type": "api_error", "message": f"bad {KEY}"}})], "server"),
        # llama.cpp's server puts the error itself where others put it into an object.
        (
            [streamed(BEGIN, *SPOKEN), b'event: error\ndata: {"code":500,"message":"decode failed"}\n\n'],
            "server",
        ),
    ],
)
async def test_an_answer_that_breaks_off_is_an_error_after_what_came(steps: list[Step], reason: str) -> None:
    async with Replay() as server:
        server.on("POST", PATH, stream_reply(*steps))
        came: list[Event] = []
        async with connected(server) as provider:
            with pytest.raises(ProviderError) as caught:
                async for event in provider.chat("tiny", QUESTION):
                    came.append(event)
    assert said(came) == "Hello"
    assert caught.value.reason == reason
    assert KEY not in caught.value.message


async def test_two_answers_come_side_by_side() -> None:
    release = asyncio.Event()
    async with Replay() as server:
        slow = stream_reply(streamed(BEGIN), release, streamed(*SPOKEN, finish(), STOP))
        server.on("POST", PATH, slow, stream_reply(whole(*SPOKEN)))
        async with connected(server, concurrency=1) as provider:

            async def ask() -> str:
                return said([event async for event in provider.chat("tiny", QUESTION)])

            first = asyncio.create_task(ask())
            await server.arrived()
            assert await ask() == "Hello"
            release.set()
            assert await first == "Hello"


# Models


CLAUDE = {
    "type": "model",
    "id": "claude-x-1",
    "display_name": "Claude X",
    "max_input_tokens": 200_000,
    "max_tokens": 32_000,
    "capabilities": {
        "citations": {"supported": False},
        "image_input": {"supported": True},
        "structured_outputs": {"supported": True},
        "thinking": {
            "supported": True,
            "types": {"adaptive": {"supported": True}, "enabled": {"supported": False}, "disabled": {"supported": False}},
        },
    },
}


async def test_a_model_is_what_its_server_says() -> None:
    async with Replay() as server:
        server.on("GET", "/v1/models", json_reply({"data": [CLAUDE], "has_more": False}))
        server.on("POST", PATH, stream_reply(whole(*SPOKEN)))
        async with connected(server) as provider:
            (info,) = await provider.models()
            for thinking in (True, False):
                async for _ in provider.chat("claude-x-1", ChatRequest(QUESTION.messages, thinking=thinking)):
                    pass
        on, off = (request.json for request in server.requests[1:])
    assert info.capabilities == {"chat", "streaming", "tools", "vision", "thinking", "json-schema"}
    assert (info.name, info.context, info.max_output, info.detail) == ("claude-x-1", 200_000, 32_000, "Claude X")
    assert on["thinking"]["type"] == "adaptive"
    assert on["max_tokens"] == off["max_tokens"] == 32_000
    assert "thinking" not in off


async def test_a_llama_server_s_models_are_told_by_what_they_were_started_with() -> None:
    entries = [
        {"id": "loaded", "owned_by": "llamacpp", "meta": {"n_ctx": 4096}, "architecture": {"input_modalities": ["image"]}},
        {
            "id": "waiting",
            "owned_by": "llamacpp",
            "aliases": ["nick"],
            "status": {"args": ["--ctx-size", "2048"]},
        },
        {"id": "vectors", "owned_by": "llamacpp", "status": {"args": ["llama-server", "--embeddings"]}},
    ]
    async with Replay() as server:
        server.on("GET", "/v1/models", json_reply({"object": "list", "data": entries}))
        server.on("POST", PATH, stream_reply(whole(*SPOKEN)))
        async with connected(server, "") as provider:
            loaded, waiting, vectors = await provider.models()
            assert (await provider.info("nick")).context == 2048
            async for _ in provider.chat("loaded", ChatRequest(QUESTION.messages, thinking=False)):
                pass
        assert server.requests[-1].json["chat_template_kwargs"] == {"enable_thinking": False}
    assert loaded.capabilities == {"chat", "streaming", "tools", "thinking", "vision", "count"}
    assert (loaded.context, waiting.context) == (4096, 2048)
    assert vectors.capabilities == set()


async def test_an_unknown_model_is_answered_with_those_that_are_there() -> None:
    async with Replay() as server:
        server.on("GET", "/v1/models", json_reply({"data": [CLAUDE]}))
        async with connected(server) as provider:
            with pytest.raises(ProviderError, match="claude-x-1") as caught:
                await provider.info("claude-y")
    assert caught.value.reason == "model"


async def test_a_server_without_a_list_of_models_is_taken_at_its_word() -> None:
    async with Replay() as server, connected(server) as provider:
        info = await provider.info("anything")
    assert info.name == "anything"
    assert info.capabilities == {"chat", "streaming", "tools"}


async def test_prompts_are_counted_where_the_server_counts() -> None:
    async with Replay() as server:
        server.on("POST", f"{PATH}/count_tokens", json_reply({"input_tokens": 2095}))
        async with connected(server) as provider:
            assert await provider.count("tiny", QUESTION.messages, (SEARCH,)) == 2095
        sent = server.requests[0].json
    assert (sent["system"], [tool["name"] for tool in sent["tools"]]) == ("Be brief.", ["search_notes"])
    assert "max_tokens" not in sent


async def test_a_server_that_does_not_count_is_asked_once() -> None:
    async with Replay() as server, connected(server) as provider:
        for _ in range(2):
            with pytest.raises(ProviderError) as caught:
                await provider.count("tiny", QUESTION.messages)
            assert caught.value.reason == "unsupported"
        assert len(server.requests) == 1


async def test_health_never_raises() -> None:
    async with Replay() as server:
        server.on("GET", "/v1/models", json_reply({"data": [CLAUDE]}), refusal("authentication_error", KEY, 401))
        async with connected(server) as provider:
            well, refused = await provider.health(), await provider.health()
    async with connected(refused_url()) as provider:
        gone = await provider.health()
    assert well.ok
    assert "1 model" in well.message
    assert well.latency_ms > 0
    assert (refused.ok, gone.ok) == (False, False)
    assert "key_env" in refused.message
    assert KEY not in refused.message


async def test_what_the_api_does_not_have_is_said() -> None:
    async with connected(refused_url()) as provider:
        for question in (provider.embed("tiny", ["a"]), provider.rerank("tiny", "a", ["b"]), anext(provider.pull("tiny"))):
            with pytest.raises(ProviderError) as caught:
                np.asarray(await question)
            assert caught.value.reason == "unsupported"
