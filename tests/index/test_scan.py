"""Search by meaning without the vector store."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from khojd.index import catalog_vectors as rows
from khojd.index import scan
from khojd.index.catalog import Catalog
from khojd.index.scan import Scan
from khojd.index.vectors import VectorStore


def unit(count: int, seed: int = 1) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).standard_normal((count, 16))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn.astype(np.float16).astype(np.float32)


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = Catalog.open(tmp_path)
    yield made
    made.close()


def filled(catalog: Catalog, vectors: NDArray[np.float32]) -> Scan:
    with catalog.transaction() as db:
        own, other = rows.model_id(db, "own", 16), rows.model_id(db, "other", 16)
        rows.store_vectors(db, own, [(key(number), rows.blob(vector)) for number, vector in enumerate(vectors)])
        rows.store_vectors(db, other, [(key(10_000), rows.blob(vectors[0]))])
    return Scan(catalog, own)


def test_it_finds_what_the_vector_store_finds(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "VECTORS_AT_ONCE", 7)
    vectors = unit(200)
    found = filled(catalog, vectors)
    store = VectorStore.open(tmp_path / "vectors", "own", 16)
    store.upsert([key(number) for number in range(200)], vectors)
    (query,) = unit(1, seed=2)
    for limit in (1, 10, 200):
        near = found.query(query, limit)
        assert dict(near) == pytest.approx(dict(store.query(query, limit)), abs=1e-3)
        assert [cosine for _, cosine in near] == pytest.approx(sorted(vectors @ query, reverse=True)[:limit], abs=1e-5)
    store.close()


def test_vectors_of_other_models_are_left_aside_and_there_may_be_fewer_than_asked_for(catalog: Catalog) -> None:
    found = filled(catalog, unit(5))
    assert found.count() == 5
    assert {digest for digest, _ in found.query(unit(1)[0], 50)} == {key(number) for number in range(5)}
    assert found.query(unit(1)[0], 0) == []


def test_a_catalog_without_vectors_finds_nothing(catalog: Catalog) -> None:
    assert Scan(catalog, 1).query(unit(1)[0], 10) == []
    assert Scan(catalog, 1).count() == 0
