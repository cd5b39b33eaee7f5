"""Providers on paper: they say what a test tells them to, and remember what they were asked. The wire has tests of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
from numpy.typing import NDArray

from khojd import config
from khojd.errors import ProviderError, ProviderReason
from khojd.llm.model import ChatRequest, Ended, Event, Health, Message, ModelInfo, Pulled, Text, Tool

Step = Event | ProviderError | asyncio.Event
USER = Message("user", "When do we meet?")
REQUEST = ChatRequest((USER,))


def failure(reason: ProviderReason, *, provider: str = "one", retry_after: float | None = None) -> ProviderError:
    return ProviderError(f"{provider}: {reason}", provider=provider, reason=reason, retry_after=retry_after)


def answer(text: str) -> list[Step]:
    return [Text(text), Ended("stop", Message("assistant", text))]


class Paper:
    """`scripts` are the answers to come, in their order; the last one is for ever."""

    def __init__(self, *scripts: list[Step], base_url: str = "https://one.example/v1", **infos: ModelInfo) -> None:
        self.scripts = list(scripts)
        self.name = "one"
        self.kind = "openai"
        self.base_url = base_url
        self.infos = infos
        self.requests: list[tuple[str, ChatRequest]] = []
        self.opened = 0
        self.closed = 0
        self.streams = 0  # open now
        self.most_streams = 0
        self.asked_for: list[str] = []  # models whose description was asked for
        self.waiting = asyncio.Event()
        self.well = Health(True, "paper 1.0", 1.0)
        self.pulls: list[Pulled | ProviderError | asyncio.Event] = []

    async def chat(self, model: str, request: ChatRequest) -> AsyncIterator[Event]:
        self.requests.append((model, request))
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        self.streams += 1
        self.most_streams = max(self.most_streams, self.streams)
        try:
            for step in script:
                if isinstance(step, ProviderError):
                    raise step
                if isinstance(step, asyncio.Event):
                    self.waiting.set()
                    await step.wait()
                else:
                    yield step
        finally:
            self.streams -= 1

    async def models(self) -> tuple[ModelInfo, ...]:
        return tuple(self.infos.values())

    async def info(self, model: str) -> ModelInfo:
        self.asked_for.append(model)
        if not self.infos:
            return ModelInfo(model)
        if model not in self.infos:
            raise ProviderError(f"{self.name}: there is no model {model}", provider=self.name, reason="model", model=model)
        return self.infos[model]

    async def count(self, model: str, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        return sum(len(message.text.split()) for message in messages)

    async def embed(self, model: str, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        return np.zeros((len(texts), 1), np.float32)

    async def rerank(self, model: str, query: str, texts: Sequence[str]) -> list[float]:
        return [0.0] * len(texts)

    async def health(self) -> Health:
        return self.well

    async def pull(self, model: str) -> AsyncIterator[Pulled]:
        for step in self.pulls:
            if isinstance(step, ProviderError):
                raise step
            if isinstance(step, asyncio.Event):
                self.waiting.set()
                await step.wait()
            else:
                yield step

    async def close(self) -> None:
        self.closed += 1


class Papers:
    """Opens the providers of a test by name; one that is an error cannot be opened."""

    def __init__(self, **providers: Paper | ProviderError) -> None:
        self.providers = providers

    async def __call__(self, name: str, settings: config.Provider) -> Paper:
        provider = self.providers[name]
        if isinstance(provider, ProviderError):
            raise provider
        provider.name = name
        provider.opened += 1
        return provider
