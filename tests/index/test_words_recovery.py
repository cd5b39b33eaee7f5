"""The catalog and the words index after a crash between any two steps of a change."""

from collections.abc import Callable
from pathlib import Path

import pytest

from khojd.index import catalog_documents as documents
from khojd.index import catalog_queue as queue
from khojd.index.catalog import Catalog
from khojd.index.words import Words
from tests.index.makers import copy_of, document, file

STEPS = ["before", "stored", "added", "committed", "marked"]


def change(catalog: Catalog, words: Words, root: Path, copies: Path | None) -> None:
    """Replace one entry of two; after each step a copy is what a crash leaves there."""

    def step(name: str) -> None:
        if copies is not None:
            copy_of(root, copies / name)

    step("before")
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "kept"), ("B", "fresh")))
    step("stored")
    flush(catalog, words, step)


def flush(catalog: Catalog, words: Words, say: Callable[[str], None] = lambda _: None) -> None:
    rows, dead = queue.words_pending(catalog.reader(), 100), queue.tombstones(catalog.reader())
    ids = [row.entry_id for row in rows]
    words.delete([*dead, *ids])
    words.add(rows)
    say("added")
    words.commit()
    say("committed")
    with catalog.transaction() as db:
        queue.mark_words(db, ids)
        queue.clear_tombstones(db, dead)
    say("marked")


@pytest.mark.parametrize("crash", STEPS)
def test_repeating_what_is_pending_ends_as_if_nothing_had_happened(tmp_path: Path, crash: str) -> None:
    root = tmp_path / "index"
    catalog, words = Catalog.open(root), Words.create(root / "words")
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "kept"), ("B", "stale")))
    flush(catalog, words)
    change(catalog, words, root, tmp_path)
    catalog.close()
    words.close()

    catalog, words = Catalog.open(tmp_path / crash), Words.open(tmp_path / crash / "words")
    flush(catalog, words)
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "kept"), ("B", "fresh")))
    flush(catalog, words)
    found = {text: len(words.ask(text).search(10)) for text in ("kept", "fresh", "stale")}
    assert found == {"kept": 1, "fresh": 1, "stale": 0}
    assert words.count() == 2
    assert queue.words_pending(catalog.reader(), 10) == []
    assert queue.tombstones(catalog.reader()) == []
    assert catalog.integrity() == []
    catalog.close()
    words.close()
