"""Whether the embedding model can read the notes."""

import sqlite3
from collections.abc import Sequence

from khojd import config
from khojd.doctor.check import Check
from khojd.embed import scripts
from khojd.embed.factory import OFF, open_embedder
from khojd.errors import KhojdError
from khojd.index.catalog_status import sample

SAMPLE = 300  # entries that stand for all
WORTH_A_WORD = 0.1  # share of letters that cannot be read above which it is said


def examine(db: sqlite3.Connection, settings: config.Embedding) -> Check | None:
    """A warning where much of the notes is in scripts that the model has not learnt, else None."""
    texts = sample(db, SAMPLE, scripts.LOOKED_AT)
    # Latin letters every model reads: for notes in them alone none is loaded.
    if settings.model == OFF or unread(texts, [scripts.share(text, {"LATIN"}) for text in texts]) < WORTH_A_WORD:
        return None
    try:
        embedder = open_embedder(settings)
    except KhojdError:
        return None  # another check says why it cannot be opened
    assert embedder is not None, "it is not off"
    try:
        cannot = unread(texts, list(map(embedder.reads, texts)))
    finally:
        embedder.close()
    if cannot < WORTH_A_WORD:
        return None
    message = f"{cannot:.0%} of the notes' text is in letters that the embedding model has not learnt: it is found by words only"
    return Check("languages", "warn", message, 'set embedding.model = "multilingual" to find it by meaning, too (docs/model.md)')


def unread(texts: Sequence[str], reads: Sequence[float]) -> float:
    """Share of the texts, each by its length, that cannot be read."""
    total = sum(map(len, texts))
    return sum(len(text) * (1.0 - read) for text, read in zip(texts, reads, strict=True)) / total if total else 0.0
