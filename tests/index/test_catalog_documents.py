"""Storing, renaming, hiding and removing documents."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khojd.content.model import DateRef, Segment
from khojd.index import catalog_documents as documents
from khojd.index import catalog_hits, catalog_queue
from khojd.index.catalog import Catalog
from khojd.index.catalog_folders import known_under
from khojd.index.catalog_status import file_rows, statistics
from khojd.index.rows import Change
from tests.index.makers import document, file

parts = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["one", "two", "three"])), max_size=8)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog.open(tmp_path / "index")
    yield catalog
    catalog.close()


def store(catalog: Catalog, *contents: tuple[str, str], path: str = "/notes/a.org", overlay: bool = False) -> Change:
    with catalog.transaction() as db:
        return documents.store_document(db, file(path, overlay=overlay), document(*contents))


def entries(catalog: Catalog) -> list[tuple[int, bytes, str, int, int]]:
    return (
        catalog.reader().execute("SELECT id, key, text, start, start_line FROM entries ORDER BY document_id, position").fetchall()
    )


@given(before=parts, after=parts)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_unchanged_entries_keep_their_ids_and_the_rest_is_replaced(
    catalog: Catalog, before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    store(catalog, *before)
    old = {entry_id: key for entry_id, key, *_ in entries(catalog)}
    with catalog.transaction() as db:
        catalog_queue.mark_words(db, old)
        catalog_queue.clear_tombstones(db, catalog_queue.tombstones(db))
    change = store(catalog, *after)
    now = entries(catalog)
    assert [text for _, _, text, *_ in now] == [f"{body}\n" for _, body in after]
    assert {entry_id for entry_id, *_ in now} == {*change.kept, *change.added}
    assert set(change.kept) == {entry_id for entry_id, key, *_ in now if old.get(entry_id) == key}
    # As many of each key are kept as both versions have: nothing unchanged is embedded again.
    both = Counter(old.values()) & Counter(key for _, key, *_ in now)
    assert len(change.kept) == both.total()
    assert set(change.removed) == set(old) - set(change.kept) == set(catalog_queue.tombstones(catalog.reader()))
    assert {row.entry_id for row in catalog_queue.words_pending(catalog.reader(), 100)} == set(change.added)
    assert not set(change.added) & set(old)
    offset = 0
    for (heading, body), (_, _, _, start, line) in zip(after, now, strict=True):
        assert (start, line % 2) == (offset, 0)
        offset += len(heading) + len(body) + 2
    assert catalog.integrity() == []


def test_lines_inserted_above_move_an_entry_without_making_it_new(catalog: Catalog) -> None:
    store(catalog, ("A", "one"), ("B", "two"))
    change = store(catalog, ("New", "first"), ("A", "one"), ("B", "two"))
    assert len(change.added) == 1
    row = catalog_hits.hit_rows(catalog.reader(), change.kept)[change.kept[1]]
    assert (row.start_line, row.end_line, row.segments) == (4, 6, (Segment(18, 22, 5),))


def test_a_rename_keeps_entries_and_vectors_and_writes_words_again(catalog: Catalog) -> None:
    change = store(catalog, ("A", "one"))
    with catalog.transaction() as db:
        catalog_queue.mark_words(db, change.added)
        catalog_queue.mark_embedded(db, 1, change.added)
        store_at_target = documents.store_document(db, file("/notes/new.org"), document(("Old", "text")))
        renamed = documents.rename_document(db, change.document_id, "/notes/new.org", "/notes")
    assert renamed.kept == change.added
    assert renamed.removed == store_at_target.added
    assert list(known_under(catalog.reader(), "/notes")) == ["/notes/new.org"]
    (waiting,) = catalog_queue.words_pending(catalog.reader(), 10)
    assert (waiting.entry_id, waiting.name) == (change.added[0], "new.org")
    assert catalog_queue.vectors_pending(catalog.reader(), 1, 10) == []


def test_two_files_with_the_same_text_are_two_documents(catalog: Catalog) -> None:
    first, second = store(catalog, ("A", "one")), store(catalog, ("A", "one"), path="/notes/b.org")
    rows = catalog_hits.hit_rows(catalog.reader(), [*first.added, *second.added])
    assert sorted(row.path for row in rows.values()) == ["/notes/a.org", "/notes/b.org"]


@pytest.mark.parametrize("state", ["failed", "skipped"])
def test_a_file_that_cannot_be_read_any_more_is_withdrawn_and_returns(catalog: Catalog, state: str) -> None:
    change = store(catalog, ("A", "one"))
    with catalog.transaction() as db:
        gone = documents.set_state(db, file(), state, "not readable")  # type: ignore[arg-type]
    assert gone.removed == change.added == tuple(catalog_queue.tombstones(catalog.reader()))
    (row,) = file_rows(catalog.reader())
    assert (row.state, row.reason, row.entries) == (state, "not readable", 0)
    assert catalog.integrity() == []
    again = store(catalog, ("A", "one"))
    (row,) = file_rows(catalog.reader())
    assert (row.state, row.reason, row.entries) == ("indexed", "", 1)
    assert not set(again.added) & set(change.added)  # ids are never used twice: the words index may still have the old ones


def test_a_pending_file_still_answers(catalog: Catalog) -> None:
    change = store(catalog, ("A", "one"))
    with catalog.transaction() as db:
        documents.set_state(db, file(), "pending", "changed")
    assert set(catalog_hits.hit_rows(catalog.reader(), change.added)) == set(change.added)


def test_a_buffer_stands_in_for_its_file_until_it_is_closed(catalog: Catalog) -> None:
    on_disk = store(catalog, ("A", "one"))
    buffer = store(catalog, ("A", "typed"), overlay=True)
    both = [*on_disk.added, *buffer.added]
    assert [row.unsaved for row in catalog_hits.hit_rows(catalog.reader(), both).values()] == [True]
    saved = store(catalog, ("A", "one"), ("B", "two"))  # the file changes while the buffer is open
    both += saved.added
    assert set(catalog_hits.hit_rows(catalog.reader(), both)) == set(buffer.added)
    with catalog.transaction() as db:
        documents.remove_document(db, buffer.document_id)
    assert set(catalog_hits.hit_rows(catalog.reader(), both)) == {*saved.kept, *saved.added}
    assert catalog.integrity() == []


def test_buffers_of_editors_that_are_gone_are_cleared(catalog: Catalog) -> None:
    on_disk = store(catalog, ("A", "one"))
    store(catalog, ("A", "typed"), overlay=True)
    store(catalog, ("N", "never saved"), path="/notes/new.org", overlay=True)
    with catalog.transaction() as db:
        assert documents.clear_overlays(db) == 2
    assert statistics(catalog.reader()).buffers == 0
    assert set(catalog_hits.hit_rows(catalog.reader(), range(100))) == set(on_disk.added)


def test_a_removed_file_leaves_nothing_but_tombstones(catalog: Catalog) -> None:
    change = store(catalog, ("A", "one"), ("B", "two"))
    with catalog.transaction() as db:
        documents.remove_document(db, change.document_id)
    assert tuple(catalog_queue.tombstones(catalog.reader())) == change.added
    for table in ("documents", "entries", "sections", "section_values", "section_dates"):
        assert catalog.reader().execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_lists_are_ordered_by_plans_before_file_dates_before_dates_in_text(catalog: Catalog) -> None:
    text, name, plan, later = (
        DateRef("text", 10, 11),
        DateRef("filename", 20, 21),
        DateRef("scheduled", 30, 31),
        DateRef("deadline", 40, 41),
    )
    for dates, day in (((text, name, plan, later), 30), ((text, name), 20), ((text,), 10), ((), None)):
        with catalog.transaction() as db:
            documents.store_document(db, file(), document(("A", "one"), dates=dates))
        assert catalog.reader().execute("SELECT day FROM entries").fetchall() == [(day,)]


def test_a_hit_has_what_its_section_says(catalog: Catalog) -> None:
    made = document(("Plan", "one"), title="T", tags=("Work", "home"), todo="NEXT", properties=(("Owner", "Éva"), ("Owner", "Éva")))
    with catalog.transaction() as db:
        change = documents.store_document(db, file("/notes/sub/a.org"), made)
    row = catalog_hits.hit_rows(catalog.reader(), change.added)[change.added[0]]
    (section,) = row.sections
    assert (row.title, row.headings, section.todo, section.tags, row.text) == ("T", ("Plan",), "NEXT", ("Work", "home"), "one\n")
    (words,) = catalog_queue.words_pending(catalog.reader(), 10)
    assert (words.name, set(words.tags)) == ("sub/a.org", {"Work", "home"})
    values = catalog.reader().execute("SELECT folded_key, folded FROM section_values WHERE kind = 'prop'").fetchall()
    assert values == [("owner", "éva")] * 2


def test_entries_are_found_by_their_lines(catalog: Catalog) -> None:
    change = store(catalog, ("A", "one"), ("B", "two"))
    assert catalog_hits.entries_at(catalog.reader(), "/notes/a.org", 3, 3) == [change.added[1]]
