"""What a query's cosines are measured against."""

from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from khojd.index.catalog import Catalog
from khojd.index.catalog_vectors import blob, model_id, set_active_model
from khojd.search.background import SAMPLE, Background, Sample

BACKGROUNDS = st.builds(Background, st.floats(-0.1, 0.9), st.floats(0.001, 0.3))


@given(BACKGROUNDS, st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=30))
def test_surprise_grows_with_the_cosine_and_is_never_negative(background: Background, cosines: list[float]) -> None:
    surprises = [background.surprise(cosine) for cosine in sorted(cosines)]
    assert surprises == sorted(surprises)
    assert surprises[0] >= 0.0


def test_surprise_is_the_negative_logarithm_of_the_tail_of_the_normal_distribution() -> None:
    background = Background(0.1, 0.1)
    assert background.surprise(0.1) == pytest.approx(log(2))
    assert background.surprise(0.3) == pytest.approx(-log(0.0227501319))
    assert background.surprise(0.6) == pytest.approx(-log(2.866515719e-7))
    assert background.surprise(0.1 + 0.1 * 30.001) == pytest.approx(background.surprise(0.1 + 0.1 * 29.999), rel=1e-3)


def units(number: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(0.3, 1.0, (number, 16)).astype(np.float32)
    found: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


def embed(catalog: Catalog, vectors: NDArray[np.float32], fingerprint: str = "model") -> None:
    """As though one file with a chunk for each vector had been indexed."""
    with catalog.transaction() as db:
        model = model_id(db, fingerprint, vectors.shape[1])
        set_active_model(db, model)
        (known,) = db.execute("SELECT count(*) FROM documents").fetchone()
        db.execute(
            "INSERT INTO documents (path, folder, state, state_at) VALUES (?, '/notes', 'indexed', 0)", (f"/notes/{known}.txt",)
        )
        document = db.execute("SELECT max(id) FROM documents").fetchone()[0]
        for vector in vectors:
            entry = db.execute(
                """INSERT INTO entries (document_id, position, key, headings, start, end, start_line, start_column, end_line,
                end_column, segments, text) VALUES (?, 0, x'', '[]', 0, 0, 0, 0, 0, 0, x'90', '')""",
                (document,),
            ).lastrowid
            digest = np.random.default_rng(entry).bytes(16)
            db.execute("INSERT INTO vectors (hash, model_id, vector) VALUES (?, ?, ?)", (digest, model, blob(vector)))
            db.execute("INSERT INTO chunks (entry_id, model_id, start, end, hash) VALUES (?, ?, 0, 0, ?)", (entry, model, digest))


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog.open(tmp_path / "catalog.sqlite")


def test_the_background_of_a_query_is_that_of_its_cosines_with_all_chunks(catalog: Catalog) -> None:
    vectors, query = units(3 * SAMPLE, 1), units(1, 2)[0]
    embed(catalog, vectors)
    cosines = vectors @ query
    found = Sample().background(catalog.reader(), query)
    assert found.mean == pytest.approx(float(cosines.mean()), abs=0.1)
    assert found.deviation == pytest.approx(float(cosines.std()), rel=0.2)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_few_notes_have_a_background_like_that_of_many(catalog: Catalog, number: int) -> None:
    query = units(1, 2)[0]
    if number:
        embed(catalog, np.tile(query, (number, 1)))
    found = Sample().background(catalog.reader(), query)
    assert 0.1 <= found.mean < 0.2
    assert 0.05 < found.deviation < 0.15


def test_new_notes_and_another_model_are_noticed(catalog: Catalog) -> None:
    sample, query = Sample(), units(1, 2)[0]
    embed(catalog, units(200, 3))
    before = sample.background(catalog.reader(), query)
    embed(catalog, units(5, 4))
    assert sample.background(catalog.reader(), query) == before
    embed(catalog, np.tile(query, (200, 1)))
    assert sample.background(catalog.reader(), query).mean > before.mean + 0.2
    embed(catalog, units(200, 5)[:, :8], "another")
    assert sample.background(catalog.reader(), query[:8]).mean < before.mean + 0.2
