"""Ollama as tests see it: a Replay that knows some models, and the provider that asks it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from khojd.config import Provider
from khojd.llm.model import ChatRequest, Event, Message
from khojd.llm.providers.ollama import Ollama
from tests.llm.replay import Replay, Reply, Request, json_reply, stream_reply

CAN_ALL = ("completion", "tools", "thinking", "vision")


def shown(*capabilities: str, context: int = 4096, **more: Any) -> dict[str, Any]:
    """What /api/show says."""
    about = {"general.architecture": "llama", "llama.context_length": context, "llama.embedding_length": 384}
    details = {"parameter_size": "8.0B", "quantization_level": "Q4_K_M", "family": "llama"}
    return {"capabilities": list(capabilities), "model_info": about, "details": details, "template": "{{ .Prompt }}", **more}


def know(server: Replay, models: Mapping[str, Mapping[str, Any]]) -> None:
    def show(request: Request) -> Reply:
        model = request.json["model"]
        return json_reply(models[model]) if model in models else json_reply({"error": f"model '{model}' not found"}, 404)

    server.on("POST", "/api/show", show)
    server.on(
        "GET", "/api/tags", json_reply({"models": [{"name": f"{name}:latest", "model": f"{name}:latest"} for name in models]})
    )


@asynccontextmanager
async def serving(*, key: str = "", **settings: Any) -> AsyncIterator[tuple[Replay, Ollama]]:
    """A server with one model, `m`, that can do everything, and the provider for it."""
    async with Replay() as server:
        know(server, {"m": shown(*CAN_ALL)})
        provider = Ollama("ollama", Provider(base_url=server.url, **settings), key)
        try:
            yield server, provider
        finally:
            await provider.close()


def lines(*values: bytes | Mapping[str, Any], end: bytes = b"\n") -> list[bytes]:
    import msgspec

    return [value if isinstance(value, bytes) else msgspec.json.encode(value) + end for value in values]


def said(content: str = "", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **more}, "done": False}


def end(reason: str = "stop", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason, **more}


def ndjson(*values: Any) -> Reply:
    return stream_reply(
        *(step for value in values for step in (lines(value) if isinstance(value, bytes | dict) else [value])),
        kind="application/x-ndjson",
    )


def question(text: str = "when?", **more: Any) -> ChatRequest:
    return ChatRequest((Message("user", text),), **more)


async def events(provider: Ollama, request: ChatRequest | None = None, model: str = "m") -> list[Event]:
    return [event async for event in provider.chat(model, request or question())]


def sent(server: Replay, path: str = "/api/chat") -> Any:
    """The body of the last request to `path`."""
    return next(request for request in reversed(server.requests) if request.path == path).json
