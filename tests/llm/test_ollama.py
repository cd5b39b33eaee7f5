"""The Ollama provider against recorded answers of the real server, and against one that misbehaves."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from khojd.config import Provider
from khojd.errors import ProviderError
from khojd.llm.model import Called, ChatRequest, Ended, Event, Image, Message, Text, Thinking, Tool, ToolCall, Used
from khojd.llm.providers.ollama import Ollama
from tests.llm.ollama_server import CAN_ALL, end, events, know, lines, ndjson, question, said, sent, serving, shown
from tests.llm.replay import HANG, RESET, Reply, cut, json_reply, refused_url, text_reply, transcript

SAID = "According to note [1], the meeting is on Friday. Café 🙂"
SEARCH = Tool("search_notes", "search", {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]})


def text(found: list[Event]) -> str:
    return "".join(event.text for event in found if isinstance(event, Text))


def thought(found: list[Event]) -> str:
    return "".join(event.text for event in found if isinstance(event, Thinking))


def joined(found: list[Event]) -> list[object]:
    """Events, the texts and thoughts put together: how they are cut is the server's affair."""
    return [text(found), thought(found), *(event for event in found if not isinstance(event, Text | Thinking))]


def recorded(shared_data: Path, name: str, at: int = 0, every: int = 0) -> Reply:
    return transcript(shared_data / "llm-wire" / "ollama" / f"{name}.txt", [at], every=every)


ANSWERS = [
    ("gotmplmode_plain", SAID, "", 0, Used(13, 22), "stop"),
    ("gotmpl_nothink_think_true", SAID, "The user asks about something", 0, Used(14, 28), "stop"),
    ("chat_think_true_nostream", SAID, "The user asks about something", 0, Used(14, 28), "stop"),
    ("chat_tools_stream", "", "", 1, Used(281, 8), "tools"),  # the call stands on the last line
    ("gotmplmode_tools_stream", "", "", 1, Used(198, 8), "tools"),  # the call stands on a line of its own
    ("chat_tools_nostream", "", "", 1, Used(281, 8), "tools"),
    ("chat_tool_result", SAID, "The user asks about something", 0, Used(387, 28), "stop"),
    ("chat_num_predict", "According to note", "", 0, Used(13, 3), "length"),
    ("chat_format_json", '{"name": "search_notes","}":"}}"}', "", 0, Used(13, 23), "stop"),
    ("chat_load", "", "", 0, Used(), "stop"),
    ("chat_unload", "", "", 0, Used(), "stop"),
]


@pytest.mark.parametrize(("name", "expected"), [(row[0], row[1:]) for row in ANSWERS], ids=[row[0] for row in ANSWERS])
async def test_recorded_answers_become_events(shared_data: Path, name: str, expected: tuple[str, str, int, Used, str]) -> None:
    answer, thinking, calls, used, reason = expected
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", recorded(shared_data, name))
        found = await events(provider)
    assert (text(found), thought(found)) == (answer, thinking)
    called = [event.call for event in found if isinstance(event, Called)]
    assert [(call.name, call.arguments) for call in called] == [("search_notes", {"query": "meeting"})] * calls
    assert all(call.id for call in called)
    assert found[-2] == used
    last = found[-1]
    assert isinstance(last, Ended)
    assert (last.reason, last.message.text, last.message.tool_calls) == (reason, answer, tuple(called))


@pytest.mark.parametrize("name", ["gotmpl_nothink_think_true", "gotmplmode_tools_stream", "chat_tools_stream", "chat_ctx_overflow"])
async def test_answers_are_the_same_wherever_the_network_cuts_them(shared_data: Path, name: str) -> None:
    async def outcome(provider: Ollama) -> object:
        try:
            return joined(await events(provider))
        except ProviderError as error:
            return error.reason, error.message

    async with serving() as (server, provider):
        whole = recorded(shared_data, name)
        server.on("POST", "/api/chat", whole)
        expected = await outcome(provider)
        body = b"".join(step for step in whole.body if isinstance(step, bytes))
        places = [recorded(shared_data, name, at=at) for at in range(1, len(body), 41)]
        server.on("POST", "/api/chat", *places, recorded(shared_data, name, every=1))
        for _ in range(len(places) + 1):
            assert await outcome(provider) == expected


