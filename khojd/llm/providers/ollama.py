"""Ollama by its native API, through its own SDK.

The SDK's parsed stream is not used: it splits lines at characters that may stand inside them, knows no line that it cannot read,
and drops the headers of a refusal. Refusals and wrong content types are seen by a hook on each response, before the SDK.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import aclosing
from typing import TypeVar, cast

import anyio._backends._asyncio  # noqa: F401  else the first request loads it, which holds the loop for 20 ms
import httpx
import msgspec
import numpy as np
import ollama
from numpy.typing import NDArray

from khojd import config
from khojd.errors import ProviderError
from khojd.llm import estimate, failure
from khojd.llm.failure import Origin
from khojd.llm.guard import clean
from khojd.llm.model import (
    Called,
    ChatRequest,
    Ended,
    EndReason,
    Event,
    Health,
    Message,
    ModelInfo,
    Pulled,
    Text,
    Thinking,
    Tool,
    ToolCall,
    Used,
)
from khojd.llm.providers import ollama_wire as wire
from khojd.llm.table import is_local

T = TypeVar("T")

URL = "http://127.0.0.1:11434"
TEXTS_AT_ONCE = 64  # in one request for vectors
ANSWER = 1_024  # tokens left for an answer of which no length is said
HEALTH_SECONDS = 5.0
LONGEST_LINE = 32_000_000  # bytes


class _Refused(Exception):
    """A response that is no answer."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


_ERRORS = (httpx.HTTPError, _Refused, ConnectionError, ValueError)


