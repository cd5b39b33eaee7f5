"""Anthropic's API by its own SDK, and the servers that speak it too (llama.cpp, Ollama, vLLM, LiteLLM)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, cast
from urllib.parse import urlsplit

import anthropic
import httpx2
import numpy as np
from numpy.typing import NDArray

from khojd import config
from khojd.errors import ProviderError
from khojd.llm import failure
from khojd.llm.model import Capability, ChatRequest, Event, Health, Message, ModelInfo, Pulled, Tool
from khojd.llm.providers import anthropic_wire as wire
from khojd.llm.providers import http

URL: Final = "https://api.anthropic.com"
REST_SECONDS: Final = 0.2  # that a server has to end its answer after its last event
LARGE: Final = 50_000  # characters or bytes of images from which a request is put together off the loop

_ERRORS = (anthropic.AnthropicError, httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, ValueError)


class Anthropic:
    """See khojd/llm/protocol.py. No ANTHROPIC_ variable of the environment says where requests go or what they hold."""

    kind = wire.KIND

    def __init__(self, name: str, settings: config.Provider, key: str = "") -> None:
        self.name = name
        self.base_url = settings.base_url.rstrip("/").removesuffix("/v1") or URL
        self._official = f".{urlsplit(self.base_url).hostname}".endswith(".anthropic.com")
        self._settings = settings
        self._origin = failure.Origin.of(name, settings, self.base_url, key)
        self._known: dict[str, wire.Model] = {}
        self._counts = True  # until the server says that it does not
        keys = {"authorization": f"Bearer {key}"} if key else {}
        if key and not self._official:
            keys["x-api-key"] = key  # what other servers may know alone
        self._http = http.client(self.base_url, settings, keys)
        self._client = anthropic.AsyncAnthropic(
            api_key=key or "none",  # without one the SDK looks for one in the environment; what is sent is `keys`
            base_url=self.base_url,
            max_retries=0,
            http_client=self._http,
            open_telemetry={"traces": {"enabled": False}, "propagation": False},
        )
        # The SDK puts the classes of its errors together when it has the first, which would hold the loop for 10 ms.
        refused = httpx2.Response(500, request=httpx2.Request("GET", URL))
        self._client._make_status_error("", body={"type": "error", "error": {"type": "api_error", "message": ""}}, response=refused)

    async def models(self) -> tuple[ModelInfo, ...]:
        return tuple(self._learn(entry) for entry in await self._entries())

    async def info(self, model: str) -> ModelInfo:
        try:
            entries = await self._entries()
        except ProviderError as error:
            if error.data["status"] != 404 or self._official:
                raise
            return self._learn({"id": model})  # a server without a list of its models
        for entry in entries:
            if model in (entry.get("id"), *_names(entry.get("aliases"))):
                return self._learn({**entry, "id": model})
        known = [str(entry.get("id")) for entry in entries]
        if not self._official:
            raise failure.no_model(self._origin.asking(model), known)
        try:  # short names stand for the newest of a line and are in no list
            return self._learn({**await self._get(f"/v1/models/{model}", self._origin.asking(model)), "id": model})
        except ProviderError as error:
            if error.data["status"] == 404:
                raise failure.no_model(self._origin.asking(model), known, 404) from None
            raise

    async def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See the protocol. Sources are taken apart where the model cites by itself, and stand in the text elsewhere."""
        origin = self._origin.asking(model, _said(request.messages))
        known = self._model(model)
        content, numbers = await _encoded(known, request)
        answer = wire.Answer(known, numbers)
        began = False
        response: httpx2.Response | None = None
        try:
            response = await self._begin(content, origin)
            # The SDK's own events are not used: those that lack a field, or that it does not know, would become objects of the
            # wrong type, and each costs more than the rest of the way of a token.
            async with aclosing(cast("Any", anthropic.AsyncStream.raw_events(response))) as events:
                async for each in events:
                    if not each.data:
                        continue
                    for event in answer.feed(each.event, _object(each.data)):
                        if answer.ended and self.base_url.startswith("https:"):
                            await _rest(events)
                        began = True
                        yield event
                    if answer.ended:
                        return
        except wire.Broken as broken:
            raise failure.of_body(broken.body, origin) from None
        except _ERRORS as error:
            raise self._failed(error, origin, began=began) from None
        finally:
            if response is not None:
                await response.aclose()
        raise origin.error("cut", "the answer broke off, without its end mark")

    async def count(self, model: str, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        origin = self._origin.asking(model, _said(messages))
        if self._counts:
            known = self._model(model)
            prompt, _ = await asyncio.to_thread(wire.prompt, known, messages, tools, cites=known.cites)
            try:
                answer = await self._asked(self._client.post("/v1/messages/count_tokens", cast_to=object, body=prompt), origin)
                if isinstance(count := answer.get("input_tokens"), int):
                    return count
            except ProviderError as error:
                if error.data["status"] not in (404, 405, 501):
                    raise
            self._counts = False
        raise origin.error("unsupported", f"{origin.address} does not count tokens")

    async def embed(self, model: str, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        raise self._origin.asking(model).error("unsupported", "this API has no embeddings: give models.embedding another provider")

    async def rerank(self, model: str, query: str, texts: Sequence[str]) -> list[float]:
        raise self._origin.asking(model).error("unsupported", "this API does not rank texts: give models.rerank another provider")

    async def health(self) -> Health:
        return await http.health(self._entries(), self._origin)

    async def pull(self, model: str) -> AsyncIterator[Pulled]:
        raise self._origin.asking(model).error("unsupported", f"{self._origin.address} downloads no models")
        yield

    async def close(self) -> None:
        await self._http.aclose()

    async def _begin(self, content: bytes, origin: failure.Origin) -> httpx2.Response:
        stream = await self._client.post(
            "/v1/messages",
            cast_to=object,
            content=content,
            options={"headers": {"Content-Type": "application/json"}, "timeout": http.chatting(self._settings)},
            stream=True,
            stream_cls=anthropic.AsyncStream[object],
        )
        response = stream.response
        if "event-stream" in response.headers.get("content-type", ""):
            return response
        try:
            raise await http.no_stream(response, origin)
        finally:
            await response.aclose()

    async def _entries(self) -> list[dict[str, Any]]:
        answer = await self._get("/v1/models", self._origin, limit=1000)
        found = answer.get("data")
        if not isinstance(found, list):
            raise self._origin.error("garbled", f"{self._origin.address} sent no list of models. Is base_url right?")
        return [entry for entry in found if isinstance(entry, dict)]

    async def _get(self, path: str, origin: failure.Origin, **query: object) -> dict[str, Any]:
        return await self._asked(self._client.get(path, cast_to=object, options={"params": query}), origin)

    async def _asked(self, question: Any, origin: failure.Origin) -> dict[str, Any]:
        try:
            answer = await question
        except _ERRORS as error:
            raise self._failed(error, origin) from None
        if not isinstance(answer, dict):  # the SDK hands out text of another type as it is
            raise failure.of_status(200, {}, str(answer), origin)
        return answer

    def _failed(self, error: Exception, origin: failure.Origin, *, began: bool = False) -> ProviderError:
        if isinstance(error, anthropic.NotFoundError) and error.type == "not_found_error" and origin.model:
            return failure.no_model(origin, (), 404)  # its text is the model's name alone
        if isinstance(error, ValueError) and not isinstance(error, UnicodeError):
            return origin.error("garbled", f"what came from {origin.address} is no answer. Is base_url right?")
        return failure.of_exception(error, origin, began=began)

    def _model(self, name: str) -> wire.Model:
        return self._known.get(name) or wire.Model(self.base_url, name, cites=self._official)

    def _learn(self, entry: Mapping[str, Any]) -> ModelInfo:
        """What an entry of the list says: Anthropic's, or an OpenAI-like one with the additions of llama.cpp or vLLM."""
        name = str(entry.get("id") or "")
        said = entry.get("capabilities")
        can = _Said(said if isinstance(said, dict) else {}, default=self._official)
        llama = entry.get("owned_by") == "llamacpp"
        thinking = frozenset(kind for kind in ("adaptive", "enabled", "disabled") if can("thinking", "types", kind))
        max_output = _number(entry.get("max_tokens"))
        arguments = _names(_object_of(entry.get("status")).get("args"))  # llama.cpp's, of a model that may not be loaded yet
        sizes = (
            entry.get("max_input_tokens"),
            entry.get("max_model_len"),
            _object_of(entry.get("meta")).get("n_ctx"),
            _after("--ctx-size", arguments),
        )
        context = next(filter(None, map(_number, sizes)), 0)
        self._known[name] = known = wire.Model(
            self.base_url,
            name,
            max_output,
            cites=can("citations"),
            thinking=thinking if can.given else wire.Model(self.base_url, name).thinking,
            template=llama,
        )
        capabilities: set[Capability] = {"chat", "streaming", "tools"}
        offered: list[tuple[Capability, bool]] = [
            ("vision", can("image_input") or "image" in _names(_object_of(entry.get("architecture")).get("input_modalities"))),
            ("thinking", can("thinking") or llama),
            ("json-schema", can("structured_outputs")),
            ("citations", known.cites),
            ("count", self._counts and (self._official or llama)),
        ]
        capabilities |= {capability for capability, has in offered if has}
        if {"--embeddings", "--reranking"} & set(arguments):
            capabilities = set()
        shown = str(entry.get("display_name") or "")
        return ModelInfo(name, frozenset(capabilities), context, max_output, detail="" if shown == name else shown)


class _Said:
    """What an entry says under `capabilities`: objects with `supported`, nested."""

    def __init__(self, capabilities: Mapping[str, Any], *, default: bool) -> None:
        self.given = bool(capabilities)
        self._capabilities = capabilities
        self._default = default

    def __call__(self, *path: str) -> bool:
        value: Any = self._capabilities
        if not self.given:
            return self._default
        for name in path:
            value = _object_of(_object_of(value).get(name))
        return bool(_object_of(value).get("supported"))


def _object_of(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _after(option: str, arguments: Sequence[str]) -> int:
    following = arguments[arguments.index(option) + 1 :] if option in arguments else ()
    return int(following[0]) if following and following[0].isdigit() else 0


def _said(messages: Sequence[Message]) -> list[str]:
    return [text for message in messages for text in (message.text, *(source.text for source in message.sources))]


async def _encoded(model: wire.Model, request: ChatRequest) -> tuple[bytes, tuple[int, ...]]:
    def encode() -> tuple[bytes, tuple[int, ...]]:
        body, numbers = wire.body(model, request)
        return http.encoded({**body, "stream": True}), numbers

    images = sum(len(image.data) for message in request.messages for image in message.images)
    large = images + sum(map(len, _said(request.messages))) > LARGE
    return await asyncio.to_thread(encode) if large else encode()


def _object(data: str) -> dict[str, Any]:
    """Raises ValueError for what is no JSON object."""
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


async def _rest(events: AsyncIterator[object]) -> None:
    """Read to the end, after which the connection can be used again.

    Without TLS a new one costs nothing, and llama.cpp's server closes it after each stream without saying so.
    """
    with contextlib.suppress(TimeoutError, httpx2.HTTPError, UnicodeError):
        async with asyncio.timeout(REST_SECONDS):
            async for _ in events:
                pass
