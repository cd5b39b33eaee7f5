"""Forward migrations."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from khojd.errors import IndexTooNew
from khojd.index import catalog_documents as documents
from khojd.index import catalog_vectors as vectors
from khojd.index import migrate
from khojd.index.catalog import Catalog
from tests.index.makers import document, file


def _rename_titles(db: sqlite3.Connection) -> None:
    db.execute("UPDATE documents SET title = upper(title)")


NOW = max(migrate.MIGRATIONS)
CHAIN: dict[int, migrate.Step] = {
    **migrate.MIGRATIONS,
    NOW + 1: (
        "ALTER TABLE documents ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm; quiet';\n-- a remark;\nCREATE TABLE extra (id INTEGER);"
    ),
    NOW + 2: _rename_titles,
}


def test_an_empty_file_gets_the_newest_schema(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    assert migrate.version(catalog.reader()) == max(migrate.MIGRATIONS)
    catalog.close()


def test_an_old_index_is_brought_forward_with_its_rows(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "one"), title="note"))
    catalog.close()
    catalog = Catalog.open(tmp_path, steps=CHAIN)
    assert migrate.version(catalog.reader()) == NOW + 2
    assert catalog.reader().execute("SELECT title, mood FROM documents").fetchall() == [("NOTE", "calm; quiet")]
    catalog.close()
    with pytest.raises(IndexTooNew):
        Catalog.open(tmp_path)


def test_an_index_without_links_gets_the_tables_for_them(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path, steps={1: migrate.MIGRATIONS[1]})
    with catalog.transaction() as db:
        db.execute("INSERT INTO documents (path, folder, state, state_at) VALUES ('/notes/a.md', '/notes', 'indexed', 0)")
    catalog.close()
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "one"), title="note"))
    assert catalog.reader().execute("SELECT key FROM note_names ORDER BY key").fetchall()
    assert catalog.reader().execute("SELECT count(*) FROM documents").fetchone() == (1 + (file().path != "/notes/a.md"),)
    catalog.close()


def test_an_index_with_vectors_keeps_them(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path, steps={step: migrate.MIGRATIONS[step] for step in range(1, 5)})
    vector = np.linspace(-1, 1, 8, dtype=np.float32)
    with catalog.transaction() as db:
        (entry,) = documents.store_document(db, file(), document(("A", "one"), title="note")).added
        model = vectors.model_id(db, "m", 8)
        vectors.set_active_model(db, model)
        vectors.store_vectors(db, model, [(b"1" * 16, vectors.blob(vector)), (b"2" * 16, vectors.blob(-vector))])
        vectors.mark_stored(db, [b"1" * 16])
        vectors.store_chunks(db, model, entry, [(0, 3, b"1" * 16), (3, 6, b"2" * 16)])
    catalog.close()
    catalog = Catalog.open(tmp_path)
    rows, found = vectors.chunks_with_vectors(catalog.reader(), [entry])
    assert [(row.start, row.hash) for row in rows] == [(0, b"1" * 16), (3, b"2" * 16)]
    assert found == pytest.approx(np.array([vector, -vector]), abs=1e-3)
    assert vectors.count_to_store(catalog.reader(), model) == 1
    catalog.close()


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    broken = {**CHAIN, NOW + 2: "CREATE TABLE half (id INTEGER); CREATE TABLE half (id INTEGER);"}
    with pytest.raises(sqlite3.OperationalError):
        migrate.migrate(db, "a.db", broken)
    assert migrate.version(db) == NOW + 1
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)
    assert migrate.migrate(db, "a.db", CHAIN) == [NOW + 2]
    assert migrate.migrate(db, "a.db", CHAIN) == []
    db.close()