async def test_answers_that_come_byte_by_byte(shared_data: Path) -> None:
    async with serving() as (server, provider):
        for name, *_ in ANSWERS:
            server.on("POST", "/api/chat", recorded(shared_data, name), recorded(shared_data, name, every=1))
            assert joined(await events(provider)) == joined(await events(provider))


FAILURES = [
    ("chat_ctx_overflow", "overflow", "20009 of 2048 tokens"),
    ("chat_ctx_overflow_notrunc", "overflow", "20009 of 2048 tokens"),
    ("chat_embed_model", "unsupported", "does not support chat"),
    ("chat_tools_unsupported", "unsupported", "does not support chat"),
    ("gotmplmode_tools_unsupported", "unsupported", "tools param requires --jinja flag"),
    ("gotmplmode_think_unsupported", "unsupported", "does not support thinking"),
    ("chat_unknown_model", "model", "khojd models pull ollama/m downloads it"),
    ("chat_bad_json", "request", "unexpected EOF"),
    ("chat_no_model", "request", "model is required"),
    ("keepalive_bad", "request", 'invalid duration "banana"'),
]


@pytest.mark.parametrize(("name", "reason", "message"), FAILURES, ids=[row[0] for row in FAILURES])
async def test_recorded_refusals_say_what_is_wrong(shared_data: Path, name: str, reason: str, message: str) -> None:
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", recorded(shared_data, name))
        with pytest.raises(ProviderError) as caught:
            await events(provider)
    assert caught.value.reason == reason
    assert message in caught.value.message
    assert caught.value.data["model"] == "m"


async def test_an_error_in_the_middle_of_an_answer_is_said_after_what_had_come(shared_data: Path) -> None:
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", recorded(shared_data, "midstream_kill"))
        found: list[Event] = []
        with pytest.raises(ProviderError, match=r"broke off after \d+ characters.*unexpected EOF") as caught:
            async for event in provider.chat("m", question()):
                found.append(event)
    assert caught.value.reason == "cut"
    assert text(found).startswith(";<think>AccordiO")


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        (401, (), '{"error":"unauthorized"}', "auth"),
        (429, (("Retry-After", "7"),), '{"error":"slow down"}', "rate"),
        (429, (), '{"error":"slow down"}', "rate"),
        (500, (), "internal error", "server"),
        (500, (), '{"error":"model requires more system memory (9.1 GiB) than is available (3.2 GiB)"}', "server"),
        (502, (), "<html>bad gateway</html>", "server"),
        (503, (), '{"error":"server busy, please try again.  maximum pending requests exceeded"}', "busy"),
        (307, (("Location", "https://elsewhere.example/api/chat"),), "", "request"),
    ],
)
async def test_refusals_by_status(status: int, headers: tuple[tuple[str, str], ...], body: str, reason: str) -> None:
    async with serving() as (server, provider):
        kind = "application/json" if body.startswith("{") else "text/plain"
        server.on("POST", "/api/chat", text_reply(body, status, kind=kind, headers=headers))
        with pytest.raises(ProviderError) as caught:
            await events(provider)
    assert caught.value.reason == reason
    assert caught.value.retry_after == (7.0 if headers and headers[0][0] == "Retry-After" else None)
    assert caught.value.data["status"] == status


async def test_a_web_page_in_place_of_an_answer_is_no_answer() -> None:
    async with serving() as (server, provider):
        page = text_reply("<!doctype html><title>Router login</title>", kind="text/html")
        server.on("POST", "/api/chat", page)
        server.on("GET", "/api/version", page)
        with pytest.raises(ProviderError, match=r"text/html came instead of JSON \(HTTP 200\).*the address of Ollama\?") as caught:
            await events(provider)
        assert caught.value.reason == "garbled"
        health = await provider.health()
    assert not health.ok
    assert "text/html" in health.message


