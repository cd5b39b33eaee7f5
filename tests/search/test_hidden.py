"""Notes that are hidden, with their folder or by a buffer, take no place from those that are not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from khojd.index import catalog_folders as folders
from khojd.search import candidates, scope
from khojd.search.retrieve import Retriever
from khojd.search.similar import similar
from khojd.search.types import SearchRequest, SimilarRequest
from tests.search.notes import TODAY, Concepts, Notes

MODES = ("hybrid", "lexical", "semantic")


@pytest.fixture(params=["looked up", "left out"])
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Notes]:
    """Few visible entries are looked up one by one; of many the hidden ones are left out."""
    if request.param == "left out":
        monkeypatch.setattr(scope, "FEW", 0)
        monkeypatch.setattr(candidates, "MOST_NEIGHBOURS", 200)
    made = Notes(tmp_path, Concepts({"cat": "cat", "kitten": "cat", "car": "car"}))
    yield made
    made.close()


def hide(notes: Notes, folder: str) -> None:
    with notes.stores.catalog.transaction() as db:
        db.execute("UPDATE documents SET folder = ? WHERE path LIKE ?", (folder, f"%/{folder}/%"))
        assert folders.hide_folder(db, folder, "the drive is not there")


def show(notes: Notes, folder: str) -> None:
    with notes.stores.catalog.transaction() as db:
        for (known,) in db.execute("SELECT id FROM documents WHERE folder = ?", (folder,)).fetchall():
            folders.show_file(db, known)


def named(notes: Notes, retriever: Retriever, query: str, mode: str, limit: int) -> set[str]:
    request = SearchRequest(query, mode=mode, limit=limit)  # type: ignore[arg-type]
    *_, last = retriever.search(request, today=TODAY, phases=False)
    return {Path(hit.path).relative_to(notes.folder).parts[0] for hit in last.hits} if len(last.hits) == limit else set()


def test_as_many_hits_as_asked_for_though_nearly_all_notes_are_hidden(notes: Notes) -> None:
    """The hidden ones match better, by words and by meaning."""
    notes.write({f"drive/{number}.txt": "cat cat cat" for number in range(500)})
    notes.write({f"here/{number}.txt": f"A cat, a car and much else in note {number}." for number in range(30)})
    retriever = notes.retriever()
    assert all(named(notes, retriever, "cat", mode, 30) == {"drive"} for mode in MODES)
    hide(notes, "drive")
    for mode in MODES:
        for limit in (1, 10, 30):
            assert named(notes, retriever, "cat", mode, limit) == {"here"}
    hits = similar(retriever, SimilarRequest(text="cat cat cat", limit=30)).hits
    assert len(hits) == 30


def test_notes_of_a_folder_that_is_back_are_found_without_the_model(notes: Notes) -> None:
    notes.write({f"drive/{number}.txt": f"cat {number}" for number in range(40)})
    notes.write({"here/a.txt": "A kitten sleeps.", "here/b.txt": "The car."})
    assert notes.meaning is not None
    embedded = notes.meaning.embedded
    retriever = notes.retriever()
    hide(notes, "drive")
    assert named(notes, retriever, "cat", "hybrid", 2) == {"here"}
    notes.write({"here/c.txt": "One more car."})
    assert named(notes, retriever, "car", "hybrid", 3) == {"here"}
    show(notes, "drive")
    assert all(named(notes, retriever, "cat", mode, 40) >= {"drive"} for mode in MODES)
    hide(notes, "drive")
    assert named(notes, retriever, "cat", "hybrid", 3) == {"here"}
    assert notes.meaning.embedded == embedded + 1


def test_nothing_is_found_where_all_is_hidden(notes: Notes) -> None:
    notes.write({f"drive/{number}.txt": "a cat" for number in range(20)})
    retriever = notes.retriever()
    hide(notes, "drive")
    for mode in MODES:
        request = SearchRequest("cat", mode=mode)  # type: ignore[arg-type]
        assert list(retriever.search(request, today=TODAY))[-1].hits == ()


def test_a_buffer_that_changes_places_with_another_hides_only_its_own_file(notes: Notes) -> None:
    notes.write({"a.txt": "The cat sat.", "b.txt": "The cat ran."})
    retriever = notes.retriever()

    def snippets() -> set[str]:
        return {hit.snippet for hit in list(retriever.search(SearchRequest("cat"), today=TODAY))[-1].hits}

    notes.write({"a.txt": "A car."}, overlay=True)
    assert snippets() == {"A car.", "The cat ran."}
    notes.write({"b.txt": "My car."}, overlay=True)
    notes.remove("a.txt", overlay=True)
    assert snippets() == {"The cat sat.", "My car."}
