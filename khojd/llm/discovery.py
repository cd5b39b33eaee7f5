"""Model servers that run on this machine and are not configured: looked for when a person asks, and only offered.

Asked are the usual ports of the loopback address, whatever OLLAMA_HOST and proxies of the environment say.
"""

import asyncio
import importlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from khojd.llm.presets import PRESETS, described

if TYPE_CHECKING:
    import httpx2

SECONDS = 1.5  # for all questions to one server
LARGEST: Final = 4_000_000  # bytes of an answer
PORTS: Final[Mapping[str, int]] = {"ollama": 11434, "lm-studio": 1234, "llama-cpp": 8080, "vllm": 8000}

_EMBEDDING_NAME: Final = re.compile(r"embed|^(?:bge|all-minilm|e5|gte)\b", re.IGNORECASE)


class Found(Struct, frozen=True):
    """A server that answers. `name` is the kind or preset it would be configured as, by which its usual address is known too."""

    name: str
    title: str  # for people, with its version where it says it
    base_url: str
    models: tuple[str, ...] = ()
    chat_model: str = ""  # one that chats, loaded if there is such a one
    wants_key: bool = False


async def find(ports: Mapping[str, int] = PORTS, *, seconds: float | None = None) -> tuple[Found, ...]:
    """The servers that run, asked side by side; never raises. Takes at most about `seconds`, SECONDS when None."""
    limit = SECONDS if seconds is None else seconds
    await asyncio.to_thread(importlib.import_module, "httpx2")  # which takes longer than the loop may be held
    probes = [_PROBES[name](f"http://127.0.0.1:{port}") for name, port in ports.items()]
    answers = await asyncio.gather(*(_within(limit, probe) for probe in probes))
    return tuple(found for found in answers if found is not None)


async def _within(seconds: float, probe: Awaitable[Found | None]) -> Found | None:
    try:
        async with asyncio.timeout(seconds):
            return await probe
    except TimeoutError:
        return None


class _Answer(Struct, frozen=True):
    status: int = 0  # 0: nothing came
    server: str = ""  # the header
    value: Any = None

    @property
    def object(self) -> dict[str, Any]:
        return self.value if self.status == 200 and isinstance(self.value, dict) else {}

    def entries(self, key: str) -> list[dict[str, Any]] | None:
        """The list under `key`, None where there is none."""
        listed = self.object.get(key)
        return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else None


async def _ask(url: str, *paths: str) -> list[_Answer]:
    import ssl

    import httpx2

    # Nothing is asked by TLS, so no certificates are read.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=False, verify=context, timeout=None) as client:
        return list(await asyncio.gather(*(_get(client, url + path) for path in paths)))


async def _get(client: "httpx2.AsyncClient", url: str) -> _Answer:
    import httpx2

    body = b""
    try:
        async with client.stream("GET", url) as response:
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
        return _Answer()
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = None
    return _Answer(response.status_code, response.headers.get("server", ""), value)


async def _ollama(url: str) -> Found | None:
    version, tags = await _ask(url, "/api/version", "/api/tags")
    entries = tags.entries("models")
    if entries is None or not isinstance(version.object.get("version"), str):
        return None
    models = [str(each.get("model") or each.get("name") or "").removesuffix(":latest") for each in entries]
    chats = [model for model, each in zip(models, entries, strict=True) if _chats(model, each.get("capabilities"))]
    return Found("ollama", f"Ollama {version.object['version']}", url, tuple(models), _first(chats))


def _chats(model: str, capabilities: Any) -> bool:
    if isinstance(capabilities, list) and capabilities:
        return "completion" in capabilities
    return not _EMBEDDING_NAME.search(model)


async def _lm_studio(url: str) -> Found | None:
    old, new = await _ask(url, "/api/v0/models", "/api/v1/models")
    entries = old.entries("data")
    if entries is None:
        entries = new.entries("models")  # since 0.4
    # Other servers answer to any path, with errors or with a list of their own.
    if entries is None or not all({"type", "publisher"} & each.keys() for each in entries):
        return None
    models = [str(each.get("id") or each.get("key") or "") for each in entries]
    chats = [
        (each.get("state") != "loaded" and not each.get("loaded_instances"), model)
        for model, each in zip(models, entries, strict=True)
        if each.get("type") in ("llm", "vlm")
    ]
    chats.sort(key=lambda chat: chat[0])
    return Found("lm-studio", "LM Studio", f"{url}/v1", tuple(models), _first([model for _, model in chats]))


async def _on_8080(url: str) -> Found | None:
    """llama.cpp's server, or LocalAI, which has the same usual port."""
    props, local_ai, models = await _ask(url, "/props", "/.well-known/localai.json", "/v1/models")
    if props.server == "llama.cpp" or "default_generation_settings" in props.object:
        return _compatible("llama-cpp", "llama.cpp's server", url, models)
    if local_ai.object:
        version = local_ai.object.get("version")
        return _compatible("localai", f"LocalAI {version}" if isinstance(version, str) else "LocalAI", url, models)
    return None


async def _vllm(url: str) -> Found | None:
    version, models = await _ask(url, "/version", "/v1/models")
    number = version.object.get("version")
    owners = {each.get("owned_by") for each in models.entries("data") or ()}
    if not isinstance(number, str) or not (owners == {"vllm"} or models.status == 401):
        return None
    return _compatible("vllm", f"vLLM {number}", url, models)


def _compatible(name: str, title: str, url: str, models: _Answer) -> Found:
    """A server with OpenAI's list of models."""
    entries = models.entries("data") or []
    infos = [described(PRESETS[name], entry) for entry in entries]
    chats = [info.name for info in infos if "chat" in info.capabilities]
    names = tuple(info.name for info in infos)
    return Found(name, title, f"{url}/v1", names, _first(chats), wants_key=models.status in (401, 403))


def _first(names: Sequence[str]) -> str:
    return names[0] if names else ""


_PROBES: Final[Mapping[str, Callable[[str], Awaitable[Found | None]]]] = {
    "ollama": _ollama,
    "lm-studio": _lm_studio,
    "llama-cpp": _on_8080,
    "vllm": _vllm,
}
