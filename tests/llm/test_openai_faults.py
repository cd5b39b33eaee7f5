"""Servers that fail: what a person is told, what is kept, and that nothing is left open."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.errors import ProviderError
from khojd.llm.failure import Origin
from khojd.llm.model import Message, Text
from khojd.llm.providers import openai
from khojd.llm.providers.openai_stream import Answer
from tests.llm.openai_client import CHAT, KEY, SEARCH, Taken, asked, provider, question, served
from tests.llm.replay import CLOSE, HANG, RESET, Fault, Reply, cut, json_reply, refused_url, sse, stream_reply, text_reply

HELLO = {"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}]}
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
HTML = "<!DOCTYPE html><html><head><title>Welcome to nginx!</title></head></html>"


def error_body(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "some_error", "param": None, "code": None, **more}}


async def failed(*replies: Reply, **more: Any) -> Taken:
    async with served(key=KEY, key_env="WORK_KEY") as (server, client):
        server.on("POST", CHAT, *replies)
        return await asked(client, **more)


async def failure_of(*replies: Reply, **more: Any) -> ProviderError:
    taken = await failed(*replies, **more)
    assert taken.error is not None
    assert KEY not in str(taken.error.data) + taken.error.message
    return taken.error


async def test_a_server_that_does_not_run_is_said_to_be_unreachable() -> None:
    url = refused_url()
    async with provider(url, name="local") as client:
        error = (await asked(client)).error
        health = await client.health()
    assert error is not None
    assert error.reason == "unreachable"
    assert error.message.startswith(f"local: no connection to {url}/v1. Is it running? Is providers.local.base_url right?")
    assert not health.ok
    assert health.message == error.message


async def test_health_says_how_a_known_server_is_started() -> None:
    async with provider(refused_url(), name="vllm") as client:
        health = await client.health()
    assert health.message.endswith("It is started with: vllm serve MODEL")


async def test_a_host_that_is_not_known_is_named() -> None:
    async with provider("http://no-such-host.invalid/v1") as client:
        error = (await asked(client)).error
    assert error is not None
    assert error.reason == "unreachable"
    assert "the host of http://no-such-host.invalid/v1 is not known" in error.message


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://localhost/v1", "http://[::1/v1", "nonsense"])
async def test_an_address_that_is_none_is_told(url: str) -> None:
    error = None
    try:
        async with provider(url) as client:
            error = (await asked(client)).error
    except ProviderError as refused:
        error = refused
    assert error is not None
    assert error.reason == "request"
    assert f"base_url is no address of a server: {url}" in error.message


@pytest.mark.parametrize("fault", [RESET, CLOSE])
async def test_a_connection_that_breaks_in_the_middle_keeps_the_text(fault: Fault) -> None:
    taken = await failed(stream_reply(sse(HELLO, end=b""), fault))
    assert taken.text == "Hello"
    assert taken.error is not None
    assert taken.error.reason == "cut"
    assert taken.ended is None


@pytest.mark.parametrize("fault", [RESET, CLOSE])
async def test_a_connection_that_breaks_before_the_answer_is_unreachable(fault: Fault) -> None:
    error = await failure_of(Reply(before=[fault]))
    assert error.reason == "unreachable"
    assert "broke before an answer came" in error.message


@pytest.mark.parametrize("fault", [RESET, CLOSE, HANG])
async def test_an_answer_that_is_whole_is_not_spoilt_by_a_connection_that_does_not_end(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "DONE_SECONDS", 0.1)
    taken = await failed(stream_reply(sse(HELLO, STOP), fault))
    assert taken.error is None
    assert taken.text == "Hello"
    assert taken.ended is not None


async def test_a_stream_without_any_end_is_an_error() -> None:
    taken = await failed(stream_reply(sse(HELLO, end=b"")))
    assert taken.error is not None
    assert taken.error.reason == "cut"
    assert "broke off without its end" in taken.error.message


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n", b"data: [DONE]"])
async def test_one_end_is_enough(end: bytes) -> None:
    assert (await failed(stream_reply(sse(HELLO, STOP, end=end)))).ended is not None
    assert (await failed(stream_reply(sse(HELLO, end=end)))).ended is not None or not end


async def test_a_refused_key_is_told_with_its_setting_and_without_the_key() -> None:
    said = error_body(f"Incorrect API key provided: {KEY}. Also Bearer {KEY} and {KEY[:12]}… and sk-proj-ab******yz.")
    error = await failure_of(json_reply(said, 401))
    assert error.reason == "auth"
    assert "it comes from key_env in [providers.work]" in error.message
    assert "sk-" not in error.message
    assert "Incorrect API key provided: ***" in error.message


async def test_a_missing_key_is_told_with_the_settings_that_there_are() -> None:
    async with served() as (server, client):
        server.on("POST", CHAT, json_reply(error_body("Invalid API Key", type="authentication_error", code=401), 401))
        error = (await asked(client)).error
    assert error is not None
    assert error.reason == "auth"
    assert "the server wants a key: set one of key_env, key_command, key_file, key_keyring in [providers.work]" in error.message


async def test_too_many_requests_say_when_to_come_again() -> None:
    error = await failure_of(json_reply(error_body("Rate limit reached"), 429, [("Retry-After", "7")]))
    assert (error.reason, error.retry_after) == ("rate", 7.0)
    assert "it asks to wait 7 s" in error.message
    error = await failure_of(json_reply(error_body("Rate limit reached"), 429))
    assert (error.reason, error.retry_after) == ("rate", None)


async def test_a_server_that_loads_its_model_is_busy() -> None:
    said = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
    error = await failure_of(json_reply(said, 503))
    assert (error.reason, error.data["status"]) == ("busy", 503)
    assert "Loading model" in error.message


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (text_reply("Internal Server Error", 500), "server", "Internal Server Error"),
        (text_reply("upstream connect error", 502), "server", "upstream connect error"),
        (text_reply(HTML, 502, kind="text/html"), "server", "an error of the server's own (HTTP 502)"),
        (text_reply(HTML, 200, kind="text/html"), "garbled", "a web page came from"),
        (text_reply(HTML, 200, kind="text/event-stream"), "garbled", "It usually ends in /v1"),
        (text_reply(HTML, 404, kind="text/html"), "garbled", "a web page came from"),
        (text_reply("Ollama is running", 200), "garbled", "content type text/plain"),
        (text_reply("", 200, kind="application/json"), "garbled", "empty"),
        (json_reply({"hello": "world"}), "garbled", "is no answer"),
        (json_reply({"detail": "Not Found"}, 404), "request", "Is base_url right? It usually ends in /v1"),
        (json_reply({"detail": "Not authenticated"}, 403), "auth", "the key is refused"),
        (json_reply(error_body("You exceeded your current quota", code="insufficient_quota"), 429), "auth", "no credit left"),
        (json_reply({"error": "model 'x' does not support tools"}, 400), "unsupported", "does not support tools"),
        (
            json_reply({"object": "error", "message": "bad top_p", "type": "BadRequestError", "code": 400}, 400),
            "request",
            "bad top_p",
        ),
        (Reply(307, [("Location", "https://elsewhere.invalid/v1/")], framing="length"), "request", "https://elsewhere.invalid/v1/"),
        (json_reply({"error": {"code": 500, "message": "boom", "type": None}}), "server", "boom"),
        (json_reply({"error": {"code": None, "message": "model overloaded"}}), "busy", "overloaded"),
        (stream_reply(b'data: {"choices": [}\n\n'), "garbled", "is no JSON"),
        (stream_reply(b'{"error": {"message": "late words"}}', kind="text/event-stream"), "server", "late words"),
    ],
)
async def test_what_is_no_answer_is_told(reply: Reply, reason: str, words: str) -> None:
    error = await failure_of(reply)
    assert error.reason == reason
    assert words in error.message


@pytest.mark.parametrize(
    ("line", "reason", "words"),
    [
        (b'data: {"error": {"message": "CUDA out of memory", "code": 500}}\n\n', "server", "CUDA out of memory"),
        (b'data: {"error": "slot was taken away", "error_type": "overloaded"}\n\n', "busy", "slot was taken away"),
        (b'event: error\ndata: {"error": {"message": "gone", "code": "upstream"}}\n\n', "server", "gone"),
        (b'error: {"code": 500, "message": "gone", "type": "server_error"}\n\n', "server", "gone"),
        (b"data: Internal failure\n\n", "server", "Internal failure"),
        (b"proxy error: Failed to read connection", "cut", "proxy error: Failed to read connection"),
        (b"proxy error: Failed to read connection\n", "cut", "proxy error: Failed to read connection"),
        (b'data: {"choices": [{"index": 0, "del', "cut", "without its end"),
    ],
)
@pytest.mark.parametrize("every", [0, 1])
async def test_an_error_in_mid_stream_keeps_the_text(line: bytes, reason: str, words: str, every: int) -> None:
    taken = await failed(stream_reply(*cut(sse(HELLO, end=line), every=every)))
    assert taken.text == "Hello"
    assert taken.error is not None
    assert (taken.error.reason, taken.ended) == (reason, None)
    assert words in taken.error.message


async def test_a_wrong_content_type_does_not_matter_when_the_answer_is_right() -> None:
    for kind in ("text/plain", "application/json", "application/octet-stream"):
        taken = await failed(stream_reply(sse(HELLO, STOP), kind=kind))
        assert (taken.error, taken.text) == (None, "Hello")


@pytest.mark.parametrize(
    "reply",
    [
        json_reply(
            {
                "error": {
                    "code": 400,
                    "message": "request (12010 tokens) exceeds the available context size (2048 tokens), try increasing it",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 12010,
                    "n_ctx": 2048,
                }
            },
            400,
        ),
        json_reply(
            error_body(
                "This model's maximum context length is 2048 tokens. However, your messages resulted in 12010 tokens.",
                code="context_length_exceeded",
            ),
            400,
        ),
        json_reply(
            error_body("'max_tokens' is too large: 5000. This model's maximum context length is 2048 tokens", code=400), 400
        ),
        json_reply(
            {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048", "error_type": "validation"}, 422
        ),
        json_reply(error_body("The prompt is too long: 12010, model maximum context length: 2048"), 400),
    ],
)
async def test_a_prompt_that_is_too_long_is_told_apart(reply: Reply) -> None:
    error = await failure_of(reply)
    assert error.reason == "overflow"
    assert error.data.get("context", 2048) == 2048


async def test_the_sizes_of_an_overflow_are_told_where_the_server_knows_them() -> None:
    said = {"error": {"code": 400, "message": "too long", "type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 5}}
    error = await failure_of(json_reply(said, 400))
    assert (error.data["prompt_tokens"], error.data["context"]) == (9, 5)
    assert "(9 of 5 tokens)" in error.message


async def test_nothing_of_the_prompt_comes_back_in_an_error() -> None:
    secret = "my sister's birthday present is a blue bicycle, do not tell"
    said = error_body(f"1 validation error: {{'loc': 'messages', 'input': '{secret}'}}")
    echo = error_body(f"Cannot handle this: {secret}. Sorry.")
    for reply in (json_reply(said, 400), json_reply(echo, 500), stream_reply(sse(HELLO, echo, end=b""))):
        error = await failure_of(reply, request=question(f"Remember: {secret}."))
        assert "bicycle" not in str(error.data) + error.message


async def test_a_long_error_is_shortened() -> None:
    error = await failure_of(json_reply(error_body("no " * 5000), 500))
    assert len(error.message) < 500


async def test_closing_the_answer_closes_the_connection() -> None:
    async with served() as (server, client):
        server.on("POST", CHAT, stream_reply(sse(HELLO, end=b""), HANG))
        events = client.chat("m", question())
        assert await anext(events) == Text("Hello")
        request = await server.arrived()
        assert not request.left.is_set()
        await events.aclose()
        async with asyncio.timeout(60):
            await request.left.wait()
            await server.idle()


@pytest.mark.parametrize("body", [[HANG], [sse(HELLO, end=b""), HANG]])
@pytest.mark.parametrize("before", [[], [HANG]])
async def test_cancelling_closes_the_connection_whatever_is_waited_for(body: list[Any], before: list[Any]) -> None:
    async with served() as (server, client):
        server.on("POST", CHAT, stream_reply(*body, before=before))
        waiting = asyncio.create_task(asked(client))
        request = await server.arrived()
        waiting.cancel()
        async with asyncio.timeout(60):
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await request.left.wait()
            await server.idle()


async def test_a_slow_first_byte_is_waited_for() -> None:
    ready = asyncio.Event()
    async with served() as (server, client):
        server.on("POST", CHAT, stream_reply(sse(HELLO, STOP), before=[ready]))
        waiting = asyncio.create_task(asked(client))
        await server.arrived()
        ready.set()
        assert (await waiting).text == "Hello"


async def test_a_server_that_never_answers_is_given_up_at_last() -> None:
    async with served(first_seconds=0.05, idle_seconds=0.05) as (server, client):
        server.on("POST", CHAT, Reply(before=[HANG]))
        error = (await asked(client)).error
    assert error is not None
    assert error.reason == "timeout"


async def test_a_line_without_an_end_is_given_up() -> None:
    taken = await failed(stream_reply(sse(HELLO, end=b"data: "), *[b"x" * 1_000_000] * 5, HANG))
    assert taken.text == "Hello"
    assert taken.error is not None
    assert (taken.error.reason, "without an end" in taken.error.message) == ("garbled", True)


async def test_connections_are_used_again() -> None:
    async with served() as (server, client):
        server.on("POST", CHAT, stream_reply(sse(HELLO, STOP)))
        server.on("GET", "/v1/models", json_reply({"data": []}))
        for _ in range(3):
            assert (await asked(client)).text == "Hello"
            await client.models()
        assert server.accepted == 1


async def test_bytes_that_are_no_text_become_a_mark() -> None:
    broken = b'data: {"choices": [{"delta": {"content": "Caf\xc3 \xff!"}}]}\n\n'
    taken = await failed(stream_reply(*cut(broken + sse(STOP), every=1)))
    assert taken.text == "Caf\ufffd \ufffd!"
    assert taken.error is None


async def test_a_tool_call_with_broken_json_is_passed_on_as_written() -> None:
    calls = [{"index": 0, "id": "a", "function": {"name": "search_notes", "arguments": '{"query": "meet'}}]
    said = {"choices": [{"delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}]}
    taken = await failed(stream_reply(sse(said)), request=question(tools=(SEARCH,)))
    call = taken.called[0].call
    assert (call.name, call.arguments, call.text) == ("search_notes", None, '{"query": "meet')


async def test_endless_repetition_comes_through_until_it_is_closed() -> None:
    async with served() as (server, client):
        server.on("POST", CHAT, stream_reply(*[sse(HELLO, end=b"")] * 2000, HANG))
        text = ""
        events = client.chat("m", question())
        async for event in events:
            text += event.text if isinstance(event, Text) else ""
            if len(text) >= 5 * 2000:
                break
        await events.aclose()
        async with asyncio.timeout(60):
            await server.idle()
    assert text == "Hello" * 2000


@settings(max_examples=150, deadline=None)
@given(
    words=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=12),
    newline=st.sampled_from(["\n", "\r\n"]),
    noise=st.sampled_from(["", ": keep-alive", "event: message", "id: 7"]),
    data=st.data(),
)
def test_any_text_comes_through_any_cuts(words: list[str], newline: str, noise: str, data: st.DataObject) -> None:
    lines = [f"data: {msgspec.json.encode({'choices': [{'delta': {'content': word}}]}).decode()}" for word in words]
    lines.append('data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}')
    body = "".join((noise + newline if noise else "") + line + newline * 2 for line in lines).encode()
    at = data.draw(st.lists(st.integers(0, len(body)), max_size=20))
    answer, taken = Answer(Origin("work")), Taken()
    for piece in cut(body, at):
        taken.add(answer.feed(piece))
    taken.add(answer.finish(200, {}))
    assert answer.failed is None
    assert taken.text == "".join(words)
    assert taken.ended is not None
    assert taken.ended.message == Message("assistant", "".join(words))


async def test_a_kept_connection_that_the_server_has_closed_is_no_failure() -> None:
    """llama.cpp's server closes connections after streams without saying so."""
    async with served() as (server, client):
        server.on("GET", "/v1/models", json_reply({"data": []}))
        # The second request is read, and the connection closed for it; a new one is answered.
        server.on("POST", CHAT, stream_reply(before=[CLOSE]), stream_reply(sse(HELLO, STOP)))
        await client.models()
        assert (await asked(client)).text == "Hello"
        assert server.accepted == 2


async def test_a_new_connection_that_the_server_closes_is_one() -> None:
    async with served() as (server, client):
        server.on("POST", CHAT, stream_reply(before=[CLOSE]), stream_reply(sse(HELLO, STOP)))
        taken = await asked(client)
        assert taken.error is not None
        assert taken.error.reason == "unreachable"
        assert server.accepted == 1


async def test_an_answer_that_breaks_off_on_a_kept_connection_is_not_asked_for_again() -> None:
    async with served() as (server, client):
        server.on("GET", "/v1/models", json_reply({"data": []}))
        server.on("POST", CHAT, stream_reply(sse(HELLO, end=b""), CLOSE))
        await client.models()
        taken = await asked(client)
        assert taken.error is not None
        assert (taken.text, taken.error.reason) == ("Hello", "cut")
        assert len([one for one in server.requests if one.method == "POST"]) == 1
