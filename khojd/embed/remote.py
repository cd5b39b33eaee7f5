"""An embedding model on a model server."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec
import numpy as np

from khojd.embed.protocol import Vectors
from khojd.embed.tokens import count_tokens, encodable, enough
from khojd.errors import ModelError, ProviderError
from khojd.llm import estimate
from khojd.llm.configured import Configured
from khojd.llm.line import Line, Served
from khojd.llm.model import ModelInfo

T = TypeVar("T")

PASSAGES_SECONDS = 600.0  # for all texts of a call, with the waits in between
QUERY_SECONDS = 10.0  # someone waits; the answer by words is there
MOST_TEXTS = 32  # in one request; text-embeddings-inference takes no more
MOST_TOKENS = 512  # taken of a text, also of a model that takes more: llama.cpp's usual batch, and long chunks are hard to find
SPECIAL_TOKENS = 8  # that a server adds to a text, at most
SHORTEST = 32  # characters; what is shorter and still too long is no question of length
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # before a batch is sent again
CALL_SECONDS = 0.5  # that texts given together should take
FEWEST_AT_ONCE, MOST_AT_ONCE = 8, 128
_RETRIED = ("rate", "busy", "server", "unreachable")


class RemoteEmbedder:
    """Asks the server for what it can do and for a first vector. Raises ModelError, whose data names the provider.

    Without a `line` it has one of its own. A text that is too long for the model after all gets the mean of its parts' vectors.
    """

    def __init__(self, model: Served, *, query_prompt: str = "", passage_prompt: str = "", line: Line | None = None) -> None:
        self._model = model
        self._query_prompt = query_prompt
        self._passage_prompt = passage_prompt
        self._line = Line() if line is None else line
        self._owns_line = line is None
        self._closed = False
        self._dimensions = 0
        self._at_once = FEWEST_AT_ONCE
        try:
            info, identity = self._asked(self._about, seconds=model.settings.first_seconds)
            limit = min(info.context or MOST_TOKENS, MOST_TOKENS)
            self._max_tokens = enough(str(model), limit - SPECIAL_TOKENS - self.count(passage_prompt))
            probe = self._asked(
                lambda server: self._batch(server, ["dimensions"], query=True), seconds=model.settings.first_seconds
            )
        except BaseException:
            self.close()
            raise
        self._dimensions = probe.shape[1]
        kind, base_url = identity
        traits = msgspec.json.encode([kind, base_url, model.model, self._dimensions, passage_prompt])
        self._id = f"{kind}/{model.model}-{hashlib.blake2b(traits, digest_size=8).hexdigest()}"

    @property
    def id(self) -> str:
        return self._id

    @property
    def dimensions(self) -> int:
        return self._dimensions

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    @property
    def texts_at_once(self) -> int:
        return self._at_once

    def count(self, text: str) -> int:
        """An estimate that is rather too high: servers do not tell, or only one by one."""
        return max(estimate.most(text), count_tokens(text))

    def reads(self, text: str) -> float:
        return 1.0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self._dimensions), np.float32)
        started = time.monotonic()
        vectors = self._checked(self._asked(lambda server: self._passages(server, texts), seconds=PASSAGES_SECONDS))
        wanted = len(texts) * CALL_SECONDS / max(time.monotonic() - started, 1e-3)
        self._at_once = int(min(max(wanted, FEWEST_AT_ONCE), 2 * self._at_once, MOST_AT_ONCE))
        return vectors

    def embed_query(self, text: str) -> Vectors:
        """The vector of a query. Waits some seconds at most."""
        found = self._asked(lambda server: self._batch(server, [text], query=True), seconds=QUERY_SECONDS, waited_for=True)
        vector: Vectors = self._checked(found)[0]
        return vector

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors]:
        raise ModelError(f"the model server gives no vector per token of {self._model}", model=str(self._model))

    def close(self) -> None:
        self._closed = True
        if self._owns_line:
            self._line.close()

    def _asked(self, use: Callable[[Configured], Awaitable[T]], *, seconds: float, waited_for: bool = False) -> T:
        if self._closed:
            raise ModelError(f"the embedding model {self._model} was closed", model=str(self._model))
        try:
            return self._line.call(self._model, use, seconds=seconds, waited_for=waited_for)
        except ProviderError as error:
            data = {"provider": self._model.provider, "reason": error.reason}
            raise ModelError(error.message, model=str(self._model), **data) from error

    def _checked(self, vectors: Vectors) -> Vectors:
        if vectors.shape[1] != self._dimensions:
            message = f"{self._model} now gives vectors of {vectors.shape[1]} dimensions instead of {self._dimensions}"
            raise ModelError(f"{message}; the notes are embedded anew", model=str(self._model), changed=True)
        return vectors

    # On the line's loop

    async def _about(self, server: Configured) -> tuple[ModelInfo, tuple[str, str]]:
        """What the server says of the model, and what it is."""
        async with server.use() as provider:
            identity = provider.kind, provider.base_url
            try:
                info = await provider.info(self._model.model)
            except ProviderError as error:
                if error.reason not in ("unsupported", "request", "garbled"):
                    raise
                info = ModelInfo(self._model.model)
        own = self._model.settings.models.get(self._model.model)
        return (msgspec.structs.replace(info, context=own.context) if own and own.context else info), identity

    async def _passages(self, server: Configured, texts: Sequence[str]) -> Vectors:
        """Several requests at a time, as many as the provider's settings allow."""
        size = min(-(-len(texts) // server.settings.concurrency), MOST_TEXTS)
        parts = [texts[start : start + size] for start in range(0, len(texts), size)]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._batch(server, part, query=False)) for part in parts]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return np.concatenate([task.result() for task in tasks])

    async def _batch(self, server: Configured, texts: Sequence[str], *, query: bool) -> Vectors:
        try:
            return await self._patiently(server, texts, query=query)
        except ProviderError as error:
            if error.reason != "overflow" or (len(texts) == 1 and len(texts[0]) < 2 * SHORTEST):
                raise
        # One text is enough for the server to refuse all of them; and then that one goes in parts.
        halves = (texts[: len(texts) // 2], texts[len(texts) // 2 :]) if len(texts) > 1 else [[half] for half in _halves(texts[0])]
        found = np.concatenate([await self._batch(server, half, query=query) for half in halves])
        if len(texts) > 1:
            return found
        lengths = np.array([[len(half[0])] for half in halves], np.float32)
        return _unit((found * lengths).sum(axis=0, keepdims=True))

    async def _patiently(self, server: Configured, texts: Sequence[str], *, query: bool) -> Vectors:
        """The vectors of a batch, asked for again when the server asks for patience. For a query nobody has it."""
        prompt = self._query_prompt if query else self._passage_prompt
        prompted = [prompt + (encodable(text) if text.strip() else ".") for text in texts]  # some servers refuse a blank text
        attempts = 1 if query else server.settings.retries  # a query once more, if the server had closed the connection meanwhile
        for attempt in range(attempts, -1, -1):
            try:
                if query:  # does not wait for passages
                    return await self._embedded(server, prompted, query=True)
                async with server.slots:
                    return await self._embedded(server, prompted, query=False)
            except ProviderError as error:
                wait = 0.0 if query else error.retry_after or FIRST_WAIT * 2.0 ** (attempts - attempt)
                retried = ("unreachable",) if query else _RETRIED
                if not attempt or error.reason not in retried or wait > LONGEST_WAIT:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _embedded(self, server: Configured, texts: Sequence[str], *, query: bool) -> Vectors:
        async with server.use() as provider:
            return _unit(await provider.embed(self._model.model, texts, query=query))


def _halves(text: str) -> tuple[str, str]:
    """Cut before a word near the middle, where there is one."""
    middle = len(text) // 2
    blank = text.find(" ", middle, middle + middle // 2)
    cut = blank + 1 if blank >= 0 else middle
    return text[:cut], text[cut:]


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
    return unit
