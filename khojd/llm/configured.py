"""One provider of the configuration as the router keeps it: opened when it is first used, closed when nothing uses it any more."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from khojd import config
from khojd.errors import ProviderError
from khojd.llm.backoff import Backoff, Pace, again, then
from khojd.llm.model import Health, ModelInfo

if TYPE_CHECKING:
    from khojd.llm.protocol import Provider

Open = Callable[[str, config.Provider], Awaitable["Provider"]]

log = logging.getLogger(__name__)


def silent(_: object) -> None:
    """For callers who do not want to be told."""


@dataclass
class _Opened:
    provider: "Provider"
    users: int = 0
    leaving: bool = False


class Configured:
    """`slots` are the requests that it may have at a time. Methods raise ProviderError."""

    def __init__(self, name: str, settings: config.Provider, open: Open, pace: Pace) -> None:
        self.name = name
        self.settings = settings
        self.backoff = Backoff(pace)
        self.slots = asyncio.Semaphore(settings.concurrency)
        self._open = open
        self._pace = pace
        self._opening = asyncio.Lock()
        self._opened: _Opened | None = None
        self._ended = False
        self._infos: dict[str, tuple[float, ModelInfo]] = {}

    @asynccontextmanager
    async def use(self) -> AsyncIterator["Provider"]:
        """The provider, which stays open until this ends."""
        async with self._opening:
            if self._opened is None:
                self._opened = _Opened(await self._open(self.name, self.settings))
            opened = self._opened
        opened.leaving = opened.leaving or self._ended  # it was opening when it was given up
        opened.users += 1
        try:
            yield opened.provider
        finally:
            opened.users -= 1
            if opened.leaving and not opened.users:
                if self._opened is opened:
                    self._opened = None
                await _close(opened.provider)

    async def end(self) -> None:
        """Close it for good, once it is not used."""
        self._ended = True
        await self.leave()

    async def leave(self) -> None:
        """Close it once it is not used; whoever uses it next opens it anew, with its key read again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.leaving = True
            if not opened.users:
                await _close(opened.provider)

    async def info(self, model: str, *, local: bool, notice: Callable[[str], None] = silent) -> ModelInfo:
        """What its server knows of a model, asked at most once in some minutes.

        A failure that may pass is followed by another try, as of an answer; `notice` is told why in a line for people. But where
        nothing listens on this machine, `local`, nothing will in a second.
        """
        kept = self._infos.get(model)
        if kept is not None and time.monotonic() - kept[0] < self._pace.info:
            return kept[1]
        began = time.monotonic()
        attempt = 0
        while True:
            try:
                found = await self._ask_info(model)
                break
            except ProviderError as error:
                gone = local and error.reason == "unreachable"
                wait = None if gone else again(self._pace, self.settings, error, attempt, time.monotonic() - began, local=local)
                if wait is None:
                    raise
                if attempt == 0 or error.reason != "busy":
                    notice(then(error, f"asked again in {wait:.1f} s"))
            await asyncio.sleep(wait)
            attempt += 1
        self._infos[model] = (time.monotonic(), found)
        return found

    async def _ask_info(self, model: str) -> ModelInfo:
        seconds = min(self._pace.asked, max(self._pace.asked_least, self.settings.first_seconds))
        try:
            async with asyncio.timeout(seconds), self.use() as provider:
                return await provider.info(model)
        except TimeoutError:
            message = f"{self.name}: said nothing of {model} for {seconds:g} s"
            raise ProviderError(message, provider=self.name, reason="timeout", model=model) from None

    async def health(self) -> Health:
        """One cheap question; a bad answer is one, too."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._pace.asked), self.use() as provider:
                found = await provider.health()
        except TimeoutError:
            return Health(False, f"{self.name}: said nothing for {self._pace.asked:g} s", self._pace.asked * 1000)
        except ProviderError as error:
            return Health(False, error.message, (time.perf_counter() - started) * 1000)
        if found.ok:
            self.backoff.answered()
        return found

    def forget(self, model: str) -> None:
        """Ask for a model's description anew, when it is next needed."""
        self._infos.pop(model, None)


async def _close(provider: "Provider") -> None:
    try:
        await provider.close()
    except Exception as error:
        log.warning("%s: could not be closed: %s", provider.name, type(error).__name__)
