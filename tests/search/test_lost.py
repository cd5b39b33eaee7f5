"""Vectors that the vector store has but does not find, as its graph does where many are nearly equal."""

from pathlib import Path

import pytest

from khojd.embed.protocol import Vectors
from khojd.index.vectors import Neighbours
from khojd.search import candidates
from khojd.search.retrieve import Retriever
from khojd.search.types import SearchRequest
from tests.search.notes import TODAY, Concepts, Notes


class Losing:
    """A store that finds no more than three of its vectors."""

    def __init__(self, store: Neighbours) -> None:
        self._store = store

    def query(self, vector: Vectors, limit: int) -> list[tuple[bytes, float]]:
        return self._store.query(vector, limit)[:3]

    def count(self) -> int:
        return self._store.count()


@pytest.mark.parametrize("most", [20_000, 0])
def test_as_many_hits_are_found_as_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(candidates, "MOST_EXACT", most)
    notes = Notes(tmp_path, Concepts({"cat": "cat", "car": "car"}))
    try:
        notes.write({f"{number}.md": f"# Note {number}\n\ncat {'cat ' * number} car\n" for number in range(30)})
        assert notes.meaning is not None
        assert notes.meaning.store is not None
        retriever = Retriever(notes.stores.catalog, notes.stores.words, Losing(notes.meaning.store), notes.cache, notes.config)
        request = SearchRequest("cat", mode="semantic", limit=20)
        found = list(retriever.search(request, today=TODAY, phases=False))[-1]
        assert len({hit.path for hit in found.hits}) == 20
    finally:
        notes.close()
