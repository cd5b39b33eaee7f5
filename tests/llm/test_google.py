"""Google's API, by hand-written streams in its wire format, and faults."""

import asyncio
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import numpy as np
import pytest

from khojd import config
from khojd.errors import ProviderError
from khojd.llm.model import Called, ChatRequest, Ended, Event, Image, Message, Source, Text, Thinking, Tool, ToolCall, Used
from khojd.llm.providers.google import Google
from tests.llm.replay import CLOSE, HANG, RESET, Replay, Reply, Step, cut, json_reply, refused_url, stream_reply, text_reply

KEY = "AIzaTest-0123456789"
QUESTION = ChatRequest((Message("system", "Be brief."), Message("user", "When is the meeting?")))
SEARCH = Tool("search_notes", "Searches.", {"type": "object", "properties": {"query": {"type": "string"}}})
PATH = "/v1beta/models/gemini-x:streamGenerateContent"


@asynccontextmanager
async def connected(server: Replay | str, key: str = KEY, **settings: Any) -> AsyncIterator[Google]:
    url = server if isinstance(server, str) else server.url
    provider = Google("gemini", config.Provider(**{"base_url": url, "key_env": "X", **settings}), key)
    try:
        yield provider
    finally:
        await provider.close()


async def answer(server: Replay, reply: Reply, request: ChatRequest = QUESTION) -> list[Event]:
    server.on("POST", PATH, reply)
    async with connected(server) as provider:
        return [event async for event in provider.chat("gemini-x", request)]


async def failed(server: Replay | str, reply: Reply | None = None) -> ProviderError:
    if reply is not None and isinstance(server, Replay):
        server.on("POST", PATH, reply)
    async with connected(server) as provider:
        with pytest.raises(ProviderError) as caught:
            async for _ in provider.chat("gemini-x", QUESTION):
                pass
    assert KEY not in caught.value.message
    assert "When is the meeting" not in caught.value.message
    return caught.value


def said(events: list[Event], kind: type[Text] | type[Thinking] = Text) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def chunk(*parts: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "modelVersion": "gemini-x", "responseId": "r1", **more}


def streamed(*chunks: dict[str, Any]) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % msgspec.json.encode(each) for each in chunks)


USAGE = {
    "promptTokenCount": 20,
    "candidatesTokenCount": 8,
    "thoughtsTokenCount": 30,
    "cachedContentTokenCount": 16,
    "totalTokenCount": 58,
}
HELLO = streamed(chunk({"text": "Hel"}), chunk({"text": "lo"}, reason="STOP", usageMetadata=USAGE))
BEGUN = streamed(chunk({"text": "Hel"}), chunk({"text": "lo"}))
WHOLE = streamed(
    chunk({"text": "The user asks ", "thought": True}),
    chunk({"text": "about something", "thought": True}),
    chunk({"text": "According to note [1], the "}),
    chunk({"text": "meeting is on Friday. Café 🙂"}),
    chunk({"text": ""}, reason="STOP", usageMetadata=USAGE),
)
ANSWER = "According to note [1], the meeting is on Friday. Café 🙂"


@pytest.mark.parametrize("every", [0, 1, 2, 3, 64])
async def test_an_answer_is_whole_wherever_it_is_cut(every: int) -> None:
    async with Replay() as server:
        events = await answer(server, stream_reply(*cut(WHOLE, every=every)))
    assert (said(events), said(events, Thinking)) == (ANSWER, "The user asks about something")
    assert [event for event in events if isinstance(event, Used)][-1] == Used(prompt=20, completion=38, cached=16)
    assert events[-1] == Ended("stop", Message("assistant", ANSWER))


