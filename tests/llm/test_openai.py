"""What is asked of OpenAI-compatible servers, and what is made of their answers."""

import base64
from typing import Any

import pytest

from khojd.llm.model import Called, ChatRequest, Image, Message, Source, ToolCall, Used
from tests.llm.openai_client import CHAT, KEY, SEARCH, asked, question, served
from tests.llm.replay import Replay, Reply, Request, json_reply, sse, stream_reply

STOP: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def delta(**said: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": said, "finish_reason": None}]}


async def sent(request: ChatRequest, **settings: Any) -> Any:
    async with served(**settings) as (server, client):
        server.on("POST", CHAT, stream_reply(sse(STOP)))
        assert (await asked(client, request)).error is None
        return server.requests[0].json


# What is asked


async def test_a_plain_question_asks_for_a_stream_with_usage_and_nothing_more() -> None:
    assert await sent(question("Wer?")) == {
        "model": "tiny-canned",
        "messages": [{"role": "user", "content": "Wer?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_a_whole_conversation_is_written_as_the_api_wants_it() -> None:
    call = ToolCall("c1", "search_notes", {"query": "é"})
    broken = ToolCall("c2", "search_notes", None, '{"query": ')
    request = ChatRequest(
        (
            Message("system", "Be brief."),
            Message("user", "Look.", images=(Image(b"\x89PNG", "image/png"),), sources=(Source(2, "a.org", "A", "Text of A"),)),
            Message("assistant", "", tool_calls=(call, broken)),
            Message("tool", "Friday", tool_call_id="c1", tool_name="search_notes"),
            Message("tool", "not JSON", tool_call_id="c2"),
            Message("assistant", "It is on Friday."),
            Message("user", "Sure?"),
        ),
        tools=(SEARCH,),
        tool_choice="required",
        max_tokens=100,
        temperature=0.0,
        schema={"type": "object"},
    )
    body = await sent(request)
    data = base64.b64encode(b"\x89PNG").decode()
    arguments = [{"name": "search_notes", "arguments": '{"query":"é"}'}, {"name": "search_notes", "arguments": "{}"}]
    calls = [{"id": f"c{number}", "type": "function", "function": function} for number, function in enumerate(arguments, 1)]
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "[2] A (a.org)\nText of A\n\nLook."},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "Friday"},
        {"role": "tool", "tool_call_id": "c2", "content": "not JSON"},
        {"role": "assistant", "content": "It is on Friday."},
        {"role": "user", "content": "Sure?"},
    ]
    function = {"name": SEARCH.name, "description": SEARCH.description, "parameters": SEARCH.parameters}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert (body["tool_choice"], body["max_tokens"], body["temperature"]) == ("required", 100, 0.0)
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    ("preset", "on", "off"),
    [
        ("", {}, {}),
        ("vllm", {"chat_template_kwargs": {"enable_thinking": True}}, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("llama-cpp", {"chat_template_kwargs": {"enable_thinking": True}}, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("openai", {"reasoning_effort": "medium"}, {"reasoning_effort": "low"}),
        ("openrouter", {"reasoning": {"enabled": True}}, {"reasoning": {"enabled": False}}),
    ],
)
async def test_thinking_is_switched_in_the_servers_own_way(preset: str, on: dict[str, Any], off: dict[str, Any]) -> None:
    plain = await sent(question(), preset=preset)
    assert await sent(question(thinking=True), preset=preset) == plain | on
    assert await sent(question(thinking=False), preset=preset) == plain | off


async def test_openai_itself_is_told_the_limit_under_its_new_name() -> None:
    body = await sent(question(max_tokens=5), preset="openai")
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


def refusing(*names: str) -> Any:
    """A server that refuses parameters, one after the other, and answers a request without them."""

    def answer(request: Request) -> Reply:
        for name in names:
            if name in request.json:
                error = {"message": f"Unsupported parameter: '{name}' is not supported with this model.", "param": name}
                return json_reply({"error": error | {"code": "unsupported_parameter"}}, 400)
        return stream_reply(sse(delta(content="Hi"), STOP))

    return answer


async def test_parameters_that_a_server_refuses_are_left_out_from_then_on() -> None:
    async with served() as (server, client):
        server.on("POST", CHAT, refusing("max_tokens", "temperature", "stream_options"))
        for _ in range(2):
            assert (await asked(client, question(max_tokens=7, temperature=0.5))).text == "Hi"
        assert len(server.requests) == 5, "three refusals, and none the second time"
        last = server.requests[-1].json
        assert last["max_completion_tokens"] == 7
        assert not {"max_tokens", "temperature", "stream_options"} & set(last)
        assert (await asked(client, question(temperature=0.5), model="other")).text == "Hi"
        assert "temperature" in server.requests[5].json, "another model may know it"


async def test_a_parameter_that_cannot_be_left_out_is_an_error() -> None:
    async with served() as (server, client):
        server.on("POST", CHAT, refusing("tools"))
        error = (await asked(client, question(tools=(SEARCH,)))).error
        assert len(server.requests) == 1
    assert error is not None
    assert error.reason == "unsupported"
    async with served() as (server, client):
        server.on("POST", CHAT, refusing("max_tokens", "max_completion_tokens"))
        error = (await asked(client, question(max_tokens=7))).error
        assert len(server.requests) == 3
    assert error is not None


async def test_only_what_is_configured_is_sent_and_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Replay() as elsewhere:
        for name, value in {
            "OPENAI_BASE_URL": elsewhere.url,
            "OPENAI_API_KEY": "sk-of-the-environment",
            "OPENAI_ORG_ID": "org-of-the-environment",
            "OPENAI_PROJECT_ID": "project-of-the-environment",
            "OPENAI_ADMIN_KEY": "admin-of-the-environment",
            "OPENAI_CUSTOM_HEADERS": "X-Custom: of-the-environment\nAuthorization: Bearer of-the-environment",
            "HTTP_PROXY": elsewhere.url,
            "http_proxy": elsewhere.url,
            "ALL_PROXY": elsewhere.url,
        }.items():
            monkeypatch.setenv(name, value)
        for key in ("", KEY):
            async with served(key=key) as (server, client):
                server.on("POST", CHAT, stream_reply(sse(STOP)))
                server.on("GET", "/v1/models", json_reply({"data": []}))
                assert (await asked(client)).error is None
                await client.models()
                for request in server.requests:
                    assert request.headers.get("authorization") == (f"Bearer {key}" if key else None)
                    assert "of-the-environment" not in str(request.headers)
                    assert not [name for name in request.headers if name.startswith(("x-", "openai-"))]
        assert elsewhere.requests == []


async def test_the_log_holds_neither_key_nor_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with served(key=KEY) as (server, client):
        server.on("POST", CHAT, refusing("temperature"))
        assert (await asked(client, question("the question", temperature=1.0))).text == "Hi"
    assert "takes no temperature" in caplog.text
    for secret in (KEY, "the question", "Hi"):
        assert secret not in caplog.text


# What is answered


async def taken(*events: Any) -> Any:
    async with served() as (server, client):
        server.on("POST", CHAT, stream_reply(sse(*events)))
        found = await asked(client, question(tools=(SEARCH,)))
    assert found.error is None
    return found


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
async def test_thinking_is_told_apart_whatever_it_is_called(key: str) -> None:
    found = await taken(delta(content=None, **{key: "Hm"}), delta(content="", **{key: "."}), delta(content="Yes"), STOP)
    assert (found.thinking, found.text) == ("Hm.", "Yes")


async def test_thinking_that_a_gateway_says_twice_is_heard_once() -> None:
    assert (await taken(delta(reasoning="Hm", reasoning_content="Hm"), STOP)).thinking == "Hm"


async def test_parts_of_text_and_thinking_are_read() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": "Yes"}]
    found = await taken(delta(content=parts), STOP)
    assert (found.thinking, found.text) == ("Hm", "Yes")


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    ("said", "thinking", "text"),
    [
        ("<think>Hm, a < b.</think>\n\nYes", "Hm, a < b.", "Yes"),
        ("\n<think>\nHm</thi nk></think>Yes <think>no</think>", "Hm</thi nk>", "Yes <think>no</think>"),
        ("<think></think>Yes", "", "Yes"),
        ("<think>Hm", "Hm", ""),
        ("<think>Hm</th", "Hm</th", ""),
        ("<thinker> is a word", "", "<thinker> is a word"),
        ("<thi", "", "<thi"),
        ("  Yes <think>", "", "  Yes <think>"),
    ],
)
async def test_thinking_that_is_left_in_the_text_is_told_apart(said: str, thinking: str, text: str, size: int) -> None:
    found = await taken(*(delta(content=said[start : start + size]) for start in range(0, len(said), size)), STOP)
    assert (found.thinking.strip(), found.text, found.ended.message.text) == (thinking, text, text)


def calling(*calls: dict[str, Any]) -> dict[str, Any]:
    return delta(tool_calls=list(calls))


async def test_tool_calls_that_come_in_pieces_side_by_side_are_put_together() -> None:
    found = await taken(
        calling({"index": 0, "id": "a", "function": {"name": "one", "arguments": ""}}),
        calling({"index": 1, "id": "b", "function": {"name": "two"}}),
        calling({"index": 1, "function": {"arguments": '{"x":'}}, {"index": 0, "function": {"arguments": '{"y": 2}'}}),
        calling({"index": 1, "id": "b", "function": {"name": "two", "arguments": "1}"}}),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    )
    assert found.called == [
        Called(ToolCall("a", "one", {"y": 2}, '{"y": 2}')),
        Called(ToolCall("b", "two", {"x": 1}, '{"x":1}')),
    ]
    assert found.ended.reason == "tools"


async def test_tool_calls_of_sloppy_servers_are_understood() -> None:
    found = await taken(
        calling({"id": "a", "function": {"name": "one", "arguments": {"x": 1}}}),  # no index, an object for its text
        calling({"id": "b", "function": {"name": "two", "arguments": "{}"}}),
        STOP,
    )
    assert [(event.call.id, event.call.name, event.call.arguments) for event in found.called] == [
        ("a", "one", {"x": 1}),
        ("b", "two", {}),
    ]
    assert found.ended.reason == "tools", "whatever the server calls it"
    found = await taken(
        calling({"index": 0, "id": "a", "function": {"name": "one", "arguments": "{}"}}),
        calling({"index": 0, "id": "b", "function": {"name": "two", "arguments": ""}}),  # the same index for all
        STOP,
    )
    assert [(event.call.id, event.call.arguments) for event in found.called] == [("a", {}), ("b", {})]


async def test_what_a_model_wants_back_with_its_tool_calls_comes_back() -> None:
    signature = {"google": {"thought_signature": "abc"}}
    async with served() as (server, client):
        server.on(
            "POST",
            CHAT,
            stream_reply(
                sse(
                    delta(reasoning_content="Hm"),
                    calling({"index": 0, "id": "a", "function": {"name": "one", "arguments": "{}"}, "extra_content": signature}),
                    STOP,
                )
            ),
        )
        first = await asked(client)
        assert first.ended is not None
        answer = first.ended.message
        await asked(client, ChatRequest((Message("user", "?"), answer, Message("tool", "!", tool_call_id="a"))))
        back = server.requests[1].json["messages"][1]
    assert back["reasoning_content"] == "Hm"
    assert back["tool_calls"][0]["extra_content"] == signature
    plain = (await taken(delta(reasoning_content="Hm"), delta(content="Yes"), STOP)).ended.message
    assert plain.opaque is None, "a plain answer's thoughts do not come back"


@pytest.mark.parametrize(
    ("usage", "used"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7}, Used(5, 7)),
        ({"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 4}}, Used(5, 7, 4)),
        ({"prompt_tokens": 5, "completion_tokens": None, "prompt_tokens_details": None}, Used(5)),
    ],
)
@pytest.mark.parametrize(
    "choices", [{}, {"choices": []}, {"choices": None}, {"choices": [{"delta": {}}]}, {"choices": [{"delta": None}]}]
)
async def test_usage_is_read_in_all_its_shapes(usage: dict[str, Any], used: Used, choices: dict[str, Any]) -> None:
    assert (await taken(delta(content="Hi"), STOP, {**choices, "usage": usage})).used == used


@pytest.mark.parametrize(
    ("said", "reason"),
    [("stop", "stop"), ("eos_token", "stop"), ("length", "length"), ("max_tokens", "length"), ("content_filter", "refused")],
)
async def test_the_reasons_of_an_end_are_known(said: str, reason: str) -> None:
    found = await taken({"choices": [{"delta": {"content": "Hi"}, "finish_reason": said}]})
    assert (found.ended.reason, found.text) == (reason, "Hi")
