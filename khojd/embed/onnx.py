"""The bundled model: all-MiniLM-L6-v2 in int8, run by onnxruntime. docs/model.md tells how it was made and measured."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from khojd.embed import scripts
from khojd.embed.protocol import Vectors
from khojd.embed.tokens import MODEL_DIR, count_tokens, encodable, tokenizer
from khojd.errors import ModelError


class BundledEmbedder:
    """`threads`: passages embedded at the same time; 0 takes half of the cores, at least two where there are two.

    Each text runs alone, on one core. On a CPU that is as fast as batches or faster (no padding, no threads that wait for each
    other, activations that stay in the cache), and it makes a vector depend on nothing but its text: the range of the quantised
    activations is found at run time over whatever is computed together. A query runs in its caller's thread and waits for nobody.
    """

    texts_at_once = 16

    def __init__(self, threads: int = 0, model_dir: Path = MODEL_DIR) -> None:
        about = _about(model_dir)
        self._tokenizer = tokenizer()
        self._scripts = scripts.learnt(self._tokenizer.get_vocab())
        self._dimensions = int(about["dimensions"])
        self._positions = int(about["max_tokens"])
        self._id = f"{about['name']}-int8-{about['sha256']['model.onnx'][:16]}"
        self._session: Any = _session(model_dir / "model.onnx")
        self._workers = ThreadPoolExecutor(threads or default_threads(), thread_name_prefix="khojd-embed")

    @property
    def id(self) -> str:
        return self._id

    @property
    def dimensions(self) -> int:
        return self._dimensions

    @property
    def max_tokens(self) -> int:
        return self._positions - 2  # [CLS] and [SEP]

    def count(self, text: str) -> int:
        return count_tokens(text)

    def reads(self, text: str) -> float:
        return scripts.share(text, self._scripts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self._dimensions), np.float32)
        for index, vector in self._each(self.embed_query, texts):
            vectors[index] = vector
        return vectors

    def embed_query(self, text: str) -> Vectors:
        """The vector of a query; of one longer than `max_tokens`, that of its beginning."""
        vector: Vectors = self._run("sentence_embedding", text)[0]
        return vector

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors]:
        found = dict(self._each(self._token_vectors, texts))
        return [found[index] for index in range(len(texts))]

    def close(self) -> None:
        self._workers.shutdown(cancel_futures=True)
        self._session = None

    def _token_vectors(self, text: str) -> Vectors:
        tokens = self._run("token_embeddings", text)[0, 1:-1]
        vectors: Vectors = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
        return vectors

    def _each(self, work: Callable[[str], Vectors], texts: Sequence[str]) -> Iterator[tuple[int, Vectors]]:
        """Indices of `texts` and what `work` gives for them. The longest go first, so that the workers end together."""
        if self._session is None:
            raise self._closed()
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        return zip(order, self._workers.map(work, [texts[index] for index in order]), strict=True)

    def _run(self, output: str, text: str) -> NDArray[np.float32]:
        session = self._session
        if session is None:
            raise self._closed()
        ids = self._tokenizer.encode(encodable(text)).ids
        if len(ids) > self._positions:
            ids = [*ids[: self._positions - 1], ids[-1]]
        row = np.array([ids], np.int64)
        try:
            found: NDArray[np.float32] = session.run([output], {"input_ids": row, "attention_mask": np.ones_like(row)})[0]
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            message = f"the embedding model {self._id} failed on a text of {len(ids)} tokens: {error}"
            raise ModelError(message, model=self._id) from error
        return found

    def _closed(self) -> ModelError:
        return ModelError(f"the embedding model {self._id} was closed", model=self._id)


def _about(model_dir: Path) -> dict[str, Any]:
    path = model_dir / "model.json"
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: the bundled model cannot be read ({error}); reinstall khojd", model=str(model_dir)) from error
    return about


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # An arena would keep the memory of the most texts ever run at once, and memory patterns a plan for every length.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # see _run
        raise ModelError(f"{path}: the bundled model cannot be loaded ({error}); reinstall khojd", model=str(path)) from error


def default_threads() -> int:
    """Half of the cores this process may use, at least two where there are two."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(cores, 2), cores // 2)
