"""OpenAI and every server that speaks its API, by the openai SDK. What kinds of servers say beyond it: khojd/llm/presets.py."""

import asyncio
import base64
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, Final, cast

import httpx2
import msgspec
import numpy as np
import openai
from msgspec import Struct
from numpy.typing import NDArray
from openai._types import RequestOptions

from khojd import config
from khojd.errors import ProviderError
from khojd.llm import failure, presets
from khojd.llm.model import ChatRequest, Event, Health, Message, ModelInfo, Pulled, Text, Tool
from khojd.llm.providers import http
from khojd.llm.providers import openai_request as wire
from khojd.llm.providers.openai_stream import KIND, Answer
from khojd.llm.table import preset_of

TEXTS_AT_ONCE: Final = 64  # in one request for vectors
REST_SECONDS: Final = 2.0  # for usage and the end of the body, once the model has said that it is done
DONE_SECONDS: Final = 0.1  # for the end of the body after [DONE], so that the connection can be used again
LARGE: Final = 100_000  # bytes from which JSON is made and read off the loop

_ERRORS = (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, UnicodeError)
_Unparsed = openai.AsyncStream[Any]  # the SDK asks for a type of stream; with a response wanted it makes none

log = logging.getLogger(__name__)


def _json(content: bytes) -> Any:
    """A JSON document. Raises ValueError for an error object, too."""
    value = msgspec.json.decode(content)
    if isinstance(value, dict) and value.get("error"):
        raise ValueError("an error")
    return value


