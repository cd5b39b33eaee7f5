"""The bundled model's files, and the configured model at work."""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from khojd.config import Config
from khojd.doctor.check import Check
from khojd.embed.factory import OFF, Choice, open_embedder
from khojd.embed.tokens import MODEL_DIR
from khojd.errors import KhojdError

_SENTENCE = "The bicycle's brake cable needs to be replaced."
_RELATED, _UNRELATED = "How to fix a bike that does not stop", "A recipe for onion soup"


def examine(config: Config) -> Iterator[Check]:
    yield files(MODEL_DIR)
    if config.embedding.model == OFF:
        yield Check("embedding", "warn", "embedding.model is off: notes are found by words only", 'set embedding.model = "bundled"')
    else:
        yield _embedding(config)


def files(directory: Path) -> Check:
    """Whether the files are those whose SHA-256 sums stand beside them in model.json."""
    fix = "the package is damaged: install khojd again"
    try:
        about = json.loads((directory / "model.json").read_text(encoding="utf-8"))
        wrong = [name for name, wanted in about["sha256"].items() if _sha256(directory / name) != wanted]
    except (OSError, ValueError, LookupError) as error:
        return Check("model", "fail", f"{directory}: cannot be read: {error}", fix)
    if wrong:
        return Check("model", "fail", f"{directory}: not the files that were shipped: {', '.join(wrong)}", fix)
    return Check("model", "ok", f"{about['name']}, {len(about['sha256'])} files as they were shipped")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _embedding(config: Config) -> Check:
    """The model has to tell a related sentence from an unrelated one."""
    started = time.perf_counter()
    try:
        embedder = open_embedder(Choice.of(config))
        assert embedder is not None, "it is not off"
        try:
            query = embedder.embed_query(_SENTENCE)
            near, far = (float(query @ vector) for vector in embedder.embed_passages([_RELATED, _UNRELATED]))
            name, dimensions = embedder.id, embedder.dimensions
        finally:
            embedder.close()
    except KhojdError as error:
        return Check("embedding", "fail", error.message, 'mend it as it says, or set embedding.model = "bundled"')
    took = time.perf_counter() - started
    message = f"{name}, {dimensions} dimensions; related text {near:.2f}, unrelated {far:.2f}; {took:.1f} s with loading"
    if not near > far:
        return Check("embedding", "fail", message, "the model does not work on this machine: try another embedding.model")
    return Check("embedding", "ok", message)
