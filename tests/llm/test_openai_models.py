"""What OpenAI-compatible servers are asked beside chat: their models, tokens, vectors, scores, and how they are."""

import asyncio
import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from khojd.errors import ProviderError
from khojd.llm.model import Image, Message
from tests.llm.openai_client import SEARCH, provider, served
from tests.llm.replay import Reply, Request, json_reply, text_reply

MODELS = "/v1/models"


def listing(*entries: dict[str, Any]) -> Reply:
    return json_reply({"object": "list", "data": [{"object": "model", **entry} for entry in entries]})


# What is known of models


async def test_llama_cpp_says_what_its_model_can_do() -> None:
    async with served() as (server, client):
        server.on("GET", MODELS, listing({"id": "tiny", "owned_by": "llamacpp", "meta": {"n_ctx": 4096}}))
        server.on(
            "GET",
            "/props",
            json_reply(
                {
                    "default_generation_settings": {"n_ctx": 2048},
                    "modalities": {"vision": True},
                    "chat_template": "{% if enable_thinking %}<think>{% endif %}",
                    "chat_template_caps": {"supports_tools": True, "supports_tool_calls": False},
                }
            ),
        )
        info = await client.info("tiny")
        assert server.requests[1].query == {"model": "tiny"}
    assert info.context == 2048
    assert info.capabilities == {"chat", "streaming", "json-schema", "vision", "thinking", "count"}


async def test_a_server_that_keeps_its_properties_to_itself_is_taken_at_its_list() -> None:
    async with served(preset="llama-cpp") as (server, client):
        server.on("GET", MODELS, listing({"id": "tiny", "meta": {"n_ctx": 4096}}))
        assert (await client.info("tiny")).context == 4096


@pytest.mark.parametrize(
    ("preset", "path", "entry", "limits", "has", "has_not"),
    [
        ("", MODELS, {"max_model_len": 2048, "owned_by": "vllm"}, (2048, 0), {"tools", "count"}, {"vision"}),
        ("", MODELS, {"context_window": 8192, "max_completion_tokens": 1000}, (8192, 1000), {"tools"}, {"count"}),
        ("lm-studio", "/api/v0/models", {"type": "vlm", "max_context_length": 4096}, (4096, 0), {"vision", "tools"}, set()),
        (
            "lm-studio",
            "/api/v0/models",
            {"type": "llm", "max_context_length": 32768, "loaded_context_length": 4096, "capabilities": ["tool_use"]},
            (4096, 0),
            {"tools"},
            {"vision"},
        ),
        ("lm-studio", "/api/v0/models", {"type": "embeddings", "max_context_length": 512}, (512, 0), {"embedding"}, {"chat"}),
        (
            "openrouter",
            MODELS,
            {
                "context_length": 9000,
                "architecture": {"input_modalities": ["text", "image"]},
                "top_provider": {"context_length": 8000, "max_completion_tokens": 500},
                "supported_parameters": ["reasoning", "temperature"],
            },
            (8000, 500),
            {"vision", "thinking"},
            {"tools", "json-schema"},
        ),
        ("litellm", MODELS, {"type": "model", "max_input_tokens": 128000, "max_tokens": 16384}, (128000, 16384), {"tools"}, set()),
    ],
)
async def test_what_servers_say_in_their_lists_is_read(
    preset: str,
    path: str,
    entry: dict[str, Any],
    limits: tuple[int, int],
    *,
    has: set[str],
    has_not: set[str],
) -> None:
    async with served(preset=preset) as (server, client):
        server.on("GET", path, listing({"id": "a/model", **entry}))
        info = await client.info("a/model")
    assert (info.context, info.max_output) == limits
    assert has <= info.capabilities
    assert not has_not & info.capabilities


async def test_tgi_says_its_limits_and_answers_to_any_name() -> None:
    async with served(preset="tgi") as (server, client):
        server.on("GET", MODELS, listing({"id": "org/real-name"}))
        server.on("GET", "/info", json_reply({"model_id": "org/real-name", "max_input_tokens": 3000, "max_total_tokens": 4000}))
        info = await client.info("tgi")
    assert (info.context, info.max_output) == (4000, 1000)