async def test_keys_and_the_prompt_do_not_come_back_in_messages() -> None:
    secret, private = "s3cret-key-of-mine", "what my doctor said about the results of the blood test"
    async with serving(key=secret) as (server, provider):
        server.on("POST", "/api/chat", json_reply({"error": f"bad key {secret} for prompt: {private}"}, 400))
        with pytest.raises(ProviderError) as caught:
            await events(provider, question(private))
        server.on("POST", "/api/chat", ndjson(said("a"), {"error": f"upstream refused {secret}"}))
        with pytest.raises(ProviderError) as broken:
            await events(provider)
        assert server.requests[-1].headers["authorization"] == f"Bearer {secret}"
    for error in (caught.value, broken.value):
        assert secret not in f"{error.message}{error.data}"
        assert "blood test" not in error.message


async def test_the_environment_redirects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://192.0.2.1:1")
    monkeypatch.setenv("OLLAMA_API_KEY", "of-another-account")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:2")
    monkeypatch.setenv("ALL_PROXY", "http://192.0.2.1:3")
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", ndjson(said("here"), end()))
        assert text(await events(provider)) == "here"
        assert "authorization" not in server.requests[-1].headers
    assert Ollama("ollama", Provider()).base_url == "http://127.0.0.1:11434"


async def test_an_address_that_is_not_quite_right() -> None:
    async with serving() as (server, _):
        server.on("POST", "/api/chat", ndjson(said("here"), end()))
        provider = Ollama("ollama", Provider(base_url=f"{server.url}/v1/"))
        assert text(await events(provider)) == "here"
        await provider.close()
        provider = Ollama("ollama", Provider(base_url=f"{server.url}/ollama"))
        with pytest.raises(ProviderError, match=r"/ollama does not know Ollama's API \(HTTP 404\)"):
            await events(provider)
        await provider.close()


async def test_no_server() -> None:
    provider = Ollama("mine", Provider(base_url=refused_url()))
    with pytest.raises(
        ProviderError, match=r"mine: no connection to http://127\.0\.0\.1:\d+\..*providers\.mine\.base_url"
    ) as caught:
        await events(provider)
    assert caught.value.reason == "unreachable"
    health = await provider.health()
    assert not health.ok
    assert "no connection" in health.message
    await provider.close()


@pytest.mark.parametrize("framing", ["chunked", "close"])
async def test_an_answer_without_its_end_mark_is_cut(framing: Any) -> None:
    async with serving() as (server, provider):
        body = lines(said("The first half"), said(" of an"))
        server.on("POST", "/api/chat", Reply(200, (("Content-Type", "application/x-ndjson"),), body, framing=framing))
        with pytest.raises(ProviderError, match="broke off after 20 characters, without its end mark") as caught:
            await events(provider)
    assert caught.value.reason == "cut"


async def test_a_connection_that_breaks_in_mid_answer() -> None:
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", ndjson(said("Some"), RESET))
        with pytest.raises(ProviderError) as caught:
            await events(provider)
        assert caught.value.reason == "cut"
        server.on("POST", "/api/chat", Reply(before=[RESET]))
        with pytest.raises(ProviderError) as early:
            await events(provider)
        assert early.value.reason == "unreachable"


async def test_a_line_that_ends_too_soon_is_no_answer() -> None:
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", ndjson(said("Some"), b'{"message": {"role": "assist'))
        with pytest.raises(ProviderError) as caught:
            await events(provider)
    assert caught.value.reason in ("cut", "garbled")


async def test_a_silent_server_times_out() -> None:
    async with serving(first_seconds=0.1, idle_seconds=0.1) as (server, provider):
        server.on("POST", "/api/chat", ndjson(HANG), ndjson(said("Some"), HANG))
        for _ in range(2):
            with pytest.raises(ProviderError) as caught:
                await events(provider)
            assert caught.value.reason == "timeout"


async def test_characters_that_end_lines_elsewhere_stay_inside_the_text() -> None:
    odd = "next\x85line\u2028sep\u2029par\x1cfs"
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", ndjson(said(odd), end()))
        assert text(await events(provider)) == odd