async def test_signed_calls_go_back_as_they_came_to_the_model_that_signed_them() -> None:
    calls = streamed(
        chunk({"text": "Hm.", "thought": True}),
        chunk({"text": "Looking"}),
        chunk({"text": "."}),
        chunk({"functionCall": {"name": "search_notes", "args": {"query": "meeting"}, "id": "f1"}, "thoughtSignature": "AAEC+/8="}),
        chunk({"functionCall": {"name": "list_notes"}}),
        chunk(reason="STOP"),
    )
    async with Replay() as server:
        server.on("POST", PATH, stream_reply(calls), stream_reply(HELLO))
        server.on("POST", PATH.replace("gemini-x", "gemini-y"), stream_reply(HELLO))
        async with connected(server) as provider:
            events = [event async for event in provider.chat("gemini-x", QUESTION)]
            ended = events[-1]
            assert isinstance(ended, Ended)
            first, second = (event.call for event in events if isinstance(event, Called))
            results = [
                Message("tool", "Friday", tool_call_id=call.id, tool_name=call.name, sources=(Source(1, "a.org", "A", "x"),))
                for call in (first, second)
            ]
            stored = msgspec.json.decode(msgspec.json.encode(ended.message), type=Message)
            again = ChatRequest((*QUESTION.messages, stored, *results), tools=(SEARCH,), tool_choice="required")
            for model in ("gemini-x", "gemini-y"):
                assert said([event async for event in provider.chat(model, again)]) == "Hello"
        same, other = (request.json for request in server.requests[1:])
    assert (first, ended.reason) == (ToolCall("f1", "search_notes", {"query": "meeting"}, '{"query": "meeting"}'), "tools")
    assert second.arguments == {}
    assert second.id
    _, model_turn, results_turn = same["contents"]
    assert model_turn["parts"][0] == {"text": "Looking."}
    assert model_turn["parts"][1]["functionCall"] == {"name": "search_notes", "args": {"query": "meeting"}, "id": "f1"}
    assert model_turn["parts"][1]["thoughtSignature"].replace("-", "+").replace("_", "/") == "AAEC+/8="
    assert [part["functionResponse"]["response"]["output"] for part in results_turn["parts"]] == ["[1] A (a.org)\nx\n\nFriday"] * 2
    assert same["toolConfig"]["functionCallingConfig"]["mode"] == "ANY"
    assert "thoughtSignature" not in str(other["contents"])
    assert [list(part) for part in other["contents"][1]["parts"]] == [["text"], ["functionCall"], ["functionCall"]]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "refused"),
        ("RECITATION", "refused"),
        ("PROHIBITED_CONTENT", "refused"),
    ],
)
async def test_an_answer_ends_for_a_reason(reason: str, expected: str) -> None:
    async with Replay() as server:
        ended = (await answer(server, stream_reply(streamed(chunk({"text": "Hello"}, reason=reason)))))[-1]
    assert ended == Ended(expected, Message("assistant", "Hello"))  # type: ignore[arg-type]


async def test_a_question_that_is_blocked_is_refused() -> None:
    async with Replay() as server:
        events = await answer(server, stream_reply(streamed({"promptFeedback": {"blockReason": "SAFETY"}})))
    assert events == [Ended("refused", Message("assistant"))]


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
async def test_a_tool_call_that_cannot_be_read_is_an_error(reason: str) -> None:
    body = streamed(
        {"candidates": [{"finishReason": reason, "finishMessage": "Malformed function call: search_notes(", "index": 0}]}
    )
    async with Replay() as server:
        error = await failed(server, stream_reply(body))
    assert error.reason == "garbled"
    assert reason in error.message


async def test_bytes_that_are_no_text_are_replaced() -> None:
    body = HELLO.replace(b"lo", b"l\xc3")
    async with Replay() as server:
        assert said(await answer(server, stream_reply(*cut(body, every=1)))) == "Hell\ufffd"


# Requests


def camel(value: Any) -> Any:
    """Keys in one spelling: the API takes two, and the SDK sends both."""
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda match: match[1].upper(), key): camel(each) for key, each in value.items()}
    return [camel(each) for each in value] if isinstance(value, list) else value


