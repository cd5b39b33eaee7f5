"""Search over small notes: what a person asks, and what they get."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from khojd.config import Config, Profile, Search
from khojd.errors import ModelError, QueryError
from khojd.search.types import SearchRequest
from tests.search.notes import TODAY, Concepts, Notes

MEANINGS = {
    **dict.fromkeys(("cat", "cats", "kitten", "feline"), "cat"),
    **dict.fromkeys(("car", "engine", "automobile"), "car"),
    **dict.fromkeys(("tea", "coffee", "drink"), "drink"),
}


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    made = Notes(tmp_path, Concepts(MEANINGS))
    yield made
    made.close()


@pytest.fixture
def words_only(tmp_path: Path) -> Iterator[Notes]:
    made = Notes(tmp_path)
    yield made
    made.close()


def many(count: int) -> dict[str, str]:
    return {f"n{number:03}.txt": f"Note {number} about a cat called Tom{number}." for number in range(count)}


def test_hybrid_search_finds_by_words_and_by_meaning(notes: Notes) -> None:
    notes.write(
        {"a.md": "# Pets\nThe kitten sleeps.\n", "b.md": "# Garage\nThe car needs oil.\n", "c.md": "# Kitchen\nTea at five.\n"}
    )
    assert notes.names("feline")[0] == "a.md"
    assert notes.names("oil")[0] == "b.md"


def test_a_word_is_found_and_shown_while_it_is_typed(words_only: Notes) -> None:
    words_only.write({"a.md": "# Home\nWe like gardening in spring.\n", "b.md": "# Work\nA plan.\n"})
    for typed in ("ga", "gard", "gardeni", "spring gardenin", "gardening"):
        (hit, *_) = words_only.search(typed)
        assert Path(hit.path).name == "a.md"
        assert "gardening" in [hit.snippet[start:end] for start, end in hit.highlights], typed


def test_as_many_hits_as_asked_for_where_there_are_as_many(notes: Notes) -> None:
    notes.write(many(230))
    for limit in (1, 10, 150, 200):
        hits = notes.search("cat", limit=limit)
        assert len(hits) == limit
        assert len({hit.path for hit in hits}) == limit
    assert len(notes.search("kitten", mode="semantic", limit=200)) == 200


def test_n_hits_come_through_a_filter_that_keeps_few(notes: Notes) -> None:
    notes.write(many(150) | {f"rare{number}.org": f"* Heading :zebra:\nNothing of note {number}.\n" for number in range(12)})
    for mode in ("hybrid", "semantic"):
        hits = notes.search("cat tag:zebra", limit=12, mode=mode)
        assert len(hits) == 12
        assert all("zebra" in hit.tags for hit in hits)


PLAN = (
    "* Flat :home:\nSpring.\n** DONE Walls :paint:\nRed.\n** TODO Heating :boiler:\nThe boiler rattles.\n** NEXT Windows\nWash.\n"
)


def test_a_hit_says_of_its_own_heading_what_tags_and_keyword_it_has(words_only: Notes) -> None:
    words_only.write({"plan.org": PLAN})
    (hit,) = words_only.search("rattles")
    assert (hit.headings, hit.todo, hit.tags) == (("Flat", "Heating"), "TODO", ("home", "boiler"))


@pytest.mark.parametrize(
    ("query", "heading", "line"),
    [
        ("todo:TODO", "Heating", 4),
        ("tag:paint", "Walls", 2),
        ("todo:NEXT,TODO -tag:x", "Heating", 4),
        ("tag:home todo:NEXT", "Windows", 6),
        ("type:org", "Flat", 1),
    ],
)
def test_a_list_shows_the_headings_that_the_filters_ask_for(words_only: Notes, query: str, heading: str, line: int) -> None:
    words_only.write({"plan.org": PLAN})
    (hit,) = words_only.search(query)
    assert (hit.headings[-1], hit.passage.start.line) == (heading, line)


def test_identical_texts_are_each_found_and_equal_hits_stand_in_the_order_of_their_paths(notes: Notes) -> None:
    notes.write({f"{name}.txt": "The cat sat on the mat.\n" for name in "dbca"})
    for mode in ("hybrid", "lexical", "semantic"):
        assert notes.names("cat", mode=mode) == ["a.txt", "b.txt", "c.txt", "d.txt"]


def test_an_entry_is_one_hit_unless_all_passages_are_asked_for(notes: Notes) -> None:
    filler = "Some other words stand here to make it long. " * 6
    text = f"The cat comes first. {filler}\n\nA second cat comes later. {filler}\n\nThen a car passes. {filler}\n"
    notes.write({"long.txt": text})
    assert len(notes.search("cat")) == 1
    hits = notes.search("cat", all_passages=True)
    assert len(hits) > 1
    assert len({(hit.passage.start.line, hit.passage.start.column) for hit in hits}) == len(hits)


def test_the_passage_is_the_chunk_that_is_meant(notes: Notes) -> None:
    filler = "Plain sentence without much to say. " * 10
    notes.write({"long.md": f"# Day\n{filler}\n\nLater the automobile broke down.\n\n{filler}\n"})
    (hit,) = notes.search("engine", mode="semantic")
    assert "automobile" in hit.snippet


def test_the_passage_points_at_its_text_in_the_file(notes: Notes) -> None:
    notes.write({"a.org": "#+TITLE: Pets\n* Cats\n:PROPERTIES:\n:ID: x\n:END:\nA 😺 is here.\nThe kitten sleeps in the basket.\n"})
    (hit,) = notes.search("basket")
    assert notes.at("a.org", hit) == hit.snippet
    assert [hit.snippet[a:b] for a, b in hit.highlights] == ["basket"]
    assert ":ID:" not in hit.snippet


def test_columns_are_counted_by_the_clients_measure(notes: Notes) -> None:
    notes.write({"a.txt": "😺😺 basket"})
    utf16 = notes.retriever().search(
        SearchRequest("basket"), today=TODAY, measure=lambda text: len(text.encode("utf-16-le")) // 2, phases=False
    )
    (hit,) = list(utf16)[-1].hits
    assert (hit.passage.start.column, hit.passage.end.column) == (0, 11)
    assert hit.range.end.column == 11


def test_a_hit_in_a_merged_child_has_the_childs_heading_path(notes: Notes) -> None:
    notes.write({"a.md": "# House\nIntro.\n\n## Kitchen\nThe kettle whistles.\n\n## Garage\nOnly the automobile.\n"})
    (hit,) = notes.search("kettle", limit=1)
    assert hit.headings == ("House", "Kitchen")


def test_phases_come_in_order_and_each_is_a_whole_answer(notes: Notes) -> None:
    notes.write(many(30))
    phases = notes.phases(SearchRequest("cat Tom3", rerank=True))
    assert [result.phase for result in phases] == ["words", "fused", "reranked"]
    assert [len(result.hits) for result in phases] == [10, 10, 10]
    assert [result.phase for result in notes.phases(SearchRequest("cat", mode="semantic"))] == ["fused"]
    assert [result.phase for result in notes.phases(SearchRequest("cat", mode="lexical"))] == ["words"]


def test_explanations_give_rank_and_score_of_each_ranker(notes: Notes) -> None:
    notes.write({"a.txt": "the cat", "b.txt": "a kitten", "c.txt": "only an engine"})
    first, *_, last = notes.search("cat", explain=True, rerank=True)
    assert first.explanation is not None
    assert last.explanation is not None
    assert (first.explanation.lexical_rank, first.explanation.semantic_rank) == (1, 1)
    assert first.explanation.rerank_score == pytest.approx(1.0, abs=0.01)
    assert last.explanation.lexical_rank is None
    assert last.explanation.semantic_rank == 3
    weight = last.explanation.semantic_weight
    assert weight is not None
    assert 0.0 < weight < 1.0
    assert 0.0 < (last.explanation.fused_score or 0.0) < (first.explanation.fused_score or 0.0) < 1.0
    assert first.explanation.coverage == pytest.approx(1.0)
    assert last.explanation.coverage is None
    assert notes.search("cat")[0].explanation is None


def test_of_two_as_near_the_one_with_more_of_the_querys_words_comes_first(notes: Notes) -> None:
    notes.write(
        {"often.txt": "apples apples apples apples apples", "both.txt": f"pears, then apples and {'so on ' * 60}"} | many(9)
    )
    both, often = notes.search("apples pears", limit=2, explain=True)
    assert (both.path[-8:], often.path[-9:]) == ("both.txt", "often.txt")
    assert both.explanation is not None
    assert often.explanation is not None
    assert (often.explanation.coverage or 0.0) < (both.explanation.coverage or 0.0) < 1.0


def test_text_that_waits_for_its_embedding_is_found_by_words_and_a_note_says_so(notes: Notes) -> None:
    notes.write({"old.txt": "The cat and the basket."})
    notes.write({"new.txt": "A basket of apples.", "other.txt": "Nothing here."}, embed=False)
    *_, last = notes.phases(SearchRequest("basket of apples"))
    assert last.hits[0].path.endswith("new.txt")
    assert any(note.startswith("2 entries still wait") for note in last.notes)


def test_without_a_model_hybrid_answers_by_words_and_semantic_says_what_to_do(words_only: Notes) -> None:
    words_only.write({"a.txt": "The cat sat."})
    (first, last) = words_only.phases(SearchRequest("cat"))
    assert (first.phase, last.phase) == ("words", "words")
    assert len(last.hits) == 1
    assert "words alone" in last.notes[0]
    with pytest.raises(ModelError, match=r"embedding\.model"):
        words_only.search("cat", mode="semantic")


def test_a_buffer_stands_in_for_its_file_until_it_is_closed(notes: Notes) -> None:
    notes.write({"a.txt": "The cat sat."})
    notes.write({"a.txt": "The car drove."}, overlay=True)
    assert [hit.unsaved for hit in notes.search("drove")] == [True]
    for mode in ("hybrid", "lexical", "semantic"):
        assert all("cat" not in hit.snippet for hit in notes.search("cat", mode=mode))
    notes.remove("a.txt", overlay=True)
    assert notes.search("cat")[0].snippet == "The cat sat."


def test_a_query_of_filters_lists_by_date_newest_first(notes: Notes) -> None:
    notes.write({"b.org": "* One :work:\n<2024-05-01 Wed>\n", "c.org": "* Two :work:\n<2025-01-01 Wed>\n"})
    notes.write({"old.org": "* Three :work:\nno date\n"}, mtime=1_000.0)
    notes.write({"young.org": "* Four :work:\nno date\n"}, mtime=2_000.0)
    assert notes.names("tag:work") == ["c.org", "b.org", "young.org", "old.org"]
    assert [hit.date for hit in notes.search("tag:work", limit=2)] == ["2025-01-01", "2024-05-01"]


@pytest.mark.parametrize("query", ["", "   ", "\n"])
def test_an_empty_query_is_an_error(notes: Notes, query: str) -> None:
    with pytest.raises(QueryError, match="empty"):
        notes.search(query)


@pytest.mark.parametrize("limit", [-1, 201])
def test_a_limit_out_of_range_is_an_error(notes: Notes, limit: int) -> None:
    with pytest.raises(QueryError, match="1 to 200"):
        notes.search("cat", limit=limit)


def test_an_unknown_profile_is_an_error_that_lists_the_known_ones(notes: Notes) -> None:
    with pytest.raises(QueryError, match="broad, default, precise, recent"):
        notes.search("cat", profile="recnet")


def test_the_recent_profile_prefers_the_younger_of_equals(notes: Notes) -> None:
    notes.write({"a.org": "* Cat\n<2019-05-01 Wed> The cat ate.\n", "b.org": "* Cat\n<2026-03-01 Sun> The cat ate.\n"})
    assert notes.names("cat ate", profile="recent") == ["b.org", "a.org"]


def test_a_profile_limits_hits_per_file_and_still_fills_the_list(notes: Notes) -> None:
    sections = "".join(f"* Cat {number}\n{'The cat walks about and sleeps. ' * 60}\n" for number in range(40))
    notes.write({"many.org": sections} | many(20))
    notes.config = replace(Config(), search=Search(profiles={"one": Profile(per_file=1, candidates=10)}))
    hits = notes.search("cat", profile="one", limit=15)
    assert len(hits) == len({hit.path for hit in hits}) == 15


def test_a_single_character_of_an_unspaced_script_is_highlighted(notes: Notes) -> None:
    notes.write({"zh.txt": "我喜歡貓和狗。"})
    (hit,) = notes.search("貓", mode="lexical")
    assert any("貓" in hit.snippet[a:b] for a, b in hit.highlights)


def test_an_empty_index_answers_with_nothing(notes: Notes) -> None:
    assert notes.search("cat") == ()
    assert notes.search("tag:none") == ()


def test_text_of_no_words_is_answered_by_meaning_alone(notes: Notes) -> None:
    notes.write({"a.txt": "The cat sat."})
    assert len(notes.search("???")) == 1
    assert notes.search("???", mode="lexical") == ()


def test_filters_around_a_query_hold_whatever_its_own_filters_say(words_only: Notes) -> None:
    words_only.write({"work/a.md": "A cat.\n", "work/b.org": "* A cat :draft:\nSits.\n", "home/c.md": "A cat.\n"})
    assert set(words_only.names("cat", within="file:work")) == {"a.md", "b.org"}
    assert words_only.names("cat file:home", within="file:work") == []
    assert set(words_only.names("cat file:work file:home", within='file:"work/**" -tag:draft')) == {"a.md"}
    assert words_only.names("tag:draft", within="file:home") == []
    assert words_only.names("cat", within="file:home\nfile:work") == []
    assert set(words_only.names("", within="file:home")) == {"c.md"}
    with pytest.raises(QueryError, match="“words” is no filter"):
        words_only.names("cat", within="words file:work")