async def test_bytes_that_are_no_utf8_are_replaced_and_the_rest_stays() -> None:
    bad = b'{"message":{"role":"assistant","content":"Caf\xff, "},"done":false}\n'
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", ndjson(bad, said("é"), end()))
        assert text(await events(provider)) == "Caf\ufffd, é"
        whole = b"".join(lines(said("Café 🙂"), end()))
        server.on("POST", "/api/chat", ndjson(*cut(whole, every=1)))
        assert text(await events(provider)) == "Café 🙂"


async def test_closing_the_iterator_closes_the_connection() -> None:
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", ndjson(said("Some"), HANG))
        async with aclosing(cast("Any", provider.chat("m", question()))) as answer:
            assert await anext(answer) == Text("Some")
        request = server.requests[-1]
        async with asyncio.timeout(60):
            await request.left.wait()


async def test_tool_calls_with_odd_arguments_are_told_from_good_ones() -> None:
    calls = [
        {"function": {"name": "a", "arguments": {"x": [1]}}},
        {"id": "given", "function": {"name": "b", "arguments": '{"x": 2}'}},
        {"function": {"name": "c", "arguments": '{"x": '}},
        {"function": {"name": "d", "arguments": ["x"]}},
        {"function": {"name": "e"}},
    ]
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", ndjson(said(tool_calls=calls[:2]), said(tool_calls=calls[2:]), end()))
        found = await events(provider, question(tools=(SEARCH,)))
    called = [event.call for event in found if isinstance(event, Called)]
    assert [(call.name, call.arguments) for call in called] == [
        ("a", {"x": [1]}),
        ("b", {"x": 2}),
        ("c", None),
        ("d", None),
        ("e", None),
    ]
    assert called[1].id == "given"
    assert len({call.id for call in called}) == 5
    assert called[2].text == '{"x": '


async def test_what_is_sent() -> None:
    call = ToolCall("id1", "search_notes", {"query": "x"})
    request = ChatRequest(
        (
            Message("system", "Be brief."),
            Message("user", "Look", images=(Image(b"\x89PNG", "image/png"),)),
            Message("assistant", "", tool_calls=(call,), opaque=("ollama", "I should search")),
            Message("tool", "Friday", tool_call_id="id1", tool_name="search_notes"),
        ),
        tools=(SEARCH,),
        max_tokens=50,
        temperature=0.25,
        thinking=True,
        schema={"type": "object"},
        context=4096,
    )
    async with serving(keep_alive="-1") as (server, provider):
        server.on("POST", "/api/chat", ndjson(said("ok"), end()))
        await events(provider, request)
        body = sent(server)
        assert body["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Look", "images": ["iVBORw=="]},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "id1", "function": {"name": "search_notes", "arguments": {"query": "x"}}}],
                "thinking": "I should search",
            },
            {"role": "tool", "content": "Friday", "tool_name": "search_notes", "tool_call_id": "id1"},
        ]
        assert body["options"] == {"num_ctx": 4096, "num_predict": 50, "temperature": 0.25}
        assert (body["think"], body["keep_alive"], body["format"]) == (True, -1, {"type": "object"})
        assert body["tools"] == [
            {"type": "function", "function": {"name": "search_notes", "description": "search", "parameters": SEARCH.parameters}}
        ]
        assert (body["truncate"], body["shift"]) == (False, False)
        await events(provider, question(tools=(SEARCH,), tool_choice="none"))
        assert not {"tools", "think", "format"} & sent(server).keys()
    async with serving(keep_alive="24h") as (server, provider):
        server.on("POST", "/api/chat", ndjson(said("ok"), end()))
        await events(provider, question())
        assert sent(server)["keep_alive"] == "24h"


@pytest.mark.parametrize(
    ("capabilities", "wanted", "sent_"), [(("completion",), True, None), (CAN_ALL, False, False), (CAN_ALL, None, None)]
)
async def test_a_model_that_cannot_think_is_not_asked_to(
    capabilities: tuple[str, ...], wanted: bool | None, sent_: bool | None
) -> None:
    async with serving() as (server, provider):
        know(server, {"m": shown(*capabilities)})
        server.on("POST", "/api/chat", ndjson(said("ok"), end()))
        await events(provider, question(thinking=wanted))
        assert sent(server).get("think") is sent_


