"""The bundled model: all-MiniLM-L6-v2 in int8, run by onnxruntime. docs/model.md tells how it was made and measured."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from khojd.embed.batch import pack
from khojd.embed.protocol import Vectors
from khojd.embed.tokens import MODEL_DIR, count_tokens, encodable, tokenizer
from khojd.errors import ModelError

# Padded tokens of a batch. Larger batches gain nothing on a CPU (their activations leave the cache, and the allocator returns
# blocks of that size to the system after each), and a query waits for one batch at most.
BATCH_TOKENS = 1024


class BundledEmbedder:
    """`threads`: cores used for one batch; 0 takes half of them, at least two where there are two."""

    def __init__(self, threads: int = 0, model_dir: Path = MODEL_DIR) -> None:
        about = _about(model_dir)
        self._tokenizer = tokenizer()
        self._dimensions = int(about["dimensions"])
        self._positions = int(about["max_tokens"])
        self._id = f"{about['name']}-int8-{about['sha256']['model.onnx'][:16]}"
        self._session: Any = _session(model_dir / "model.onnx", threads)

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

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self._dimensions), np.float32)
        for indices, found in self.embed_batches(texts):
            vectors[indices] = found
        return vectors

    def embed_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Embed batch by batch: indices into `texts`, and their vectors in that order. Stop iterating to stop the work."""
        ids = self._encode(texts)
        for batch in pack([len(row) for row in ids], BATCH_TOKENS):
            yield batch, self._run("sentence_embedding", [ids[index] for index in batch])

    def embed_query(self, text: str) -> Vectors:
        """The vector of a query; of one longer than `max_tokens`, that of its beginning."""
        vector: Vectors = self._run("sentence_embedding", self._encode([text]))[0]
        return vector

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors]:
        ids = self._encode(texts)
        vectors: list[Vectors] = [np.empty((0, self._dimensions), np.float32)] * len(texts)
        for batch in pack([len(row) for row in ids], BATCH_TOKENS):
            found = self._run("token_embeddings", [ids[index] for index in batch])
            for row, index in enumerate(batch):
                tokens = found[row, 1 : len(ids[index]) - 1]
                vectors[index] = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
        return vectors

    def close(self) -> None:
        self._session = None

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        rows = []
        # One by one: batch calls start threads of the tokenizer's own, which do not survive a fork.
        for text in texts:
            ids = self._tokenizer.encode(encodable(text)).ids
            rows.append(ids if len(ids) <= self._positions else [*ids[: self._positions - 1], ids[-1]])
        return rows

    def _run(self, output: str, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        session = self._session
        if session is None:
            raise ModelError(f"the embedding model {self._id} was closed", model=self._id)
        shape = (len(rows), max(map(len, rows)))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, values in enumerate(rows):
            ids[row, : len(values)] = values
            mask[row, : len(values)] = 1
        try:
            found: NDArray[np.float32] = session.run([output], {"input_ids": ids, "attention_mask": mask})[0]
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise ModelError(
                f"the embedding model {self._id} failed on a batch of {shape[0]} x {shape[1]} tokens: {error}"
            ) from error
        return found


def _about(model_dir: Path) -> dict[str, Any]:
    path = model_dir / "model.json"
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: the bundled model cannot be read ({error}); reinstall khojd", model=str(model_dir)) from error
    return about


def _session(path: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or default_threads()
    options.inter_op_num_threads = 1
    # An arena would keep the memory of the largest batch ever seen, and spinning threads would burn a core while idle.
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # see _run
        raise ModelError(f"{path}: the bundled model cannot be loaded ({error}); reinstall khojd", model=str(path)) from error


def default_threads() -> int:
    """Half of the cores this process may use, at least two where there are two."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(cores, 2), cores // 2)
