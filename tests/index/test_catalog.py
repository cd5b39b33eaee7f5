"""The catalog file: opening, transactions, errors, integrity."""

import sqlite3
import threading
from pathlib import Path

import pytest

from khojd.errors import IndexCorrupt, IndexTooNew, StorageFull, StoreError
from khojd.index import catalog as catalog_module
from khojd.index import catalog_documents as documents
from khojd.index.catalog import FILE, Catalog
from khojd.index.catalog_folders import known_under
from tests.index.makers import copy_of, document, file


def test_the_index_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path / "index")
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "one")))
    assert (tmp_path / "index").stat().st_mode & 0o777 == 0o700
    assert {item.stat().st_mode & 0o777 for item in (tmp_path / "index").iterdir()} == {0o600}
    catalog.close()


def test_what_was_committed_is_there_after_reopening_and_what_failed_is_not(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "one")))
    with pytest.raises(RuntimeError), catalog.transaction() as db:
        documents.store_document(db, file("/notes/b.org"), document(("B", "two")))
        raise RuntimeError
    catalog.close()
    catalog = Catalog.open(tmp_path)
    assert list(known_under(catalog.reader(), "/notes")) == ["/notes/a.org"]
    assert catalog.integrity() == []
    catalog.close()


def test_the_room_and_the_text_of_removed_notes_are_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "MUCH_ROOM", 100_000)
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        kept = documents.store_document(db, file(), document(("A", "one")))
        large = documents.store_document(db, file("/notes/b.org"), document(("B", "a very private thought " * 20_000)))
    catalog.close()
    assert (tmp_path / FILE).stat().st_size > 400_000
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        documents.remove_document(db, large.document_id)
    catalog.close()
    assert (tmp_path / FILE).stat().st_size < 400_000
    assert not [item.name for item in tmp_path.iterdir() if b"private thought" in item.read_bytes()]
    catalog = Catalog.open(tmp_path)
    assert catalog.integrity() == []
    with catalog.transaction() as db:
        again = documents.store_document(db, file("/notes/c.org"), document(("C", "two")))
    assert not set(again.added) & {
        *kept.added,
        *large.added,
    }  # ids are never used twice
    catalog.close()


def test_a_reader_sees_only_committed_rows_and_cannot_write(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "one")))
        assert known_under(catalog.reader(), "/notes") == {}
    assert len(known_under(catalog.reader(), "/notes")) == 1
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        catalog.reader().execute("DELETE FROM documents")
    catalog.close()


def test_threads_read_through_connections_of_their_own_and_write_one_after_the_other(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    mine, others = catalog.reader(), []

    def work(number: int) -> None:
        for step in range(5):
            with catalog.transaction() as db:
                documents.store_document(db, file(f"/notes/{number}-{step}.org"), document(("A", "one")))
        others.append(catalog.reader())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(known_under(mine, "/notes")) == 20
    assert all(other is not mine for other in others)
    catalog.close()


@pytest.mark.parametrize("damage", ["garbage", "half"])
def test_a_damaged_catalog_is_said_to_be_corrupt(tmp_path: Path, damage: str) -> None:
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        for number in range(200):
            documents.store_document(db, file(f"/notes/{number}.org"), document(("A", "one " * 200)))
    catalog.close()
    path = tmp_path / FILE
    data = path.read_bytes()
    path.write_bytes(b"no database at all" * 1000 if damage == "garbage" else data[:4096] + b"\xff" * (len(data) - 4096))
    with pytest.raises(IndexCorrupt) as caught:
        Catalog.open(tmp_path).close()
    assert caught.value.data["path"] == str(path)


def test_damage_in_the_middle_is_found_by_the_integrity_check(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        for number in range(200):
            documents.store_document(db, file(f"/notes/{number}.org"), document(("A", "one " * 200)))
    catalog.close()
    data = bytearray((tmp_path / FILE).read_bytes())
    data[-40_000:-20_000] = b"\xff" * 20_000
    (tmp_path / FILE).write_bytes(data)
    catalog = Catalog.open(tmp_path)
    assert catalog.integrity() != []
    catalog.close()


def test_a_full_disk_is_said_and_the_old_index_still_answers(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "one")))
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StorageFull, match=FILE), catalog.transaction() as db:
        documents.store_document(db, file("/notes/b.org"), document(("B", "two " * 100_000)))
    assert list(known_under(catalog.reader(), "/notes")) == ["/notes/a.org"]
    assert catalog.integrity() == []
    catalog.close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageFull, match="taken"):
        Catalog.open(tmp_path / "taken" / "index")


def test_a_read_only_index_answers_and_refuses_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "one")))
    catalog.close()
    monkeypatch.setattr("os.access", lambda *_: False)  # tests may run as root, whom no file mode stops
    catalog = Catalog.open(tmp_path)
    assert catalog.read_only
    assert len(known_under(catalog.reader(), "/notes")) == 1
    with pytest.raises(StorageFull, match="read-only"), catalog.transaction():
        pass
    catalog.close()
    with pytest.raises(StorageFull, match="no index yet"):
        Catalog.open(tmp_path / "other")


def test_an_index_of_a_newer_khojd_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        db.execute("PRAGMA user_version = 99")
    catalog.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(IndexTooNew, match="version 99"):
        Catalog.open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_copy_taken_while_writing_opens_at_the_last_commit(tmp_path: Path) -> None:
    """The state after `kill -9`: database and log as they were on disk at that moment."""
    catalog = Catalog.open(tmp_path / "index")
    for number in range(5):
        with catalog.transaction() as db:
            documents.store_document(db, file(f"/notes/{number}.org"), document(("A", "one")))
            copy_of(tmp_path / "index", tmp_path / f"copy{number}")
    catalog.close()
    for number in range(5):
        copy = Catalog.open(tmp_path / f"copy{number}")
        assert len(known_under(copy.reader(), "/notes")) == number
        assert copy.integrity() == []
        copy.close()


def test_dangling_rows_are_named_by_the_integrity_check(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "one")))
        db.execute("UPDATE documents SET visible = 0")
        db.execute("INSERT INTO words_tombstones SELECT id FROM entries")
    found = "\n".join(catalog.integrity())
    assert "hidden without their folder" in found
    assert "waiting for removal" in found
    catalog.close()


def test_a_catalog_that_another_program_holds_is_neither_full_nor_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "BUSY_SECONDS", 0.01)
    catalog = Catalog.open(tmp_path)
    holder = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"another program holds the catalog .*; close it and try again"), catalog.transaction():
        pass
    holder.close()
    catalog.close()
    holder = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="another program holds"):
        Catalog.examine(tmp_path)
    holder.close()


def test_a_look_that_is_cut_off_is_no_damage(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    catalog.reader().set_progress_handler(lambda: 1, 1)  # as an interruption
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        catalog.integrity()
    catalog.close()


def test_a_look_beside_its_daemon_sees_what_that_one_writes(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    beside = Catalog.examine(tmp_path)
    with catalog.transaction() as db:
        documents.store_document(db, file(), document(("A", "one")))
    assert list(known_under(beside.reader(), "/notes")) == ["/notes/a.org"]
    with pytest.raises(StorageFull), beside.transaction():
        pass
    beside.close()
    catalog.close()
