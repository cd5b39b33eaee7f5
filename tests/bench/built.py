"""Indexes made for benchmarks of their use: real words, and vectors that are real or random.

Embedding 100,000 entries takes half an hour on two cores. Where only the speed of searching counts, the vectors are random unit
vectors, stored by khojd's own code under the hashes of the true texts, so that the daemon takes them for its own.
"""

import asyncio
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np

from khojd import engine as engine_module
from khojd.config import Config, Embedding, Folder, Index
from khojd.embed.onnx import BundledEmbedder
from khojd.embed.protocol import Vectors
from khojd.engine import Engine
from khojd.index import meaning
from khojd.index.status import IndexStatus
from tests.bench import notes
from tests.bench.options import Options
from tests.bench.table import say


class RandomEmbedder(BundledEmbedder):
    """The bundled model's identity and tokenizer with vectors drawn from a sphere."""

    def __init__(self) -> None:
        super().__init__()
        self._source = np.random.default_rng(3)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        drawn = self._source.standard_normal((len(texts), self.dimensions), dtype=np.float32)
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        return drawn


class Built:
    """An index on disk and its folder of notes."""

    def __init__(self, index: Path, folder: Path, status: IndexStatus) -> None:
        self.index = index
        self.folder = folder
        self.entries = status.entries
        self.files = status.indexed


_made: dict[tuple[Path, int], Built] = {}


def index_of(options: Options, number: int) -> Built:
    """An index of `number` entries with random vectors; made once in a run."""
    key = (options.work, number)
    if key not in _made:
        started = time.monotonic()
        folder, index = options.work / f"notes-{number}", options.work / f"index-{number}"
        say(f"writing and indexing notes with {number:,} entries, random vectors")
        notes.entries(folder, number)
        status = build(folder, index)
        say(f"  {status.entries:,} entries in {time.monotonic() - started:.0f} s")
        _made[key] = Built(index, folder, status)
    return _made[key]


VAULT_COPIES, VAULT_NOTES = 13, 13_000
_vaults: dict[Path, Built] = {}


def vault(options: Options) -> Built:
    """dendron-vault many times, or made-up notes of its sizes: 13,000 notes with random vectors; made once in a run."""
    if options.work not in _vaults:
        folder, index = options.work / "vault", options.work / "vault-index"
        source = options.shared / "corpora" / "dendron-vault" if options.shared else None
        if source is not None and source.is_dir():
            for copy in range(options.pick(VAULT_COPIES, 1)):
                shutil.copytree(source, folder / f"copy-{copy}")
        else:
            notes.short(folder, range(options.pick(VAULT_NOTES, 1_000)))
        say("indexing many notes, random vectors")
        _vaults[options.work] = Built(index, folder, build(folder, index))
    return _vaults[options.work]


def words_only(*folders: Path) -> Config:
    """A configuration that reads `folders` once, and embeds nothing."""
    found = tuple(Folder(path=str(folder)) for folder in folders)
    return Config(folders=found, index=Index(watch="off"), embedding=Embedding(model="off"))


async def settled(engine: Engine) -> None:
    """Return when the engine has nothing left to do."""
    quiet = 0
    while quiet < 3:
        # A task that was just started is not busy yet.
        await asyncio.sleep(0.01)
        quiet = 0 if engine.busy else quiet + 1


def build(folder: Path, index: Path) -> IndexStatus:
    """Index a folder with random vectors."""
    return asyncio.run(_build(folder, index))


async def _build(folder: Path, index: Path) -> IndexStatus:
    config = Config(folders=(Folder(path=str(folder)),), index=Index(watch="off"))
    # Larger steps: nobody waits for a query meanwhile.
    steps = patch.object(meaning, "ENTRIES_AT_ONCE", 2000)
    with steps, patch.object(engine_module, "open_embedder", lambda choice, line: RandomEmbedder()):
        engine = await Engine.open(config, index_dir=index)
        try:
            await settled(engine)
            return await engine.status()
        finally:
            await engine.close()