@pytest.mark.parametrize(
    ("model", "context", "has"),
    [
        ("gpt-4o-mini", 128_000, {"vision", "tools"}),
        ("gpt-4", 8_192, {"tools"}),
        ("gpt-4.1", 1_047_576, {"vision"}),
        ("o3-mini", 200_000, {"thinking"}),
        ("text-embedding-3-small", 8_191, {"embedding"}),
        ("something-new", 0, {"chat"}),
    ],
)
async def test_openais_own_models_are_known_by_name(model: str, context: int, has: set[str]) -> None:
    async with served(preset="openai") as (server, client):
        server.on("GET", MODELS, listing({"id": model}))
        info = await client.info(model)
    assert info.context == context
    assert has <= info.capabilities


async def test_a_server_without_a_list_of_models_is_believed() -> None:
    async with served() as (server, client):
        for missing in (json_reply({"detail": "Not Found"}, 404), text_reply("The page /v1/models was not found", 404)):
            server.on("GET", MODELS, missing)
            assert "chat" in (await client.info("any")).capabilities
        server.on("GET", MODELS, text_reply("Internal Server Error", 500))
        with pytest.raises(ProviderError, match="an error of the server's own"):
            await client.info("any")
        server.on("GET", MODELS, text_reply("<html>", kind="text/html"))
        with pytest.raises(ProviderError, match="a web page came"):
            await client.info("any")
        server.on("GET", MODELS, json_reply({"data": "none"}))
        with pytest.raises(ProviderError, match="is none"):
            await client.info("any")


@pytest.mark.parametrize(
    ("listed", "asked_for"),
    [("meta/llama", "meta/llama:free"), ("tiny:latest", "tiny"), ("local/tiny@main", "local/tiny"), ("openai/*", "openai/gpt-4o")],
)
async def test_other_ways_to_write_a_models_name_are_accepted(listed: str, asked_for: str) -> None:
    async with served() as (server, client):
        server.on("GET", MODELS, listing({"id": listed}))
        assert (await client.info(asked_for)).name == asked_for
        with pytest.raises(ProviderError, match="there is no model"):
            await client.info("another")


@pytest.mark.parametrize(
    ("name", "preset", "base_url", "url"),
    [
        ("vllm", "", "", "http://127.0.0.1:8000/v1"),
        ("lm-studio", "", "", "http://127.0.0.1:1234/v1"),
        ("work", "openrouter", "", "https://openrouter.ai/api/v1"),
        ("work", "", "", "https://api.openai.com/v1"),
        ("work", "", "http://box:8080", "http://box:8080/v1"),
        ("work", "", "http://box:8080/", "http://box:8080/v1"),
        ("work", "", "http://box/proxy/openai/", "http://box/proxy/openai"),
    ],
)
async def test_addresses_are_the_usual_ones_or_as_given(name: str, preset: str, base_url: str, url: str) -> None:
    async with provider(base_url, name=name, preset=preset) as client:
        assert client.base_url == url


# Counting, vectors, scores, health


async def test_llama_cpp_counts_what_its_template_makes_of_the_messages() -> None:
    async with served(preset="llama-cpp") as (server, client):
        server.on("POST", "/apply-template", json_reply({"prompt": "<|user|>Hi"}))
        server.on("POST", "/tokenize", json_reply({"tokens": [1, 2, 3]}))
        image = Image(b"x" * 1000, "image/png")
        assert await client.count("tiny", [Message("user", "Hi", images=(image,))], [SEARCH]) == 3
        template, tokens = (request.json for request in server.requests)
        assert template["messages"] == [{"role": "user", "content": "Hi"}], "images are not counted"
        assert template["tools"][0]["function"]["name"] == "search_notes"
        assert (tokens["content"], tokens["model"], tokens["parse_special"]) == ("<|user|>Hi", "tiny", True)


async def test_vllm_counts_messages_itself() -> None:
    async with served(preset="vllm") as (server, client):
        server.on("POST", "/tokenize", json_reply({"count": 17, "max_model_len": 2048, "tokens": []}))
        assert await client.count("tiny", [Message("user", "Hi")]) == 17
        server.on("POST", "/tokenize", json_reply({"tokens": []}))
        with pytest.raises(ProviderError, match="counted no tokens"):
            await client.count("tiny", [Message("user", "Hi")])


async def test_a_server_that_cannot_count_says_so() -> None:
    async with served(preset="openai") as (_, client):
        with pytest.raises(ProviderError, match="does not count tokens") as caught:
            await client.count("m", [Message("user", "Hi")])
        assert caught.value.reason == "unsupported"


