"""The made-up notes."""

from collections import Counter
from pathlib import Path

from khojd.content.model import ContentSettings
from khojd.content.registry import read_text
from tests.bench import notes
from tests.bench.prose import Prose


def test_the_same_seed_makes_the_same_notes_and_another_seed_others() -> None:
    assert Prose(1).note(3000) == Prose(1).note(3000)
    assert Prose(1).note(3000) != Prose(2).note(3000)


def test_queries_of_one_seed_use_the_common_words_of_another() -> None:
    common = {word for word, _ in Counter(Prose(1).words(20_000)).most_common(500)}
    asked = [word for _ in range(200) for word in Prose(2).query().split()]
    assert sum(word in common for word in asked) > len(asked) / 3


def test_a_few_words_make_up_much_of_the_text() -> None:
    counts = Counter(Prose(1).words(20_000))
    assert len(counts) > 3000
    assert sum(count for _, count in counts.most_common(100)) > 20_000 / 3


def test_a_note_has_about_the_size_asked_for() -> None:
    for size in (200, 1000, 20_000):
        assert size <= len(Prose(3).note(size)) < size + 800


def test_notes_for_an_index_have_the_number_of_entries_asked_for(tmp_path: Path) -> None:
    notes.entries(tmp_path, 100)
    files = list(tmp_path.rglob("*.md"))
    found = [read_text(str(path), path.read_text(encoding="utf-8"), ContentSettings()) for path in files]
    assert sum(len(document.entries) for document in found) == 100


def test_an_org_note_is_read_as_one() -> None:
    document = read_text("/notes/a.org", Prose(4).note(4000, org=True), ContentSettings())
    assert document.title
    assert len(document.entries) > 1
