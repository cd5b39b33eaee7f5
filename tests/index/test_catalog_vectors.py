"""Chunks, vectors and models in the catalog."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from khojd.index import catalog_documents as documents
from khojd.index import catalog_queue, catalog_vectors
from khojd.index.catalog import Catalog
from khojd.index.catalog_status import count_vectors, statistics
from tests.index.makers import document, file


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog.open(tmp_path / "index")
    yield catalog
    catalog.close()


def embed(catalog: Catalog, model: int, entry: int, *hashes: bytes) -> None:
    with catalog.transaction() as db:
        unit = np.array([1, 0, 0, 0], np.float32)
        catalog_vectors.store_vectors(db, model, [(hash_, catalog_vectors.blob(unit)) for hash_ in hashes])
        catalog_vectors.store_chunks(db, model, entry, [(0, 1, hash_) for hash_ in hashes])
        catalog_queue.mark_embedded(db, model, [entry])


def test_entries_wait_newest_first_until_they_are_embedded_with_the_model(catalog: Catalog) -> None:
    with catalog.transaction() as db:
        first, second = documents.store_document(db, file(), document(("A", "one"), ("B", "two"))).added
        old = catalog_vectors.model_id(db, "old", 4)
        new = catalog_vectors.model_id(db, "new", 4)
        assert catalog_vectors.model_id(db, "old", 4) == old
    reader = catalog.reader()
    assert [entry.id for entry in catalog_queue.vectors_pending(reader, old, 10)] == [second, first]
    embed(catalog, old, first, b"1" * 16)
    assert [entry.id for entry in catalog_queue.vectors_pending(reader, old, 10)] == [second]
    # For another model all of them wait, those without any vector first.
    assert [entry.id for entry in catalog_queue.vectors_pending(reader, new, 10)] == [second, first]
    assert statistics(reader, new).pending_vectors == 2


def test_old_vectors_answer_until_the_new_model_is_made_active(catalog: Catalog) -> None:
    with catalog.transaction() as db:
        (entry,) = documents.store_document(db, file(), document(("A", "one"))).added
        old, new = catalog_vectors.model_id(db, "old", 4), catalog_vectors.model_id(db, "new", 4)
        catalog_vectors.set_active_model(db, old)
    embed(catalog, old, entry, b"1" * 16)
    embed(catalog, new, entry, b"2" * 16)
    reader = catalog.reader()
    assert [row.hash for row in catalog_vectors.chunks_for_entries(reader, [entry])] == [b"1" * 16]
    with catalog.transaction() as db:
        catalog_vectors.set_active_model(db, new)
        catalog_vectors.drop_model(db, old)
    assert [row.hash for row in catalog_vectors.chunks_for_entries(reader, [entry])] == [b"2" * 16]
    assert catalog_vectors.models(reader) == {new: "new"}
    assert statistics(reader).pending_vectors == 0
    assert catalog.integrity() == []


def test_the_same_text_twice_is_one_vector_and_an_orphan_only_when_both_are_gone(catalog: Catalog) -> None:
    with catalog.transaction() as db:
        model = catalog_vectors.model_id(db, "m", 4)
        catalog_vectors.set_active_model(db, model)
        one = documents.store_document(db, file(), document(("A", "one")))
        two = documents.store_document(db, file("/notes/b.org"), document(("A", "one")))
    assert catalog_vectors.missing_vectors(catalog.reader(), [b"1" * 16, b"1" * 16]) == [b"1" * 16]
    for change in (one, two):
        embed(catalog, model, change.added[0], b"1" * 16)
    reader = catalog.reader()
    assert catalog_vectors.missing_vectors(reader, [b"1" * 16, b"2" * 16]) == [b"2" * 16]
    assert {row.entry_id for row in catalog_vectors.chunks_with_hashes(reader, [b"1" * 16])} == {*one.added, *two.added}
    with catalog.transaction() as db:
        documents.remove_document(db, one.document_id)
    assert catalog_vectors.orphan_vectors(reader, 10) == []
    with catalog.transaction() as db:
        documents.remove_document(db, two.document_id)
    assert catalog_vectors.orphan_vectors(reader, 10) == [b"1" * 16]
    with catalog.transaction() as db:
        catalog_vectors.delete_vectors(db, [b"1" * 16])
    assert count_vectors(reader) == 0


def test_an_entry_that_went_away_while_it_was_embedded_gets_no_chunks(catalog: Catalog) -> None:
    with catalog.transaction() as db:
        model = catalog_vectors.model_id(db, "m", 4)
    embed(catalog, model, 12345, b"1" * 16)
    assert catalog.reader().execute("SELECT count(*) FROM chunks").fetchone() == (0,)


def test_vectors_come_back_as_they_were(catalog: Catalog) -> None:
    vectors = np.random.default_rng(1).normal(size=(700, 8)).astype(np.float16).astype(np.float32)
    hashes = [number.to_bytes(16, "big") for number in range(700)]
    with catalog.transaction() as db:
        model = catalog_vectors.model_id(db, "m", 8)
        catalog_vectors.store_vectors(db, model, zip(hashes, map(catalog_vectors.blob, vectors), strict=True))
    found, read = catalog_vectors.vectors_for(catalog.reader(), [*hashes, b"?" * 16])
    order = np.argsort([int.from_bytes(hash_, "big") for hash_ in found])
    assert np.array_equal(read[order], vectors)


def test_what_chroma_lacks_waits_for_it(catalog: Catalog) -> None:
    with catalog.transaction() as db:
        model = catalog_vectors.model_id(db, "m", 4)
        catalog_vectors.store_vectors(db, model, [(b"1" * 16, b"\0" * 8), (b"2" * 16, b"\0" * 8)])
        catalog_vectors.mark_stored(db, [b"1" * 16])
    reader = catalog.reader()
    assert [hash_ for hash_, _ in catalog_vectors.vectors_to_store(reader, model, 10)] == [b"2" * 16]
    with catalog.transaction() as db:
        catalog_vectors.forget_stored_hashes(db, [b"1" * 16])
    assert len(catalog_vectors.vectors_to_store(reader, model, 10)) == 2
    assert catalog_vectors.vector_hashes(reader, model) == {b"1" * 16, b"2" * 16}
