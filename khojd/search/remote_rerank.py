"""Re-ranking by a model on a model server."""

from collections.abc import Sequence

from khojd.config import Config
from khojd.errors import ModelError, ProviderError
from khojd.llm.configured import Configured
from khojd.llm.line import Line, served

SECONDS = 10.0  # someone waits, and the list without re-ranking is there
SHORTEST = 200  # characters that texts are cut to at least, before a model is said to take none


class RemoteReranker:
    """The model `models.rerank` of the configuration. Raises ConfigError when there is none of that name. Thread-safe."""

    def __init__(self, config: Config, line: Line) -> None:
        self._model = served(config, "rerank")
        self._line = line
        self._longest = 0  # characters of a text, once the model has found some too long; 0: no limit is known

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """The server's scores, on any scale; of texts too long for the model, those of their beginnings. Raises ModelError."""
        if not texts:
            return []
        try:
            return self._line.call(self._model, lambda server: self._score(server, query, texts), seconds=SECONDS, waited_for=True)
        except ProviderError as error:
            data = {"provider": error.data["provider"], "reason": error.reason}
            raise ModelError(error.message, model=str(self._model), **data) from error

    async def _score(self, server: Configured, query: str, texts: Sequence[str]) -> list[float]:
        longest = max(map(len, texts))
        longest = min(longest, self._longest or longest)
        async with server.use() as provider:
            while True:
                try:
                    return await provider.rerank(self._model.model, query, [text[:longest] for text in texts])
                except ProviderError as error:
                    if error.reason != "overflow" or longest <= SHORTEST:
                        raise
                    longest = self._longest = max(longest // 2, SHORTEST)