async def test_a_request_says_what_is_asked() -> None:
    request = ChatRequest(
        (
            Message("system", "One."),
            Message("user", "Look", images=(Image(b"\x89PNG", "image/png"),)),
            Message("assistant", "A cat."),
            Message("user", "Half a pair: \ud83d"),
        ),
        tools=(SEARCH,),
        max_tokens=100,
        temperature=0.5,
        schema={"type": "object"},
    )
    async with Replay() as server:
        await answer(server, stream_reply(HELLO), request)
        sent = server.requests[0]
    assert sent.query == {"alt": "sse"}
    assert camel(sent.json) == {
        "systemInstruction": {"parts": [{"text": "One."}], "role": "user"},
        "contents": [
            {"role": "user", "parts": [{"inlineData": {"data": "iVBORw==", "mimeType": "image/png"}}, {"text": "Look"}]},
            {"role": "model", "parts": [{"text": "A cat."}]},
            {"role": "user", "parts": [{"text": "Half a pair: \ufffd"}]},
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "search_notes", "description": "Searches.", "parametersJsonSchema": SEARCH.parameters}
                ]
            }
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        "generationConfig": {
            "maxOutputTokens": 100,
            "temperature": 0.5,
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object"},
        },
    }
    assert sent.headers["x-goog-api-key"] == KEY
    assert "x-goog-api-client" not in sent.headers


async def test_the_environment_neither_redirects_nor_gives_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(variable, "of-the-environment")
    for variable in ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, refused_url())
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v9")
    monkeypatch.setenv("GOOGLE_GENAI_CLIENT_MODE", "replay")
    async with Replay() as server:
        server.on("POST", PATH, stream_reply(HELLO))
        for key in (KEY, ""):
            async with connected(f"{server.url}/v1beta/", key) as provider:
                assert said([event async for event in provider.chat("gemini-x", QUESTION)]) == "Hello"
            assert server.requests[-1].headers.get("x-goog-api-key", "") == key
            assert "environment" not in str(server.requests[-1].headers)


# Faults


def refusal(status: int, name: str, message: str, *details: dict[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return json_reply({"error": {"code": status, "message": message, "status": name, "details": list(details)}}, status, headers)


INVALID_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12s"}


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (
            refusal(400, "INVALID_ARGUMENT", f"API key not valid: {KEY}. Please pass another.", INVALID_KEY),
            "auth",
            "key_env",
        ),
        (refusal(403, "PERMISSION_DENIED", "blocked"), "auth", "key_env"),
        (refusal(404, "NOT_FOUND", "models/gemini-x is not found for API version v1beta"), "model", 'no model "gemini-x"'),
        (refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded", RETRY), "rate", "wait 12 s"),
        (
            refusal(400, "INVALID_ARGUMENT", "The input token count (2000000) exceeds the maximum number of tokens (1048576)."),
            "overflow",
            "longer",
        ),
        (refusal(400, "INVALID_ARGUMENT", "Invalid value at 'contents'"), "request", "Invalid value"),
        (refusal(503, "UNAVAILABLE", "The model is overloaded."), "busy", "no room"),
        (text_reply("it broke", 500), "server", "it broke"),
        (text_reply("<html><body>Hello</body></html>", kind="text/html"), "garbled", "base_url"),
        (text_reply("hello"), "garbled", "base_url"),
        (json_reply({"hello": 1}), "garbled", "application/json"),
        (text_reply("", 200, kind="text/event-stream"), "cut", "end mark"),
        (Reply(307, (("Location", "http://elsewhere.example/v1"),), framing="length"), "request", "elsewhere.example"),
    ],
)
async def test_a_refusal_says_what_to_do(reply: Reply, reason: str, words: str) -> None:
    async with Replay() as server:
        error = await failed(server, reply)
        assert len(server.requests) == 1  # whoever asks decides on trying again
    assert (error.reason, error.data["model"]) == (reason, "gemini-x")
    assert words in error.message


async def test_too_many_requests_may_say_when_to_come_back() -> None:
    async with Replay() as server:
        assert (await failed(server, refusal(429, "RESOURCE_EXHAUSTED", "slow", headers=(("Retry-After", "7"),)))).retry_after == 7
        assert (await failed(server, refusal(429, "RESOURCE_EXHAUSTED", "slow", RETRY))).retry_after == 12


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([BEGUN, RESET], "cut"),
        ([BEGUN, CLOSE], "cut"),
        ([BEGUN], "cut"),
        ([BEGUN, b'data: {"candidates": [{"con'], "garbled"),
        ([BEGUN, b"data: {oops}\r\n\r\n"], "garbled"),
        ([BEGUN, b"upstream connect error\n"], "garbled"),
        ([BEGUN, streamed({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}})], "busy"),
        ([BEGUN, streamed({"error": {"code": 500, "message": f"bad {KEY}", "status": "INTERNAL"}})], "server"),
    ],
)
async def test_an_answer_that_breaks_off_is_an_error_after_what_came(steps: list[Step], reason: str) -> None:
    came: list[Event] = []
    async with Replay() as server:
        server.on("POST", PATH, stream_reply(*steps))
        async with connected(server) as provider:
            with pytest.raises(ProviderError) as caught:
                async for event in provider.chat("gemini-x", QUESTION):
                    came.append(event)
    assert said(came) == "Hello"
    assert caught.value.reason == reason
    assert KEY not in caught.value.message


