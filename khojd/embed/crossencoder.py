"""Re-ranking by a cross-encoder, which reads the query and a text together."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

from khojd.embed import extra, hub
from khojd.embed.tokens import encodable
from khojd.errors import ModelError

_BATCH = 16


class CrossEncoderScorer:
    """`model` is a folder or a Hugging Face name. Raises ModelError like SentenceTransformerEmbedder. Thread-safe."""

    def __init__(self, model: str, *, device: str = "auto", progress: hub.Progress | None = None) -> None:
        extra.sentence_transformers(model)
        self._name = model
        self._model: Any = extra.load("CrossEncoder", model, hub.locate(model, progress), device)
        self._lock = Lock()
        labels = self._model.config.num_labels
        if labels != 1:
            raise ModelError(f"{model} is a classifier with {labels} labels; a re-ranker has one", model=model)

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the query, 0 to 1, in the order given; of a text too long for the model, its beginning."""
        if not texts:
            return []
        pairs = [(encodable(query), encodable(text)) for text in texts]
        with self._lock:
            if self._model is None:
                raise ModelError(f"the re-ranker {self._name} was closed", model=self._name)
            try:
                scores = self._model.predict(pairs, batch_size=_BATCH, show_progress_bar=False, activation_fn=_sigmoid())
            except Exception as error:  # see SentenceTransformerEmbedder
                raise ModelError(f"the re-ranker {self._name} failed on {len(texts)} texts: {error}", model=self._name) from error
        return [float(score) for score in scores]

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._model = None


def _sigmoid() -> Any:
    from torch.nn import Sigmoid

    return Sigmoid()
