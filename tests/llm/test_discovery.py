"""Servers on this machine are found by what they answer, and by nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from khojd.llm import discovery
from khojd.llm.discovery import Found
from tests.llm.replay import HANG, Replay, Reply, json_reply, refused_url, stream_reply, text_reply, transcript


@pytest.fixture
async def server() -> AsyncIterator[Replay]:
    async with Replay() as replay:
        yield replay


def port(url: str) -> int:
    found = urlsplit(url).port
    assert found is not None
    return found


async def looked_for(name: str, server: Replay) -> Found | None:
    found = await discovery.find({name: port(server.url)}, seconds=60)
    return found[0] if found else None


def models(*names: str, **more: Any) -> Reply:
    return json_reply({"object": "list", "data": [{"id": name, "object": "model", **more} for name in names]})


async def test_nothing_runs() -> None:
    url = refused_url()
    assert await discovery.find(dict.fromkeys(discovery.PORTS, port(url)), seconds=60) == ()


async def test_ollama_is_found_with_a_model_that_chats(server: Replay) -> None:
    server.on("GET", "/api/version", json_reply({"version": "0.20.1"}))
    tags = [
        {"name": "nomic-embed-text:latest", "model": "nomic-embed-text:latest"},
        {"name": "vectors:1b", "model": "vectors:1b", "capabilities": ["embedding"]},
        {"name": "llama3.2:3b", "model": "llama3.2:3b", "capabilities": ["completion", "tools"]},
    ]
    server.on("GET", "/api/tags", json_reply({"models": tags}))
    assert await looked_for("ollama", server) == Found(
        "ollama", "Ollama 0.20.1", server.url, ("nomic-embed-text", "vectors:1b", "llama3.2:3b"), "llama3.2:3b"
    )


async def test_ollama_without_models_is_found_too(server: Replay) -> None:
    server.on("GET", "/api/version", json_reply({"version": "0.20.1"}))
    server.on("GET", "/api/tags", json_reply({"models": []}))
    assert await looked_for("ollama", server) == Found("ollama", "Ollama 0.20.1", server.url)


async def test_lm_studio_is_found_with_the_model_that_is_loaded(server: Replay) -> None:
    entries = [
        {"id": "nomic", "type": "embeddings", "publisher": "x", "state": "loaded"},
        {"id": "big", "type": "llm", "publisher": "x", "state": "not-loaded"},
        {"id": "small", "type": "vlm", "publisher": "x", "state": "loaded"},
    ]
    server.on("GET", "/api/v0/models", json_reply({"data": entries}))
    found = Found("lm-studio", "LM Studio", f"{server.url}/v1", ("nomic", "big", "small"), "small")
    assert await looked_for("lm-studio", server) == found
    newer = [
        {"key": "big", "type": "llm", "publisher": "x", "loaded_instances": []},
        {"key": "small", "type": "llm", "publisher": "x", "loaded_instances": [{"id": "small"}]},
    ]
    server.on("GET", "/api/v0/models", json_reply({"error": "Unexpected endpoint"}))
    server.on("GET", "/api/v1/models", json_reply({"models": newer}))
    assert await looked_for("lm-studio", server) == Found("lm-studio", "LM Studio", f"{server.url}/v1", ("big", "small"), "small")


async def test_llama_cpp_is_told_from_localai(server: Replay, shared_data: Path) -> None:
    server.on("GET", "/v1/models", transcript(shared_data / "llm-wire/llama-server/v1_models.txt"))
    server.on("GET", "/props", json_reply({"default_generation_settings": {"n_ctx": 2048}, "build_info": "b1"}))
    found = await looked_for("llama-cpp", server)
    assert found is not None
    assert (found.name, found.chat_model, found.base_url) == ("llama-cpp", "tiny-canned", f"{server.url}/v1")
    assert "tiny-embed" in found.models

    server.on("GET", "/props", json_reply({"error": "not found"}, 404))
    server.on("GET", "/.well-known/localai.json", json_reply({"version": "v3.1", "endpoints": {}}))
    server.on("GET", "/v1/models", models("gpt-4", "bge-small"))
    assert await looked_for("llama-cpp", server) == Found(
        "localai", "LocalAI v3.1", f"{server.url}/v1", ("gpt-4", "bge-small"), "gpt-4"
    )


async def test_a_server_that_wants_a_key_is_found_without_its_models(server: Replay) -> None:
    refused = json_reply({"error": {"code": 401, "message": "Invalid API Key"}}, 401, [("Server", "llama.cpp")])
    for path in ("/props", "/v1/models"):
        server.on("GET", path, refused)
    assert await looked_for("llama-cpp", server) == Found("llama-cpp", "llama.cpp's server", f"{server.url}/v1", wants_key=True)


async def test_vllm_is_found(server: Replay, shared_data: Path) -> None:
    server.on("GET", "/version", json_reply({"version": "0.19.0"}))
    server.on("GET", "/v1/models", transcript(shared_data / "llm-wire/vllm/v1_models.txt"))
    assert await looked_for("vllm", server) == Found("vllm", "vLLM 0.19.0", f"{server.url}/v1", ("tiny-canned",), "tiny-canned")


@pytest.mark.parametrize("name", list(discovery.PORTS))
@pytest.mark.parametrize(
    "reply",
    [
        text_reply("<html>a game</html>", kind="text/html"),
        json_reply({"version": "1.0", "models": "many", "data": {"id": "x"}}),
        json_reply({"data": [{"id": "x", "owned_by": "me"}]}),
        json_reply([1, 2]),
        json_reply({"error": "no"}, 500),
        Reply(302, (("Location", "/login"),), framing="length"),
    ],
)
async def test_any_other_server_is_none_of_them(server: Replay, name: str, reply: Reply) -> None:
    for path in ("/api/version", "/api/tags", "/api/v0/models", "/api/v1/models", "/props", "/version", "/v1/models"):
        server.on("GET", path, reply)
    assert await looked_for(name, server) is None


async def test_a_server_that_does_not_answer_takes_little_time(server: Replay) -> None:
    for path in ("/api/version", "/api/tags"):
        server.on("GET", path, stream_reply(b"{", HANG))
    assert await discovery.find({"ollama": port(server.url)}, seconds=0.2) == ()
    await server.idle()


async def test_the_environment_does_not_say_where_to_look(server: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", refused_url())
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, refused_url())
    server.on("GET", "/api/version", json_reply({"version": "1"}))
    server.on("GET", "/api/tags", json_reply({"models": []}))
    assert await looked_for("ollama", server) is not None
