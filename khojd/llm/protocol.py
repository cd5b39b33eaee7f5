"""What a kind of server must offer. Everything is called on one event loop and may be cancelled at any await."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from khojd.llm.model import ChatRequest, Event, Health, Message, ModelInfo, Pulled, Tool


class Provider(Protocol):
    """One configured server. All methods raise ProviderError, whose `reason` says which kind of failure it is.

    What a server is not able to do raises ProviderError with the reason `unsupported`.
    """

    name: str  # in the configuration
    kind: str  # ollama, openai, anthropic, google
    base_url: str

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models it has."""

    async def info(self, model: str) -> ModelInfo:
        """What is known of one model; asks the server, so the router keeps the answer."""

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[Event]:
        """The answer as it comes. Closing the iterator (`aclose`) closes the connection at once.

        The stream ends with `Ended`. One that the server ends without its end mark raises ProviderError (`cut`).
        What arrives and says nothing yet (a part of a tool call, a ping) is an empty Text: a sign of life, for the time limits.
        """

    async def count(self, model: str, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        """Tokens of a prompt by the server's own tokenizer, where it has the capability `count`."""

    async def embed(self, model: str, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), dimensions) in the order given, not normalised. Too long a text raises `overflow`."""

    async def rerank(self, model: str, query: str, texts: Sequence[str]) -> list[float]:
        """One score per text in the order given; higher is better, on any scale."""

    async def health(self) -> Health:
        """One cheap question. Never raises."""

    def pull(self, model: str) -> AsyncIterator[Pulled]:
        """Have the server download a model."""

    async def close(self) -> None:
        """Close pooled connections."""
