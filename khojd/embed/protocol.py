"""What an embedding model must offer. Calls are synchronous and thread-safe; they run in worker threads."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Text to L2-normalised float32 vectors."""

    @property
    def id(self) -> str:
        """Identity of the vectors: changes whenever the same text would get another vector."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Most tokens a text may have, special tokens not counted; what is longer would be cut off by the model."""

    @property
    def texts_at_once(self) -> int:
        """Texts to be given to `embed_passages` together: they take some tenths of a second, while a query may have to wait."""

    def count(self, text: str) -> int:
        """Number of tokens of `text` without special tokens: exact, or rather too high where only a server knows."""

    def reads(self, text: str) -> float:
        """Share of the letters of `text` that are of scripts the model has learnt, 0 to 1; 1 where that is not known.

        The vectors of other letters say little. Takes microseconds.
        """

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimensions), in the order given. Raises ModelError."""

    def embed_query(self, text: str) -> Vectors:
        """The vector of a query, shape (dimensions,). Raises ModelError."""

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors]:
        """Per text the normalised vectors of its tokens without special tokens, shape (tokens, dimensions).

        Raises ModelError where the model has none.
        """

    def close(self) -> None:
        """Give memory and threads back."""
