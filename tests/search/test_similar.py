"""More like this."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from khojd.errors import NotFound, QueryError
from khojd.search.similar import salient_words, similar
from khojd.search.types import SimilarRequest
from tests.search.notes import Concepts, Notes

MEANINGS = {**dict.fromkeys(("cat", "kitten", "feline"), "cat"), **dict.fromkeys(("car", "engine"), "car")}
FILES = {
    "cats.md": "# Sleep\nThe cat sleeps.\n\n# Play\nThe engine roars.\n",
    "kitten.md": "# Kitten\nA kitten plays.\n",
    "copy.md": "# Sleep\nThe cat sleeps.\n",
    "car.md": "# Car\nThe car drives.\n",
}


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    made = Notes(tmp_path, Concepts(MEANINGS))
    made.write(FILES)
    yield made
    made.close()


def found(notes: Notes, request: SimilarRequest) -> list[tuple[str, str]]:
    hits = similar(notes.retriever(), request).hits
    return [(Path(hit.path).name, hit.headings[-1] if hit.headings else "") for hit in hits]


def test_a_place_in_a_note_finds_the_like_of_it_and_not_itself(notes: Notes) -> None:
    hits = found(notes, SimilarRequest(path=str(notes.folder / "cats.md"), start_line=1))
    assert ("cats.md", "Sleep") not in hits
    assert hits[0] == ("copy.md", "Sleep")
    assert hits[1][0] == "kitten.md"


def test_a_range_leaves_out_every_entry_it_touches(notes: Notes) -> None:
    hits = found(notes, SimilarRequest(path=str(notes.folder / "cats.md"), start_line=0, end_line=4))
    assert "cats.md" not in {name for name, _ in hits}
    assert {name for name, _ in hits} == {"copy.md", "kitten.md", "car.md"}


def test_a_whole_file_is_meant_without_a_line(notes: Notes) -> None:
    assert "cats.md" not in {name for name, _ in found(notes, SimilarRequest(path=str(notes.folder / "cats.md")))}


def test_a_text_of_ones_own_may_be_in_a_note(notes: Notes) -> None:
    assert {name for name, _ in found(notes, SimilarRequest(text="The cat sleeps.", limit=2))} == {"cats.md", "copy.md"}


def test_by_words_alone_where_there_is_no_model(tmp_path: Path) -> None:
    plain = Notes(tmp_path)
    plain.write(FILES)
    result = similar(plain.retriever(), SimilarRequest(text="the cat sleeps"))
    assert {Path(hit.path).name for hit in result.hits} == {"cats.md", "copy.md"}
    assert "words alone" in result.notes[0]
    plain.close()


def test_what_cannot_be_compared_is_an_error(notes: Notes) -> None:
    with pytest.raises(QueryError, match="give a text"):
        similar(notes.retriever(), SimilarRequest())
    with pytest.raises(NotFound, match="nowhere"):
        similar(notes.retriever(), SimilarRequest(path="/nowhere.md", start_line=3))
    with pytest.raises(QueryError, match="before it starts"):
        similar(notes.retriever(), SimilarRequest(path=str(notes.folder / "cats.md"), start_line=3, end_line=1))


def test_rare_words_are_the_salient_ones(notes: Notes) -> None:
    words = salient_words(notes.stores.words, "The kitten and the kitten and the car of the zebra", count=2)
    assert words.split()[0] == "kitten"
    assert "zebra" not in words
    assert "the" not in words.lower().split()
