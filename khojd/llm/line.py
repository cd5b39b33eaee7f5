"""Model servers for code that blocks: the providers that embedding and re-ranking use, on an event loop in a thread of its own."""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from khojd import config
from khojd.errors import ConfigError, ProviderError
from khojd.llm.backoff import Pace
from khojd.llm.chain import named
from khojd.llm.configured import Configured, Open
from khojd.llm.table import open_provider

T = TypeVar("T")

CLOSE_SECONDS = 2.0  # for connections to be closed in good order
AWAY_SECONDS = 5.0  # after someone waited for a server in vain, nobody else does
_SILENT = ("unreachable", "timeout", "busy")


class Served(Struct, frozen=True):
    """A model of a configured provider, with all that says how it is reached."""

    provider: str
    model: str
    settings: config.Provider

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


def served(config: config.Config, job: Literal["embedding", "rerank"]) -> Served:
    """The remote model for a job. Raises ConfigError when none is named, or one of no configured provider."""
    name = getattr(config.models, job)
    if not name:
        switch = "embedding.model" if job == "embedding" else "search.rerank"
        message = f'{switch} is "remote", and models.{job} is empty; name a model as provider/model, e.g. ollama/nomic-embed-text'
        raise ConfigError(message, key=f"models.{job}", value="", allowed=list(config.providers))
    try:
        ref = named(config, name)
    except ConfigError as error:
        raise ConfigError(f"models.{job}: {error.message}", **{**error.data, "key": f"models.{job}"}) from None
    return Served(ref.provider, ref.model, config.providers[ref.provider])


class Line:
    """Starts its thread when it is first used. Thread-safe."""

    def __init__(self, open: Open = open_provider) -> None:
        self._open = open
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._running: set[concurrent.futures.Future[Any]] = set()
        self._servers: dict[tuple[str, bytes], Configured] = {}  # belongs to the loop
        self._away: dict[str, tuple[float, ProviderError]] = {}  # by the provider's name: until when, and why

    def call(self, model: Served, use: Callable[[Configured], Awaitable[T]], *, seconds: float, waited_for: bool = False) -> T:
        """What `use` makes of the model's server; blocks. Not for the event loop.

        `waited_for`: by a person; for some seconds after a server was silent, the same error comes at once. Raises what `use`
        raises, and ProviderError: `timeout` after `seconds`, `unreachable` when the line is closed.
        """
        until, why = self._away.get(model.provider, (0.0, None))
        if waited_for and why is not None and time.monotonic() < until:
            raise ProviderError(why.message, provider=model.provider, reason=why.reason, model=model.model)
        try:
            found = self._called(model, use, seconds)
        except ProviderError as error:
            if waited_for and error.reason in _SILENT:
                self._away[model.provider] = time.monotonic() + AWAY_SECONDS, error
            raise
        self._away.pop(model.provider, None)
        return found

    def _called(self, model: Served, use: Callable[[Configured], Awaitable[T]], seconds: float) -> T:
        async def run() -> T:
            try:
                async with asyncio.timeout(seconds):
                    return await use(self._server(model.provider, model.settings))
            except TimeoutError:
                message = f"{model.provider}: no answer from {model.model} within {seconds:g} seconds"
                raise ProviderError(message, provider=model.provider, reason="timeout", model=model.model) from None

        with self._lock:
            if self._closed:
                raise _ending(model)
            running = asyncio.run_coroutine_threadsafe(run(), self._started())
            self._running.add(running)
        try:
            return running.result()
        except concurrent.futures.CancelledError:
            raise _ending(model) from None
        finally:
            with self._lock:
                self._running.discard(running)

    @property
    def problems(self) -> tuple[str, ...]:
        """Servers that someone waited for in vain, and that have not answered since: why."""
        return tuple(why.message for _, why in list(self._away.values()))

    def keep(self, providers: Mapping[str, config.Provider]) -> None:
        """Close the servers that are not among these; one that is used all the same is opened again."""
        kept = {_key(name, settings) for name, settings in providers.items()}

        async def leave() -> None:
            for key in self._servers.keys() - kept:
                await self._servers.pop(key).end()

        self._away.clear()
        with self._lock:
            if self._loop is not None and not self._closed:
                asyncio.run_coroutine_threadsafe(leave(), self._loop)

    def close(self) -> None:
        """End what is running, which raises ProviderError there, and close all connections. Blocks for some seconds at most."""
        with self._lock:
            self._closed = True
            loop, thread, running = self._loop, self._thread, list(self._running)
            self._loop = self._thread = None
        for each in running:
            each.cancel()
        if loop is None or thread is None:
            return

        async def leave() -> None:
            await asyncio.gather(*(server.end() for server in self._servers.values()))

        with suppress(concurrent.futures.TimeoutError):
            asyncio.run_coroutine_threadsafe(leave(), loop).result(CLOSE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    def _server(self, name: str, settings: config.Provider) -> Configured:
        key = _key(name, settings)
        server = self._servers.get(key)
        if server is None:
            server = self._servers[key] = Configured(name, settings, self._open, Pace())
        return server

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_run, args=(self._loop,), name="khojd-line", daemon=True)
            self._thread.start()
        return self._loop


def _key(name: str, settings: config.Provider) -> tuple[str, bytes]:
    return name, msgspec.json.encode(settings)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def _ending(model: Served) -> ProviderError:
    message = f"{model.provider}: khojd is ending, {model.model} is asked no more"
    return ProviderError(message, provider=model.provider, reason="unreachable", model=model.model)