class Ollama:
    """See khojd/llm/protocol.py. Proxies of the environment are used for servers on other machines only; OLLAMA_HOST and
    OLLAMA_API_KEY are not looked at, and redirects are not followed."""

    kind = "ollama"

    def __init__(self, name: str, settings: config.Provider, key: str = "") -> None:
        self.name = name
        # Other programs ask for the address of its OpenAI-compatible API.
        self.base_url = settings.base_url.rstrip("/").removesuffix("/v1") or URL
        self._settings = settings
        self._origin = Origin.of(name, settings, self.base_url, key)
        self._known: dict[str, ModelInfo] = {}
        self._contexts: dict[str, int] = {}  # the largest num_ctx asked for: another size makes the server load the model again
        patience = max(settings.first_seconds, settings.idle_seconds)
        self._client = ollama.AsyncClient(
            self.base_url,
            headers={"authorization": f"Bearer {key}"} if key else {},
            follow_redirects=False,
            trust_env=not is_local(self.base_url),
            timeout=httpx.Timeout(patience, connect=settings.connect_seconds, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=settings.concurrency, keepalive_expiry=60.0),
            event_hooks={"response": [_look]},
        )
        self._http: httpx.AsyncClient = self._client._client
        self._http.headers["user-agent"] = "khojd"  # the SDK tells of the system and its versions
        if not key:
            self._http.headers.pop("authorization", None)  # of OLLAMA_API_KEY

    async def models(self) -> tuple[ModelInfo, ...]:
        found = await self._asked(self._client.list(), self._origin)
        few = asyncio.Semaphore(self._settings.concurrency)

        async def one(name: str) -> ModelInfo:
            async with few:
                try:
                    return await self.info(name)
                except ProviderError as error:
                    if error.reason == "model":  # removed meanwhile
                        return ModelInfo(name)
                    raise

        names = [each.model.removesuffix(":latest") for each in found.models if each.model]
        return tuple(await asyncio.gather(*map(one, names)))

    async def info(self, model: str) -> ModelInfo:
        said = await self._asked(self._client.show(model), self._origin.asking(model))
        self._known[model] = wire.described(model, said)
        return self._known[model]

    async def chat(self, model: str, request: ChatRequest) -> AsyncIterator[Event]:
        """See the protocol.

        `num_ctx` is as much of the context (`request.context`, else the model's) as the prompt may need, in steps of powers of two,
        and never less than before, for each other size has the server load the model again. A prompt that cannot fit raises
        `overflow`. Should the server leave out old messages all the same, `Used.dropped` says so.
        """
        origin = self._origin.asking(model, (message.text for message in request.messages))
        about = self._known.get(model) or await self.info(model)
        num_ctx = self._num_ctx(about, request, origin)
        body = wire.payload(
            model, request, num_ctx=num_ctx, thinks="thinking" in about.capabilities, keep_alive=self._settings.keep_alive
        )
        answer = _Answer()
        try:
            async with self._http.stream("POST", "/api/chat", content=wire.encoded(body)) as response:
                async for line in _lines(response):
                    said = wire.line(line)
                    if said.error is not None:
                        raise _broke(failure.of_body(line, origin), answer, origin)
                    for event in answer.take(said):
                        yield event
                    if said.done:
                        yield _used(said, request, num_ctx)
                        yield answer.ended(said.done_reason or "stop")
                        return
        except _ERRORS as error:
            raise _broke(self._failed(error, origin, began=answer.begun), answer, origin) from None
        raise origin.error("cut", f"the answer broke off{answer.so_far()}, without its end mark")

    async def count(self, model: str, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        raise self._origin.asking(model).error("unsupported", "Ollama does not count tokens")

    async def embed(self, model: str, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        origin = self._origin.asking(model, texts)
        keep_alive = wire.duration(self._settings.keep_alive) if self._settings.keep_alive else None
        parts = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            some = [clean(text) for text in texts[start : start + TEXTS_AT_ONCE]]
            made = await self._asked(self._client.embed(model, some, truncate=False, keep_alive=keep_alive), origin)
            parts.append(_vectors(made.embeddings, len(some), origin))
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)

    async def rerank(self, model: str, query: str, texts: Sequence[str]) -> list[float]:
        message = "Ollama does not re-rank; a llama.cpp server, vLLM and others with /v1/rerank do"
        raise self._origin.asking(model).error("unsupported", message)

    async def health(self) -> Health:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                said = await self._asked(self._http.get("/api/version"), self._origin)
            version = msgspec.json.decode(said.content, type=wire.Version).version
        except TimeoutError:
            return Health(False, f"{self.name}: {self._origin.address} did not answer in {HEALTH_SECONDS:g} seconds")
        except ProviderError as error:
            return Health(False, error.message)
        except ValueError:
            return Health(False, f"{self.name}: what answers at {self._origin.address} is no Ollama")
        return Health(True, f"Ollama {version}", (time.perf_counter() - started) * 1000.0)

    async def pull(self, model: str) -> AsyncIterator[Pulled]:
        origin = self._origin.asking(model)
        status = ""
        try:
            parts = cast("AsyncGenerator[ollama.ProgressResponse]", await self._client.pull(model, stream=True))
            async with aclosing(parts):
                async for part in parts:
                    status = part.status or status
                    yield Pulled(status, part.completed or 0, part.total or 0)
        except ollama.ResponseError as error:  # a line of the stream
            raise origin.error("server", f'"{model}" could not be downloaded: {failure.shown(error.error, origin)}') from None
        except _ERRORS as error:
            raise self._failed(error, origin) from None
        if status != "success":
            last = failure.shown(status, origin)
            raise origin.error("cut", f'the download of "{model}" broke off after "{last}"; pull it again to go on')

    async def close(self) -> None:
        await self._http.aclose()

    # Inside

    def _num_ctx(self, about: ModelInfo, request: ChatRequest, origin: Origin) -> int:
        limit = request.context or about.context
        prompt = estimate.least_of(request.messages)
        if limit and prompt >= limit:
            message = f'the prompt has {prompt:,} tokens or more; the model "{about.name}" is given {limit:,}'
            raise origin.error("overflow", message, prompt_tokens=prompt, context=limit)
        needed = estimate.most_of(request.messages, request.tools) + (request.max_tokens or ANSWER)
        size = wire.SMALLEST_CONTEXT
        while size < needed:
            size *= 2
        size = max(min(size, limit) if limit else size, self._contexts.get(about.name, 0))
        self._contexts[about.name] = size
        return size

    async def _asked(self, call: Awaitable[T], origin: Origin) -> T:
        try:
            return await call
        except _ERRORS as error:
            raise self._failed(error, origin) from None

    def _failed(self, error: Exception, origin: Origin, *, began: bool = False) -> ProviderError:
        if isinstance(error, _Refused):
            return self._refused(error.response, origin)
        if isinstance(error, ValueError):  # JSON or its shape
            return origin.error("garbled", f"what came is no answer of Ollama; is {origin.address} its address?")
        if isinstance(error, ConnectionError) and isinstance(error.__context__, Exception):  # the SDK's, with the cause suppressed
            error = error.__context__
        return failure.of_exception(error, origin, began=began)

    def _refused(self, response: httpx.Response, origin: Origin) -> ProviderError:
        if response.status_code < 300 or "html" in response.headers.get("content-type", ""):
            kind = response.headers.get("content-type", "something unnamed")
            message = f"{kind} came instead of JSON (HTTP {response.status_code}); is {origin.address} the address of Ollama?"
            return origin.error("garbled", message, status=response.status_code)
        error = failure.of_status(response.status_code, response.headers, response.content, origin)
        if error.reason == "request" and response.status_code == 404:
            return origin.error(
                "request", f"{origin.address} does not know Ollama's API (HTTP 404); is it its address?", status=404
            )
        if error.reason == "model":
            hint = f"{error.message}; khojd models pull {self.name}/{origin.model} downloads it"
            return ProviderError(hint, provider=self.name, reason="model", model=origin.model, status=response.status_code)
        return error


def _broke(error: ProviderError, answer: "_Answer", origin: Origin) -> ProviderError:
    """What went wrong, as it is called when a part of the answer has been seen."""
    if not answer.begun or error.reason == "timeout":
        return error
    said = error.message.removeprefix(f"{origin.provider}: ")
    return origin.error("garbled" if error.reason == "garbled" else "cut", f"the answer broke off{answer.so_far()}: {said}")


def _used(said: wire.Line, request: ChatRequest, num_ctx: int) -> Used:
    prompt = -1 if said.prompt_eval_count is None else said.prompt_eval_count
    # Where all fits for sure, a small count only means that an older server counted what its cache lacked.
    tight = estimate.most_of(request.messages, request.tools) > num_ctx - (request.max_tokens or ANSWER)
    dropped = tight and 0 <= prompt < estimate.least_of(request.messages)
    return Used(prompt, -1 if said.eval_count is None else said.eval_count, dropped=dropped)


def _vectors(found: Sequence[Sequence[float]], wanted: int, origin: Origin) -> NDArray[np.float32]:
    try:
        vectors = np.array(found, np.float32)
    except ValueError:  # of different lengths
        vectors = np.empty(0, np.float32)
    if vectors.ndim != 2 or len(vectors) != wanted or not vectors.shape[1] or not np.isfinite(vectors).all():
        raise origin.error("garbled", f"what came are not the vectors of {wanted} texts")
    return vectors


class _Answer:
    """What has come so far."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._calls: list[ToolCall] = []

    @property
    def begun(self) -> bool:
        return bool(self._text or self._thinking or self._calls)

    def take(self, line: wire.Line) -> Iterator[Event]:
        """The events of a line. Tool calls stand on lines of their own or on the last one."""
        said = line.message
        if said.thinking:
            self._thinking.append(said.thinking)
            yield Thinking(said.thinking)
        if said.content:
            self._text.append(said.content)
            yield Text(said.content)
        for found in said.tool_calls or ():
            call = wire.tool_call(found, len(self._calls))
            self._calls.append(call)
            yield Called(call)

    def ended(self, reason: str) -> Ended:
        thought = "".join(self._thinking)
        message = Message(
            "assistant",
            "".join(self._text),
            tool_calls=tuple(self._calls),
            opaque=("ollama", thought) if thought and self._calls else None,
        )
        why: EndReason = "length" if reason == "length" else "tools" if self._calls else "stop"
        return Ended(why, message)

    def so_far(self) -> str:
        characters = sum(map(len, self._text))
        return f" after {characters:,} characters" if characters else ""


async def _look(response: httpx.Response) -> None:
    """Refuse what is no answer, with its text read."""
    kind = response.headers.get("content-type", "")
    if response.status_code >= 300 or "json" not in kind:
        await response.aread()
        raise _Refused(response)


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Lines that are not blank, the last one also without its end. Raises ValueError for one without end."""
    rest = bytearray()
    async for part in response.aiter_bytes():
        rest += part
        if b"\n" not in part:
            if len(rest) > LONGEST_LINE:
                raise ValueError("a line without end")
            continue
        *whole, last = rest.split(b"\n")
        rest = last
        for line in whole:
            if line.strip():
                yield bytes(line)
    if rest.strip():
        yield bytes(rest)