async def test_the_context_asked_for_grows_with_the_prompt_and_never_shrinks() -> None:
    async with serving() as (server, provider):
        know(server, {"m": shown(*CAN_ALL, context=131_072)})
        server.on("POST", "/api/chat", ndjson(said("ok"), end()))
        sizes = []
        for request in (
            question(),
            question("word " * 9_000),
            question(),
            question("word " * 9_000, context=12_000),
            question(context=4_096),
        ):
            await events(provider, request)
            sizes.append(sent(server)["options"]["num_ctx"])
    assert sizes == [8_192, 32_768, 32_768, 32_768, 32_768]
    async with serving() as (server, provider):
        know(server, {"m": shown(*CAN_ALL, context=131_072)})
        server.on("POST", "/api/chat", ndjson(said("ok"), end()))
        sizes = []
        for request in (question(context=2_000), question("word " * 9_000, context=12_000), question()):
            await events(provider, request)
            sizes.append(sent(server)["options"]["num_ctx"])
    assert sizes == [2_000, 12_000, 12_000]


async def test_a_prompt_that_cannot_fit_is_not_sent() -> None:
    async with serving() as (server, provider):
        with pytest.raises(ProviderError, match=r"5,000 tokens or more.*is given 4,096") as caught:
            await events(provider, question("word " * 5_000))
        assert caught.value.reason == "overflow"
        assert not [request for request in server.requests if request.path == "/api/chat"]


async def test_messages_that_an_older_server_left_out_are_noticed(shared_data: Path) -> None:
    async with serving() as (server, provider):
        server.on("POST", "/api/chat", recorded(shared_data, "chat_ctx_history_truncated"))
        # 3,500 words were sent, the server counted 19.
        request = ChatRequest(
            (Message("user", "word " * 3_500), Message("assistant", "yes"), Message("user", "and?")), context=4096
        )
        found = await events(provider, request)
        assert found[-2] == Used(19, 5, dropped=True)
        # A short prompt of which most is in the server's cache is no sign of it.
        found = await events(provider, question("word " * 25))
        assert found[-2] == Used(19, 5)


async def test_models_and_what_they_can_do(shared_data: Path) -> None:
    embedding = {"general.architecture": "bert", "bert.context_length": 512, "bert.embedding_length": 64, "bert.pooling_type": 1}
    async with serving() as (server, provider):
        know(
            server,
            {
                "tiny-canned": shown(*CAN_ALL, context=131_072),
                "tiny-random": shown(
                    "completion", context=131_072, parameters='num_ctx                        65536\nstop    "<|eot|>"'
                ),
                "tiny-embed": shown("embedding", model_info=embedding),
                "tiny-gotmpl": shown("completion", capabilities=None, template="{{ if .Tools }}"),
            },
        )
        server.on("GET", "/api/tags", recorded(shared_data, "tags"))
        found = {model.name: model for model in await provider.models()}
    canned, random, embed = found["tiny-canned"], found["tiny-random"], found["tiny-embed"]
    # The list says only "completion" of the first; what is shown of one model counts.
    assert canned.capabilities == {"chat", "streaming", "json-schema", "tools", "thinking", "vision"}
    assert (canned.context, canned.dimensions) == (32_768, 0)
    assert canned.detail == "8.0B, Q4_K_M, trained for 131,072 tokens"
    assert random.context == 65_536
    assert (set[str](embed.capabilities), embed.context, embed.dimensions) == ({"embedding"}, 512, 64)


async def test_older_servers_do_not_say_what_a_model_can_do() -> None:
    bert = {"general.architecture": "nomic-bert", "nomic-bert.context_length": 2048, "nomic-bert.embedding_length": 768}
    async with serving() as (server, provider):
        old = shown(template="{{ if .Tools }}{{ end }}")
        del old["capabilities"]
        know(server, {"chat": old, "vectors": {"model_info": bert}})
        assert {"chat", "tools"} <= (await provider.info("chat")).capabilities
        vectors = await provider.info("vectors")
        assert (set[str](vectors.capabilities), vectors.dimensions) == ({"embedding"}, 768)