def vectors(request: Request) -> Reply:
    """One vector per text, made of its number; in the wrong order, and as base64 when the text says so."""

    def vector(text: str) -> Any:
        values = [float(text.rsplit(maxsplit=1)[-1]), 1.0]
        return base64.b64encode(np.array(values, "<f4").tobytes()).decode() if "base64" in text else values

    texts = request.json["input"]
    data = [{"index": index, "object": "embedding", "embedding": vector(text)} for index, text in enumerate(texts)]
    return json_reply({"data": data[::-1]})


async def test_many_texts_are_embedded_in_batches_and_kept_in_order() -> None:
    async with served(concurrency=2) as (server, client):
        server.on("POST", "/v1/embeddings", vectors)
        found = await client.embed("m", [f"text {number}" for number in range(150)])
        assert sorted(len(request.json["input"]) for request in server.requests) == [22, 64, 64]
        assert server.accepted <= 2
        assert found[:, 0].tolist() == list(range(150))
        assert (await client.embed("m", ["base64 7"])).tolist() == [[7.0, 1.0]]
        assert (await client.embed("m", [])).shape == (0, 0)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (json_reply({"data": [{"index": 0, "embedding": [1.0]}]}), "garbled"),
        (json_reply({"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]}), "garbled"),
        (json_reply({"data": [{"index": 0}]}), "garbled"),
        (json_reply({"error": {"message": "no", "code": 500}}), "server"),
        (json_reply({"error": {"message": "input (3602 tokens) is too large to process", "code": 500}}, 500), "overflow"),
        (json_reply({"error": {"message": "This server does not support embeddings", "code": 501}}, 501), "unsupported"),
        (text_reply("<html></html>", kind="text/html"), "garbled"),
    ],
)
async def test_vectors_that_are_none_are_an_error(reply: Reply, reason: str) -> None:
    async with served() as (server, client):
        server.on("POST", "/v1/embeddings", reply)
        with pytest.raises(ProviderError) as caught:
            await client.embed("m", ["one", "two"])
    assert caught.value.reason == reason


async def test_when_one_batch_fails_the_others_are_given_up() -> None:
    never = asyncio.Event()

    def answer(request: Request) -> Reply:
        failing = "text 0" in request.json["input"]
        return json_reply({"error": "no"}, 500) if failing else Reply(before=[never])

    async with served() as (server, client):
        server.on("POST", "/v1/embeddings", answer)
        with pytest.raises(ProviderError):
            await client.embed("m", [f"text {number}" for number in range(150)])
        async with asyncio.timeout(60):
            for request in server.requests[1:]:
                await request.left.wait()


async def test_scores_come_in_the_order_of_the_texts() -> None:
    async with served() as (server, client):
        results = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": -2}]
        server.on("POST", "/v1/rerank", json_reply({"results": results}), json_reply({"results": results[:1]}))
        assert await client.rerank("m", "query", ["a", "b"]) == [-2.0, 0.9]
        assert server.requests[0].json == {"model": "m", "query": "query", "documents": ["a", "b"]}
        with pytest.raises(ProviderError, match="did not score every text"):
            await client.rerank("m", "query", ["a", "b"])


async def test_health_asks_one_cheap_thing() -> None:
    async with served(preset="vllm") as (server, client):
        server.on("GET", "/health", Reply(framing="length"))
        health = await client.health()
        assert (health.ok, health.message, len(server.requests)) == (True, "vLLM", 1)
        assert health.latency_ms > 0
        loading = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
        server.on("GET", "/health", json_reply(loading, 503))
        health = await client.health()
        assert not health.ok
        assert "loading the model" in health.message
    async with served() as (server, client):
        server.on("GET", MODELS, listing({"id": "a"}, {"id": "b"}))
        assert (await client.health()).message == "an OpenAI-compatible server, 2 models"


async def test_downloading_a_model_is_not_offered() -> None:
    async with served() as (_, client):
        with pytest.raises(ProviderError, match="cannot be told to download") as caught:
            async for _ in client.pull("m"):
                pass
        assert caught.value.reason == "unsupported"


def test_the_sdk_is_not_loaded_without_a_provider_of_its_kind() -> None:
    program = "import sys, khojd.llm.router, khojd.llm.presets, khojd.llm.failure; print('openai' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
