"""Any model of sentence-transformers, on a CPU or a GPU."""

import copy
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from khojd.embed import extra, hub, scripts
from khojd.embed.batch import pack
from khojd.embed.protocol import Vectors
from khojd.embed.tokens import encodable, enough
from khojd.errors import ModelError

_UNLIMITED = 512  # tokens taken of a model that names no limit
_SAMPLES, _SAMPLE_BYTES = 16, 65_536
_GPU_BATCHES = 16  # a GPU takes this many times the texts of a CPU's batch


class SentenceTransformerEmbedder:
    """`model` is a folder or a Hugging Face name; `batch_size` counts texts of full length on a CPU.

    Prompts that are None are the model's own (`query` and `passage` or `document` in its configuration), if it has any.
    Raises ModelError: extra not installed, model neither here nor to be had, device not there.
    """

    texts_at_once = 16

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        batch_size: int = 4,
        progress: hub.Progress | None = None,
    ) -> None:
        extra.sentence_transformers(model)  # said before anything is downloaded in vain
        folder = hub.locate(model, progress)
        self._name = model
        self._model: Any = extra.load("SentenceTransformer", model, folder, device)
        own = dict(self._model.prompts or {})
        self._query_prompt = own.get("query", "") if query_prompt is None else query_prompt
        self._passage_prompt = own.get("passage") or own.get("document") or "" if passage_prompt is None else passage_prompt
        # A tokenizer keeps its truncation as state, so counting has one of its own and does not wait for a batch.
        self._counting = Lock()
        self._counter = copy.deepcopy(self._model.tokenizer)
        self._working = Lock()
        self._scripts = scripts.learnt(self._counter.get_vocab())
        positions = int(self._model.max_seq_length or _UNLIMITED)
        specials = len(self._counter.encode(""))
        self._max_tokens = enough(model, positions - specials - self.count(self._passage_prompt))
        self._budget = batch_size * positions * (1 if self._model.device.type == "cpu" else _GPU_BATCHES)
        self._id = f"{model}-{_fingerprint(folder, self._passage_prompt)}"
        self._dimensions = len(self.embed_query("dimensions"))

    @property
    def id(self) -> str:
        return self._id

    @property
    def dimensions(self) -> int:
        return self._dimensions

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def count(self, text: str) -> int:
        if not text:
            return 0
        with self._counting:
            return len(self._counter.encode(encodable(text), add_special_tokens=False, truncation=False, verbose=False))

    def reads(self, text: str) -> float:
        return scripts.share(text, self._scripts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self._dimensions), np.float32)
        for indices, found in self.embed_batches(texts):
            vectors[indices] = found
        return vectors

    def embed_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Embed batch by batch: indices into `texts`, and their vectors in that order. Stop iterating to stop the work."""
        for batch in pack([self.count(text) + 2 for text in texts], self._budget):
            yield batch, self._encode([texts[index] for index in batch], self._passage_prompt)

    def embed_query(self, text: str) -> Vectors:
        """The vector of a query; of one longer than the model takes, that of its beginning."""
        vector: Vectors = self._encode([text], self._query_prompt)[0]
        return vector

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors]:
        found: list[Vectors] = []
        for text in texts:
            rows = self._encode([text], "", output_value="token_embeddings", normalize_embeddings=False, convert_to_numpy=False)[0]
            with self._counting:
                special = self._counter(
                    encodable(text), truncation=True, max_length=len(rows), return_special_tokens_mask=True, verbose=False
                )["special_tokens_mask"]
            if len(special) != len(rows):
                raise ModelError(f"the model {self._name} gives no vector per token", model=self._name)
            vectors = rows.float().cpu().numpy()[np.array(special) == 0]
            found.append(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
        return found

    def close(self) -> None:
        self._model = None

    def _encode(self, texts: list[str], prompt: str, **options: Any) -> Any:
        settings: dict[str, Any] = {"normalize_embeddings": True, "convert_to_numpy": True, **options}
        # One batch at a time: torch's threads are shared, and a query waits for one batch at most.
        with self._working:
            if self._model is None:
                raise ModelError(f"the embedding model {self._name} was closed", model=self._name)
            try:
                return self._model.encode(
                    [encodable(text) for text in texts], prompt=prompt, batch_size=len(texts), show_progress_bar=False, **settings
                )
            except Exception as error:  # torch raises RuntimeError and kin, e.g. when a GPU's memory is full
                message = f"the embedding model {self._name} failed on a batch of {len(texts)}: {error}"
                raise ModelError(message, model=self._name) from error


def _fingerprint(folder: Path, passage_prompt: str) -> str:
    """Changes with the model's files or the prompt. Of large files a sample is read: training changes every weight."""
    digest = hashlib.blake2b(passage_prompt.encode(), digest_size=8)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in inside.parts) or path.suffix == ".md":
            continue
        size = path.stat().st_size
        digest.update(f"\0{inside.as_posix()}\0{size}\0".encode())
        with path.open("rb") as file:
            for part in range(_SAMPLES):
                file.seek(max(0, size - _SAMPLE_BYTES) * part // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