class OpenAI:
    """See khojd/llm/protocol.py. No OPENAI_ variable of the environment says where requests go or what they hold."""

    kind = KIND

    def __init__(self, name: str, settings: config.Provider, key: str = "") -> None:
        self.name = name
        try:
            self._preset = presets.find(preset_of(name, settings), settings.base_url)
            self.base_url = presets.address(self._preset, settings.base_url)
        except ValueError:
            raise failure.no_address(failure.Origin(name, settings.base_url)) from None
        self._settings = settings
        self._origin = failure.Origin.of(name, settings, self.base_url, key)
        self._refused: dict[str, tuple[str, ...]] = {}  # model -> parameters that it wants left out
        self._slots = asyncio.Semaphore(settings.concurrency)  # of requests for vectors
        self._http = http.client(self.base_url, settings, {"authorization": f"Bearer {key}"} if key else {})
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",  # without one the SDK looks for one in the environment; what is sent is decided by the client
            base_url=self.base_url,
            max_retries=0,
            http_client=self._http,
        )

    async def models(self) -> tuple[ModelInfo, ...]:
        return tuple(presets.described(self._preset, entry) for entry in await self._entries())

    async def info(self, model: str) -> ModelInfo:
        origin = self._origin.asking(model)
        try:
            entries = await self._entries()
        except ProviderError as error:
            if error.data["status"] not in (404, 405, 501):
                raise
            entries = []  # a server without a list of its models
        entry = next((entry for entry in entries if model in (entry.get("id"), *_names(entry.get("aliases")))), None)
        if entry is None:
            if entries and not self._preset.names_free and not presets.stands_for(model, entries):
                raise failure.no_model(origin, (str(entry.get("id")) for entry in entries))
            entry = {"id": model}
        info = presets.described(self._preset, {**entry, "id": model})
        try:
            return await self._detailed(info, origin)
        except ProviderError as error:
            if error.data["status"] not in (403, 404, 405, 501):
                raise
            return info  # another version of the server, or one before it that lets the API through alone

    async def _detailed(self, info: ModelInfo, origin: failure.Origin) -> ModelInfo:
        match self._preset.details:
            case "props":
                return presets.with_props(
                    info, _object(await self._get(self._beside("/props"), origin, {"model": info.name}, patient=True))
                )
            case "tgi":
                return presets.with_tgi(info, _object(await self._get(self._beside("/info"), origin)))
            case _:
                return info

    async def _entries(self) -> list[dict[str, Any]]:
        path = self._beside("/api/v0/models") if self._preset.details == "lm-studio" else "/models"
        said = await self._get(path, self._origin)
        data = said.get("data", said.get("models")) if isinstance(said, dict) else said
        if not isinstance(data, list):
            raise self._origin.error("garbled", f"the list of models of {self._origin.address} is none. {failure.BASE_URL}")
        entries = [entry for entry in data if isinstance(entry, dict) and (entry.get("id") or entry.get("name"))]
        if entries:
            self._preset = presets.recognised(self._preset, entries[0])
        return entries

    async def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[Event, None]:
        origin = self._origin.asking(model, _said(request.messages))
        response = await self._ask(model, request, origin)
        answer = Answer(origin)
        headers = dict(response.headers)
        try:
            async with aclosing(self._pieces(response, answer)) as pieces:
                async for piece in pieces:
                    events = answer.feed(piece)
                    if not events and answer.begun and not answer.finished:
                        yield Text("")  # a part of a tool call: a sign of life, for the time limits
                    for event in events:
                        yield event
                    if answer.failed:
                        raise answer.failed
            for event in answer.finish(response.status_code, headers):
                yield event
            if answer.failed:
                raise answer.failed
        except _ERRORS as error:
            raise failure.of_exception(error, origin, began=answer.begun) from None
        finally:
            await response.aclose()

    async def _ask(self, model: str, request: ChatRequest, origin: failure.Origin) -> httpx2.Response:
        """The response that streams the answer. Parameters that the server refuses are left out, from then on."""
        without = self._refused.get(model, ())

        def build() -> tuple[dict[str, Any], bytes]:
            asked = wire.body(model, request, self._preset, without)
            return asked, msgspec.json.encode(asked)

        while True:
            asked, content = await asyncio.to_thread(build) if _is_large(request) else build()
            try:
                response = await self._client.post(
                    "/chat/completions",
                    cast_to=httpx2.Response,
                    content=content,
                    options={"timeout": http.chatting(self._settings)},
                    stream=True,
                    stream_cls=_Unparsed,
                )
                if without != self._refused.get(model, ()):
                    log.info("%s: %s takes no %s", self.name, model, ", ".join(without))
                    self._refused[model] = without
                return cast(httpx2.Response, response)
            except _ERRORS as error:
                failed = failure.of_exception(error, origin)
            refused = wire.refused(asked, failed)
            if not refused or refused in without:
                raise await self._explained(failed, origin)
            without = (*without, refused)

    async def _pieces(self, response: httpx2.Response, answer: Answer) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Once the answer is whole, neither a connection that stays open nor one that breaks spoils it."""
        body = response.aiter_bytes()
        while True:
            try:
                if answer.finished:
                    async with asyncio.timeout(DONE_SECONDS if answer.done else REST_SECONDS):
                        piece = await anext(body, None)
                else:
                    piece = await anext(body, None)
            except (TimeoutError, httpx2.TransportError):
                if answer.finished:
                    return
                raise
            if piece is None:
                return
            yield piece

    async def _explained(self, failed: ProviderError, origin: failure.Origin) -> ProviderError:
        """The failure, with the models that there are when the one asked for is not among them."""
        if failed.reason != "model":
            return failed
        try:
            names = [info.name for info in await self.models()]
        except ProviderError:
            names = []
        return failure.no_model(origin, names, failed.data["status"])

    async def count(self, model: str, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        """Images are not counted."""
        origin = self._origin.asking(model, _said(messages))
        plain = [msgspec.structs.replace(message, images=()) for message in messages]
        asked: dict[str, Any] = {"model": model, "messages": wire.messages(plain)}
        if tools:
            asked["tools"] = wire.tools(tools)
        match self._preset.count:
            case "llama-cpp":
                prompt = _object(await self._post(self._beside("/apply-template"), asked, origin)).get("prompt", "")
                text = {"model": model, "content": prompt, "add_special": True, "parse_special": True}
                tokens = _object(await self._post(self._beside("/tokenize"), text, origin)).get("tokens")
                counted = len(tokens) if isinstance(tokens, list) else None
            case "vllm":
                counted = _object(await self._post(self._beside("/tokenize"), asked, origin)).get("count")
            case _:
                raise origin.error("unsupported", f"{self._preset.title} does not count tokens")
        if not isinstance(counted, int):
            raise origin.error("garbled", f"{origin.address} counted no tokens")
        return counted

    async def embed(self, model: str, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        async def some(part: Sequence[str]) -> NDArray[np.float32]:
            origin = self._origin.asking(model, part)
            asked = {"model": model, "input": list(part)}
            async with self._slots:
                vectors: NDArray[np.float32] = await self._post("/embeddings", asked, origin, decode=_vectors)
            if vectors.shape[0] != len(part):
                raise origin.error("garbled", f"{origin.address} sent {vectors.shape[0]} vectors for {len(part)} texts")
            return vectors

        parts = [texts[start : start + TEXTS_AT_ONCE] for start in range(0, len(texts), TEXTS_AT_ONCE)]
        asking = [asyncio.create_task(some(part)) for part in parts]
        try:
            found = await asyncio.gather(*asking)
        finally:
            for task in asking:
                task.cancel()
        return np.concatenate(found) if found else np.zeros((0, 0), np.float32)

    async def rerank(self, model: str, query: str, texts: Sequence[str]) -> list[float]:
        origin = self._origin.asking(model, (query, *texts))
        async with self._slots:
            said = await self._post("/rerank", {"model": model, "query": query, "documents": list(texts)}, origin)
        results = said.get("results", said.get("data")) if isinstance(said, dict) else said
        scores: dict[int, float] = {}
        for result in results if isinstance(results, list) else ():
            if isinstance(result, dict) and isinstance(index := result.get("index"), int):
                score = result.get("relevance_score", result.get("score"))
                if isinstance(score, int | float):
                    scores[index] = float(score)
        if any(number not in scores for number in range(len(texts))):
            raise origin.error("garbled", f"{origin.address} did not score every text")
        return [scores[number] for number in range(len(texts))]

    async def health(self) -> Health:
        started = time.monotonic()
        try:
            async with asyncio.timeout(http.HEALTH_SECONDS):
                if self._preset.health:
                    await self._get(self._beside(self._preset.health), self._origin, decode=len)
                    message = self._preset.title
                else:
                    message = f"{self._preset.title}, {http.models_there(len(await self._entries()))}"
        except TimeoutError:
            return Health(False, f"{self.name}: no answer from {self._origin.address} within {http.HEALTH_SECONDS:g} s")
        except ProviderError as error:
            start = f" It is started with: {self._preset.start}" if error.reason == "unreachable" and self._preset.start else ""
            return Health(False, error.message + start)
        return Health(True, message, (time.monotonic() - started) * 1000)

    async def pull(self, model: str) -> AsyncIterator[Pulled]:
        raise self._origin.asking(model).error("unsupported", f"{self._preset.title} cannot be told to download a model")
        yield  # an iterator, as the protocol wants it

    async def close(self) -> None:
        await self._client.close()

    def _beside(self, path: str) -> str:
        """The address of something that stands beside the API."""
        return presets.root(self.base_url) + path

    async def _get(
        self,
        path: str,
        origin: failure.Origin,
        params: dict[str, str] | None = None,
        *,
        decode: Callable[[bytes], Any] = _json,
        patient: bool = False,
    ) -> Any:
        timeout = http.chatting(self._settings) if patient else http.asking(self._settings)
        options: RequestOptions = {"timeout": timeout, "params": params or {}}
        return await self._read(self._client.get(path, cast_to=httpx2.Response, options=options), origin, decode)

    async def _post(
        self, path: str, body: dict[str, Any], origin: failure.Origin, *, decode: Callable[[bytes], Any] = _json
    ) -> Any:
        """Waits as long as for an answer: the server may have to load the model."""
        options: RequestOptions = {"timeout": http.chatting(self._settings)}
        content = msgspec.json.encode(body)
        return await self._read(self._client.post(path, cast_to=httpx2.Response, content=content, options=options), origin, decode)

    async def _read(self, asking: Awaitable[httpx2.Response], origin: failure.Origin, decode: Callable[[bytes], Any]) -> Any:
        try:
            response = await asking
        except _ERRORS as error:
            raise await self._explained(failure.of_exception(error, origin), origin) from None
        content = response.content
        try:
            return await asyncio.to_thread(decode, content) if len(content) > LARGE else decode(content)
        except ValueError:
            raise failure.of_status(response.status_code, response.headers, content, origin) from None


class _Vector(Struct):
    embedding: list[float] | str  # base64 of 32-bit floats
    index: int = -1


class _Vectors(Struct):
    data: list[_Vector]


def _vectors(content: bytes) -> NDArray[np.float32]:
    """The vectors of an answer in the order of the texts. Raises ValueError for what is none."""
    found = msgspec.json.decode(content, type=_Vectors).data
    ordered = sorted(enumerate(found), key=lambda item: item[1].index if item[1].index >= 0 else item[0])
    rows = [
        np.frombuffer(base64.b64decode(vector.embedding), "<f4") if isinstance(vector.embedding, str) else vector.embedding
        for _, vector in ordered
    ]
    return np.array(rows, np.float32)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _said(messages: Sequence[Message]) -> Iterator[str]:
    """What no message of an error may repeat."""
    for message in messages:
        yield message.text
        yield from (source.text for source in message.sources)
        yield from (call.text for call in message.tool_calls)


def _is_large(request: ChatRequest) -> bool:
    return any(message.images for message in request.messages) or sum(len(message.text) for message in request.messages) > LARGE
