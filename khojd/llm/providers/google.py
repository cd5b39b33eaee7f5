"""Gemini by Google's own SDK and the API for developers (not Vertex)."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from contextvars import ContextVar
from typing import Any, Final, TypeVar, cast

import google.genai
import httpx2
import numpy as np
from google.genai import errors, types
from google.genai.client import DebugConfig
from numpy.typing import NDArray

from khojd import config
from khojd.errors import ProviderError
from khojd.llm import estimate, failure
from khojd.llm.guard import clean
from khojd.llm.model import Capability, ChatRequest, Event, Health, Message, ModelInfo, Pulled, Tool
from khojd.llm.providers import google_wire as wire
from khojd.llm.providers import http
from khojd.llm.sources import in_text

T = TypeVar("T")

URL: Final = "https://generativelanguage.googleapis.com"
API_VERSION: Final = "v1beta"
TEXTS_AT_ONCE: Final = 100  # in one request for vectors
REST_SECONDS: Final = 0.2  # that a server has to end its answer after its last event

# What a chat is made of. The SDK's classes are put together when they are first used, which would hold the loop for 50 ms.
_USED: Final = (
    types.Part,
    types.Content,
    types.GenerateContentConfig,
    types._GenerateContentParameters,
    types.Candidate,
    types.GenerateContentResponse,
    types.Model,
)
_ERRORS = (errors.APIError, httpx2.HTTPError, httpx2.InvalidURL, ValueError)
_REFUSED_KEY: Final = re.compile(r"api.?key.?(?:not.?valid|invalid|expired)", re.IGNORECASE)
# Where the response to the request of a chat is put, to be closed with it: the SDK's stream does not hand it out.
_RESPONSE: ContextVar[list[httpx2.Response]] = ContextVar("khojd_google_response")


async def _remember(response: httpx2.Response) -> None:
    if (box := _RESPONSE.get(None)) is not None:
        box[:] = [response]


class Google:
    """See khojd/llm/protocol.py. No GOOGLE_ or GEMINI_ variable of the environment says where requests go or what they hold."""

    kind = wire.KIND

    def __init__(self, name: str, settings: config.Provider, key: str = "") -> None:
        for used in _USED:
            used.model_rebuild()
        self.name = name
        base = settings.base_url.rstrip("/") or URL
        self._version = next((part for part in [base.rpartition("/")[2]] if re.fullmatch(r"v\d+\w*", part)), "") or API_VERSION
        self.base_url = base.removesuffix(f"/{self._version}")
        self._settings = settings
        self._origin = failure.Origin.of(name, settings, self.base_url, key)
        self._known: dict[str, wire.Model] = {}
        self._http = http.client(self.base_url, settings, {"x-goog-api-key": key} if key else {}, _remember)
        self._http.event_hooks["request"].append(self._limit)
        self._client = google.genai.Client(
            vertexai=False,
            api_key=key or "none",  # without one the SDK looks for one in the environment; what is sent is said above
            debug_config=DebugConfig(client_mode="", replays_directory="", replay_id=""),
            http_options=types.HttpOptions(
                base_url=self.base_url,
                api_version=self._version,
                httpx_async_client=self._http,
                httpx_client=httpx2.Client(trust_env=False, verify=False),  # never used; one with certificates costs memory
            ),
        )
        self._models = self._client.aio.models

    async def models(self) -> tuple[ModelInfo, ...]:
        return tuple(self._learn(model) for model in await self._asked(self._listed(), self._origin))

    async def info(self, model: str) -> ModelInfo:
        return self._learn(await self._asked(self._models.get(model=model), self._origin.asking(model)))

    async def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See the protocol."""
        origin = self._origin.asking(model, _said(request.messages))
        known = self._known.get(model) or wire.Model(model)
        answer = wire.Answer(known)
        box: list[httpx2.Response] = []
        began = False
        try:
            contents, settings = await asyncio.to_thread(_built, known, clean(request))
            stream = await self._models.generate_content_stream(model=model, contents=cast("Any", contents), config=settings)
            chunks = aiter(stream)
            while (chunk := await _next(chunks, box)) is not None:
                for event in answer.feed(chunk):
                    if answer.ended and self.base_url.startswith("https:"):
                        await _rest(chunks)
                    began = True
                    yield event
                if answer.ended:
                    return
            if not began:
                await _look(box, origin)
        except wire.Broken as broken:
            raise origin.error(
                "garbled", f"the model's answer cannot be read ({failure.shown(str(broken), origin)}): ask again"
            ) from None
        except _ERRORS as error:
            raise self._failed(error, origin, began=began) from None
        finally:
            for response in box:
                await response.aclose()
        raise origin.error("cut", "the answer broke off, without its end mark")

    async def count(self, model: str, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        origin = self._origin.asking(model, _said(messages))
        known = self._known.get(model) or wire.Model(model)
        contents = wire.contents(known, clean(tuple(messages)), told=True)
        if tools:  # the API counts conversations only
            described = json.dumps([{"name": tool.name, "description": tool.description, **tool.parameters} for tool in tools])
            contents.append(types.Content(role="user", parts=[types.Part(text=described)]))
        answer = await self._asked(self._models.count_tokens(model=model, contents=cast("Any", contents)), origin)
        if answer.total_tokens is None:
            raise origin.error("garbled", f"{origin.address} sent no count")
        return answer.total_tokens

    async def embed(self, model: str, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        origin = self._origin.asking(model, texts)
        known = self._known.get(model)
        limit = known.context if known else 0
        for text in texts if limit else ():
            if estimate.least(text) > limit:  # the API would cut it off and not say so
                raise origin.error("overflow", f'a text is longer than the {limit} tokens that "{model}" takes', context=limit)
        # Newer models take what the text is for from the text itself.
        purpose = None if re.search(r"embedding-[2-9]", model) else "RETRIEVAL_QUERY" if query else "RETRIEVAL_DOCUMENT"
        parts: list[list[float]] = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            some = [types.Content(parts=[types.Part(text=clean(text))]) for text in texts[start : start + TEXTS_AT_ONCE]]
            asked = self._models.embed_content(model=model, contents=cast("Any", some), config={"task_type": purpose})
            made = (await self._asked(asked, origin)).embeddings or []
            if len(made) != len(some) or not all(one.values for one in made):
                raise origin.error("garbled", f"{origin.address} sent {len(made)} vectors for {len(some)} texts")
            parts += [one.values or [] for one in made]
        if len({len(values) for values in parts}) > 1:
            raise origin.error("garbled", f"{origin.address} sent vectors of different lengths")
        return np.asarray(parts, np.float32) if parts else np.empty((0, 0), np.float32)

    async def rerank(self, model: str, query: str, texts: Sequence[str]) -> list[float]:
        raise self._origin.asking(model).error("unsupported", "this API does not rank texts: give models.rerank another provider")

    async def health(self) -> Health:
        return await http.health(self._asked(self._listed(), self._origin), self._origin)

    async def pull(self, model: str) -> AsyncIterator[Pulled]:
        raise self._origin.asking(model).error("unsupported", f"{self._origin.address} downloads no models")
        yield

    async def close(self) -> None:
        await self._http.aclose()
        self._client.close()

    async def _limit(self, request: httpx2.Request) -> None:
        # The SDK knows one time for everything, which would be that of the longest answer.
        chats = request.url.path.endswith(":streamGenerateContent")
        request.extensions["timeout"] = (http.chatting if chats else http.asking)(self._settings).as_dict()

    async def _listed(self) -> list[types.Model]:
        return [model async for model in await self._models.list(config={"page_size": 1000})]

    async def _asked(self, question: Awaitable[T], origin: failure.Origin) -> T:
        try:
            return await question
        except _ERRORS as error:
            raise self._failed(error, origin) from None

    def _failed(self, error: Exception, origin: failure.Origin, *, began: bool = False) -> ProviderError:
        if isinstance(error, errors.APIError):
            if error.code == 400 and _REFUSED_KEY.search(f"{error.message} {error.details}"):
                return failure.of_status(401, {}, str(error.message), origin)
            if error.code == 404 and error.status == "NOT_FOUND" and origin.model:
                return failure.no_model(origin, (), 404)
        elif isinstance(error, ValueError):
            return origin.error("garbled", f"what came from {origin.address} is no answer. Is base_url right?")
        return failure.of_exception(error, origin, began=began)

    def _learn(self, model: types.Model) -> ModelInfo:
        name = (model.name or "").removeprefix("models/")
        actions = set(model.supported_actions or ())
        known = wire.Model(name, bool(model.thinking), model.output_token_limit or 0, model.input_token_limit or 0)
        self._known[name] = known
        capabilities: set[Capability] = set()
        if "generateContent" in actions:
            capabilities |= {"chat", "streaming"} if known.gemma else {"chat", "streaming", "tools", "vision", "json-schema"}
            if known.thinks:
                capabilities.add("thinking")
        if "countTokens" in actions:
            capabilities.add("count")
        if actions & {"embedContent", "batchEmbedContents"}:
            capabilities.add("embedding")
        # Google says separately how much goes in and how much comes out.
        context = known.context + known.max_output if "chat" in capabilities else known.context
        return ModelInfo(name, frozenset(capabilities), context, known.max_output, detail=model.display_name or "")


def _built(model: wire.Model, request: ChatRequest) -> tuple[list[types.Content], types.GenerateContentConfig]:
    return wire.contents(model, request.messages), wire.configuration(model, request)


def _said(messages: Sequence[Message]) -> list[str]:
    return [in_text(message) for message in messages]


async def _next(chunks: AsyncIterator[T], box: list[httpx2.Response]) -> T | None:
    """The next chunk; the response that it comes from is in `box`."""
    token = _RESPONSE.set(box)  # for this step alone: whoever reads the stream may ask for other things in between
    try:
        return await anext(chunks, None)
    finally:
        _RESPONSE.reset(token)


async def _look(box: Sequence[httpx2.Response], origin: failure.Origin) -> None:
    """Raises ProviderError for a response that was no stream."""
    for response in box:
        kind = response.headers.get("content-type", "")
        if "event-stream" not in kind:
            raise origin.error(
                "garbled", f"{origin.address} was asked for a stream and sent {kind or 'nothing'}. Is base_url right?"
            )


async def _rest(chunks: AsyncIterator[object]) -> None:
    """Read to the end, after which the connection can be used again."""
    with contextlib.suppress(TimeoutError, *_ERRORS):
        async with asyncio.timeout(REST_SECONDS):
            async for _ in chunks:
                pass
