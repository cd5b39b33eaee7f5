"""Queries in scripts that the model has not learnt."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from khojd.search.duplicates import near_duplicates
from khojd.search.similar import similar
from khojd.search.types import SearchRequest, SimilarRequest
from tests.search.notes import Concepts, Notes

# To this model whatever is Chinese, and the word it names "noise", is the same.
MEANINGS = {"修理自行车的刹车": "x", "noise": "x", "刹车": "x", "bicycle": "bike", "cycling": "bike"}
FILES = {
    "right.md": "自行车的刹车坏了要修理\n",
    "other.md": "自行车很好看\n",
    "noise.md": "noise noise noise\n",
    "english.md": "cycling in spring\n",
}


@pytest.fixture
def latin(tmp_path: Path) -> Iterator[Notes]:
    made = Notes(tmp_path, Concepts(MEANINGS, learnt=frozenset({"LATIN"})))
    made.write(FILES)
    yield made
    made.close()


def test_a_chinese_query_finds_the_note_with_its_words_first_although_the_model_says_otherwise(latin: Notes) -> None:
    assert latin.names("修理自行车的刹车", mode="semantic")[0] == "noise.md"
    assert latin.names("修理自行车的刹车")[:2] == ["right.md", "other.md"]
    hit = latin.search("修理自行车的刹车", explain=True)[0]
    assert hit.explanation is not None
    assert hit.explanation.semantic_weight == 0.0


def test_a_query_in_latin_letters_is_ranked_the_same_whatever_else_the_model_reads(latin: Notes, tmp_path: Path) -> None:
    every = Notes(tmp_path / "every", Concepts(MEANINGS))
    try:
        every.write(FILES)
        query = "cycling noise, café 7"
        assert latin.names(query) == every.names(query)
        ones, others = (made.search(query, explain=True, rerank=True) for made in (latin, every))
        assert [hit.explanation for hit in ones] == [hit.explanation for hit in others]
        assert [hit.score for hit in ones] == [hit.score for hit in others]
    finally:
        every.close()


def test_a_query_of_no_entrys_words_is_still_answered_by_meaning(latin: Notes) -> None:
    assert latin.names("刹车", mode="semantic")[0] == "noise.md"
    latin.remove("right.md")
    assert latin.names("刹车")[0] == "noise.md"


def test_the_embedding_models_tokens_do_not_rerank_what_they_cannot_tell(latin: Notes) -> None:
    plain = latin.names("修理自行车的刹车")
    *_, last = latin.phases(SearchRequest("修理自行车的刹车", rerank=True))
    assert [Path(hit.path).name for hit in last.hits] == plain
    assert any("has not learnt the script of the query" in note for note in last.notes)
    *_, last = latin.phases(SearchRequest("bicycle", rerank=True))
    assert last.notes == ()


def test_more_like_a_chinese_text_is_found_by_its_words(latin: Notes) -> None:
    request = SimilarRequest("刹车", limit=2)
    first, *_ = similar(latin.retriever(), request).hits
    assert Path(first.path).name == "right.md"
    assert similar(latin.retriever(), request).phase == "words"
    assert similar(latin.retriever(), SimilarRequest("cycling")).phase == "fused"


def test_two_russian_notes_are_near_duplicates_only_when_they_have_the_same_words(tmp_path: Path) -> None:
    rent = "Квартира сдаётся на длительный срок, без животных, оплата каждый месяц вперёд. " * 4
    soup = "Лук нарезать, обжарить в масле, добавить бульон и варить на слабом огне час. " * 4
    made = Notes(tmp_path, Concepts({}, learnt=frozenset({"LATIN"})))
    made.write({"rent.md": rent, "soup.md": soup, "copy.md": rent.replace("месяц", "год", 1)})
    try:
        found = near_duplicates(made.retriever(), str(made.folder / "rent.md"))
        assert [Path(path).name for path, _ in found] == ["copy.md"]
    finally:
        made.close()