async def test_an_answer_is_closed_also_when_something_else_was_asked_meanwhile() -> None:
    async with Replay() as server:
        server.on("POST", PATH, stream_reply(BEGUN, HANG))
        server.on("POST", PATH.replace("streamGenerateContent", "countTokens"), json_reply({"totalTokens": 3}))
        async with connected(server) as provider:
            events = provider.chat("gemini-x", QUESTION)
            assert await anext(events) == Text("Hel")
            assert await provider.count("gemini-x", QUESTION.messages) == 3
            await events.aclose()
            async with asyncio.timeout(60):
                await server.requests[0].left.wait()


# Models, counts, vectors

MODELS = [
    {
        "name": "models/gemini-x",
        "displayName": "Gemini X",
        "inputTokenLimit": 1_000_000,
        "outputTokenLimit": 64_000,
        "supportedGenerationMethods": ["generateContent", "countTokens", "createCachedContent"],
        "thinking": True,
    },
    {
        "name": "models/gemma-y",
        "inputTokenLimit": 8_192,
        "outputTokenLimit": 8_192,
        "supportedGenerationMethods": ["generateContent"],
    },
    {"name": "models/gemini-embedding-001", "inputTokenLimit": 5, "supportedGenerationMethods": ["embedContent"]},
]


async def test_a_model_is_what_its_server_says() -> None:
    async with Replay() as server:
        server.on("GET", "/v1beta/models", json_reply({"models": MODELS}))
        async with connected(server) as provider:
            gemini, gemma, vectors = await provider.models()
            health = await provider.health()
    assert gemini.capabilities == {"chat", "streaming", "tools", "vision", "json-schema", "thinking", "count"}
    assert (gemini.name, gemini.context, gemini.max_output, gemini.detail) == ("gemini-x", 1_064_000, 64_000, "Gemini X")
    assert gemma.capabilities == {"chat", "streaming"}
    assert vectors.capabilities == {"embedding"}
    assert (health.ok, "3 models" in health.message) == (True, True)


@pytest.mark.parametrize(
    ("thinking", "expected", "limit"),
    [(None, {"includeThoughts": True}, 4196), (True, {"includeThoughts": True}, 4196), (False, {"thinkingBudget": 0}, 100)],
)
async def test_a_model_that_thinks_gets_room_for_it(thinking: bool | None, expected: dict[str, Any], limit: int) -> None:
    async with Replay() as server:
        server.on("GET", "/v1beta/models/gemini-x", json_reply(MODELS[0]))
        server.on("POST", PATH, stream_reply(HELLO))
        async with connected(server) as provider:
            await provider.info("gemini-x")
            request = ChatRequest(QUESTION.messages, thinking=thinking, max_tokens=100)
            assert said([event async for event in provider.chat("gemini-x", request)]) == "Hello"
        sent = camel(server.requests[-1].json["generationConfig"])
    assert (sent["thinkingConfig"], sent["maxOutputTokens"]) == (expected, limit)


async def test_an_open_model_gets_its_instructions_in_the_conversation() -> None:
    async with Replay() as server:
        server.on("POST", PATH.replace("gemini-x", "gemma-y"), stream_reply(HELLO))
        async with connected(server) as provider:
            assert said([event async for event in provider.chat("gemma-y", QUESTION)]) == "Hello"
        sent = server.requests[0].json
    assert "systemInstruction" not in sent
    assert sent["contents"] == [{"role": "user", "parts": [{"text": "Be brief."}, {"text": "When is the meeting?"}]}]


