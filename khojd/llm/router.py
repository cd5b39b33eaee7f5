"""Which model is asked, and what is done when it does not answer.

A job's models stand in the configuration in their order. The first whose server is well is asked; before its first token a request
is sent again, and then goes to the next model, and the caller is told of both. From the first token on nothing is done twice.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from msgspec import Struct

from khojd.config import Config, ModelSettings
from khojd.errors import ConfigError, ProviderError, ProviderReason
from khojd.llm import table
from khojd.llm.backoff import RETRIED, Pace, again, then
from khojd.llm.chain import Job, Ref, chain, named
from khojd.llm.configured import Configured, Open, silent
from khojd.llm.fitting import all_failed, check_suits, described, prepared
from khojd.llm.guard import Limits, guard
from khojd.llm.model import ChatRequest, Event, Health, Message, ModelInfo, Pulled, Text, Tool, Used
from khojd.llm.presets import usual_address

if TYPE_CHECKING:
    from khojd.llm.protocol import Provider

Notice = Callable[[str], None]

log = logging.getLogger(__name__)

# What is the server's fault, not the model's or the request's: it is left alone for a while.
_ILL: Final[frozenset[ProviderReason]] = RETRIED | {"auth", "garbled", "cut", "timeout"}


class Choice(Struct, frozen=True):
    """A model that is asked. local: its server is on this machine. info: with the configuration's own settings applied."""

    provider: str
    model: str
    local: bool
    info: ModelInfo

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class Router:
    """All configured providers. Making it opens nothing; each is opened when it is first asked."""

    def __init__(self, config: Config, open: Open = table.open_provider, *, pace: Pace | None = None) -> None:
        self._config = config
        self._open = open
        self._pace = pace or Pace()
        self._servers = {name: self._configured(name) for name in config.providers}

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    def _configured(self, name: str) -> Configured:
        return Configured(name, self._config.providers[name], self._open, self._pace)

    async def reconfigure(self, config: Config) -> None:
        """Go on with other settings. Providers that changed are closed once nothing uses them; answers that are on their way end
        as they began."""
        before, self._config = self._servers, config
        kept = {name: server for name, server in before.items() if config.providers.get(name) == server.settings}
        self._servers = {name: kept.get(name) or self._configured(name) for name in config.providers}
        for name, server in before.items():
            if name not in kept:
                await server.end()

    async def close(self) -> None:
        """Close all connections, those of running answers when they end."""
        for server in self._servers.values():
            await server.end()

    # --- choosing -----------------------------------------------------------------------------------------------------------

    def has(self, job: Job, model: str = "") -> bool:
        """Whether any model is configured for a job."""
        return bool(model or chain(self._config, job))

    def helper(self, model: str) -> str:
        """What `complete` takes as the model for the small jobs of a question to `model`: "" for the small one.

        Of a question to a model that someone names nothing goes to another one, unless that does small jobs by the configuration
        and is not away while the named one is on this machine.
        """
        small = self._config.models.small
        if not model or (small and (self._away(model) or not any(map(self._away, small)))):
            return ""
        return model

    def _away(self, model: str) -> bool:
        """Whether a model's server is on another machine."""
        return not self._is_local(named(self._config, model).provider)

    def _is_local(self, name: str) -> bool:
        settings = self._config.providers[name]
        return table.is_local(settings.base_url or usual_address(name, settings))

    def expected(self, job: Job, model: str = "") -> Choice:
        """The model that will be asked as far as is known without asking a server; nothing is known of it but its name.

        Raises ConfigError as `choose`.
        """
        ref = self._order(job, model)[0]
        return Choice(ref.provider, ref.model, self._is_local(ref.provider), ModelInfo(ref.model))

    async def choose(self, job: Job, model: str = "", *, notice: Notice = silent) -> Choice:
        """The model that would be asked now: `model` if it is named, else the first of the job's whose server is well.

        For `vision` without models of its own it is the first chat model that can look at images. Raises ConfigError when none is
        configured or the name is wrong, and ProviderError when no server answers.
        """
        failures: list[tuple[Ref, ProviderError]] = []
        for ref in self._order(job, model):
            server = self._server(ref)
            try:
                choice = await self._described(server, ref, notice)
                if job == "vision" and not (model or self._config.models.vision or "vision" in choice.info.capabilities):
                    message = f"{ref} cannot look at images: name a model that can in models.vision"
                    raise ProviderError(message, provider=ref.provider, reason="unsupported", model=ref.model)
            except ProviderError as error:
                await self._failed(server, error)
                failures.append((ref, error))
                continue
            for _, failure in failures:
                notice(then(failure, f"{choice} is asked instead"))
            return choice
        raise all_failed(job, failures)

    def _order(self, job: Job, model: str = "", first: Choice | None = None) -> list[Ref]:
        """Models in the order in which they are asked. One that someone names is never replaced by another."""
        if model:
            return [named(self._config, model)]
        refs = [*chain(self._config, job)]
        if first is not None:
            ref = named(self._config, str(first))
            well = [other for other in refs if other != ref and not self._server(other).backoff.away]
            if ref not in refs:
                return [ref]
            return well if well and self._server(ref).backoff.away else [ref, *well]
        if not refs:
            raise ConfigError(f"no {job} model is configured; `khojd models` says how", key=f"models.{job}")
        well = [ref for ref in refs if not self._server(ref).backoff.away]
        return well or refs  # when all have failed, waiting helps nobody

    def _server(self, ref: Ref) -> Configured:
        return self._named(ref.provider)

    async def _described(self, server: Configured, ref: Ref, notice: Notice) -> Choice:
        async with server.use() as provider:
            local = table.is_local(provider.base_url)
            info = described(await server.info(ref.model, local=local, notice=notice), self._settings(ref))
        return Choice(ref.provider, ref.model, local, info)

    def _settings(self, ref: Ref) -> ModelSettings:
        provider = self._config.providers.get(ref.provider)
        return (provider and provider.models.get(ref.model)) or ModelSettings()

    async def _failed(self, server: Configured, error: ProviderError) -> None:
        if error.reason in _ILL:
            server.backoff.failed(error.retry_after)
        if error.reason == "auth":
            await server.leave()  # the key may be another one by the time it is asked again
        log.info("%s failed: %s", server.name, error.reason)

    # --- asking -------------------------------------------------------------------------------------------------------------

    async def stream(
        self,
        job: Job,
        request: ChatRequest,
        *,
        model: str = "",
        choice: Choice | None = None,
        notice: Notice = silent,
        asked: Callable[[Choice], None] = silent,
    ) -> AsyncGenerator[Event, None]:
        """The answer of `choice` (as `choose` gave it), else of the model that `choose` would give, as `guard` lets it through.
        A choice whose server has failed since then is passed over when another model can answer.

        Before the first token a failure is followed by another try, and then by the next model of the job, unless `model` names
        one: `notice` is told why in a line for people. `asked` is told each model before the request goes there, so the last one
        is that which answers. Close the iterator to stop the answer; its connection is then closed at once.

        Raises ProviderError: `overflow` at once, for a shorter prompt may do; after the first token anything; before it when no
        model is left. Raises ConfigError as `choose`.
        """
        failures: list[tuple[Ref, ProviderError]] = []
        told = 0
        for ref in self._order(job, model, choice):
            server = self._server(ref)
            begun = False
            try:
                async with server.use():  # from its description to its last word: it may be configured anew meanwhile
                    if choice is not None and ref == Ref(choice.provider, choice.model):
                        candidate = choice
                    else:
                        candidate = await self._described(server, ref, notice)
                        check_suits(ref, candidate.info, request)
                    for _, failure in failures[told:]:
                        notice(then(failure, f"{candidate} is asked instead"))
                    told = len(failures)
                    asked(candidate)
                    async with aclosing(self._answer(server, candidate, request, notice)) as events:
                        async for event in events:
                            begun = True
                            yield event
                return
            except ProviderError as error:
                await self._failed(server, error)
                if begun or error.reason == "overflow":
                    raise
                failures.append((ref, error))
        raise all_failed(job, failures)

    async def _answer(
        self, server: Configured, choice: Choice, request: ChatRequest, notice: Notice
    ) -> AsyncGenerator[Event, None]:
        """One model's answer, asked for again while nothing of it has come and there is hope."""
        fitted = prepared(request, choice.info, self.settings(choice))
        begin = asyncio.get_running_loop().time()
        attempt = 0
        while True:
            early: list[Event] = []  # usage that comes before the first token
            begun = False
            if server.slots.locked():
                notice(f"{choice.provider}: waits until one of {server.settings.concurrency} earlier requests is done")
            try:
                async with (
                    server.slots,
                    server.use() as provider,
                    aclosing(self._guarded(server, provider, choice, fitted)) as events,
                ):
                    async for event in events:
                        if begun:
                            yield event
                        elif isinstance(event, Used):
                            early.append(event)
                        else:
                            begun = True
                            server.backoff.answered()
                            for each in (*early, event):
                                yield each
                return
            except ProviderError as error:
                spent = asyncio.get_running_loop().time() - begin
                wait = None if begun else again(self._pace, server.settings, error, attempt, spent, local=choice.local)
                if wait is None:
                    raise
                if attempt == 0 or error.reason != "busy":
                    notice(then(error, f"asked again in {wait:.1f} s"))
            await asyncio.sleep(wait)
            attempt += 1

    def _guarded(
        self, server: Configured, provider: "Provider", choice: Choice, request: ChatRequest
    ) -> AsyncGenerator[Event, None]:
        settings = server.settings
        idle = settings.idle_seconds
        if request.tools and provider.kind == "ollama":
            idle = max(idle, settings.first_seconds)  # it keeps a tool call back until it is whole
        limits = Limits(settings.first_seconds, idle)
        return guard(provider.chat(choice.model, request), limits, provider=server.name, model=choice.model)

    async def complete(
        self,
        job: Job,
        request: ChatRequest,
        *,
        seconds: float,
        model: str = "",
        notice: Notice = silent,
        asked: Callable[[Choice], None] = silent,
        used: Callable[[Used], None] = silent,
    ) -> str:
        """The text of a short answer, without thinking where the model can do without. `used` is told the tokens so far.

        Raises as `stream`, and `timeout`.
        """
        last: list[Choice] = []
        parts: list[str] = []
        brief = request if request.thinking is not None else msgspec.structs.replace(request, thinking=False)

        def goes(to: Choice) -> None:
            last[:] = [to]
            asked(to)

        try:
            stream = self.stream(job, brief, model=model, notice=notice, asked=goes)
            async with asyncio.timeout(seconds), aclosing(stream) as events:
                async for event in events:
                    if isinstance(event, Text):
                        parts.append(event.text)
                    elif isinstance(event, Used):
                        used(event)
        except TimeoutError:
            name = str(last[0]) if last else "the server"
            provider = last[0].provider if last else self._order(job, model)[0].provider
            message = f"{name}: no answer within {seconds:g} s"
            raise ProviderError(message, provider=provider, reason="timeout") from None
        return "".join(parts)

    async def count(self, choice: Choice, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int | None:
        """Tokens of a prompt by the server's own tokenizer; None where it has none to ask, or does not answer."""
        server = self._servers.get(choice.provider)
        if server is None or "count" not in choice.info.capabilities:
            return None
        try:
            async with asyncio.timeout(self._pace.count), server.use() as provider:
                return await provider.count(choice.model, messages, tools)
        except (ProviderError, TimeoutError):
            return None

    # --- what is known ------------------------------------------------------------------------------------------------------

    def settings(self, choice: Choice) -> ModelSettings:
        """What the configuration says of a model."""
        return self._settings(Ref(choice.provider, choice.model))

    def price(self, choice: Choice, used: Used) -> float:
        """What a request cost by the configured prices; 0 where there are none, or the server did not count."""
        settings = self.settings(choice)
        return (max(used.prompt, 0) * settings.price_prompt + max(used.completion, 0) * settings.price_answer) / 1e6

    def provider(self, name: str) -> AbstractAsyncContextManager["Provider"]:
        """A provider to ask directly; it stays open in the meantime. Raises ConfigError when it is not configured."""
        return self._named(name).use()

    async def info(self, name: str, model: str) -> ModelInfo:
        """A model's description with the configuration's settings applied. Raises ProviderError, ConfigError."""
        return described(await self._named(name).info(model, local=self._is_local(name)), self._settings(Ref(name, model)))

    async def models(self, name: str = "") -> dict[str, tuple[ModelInfo, ...] | ProviderError]:
        """What each server has, or why it does not say; all are asked at once. `name`: of one provider."""

        async def ask(server: Configured) -> tuple[ModelInfo, ...] | ProviderError:
            try:
                async with asyncio.timeout(self._pace.asked), server.use() as provider:
                    found = await provider.models()
            except TimeoutError:
                message = f"{server.name}: did not list its models for {self._pace.asked:g} s"
                return ProviderError(message, provider=server.name, reason="timeout")
            except ProviderError as error:
                return error
            return tuple(described(each, self._settings(Ref(server.name, each.name))) for each in found)

        servers = [self._named(name)] if name else [*self._servers.values()]
        answers = await asyncio.gather(*map(ask, servers))
        return {server.name: answer for server, answer in zip(servers, answers, strict=True)}

    async def health(self, name: str = "") -> dict[str, Health]:
        """One cheap question to each server, all at once. `name`: of one provider."""
        servers = [self._named(name)] if name else [*self._servers.values()]
        answers = await asyncio.gather(*(server.health() for server in servers))
        return {server.name: answer for server, answer in zip(servers, answers, strict=True)}

    async def pull(self, model: str) -> AsyncGenerator[Pulled, None]:
        """Have a server download a model, written provider/model. Closing the iterator stops it. Raises as `choose`."""
        ref = named(self._config, model)
        server = self._server(ref)
        async with server.use() as provider, aclosing(cast("Any", provider.pull(ref.model))) as steps:
            async for step in steps:
                yield step
        server.forget(ref.model)

    def _named(self, name: str) -> Configured:
        if name not in self._servers:
            known = [*self._servers]
            configured = f"configured are {', '.join(known)}" if known else "none is; `khojd models` says how to"
            raise ConfigError(f"no provider {name!r} is configured; {configured}", key="provider", value=name, allowed=known)
        return self._servers[name]
