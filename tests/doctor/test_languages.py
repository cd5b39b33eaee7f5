"""Whether the embedding model can read the notes."""

from pathlib import Path

from khojd.config import Embedding
from khojd.doctor import languages
from khojd.doctor.check import Check
from khojd.embed.factory import OFF
from khojd.index.catalog_status import sample
from tests.search.notes import Notes

ENGLISH = "The bicycle's brake cable needs to be replaced, café or not.\n"
RUSSIAN = "Тормозной трос велосипеда пора заменить на новый.\n"


def examined(place: Path, files: dict[str, str], model: str = "bundled") -> Check | None:
    made = Notes(place)
    try:
        made.write(files)
        return languages.examine(made.stores.catalog.reader(), Embedding(model=model))
    finally:
        made.close()


def test_notes_that_the_model_cannot_read_are_told_with_the_setting_that_helps(tmp_path: Path) -> None:
    found = examined(tmp_path, {"a.md": ENGLISH, "b.md": RUSSIAN, "c.md": RUSSIAN})
    assert found is not None
    assert found.state == "warn"
    assert found.message.startswith("62% of the notes' text")
    assert 'embedding.model = "multilingual"' in found.fix


def test_nothing_is_said_of_notes_that_the_model_reads_or_where_meaning_is_off(tmp_path: Path) -> None:
    assert examined(tmp_path / "english", {"a.md": ENGLISH}) is None
    assert examined(tmp_path / "few", {"a.md": ENGLISH * 20, "b.md": RUSSIAN}) is None
    assert examined(tmp_path / "none", {}) is None
    assert examined(tmp_path / "off", {"b.md": RUSSIAN}, OFF) is None
    assert examined(tmp_path / "unknown", {"b.md": RUSSIAN}, "unheard-of") is None


def test_a_sample_comes_from_all_over_the_catalog(tmp_path: Path) -> None:
    made = Notes(tmp_path)
    try:
        made.write({f"{number:02}.md": f"note {number:02}\n" for number in range(40)})
        db = made.stores.catalog.reader()
        few = sample(db, 10, 7)
        assert 5 <= len(few) <= 10
        assert {text[5:6] for text in few} == {"0", "1", "2", "3"}
        assert len(sample(db, 100, 1000)) == 40
    finally:
        made.close()