async def test_an_unknown_model_is_said() -> None:
    async with Replay() as server:
        server.on("GET", "/v1beta/models/gemini-x", refusal(404, "NOT_FOUND", "models/gemini-x is not found"))
        async with connected(server) as provider:
            with pytest.raises(ProviderError, match='no model "gemini-x"') as caught:
                await provider.info("gemini-x")
    assert caught.value.reason == "model"


async def test_prompts_are_counted_with_instructions_and_tools() -> None:
    async with Replay() as server:
        server.on("POST", PATH.replace("streamGenerateContent", "countTokens"), json_reply({"totalTokens": 42}))
        async with connected(server) as provider:
            assert await provider.count("gemini-x", QUESTION.messages, (SEARCH,)) == 42
        sent = str(server.requests[0].json)
    assert "Be brief." in sent
    assert "search_notes" in sent


async def test_vectors_come_in_order_and_in_batches() -> None:
    def vectors(request: Any) -> Reply:
        values = [float(each["content"]["parts"][0]["text"]) for each in request.json["requests"]]
        return json_reply({"embeddings": [{"values": [value, 1.0]} for value in values]})

    async with Replay() as server:
        server.on("POST", "/v1beta/models/gemini-embedding-001:batchEmbedContents", vectors)
        server.on("POST", "/v1beta/models/gemini-embedding-2:batchEmbedContents", vectors)
        async with connected(server) as provider:
            made = await provider.embed("gemini-embedding-001", [str(number) for number in range(250)])
            await provider.embed("gemini-embedding-001", ["7"], query=True)
            assert (await provider.embed("gemini-embedding-2", ["1", "2"])).tolist() == [[1, 1], [2, 1]]
            assert (await provider.embed("gemini-embedding-001", [])).size == 0
        kinds = [{each.get("taskType") for each in request.json["requests"]} for request in server.requests]
        assert [len(request.json["requests"]) for request in server.requests] == [100, 100, 50, 1, 2]
    assert made.dtype == np.float32
    assert made[:, 0].tolist() == list(range(250))
    assert kinds == [{"RETRIEVAL_DOCUMENT"}] * 3 + [{"RETRIEVAL_QUERY"}, {None}]


async def test_too_long_a_text_is_said_and_not_cut() -> None:
    async with Replay() as server:
        server.on("GET", "/v1beta/models/gemini-embedding-001", json_reply(MODELS[2]))
        async with connected(server) as provider:
            await provider.info("gemini-embedding-001")
            with pytest.raises(ProviderError) as caught:
                await provider.embed("gemini-embedding-001", ["one two three four five six"])
    assert caught.value.reason == "overflow"


@pytest.mark.parametrize("embeddings", [[], [{"values": []}, {"values": [1]}], [{"values": [1]}, {"values": [1, 2]}]])
async def test_vectors_that_cannot_be_right_are_an_error(embeddings: list[Any]) -> None:
    async with Replay() as server:
        server.on("POST", "/v1beta/models/e:batchEmbedContents", json_reply({"embeddings": embeddings}))
        async with connected(server) as provider:
            with pytest.raises(ProviderError) as caught:
                await provider.embed("e", ["a", "b"])
    assert caught.value.reason == "garbled"


async def test_health_never_raises() -> None:
    async with Replay() as server:
        server.on("GET", "/v1beta/models", refusal(400, "INVALID_ARGUMENT", f"API key not valid {KEY}", INVALID_KEY))
        async with connected(server) as provider:
            refused = await provider.health()
    async with connected(refused_url()) as provider:
        gone = await provider.health()
    assert (refused.ok, gone.ok) == (False, False)
    assert "key_env" in refused.message
    assert KEY not in refused.message
    assert math.isclose(gone.latency_ms, 0.0)


async def test_what_the_api_does_not_have_is_said() -> None:
    async with connected(refused_url()) as provider:
        for question in (provider.rerank("m", "a", ["b"]), anext(provider.pull("m"))):
            with pytest.raises(ProviderError) as caught:
                np.asarray(await question)
            assert caught.value.reason == "unsupported"
