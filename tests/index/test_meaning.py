"""Filling up with vectors, pass by pass."""

from pathlib import Path

import pytest

from khojd.errors import Cancelled
from khojd.index.catalog_vectors import vector_hashes
from khojd.index.meaning import CHARACTERS_AT_ONCE, Meaning
from tests.search.notes import Concepts, Notes


def book(sentences: int) -> str:
    return " ".join(f"Sentence {number} of a long book, and then it goes on for a while." for number in range(sentences))


class Interrupted:
    """Lets the model embed so many texts, then ends the pass."""

    def __init__(self, meaning: Meaning, texts: int) -> None:
        self._meaning = meaning
        self._texts = texts

    def __call__(self) -> None:
        if self._meaning.embedded >= self._texts:
            raise Cancelled("khojd is ending")


def test_a_pass_over_a_long_note_can_be_ended_and_what_is_embedded_by_then_is_not_embedded_again(tmp_path: Path) -> None:
    notes = Notes(tmp_path, Concepts({"book": "book"}))
    meaning = notes.meaning
    assert meaning is not None
    notes.write({"book.txt": book(5000)}, embed=False)
    with pytest.raises(Cancelled):
        meaning.fill(breathe=Interrupted(meaning, 0))
    assert meaning.embedded == 0
    with pytest.raises(Cancelled):
        meaning.fill(breathe=Interrupted(meaning, 640))
    assert meaning.embedded == 640
    made = meaning.fill()
    assert made.entries == 1
    chunks = len(vector_hashes(notes.stores.catalog.reader(), meaning.model_id))
    assert chunks > 1000
    assert made.embedded <= chunks - 512
    assert notes.names("book", mode="semantic") == ["book.txt"]
    assert notes.stores.catalog.integrity() == []
    notes.close()


def test_a_long_note_does_not_keep_others_waiting_for_the_end_of_its_pass(tmp_path: Path) -> None:
    notes = Notes(tmp_path, Concepts({"book": "book", "heron": "bird"}))
    meaning = notes.meaning
    assert meaning is not None
    notes.write({"book.txt": book(CHARACTERS_AT_ONCE // 60)}, embed=False)
    notes.write({f"{number}.md": f"A heron, {number}." for number in range(10)}, embed=False)
    assert meaning.fill().entries == 10
    assert meaning.fill().entries == 1
    assert meaning.fill().entries == 0
    notes.close()
