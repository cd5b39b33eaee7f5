"""A small index over real files, for tests of search: catalog, words, vectors, retriever."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from khojd.config import Config
from khojd.content import registry
from khojd.content.model import ContentSettings
from khojd.embed import scripts
from khojd.embed.cache import QueryCache
from khojd.embed.protocol import Embedder, Vectors
from khojd.index.catalog_documents import remove_document, set_state, store_document
from khojd.index.catalog_vectors import set_active_model
from khojd.index.document_rows import rows_of
from khojd.index.meaning import Meaning
from khojd.index.rows import FileStat
from khojd.index.stores import Stores
from khojd.index.writer import Writer
from khojd.search.retrieve import Retriever
from khojd.search.types import Hit, SearchRequest, SearchResult

TODAY = date(2026, 3, 2)


class Concepts:
    """A model of few concepts: each word of `meanings` is a direction, and words of one concept share it. Fast and exact."""

    texts_at_once = 16

    def __init__(self, meanings: Mapping[str, str], dimensions: int = 16, learnt: frozenset[str] | None = None) -> None:
        self._scripts = learnt
        self._meanings = dict(meanings)
        self._axes = {concept: index for index, concept in enumerate(sorted(set(meanings.values())), start=1)}
        self._dimensions = dimensions

    @property
    def id(self) -> str:
        return "concepts"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    @property
    def max_tokens(self) -> int:
        return 60

    def count(self, text: str) -> int:
        return len(text.split())

    def reads(self, text: str) -> float:
        return scripts.share(text, self._scripts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return (
            np.stack([self._vector(text.lower().split()) for text in texts])
            if texts
            else np.empty((0, self._dimensions), np.float32)
        )

    def embed_query(self, text: str) -> Vectors:
        return self._vector(text.lower().split())

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors]:
        return [np.stack([self._vector([word]) for word in text.lower().split() or [""]]) for text in texts]

    def close(self) -> None:
        """Nothing to give back."""

    def _vector(self, words: Sequence[str]) -> Vectors:
        vector = np.zeros(self._dimensions, np.float32)
        vector[0] = 0.2
        for word in words:
            concept = self._meanings.get(word.strip(".,!?#*\n"))
            if concept is not None:
                vector[self._axes[concept]] += 1.0
        return vector / np.float32(np.linalg.norm(vector))


class Notes:
    """Notes under one folder, indexed as they are written."""

    def __init__(self, place: Path, embedder: Embedder | None = None, config: Config | None = None) -> None:
        self.folder = place / "notes"
        self.settings = ContentSettings()
        self.stores = Stores.open(place / "index")
        self.meaning = Meaning(self.stores.catalog, place / "index" / "vectors", embedder) if embedder else None
        self.cache = QueryCache(embedder, 100, 60) if embedder else None
        self.config = config or Config()
        if self.meaning is not None:
            with self.stores.catalog.transaction() as db:
                set_active_model(db, self.meaning.model_id)

    def write(self, files: Mapping[str, str], *, embed: bool = True, overlay: bool = False, mtime: float = 1_000_000.0) -> None:
        with self.stores.catalog.transaction() as db:
            for name, text in files.items():
                path = self.folder / name
                if not overlay:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8", newline="")
                stat = FileStat(str(path), str(self.folder), size=len(text), mtime_ns=int(mtime * 1e9), overlay=overlay)
                store_document(db, stat, rows_of(registry.read_text(str(path), text, self.settings)))
        self.flush(embed=embed)

    def remove(self, name: str, *, overlay: bool = False) -> None:
        with self.stores.catalog.transaction() as db:
            sql = "SELECT id FROM documents WHERE path = ? AND overlay = ?"
            (known,) = db.execute(sql, (str(self.folder / name), overlay)).fetchone()
            remove_document(db, known)
        self.flush()

    def fail(self, name: str) -> None:
        with self.stores.catalog.transaction() as db:
            set_state(db, FileStat(str(self.folder / name), str(self.folder)), "failed", "cannot be read")
        self.flush()

    def flush(self, *, embed: bool = True) -> None:
        Writer(self.stores.catalog, self.stores.words, self.settings).flush()
        while embed and self.meaning is not None and self.meaning.fill().entries:
            pass

    def retriever(self) -> Retriever:
        store = self.meaning.store if self.meaning else None
        return Retriever(self.stores.catalog, self.stores.words, store, self.cache, self.config)

    def phases(self, request: SearchRequest) -> list[SearchResult]:
        return list(self.retriever().search(request, today=TODAY))

    def search(self, query: str, **settings: object) -> tuple[Hit, ...]:
        request = replace(SearchRequest(query), **settings)
        return list(self.retriever().search(request, today=TODAY, phases=False))[-1].hits

    def names(self, query: str, **settings: object) -> list[str]:
        return [Path(hit.path).name for hit in self.search(query, **settings)]

    def at(self, name: str, hit: Hit) -> str:
        """What stands in the file at the hit's passage."""
        text = (self.folder / name).read_bytes().decode()
        starts = [0]
        for line in text.split("\n")[:-1]:
            starts.append(starts[-1] + len(line) + 1)
        first, last = hit.passage.start, hit.passage.end
        return text[starts[first.line] + first.column : starts[last.line] + last.column]

    def close(self) -> None:
        if self.meaning is not None:
            self.meaning.close()
        self.stores.close()