async def test_an_unknown_model(shared_data: Path) -> None:
    async with serving() as (server, provider):
        server.on("POST", "/api/show", recorded(shared_data, "show_unknown"))
        with pytest.raises(ProviderError, match='no model "nope"') as caught:
            await provider.info("nope")
    assert caught.value.reason == "model"


@pytest.mark.parametrize(
    ("name", "texts", "dimensions"),
    [("embed_batch", 2, 64), ("embed_emptystr", 2, 64), ("embed_single", 1, 64), ("embed_dims", 1, 8)],
)
async def test_recorded_vectors(shared_data: Path, name: str, texts: int, dimensions: int) -> None:
    async with serving() as (server, provider):
        server.on("POST", "/api/embed", recorded(shared_data, name))
        vectors = await provider.embed("m", ["a text"] * texts)
        body = sent(server, "/api/embed")
    assert vectors.shape == (texts, dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(texts), abs=1e-4)
    assert (body["input"], body["truncate"]) == (["a text"] * texts, False)


EMBEDDING_FAILURES = [
    ("embed_long_notrunc", "overflow"),
    ("embed_chatmodel", "unsupported"),
    ("embed_unknown", "model"),
    ("embed_empty", "garbled"),
    ("embed_batch", "garbled"),
]


@pytest.mark.parametrize(("name", "reason"), EMBEDDING_FAILURES)
async def test_recorded_refusals_of_vectors(shared_data: Path, name: str, reason: str) -> None:
    async with serving() as (server, provider):
        server.on("POST", "/api/embed", recorded(shared_data, name))
        with pytest.raises(ProviderError) as caught:
            await provider.embed("m", ["one"])
    assert caught.value.reason == reason


async def test_many_texts_are_sent_in_several_requests_and_their_order_is_kept() -> None:
    def embed(request: Any) -> Reply:
        return json_reply({"embeddings": [[float(text), 1.0] for text in request.json["input"]]})

    async with serving() as (server, provider):
        server.on("POST", "/api/embed", embed)
        vectors = await provider.embed("m", [str(number) for number in range(150)])
        assert vectors[:, 0].tolist() == list(range(150))
        assert [len(request.json["input"]) for request in server.requests] == [64, 64, 22]
        assert (await provider.embed("m", [])).shape[0] == 0


async def test_health(shared_data: Path) -> None:
    async with serving() as (server, provider):
        server.on("GET", "/api/version", recorded(shared_data, "version"))
        health = await provider.health()
        assert (health.ok, health.message) == (True, "Ollama 0.0.0")
        server.on("GET", "/api/version", json_reply({"hello": "world"}))
        assert "is no Ollama" in (await provider.health()).message


async def test_a_download_is_followed_to_its_end() -> None:
    async with serving() as (server, provider):
        steps = [{"status": "pulling manifest"}, {"status": "pulling ab", "digest": "ab", "total": 10}]
        steps += [{"status": "pulling ab", "digest": "ab", "total": 10, "completed": 10}, {"status": "success"}]
        server.on("POST", "/api/pull", ndjson(*steps))
        found = [(part.status, part.done, part.total) async for part in provider.pull("m")]
        assert found == [("pulling manifest", 0, 0), ("pulling ab", 0, 10), ("pulling ab", 10, 10), ("success", 0, 0)]
        server.on(
            "POST", "/api/pull", ndjson({"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"})
        )
        with pytest.raises(ProviderError, match="could not be downloaded: pull model manifest: file does not exist"):
            [part async for part in provider.pull("nope")]
        server.on("POST", "/api/pull", ndjson({"status": "pulling ab", "total": 10, "completed": 4}))
        with pytest.raises(ProviderError, match='broke off after "pulling ab"') as caught:
            [part async for part in provider.pull("m")]
        assert caught.value.reason == "cut"


async def test_what_ollama_does_not_do() -> None:
    async with serving() as (_, provider):
        with pytest.raises(ProviderError) as ranking:
            await provider.rerank("m", "q", ["a"])
        with pytest.raises(ProviderError) as counting:
            await provider.count("m", question().messages)
    assert ranking.value.reason == counting.value.reason == "unsupported"
