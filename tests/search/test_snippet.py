"""Passages: what is shown of an entry, and where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.boundaries import is_character_edge
from khojd.content.model import Segment
from khojd.content.segments import file_offset
from khojd.index import analysis
from khojd.index.analysis import Token
from khojd.search.highlight import merged, query_terms
from khojd.search.snippet import best_passage, place, text_range
from khojd.search.types import Place


def analyze(text: str) -> list[Token]:
    return list(analysis.tokens(text))


def shown(text: str, query: str, limit: int = 300, near: tuple[int, int] | None = None) -> tuple[str, list[str]]:
    passage = best_passage(text, query_terms(query, {}), analyze, limit=limit, near=near)
    snippet = text[passage.start : passage.end]
    return snippet, [snippet[a:b] for a, b in passage.highlights]


FILLER = "This sentence says little. " * 30


def test_the_passage_holds_the_words_of_the_query() -> None:
    snippet, marks = shown(f"{FILLER}The kettle whistles in the kitchen. {FILLER}", "kitchen kettle")
    assert "The kettle whistles in the kitchen." in snippet
    assert marks == ["kettle", "kitchen"]
    assert len(snippet) <= 300


def test_more_different_words_beat_more_of_one() -> None:
    snippet, _ = shown(f"kettle kettle kettle. {FILLER} One kettle in one kitchen. {FILLER}", "kettle kitchen", limit=80)
    assert "One kettle in one kitchen." in snippet


def test_stems_are_highlighted_and_function_words_are_not() -> None:
    _, marks = shown("The cats were running to the house.", "the run of a cat")
    assert marks == ["cats", "running"]


def test_accents_and_case_do_not_matter() -> None:
    assert shown("Ein Café in ZÜRICH.", "cafe zurich")[1] == ["Café", "ZÜRICH"]


def test_words_of_an_unspaced_script_are_highlighted_whole() -> None:
    snippet, marks = shown("昨日は東京都庁へ行きました。天気がよかった。", "東京都庁")
    assert marks == ["東京都庁"]
    assert snippet.startswith("昨日")


def test_without_a_word_of_the_query_it_is_the_beginning_of_the_best_chunk() -> None:
    text = f"First part. {FILLER}Second part begins. {FILLER}"
    start = text.index("Second")
    assert shown(text, "zebra", near=(start, len(text)))[0].startswith("Second part begins.")


def test_a_long_line_is_cut_between_words_around_the_match() -> None:
    words = " ".join(f"word{number}" for number in range(400))
    snippet, marks = shown(words, "word200")
    assert marks == ["word200"]
    assert len(snippet) <= 300
    assert all(part in words.split() for part in snippet.split())


def test_a_match_deep_in_a_very_long_text_is_found() -> None:
    text = f"{FILLER * 60}The zebra hides here. {FILLER * 60}"
    assert shown(text, "zebra")[1] == ["zebra"]


def test_lines_stay_lines() -> None:
    assert shown("- apples\n- pears\n", "pears")[0] == "- apples\n- pears"


@pytest.mark.parametrize("text", ["", " ", "\n\n", "👩‍👩‍👧‍👦" * 200, "e\u0301" * 700, "🇩🇪🇫🇷" * 300, "각" * 500])
def test_no_character_is_cut(text: str) -> None:
    passage = best_passage(text, query_terms("zebra", {}), analyze)
    assert 0 <= passage.start <= passage.end <= len(text)
    assert is_character_edge(text, passage.end)


@given(
    st.text(alphabet=st.sampled_from("ab .\n漢字ก็é😀\u0301\u200d\r"), max_size=200),
    st.sampled_from(["ab", "漢字", "é a"]),
    st.integers(20, 80),
)
def test_any_passage_is_a_piece_of_the_text_within_the_limit(text: str, query: str, limit: int) -> None:
    passage = best_passage(text, query_terms(query, {}), analyze, limit=limit)
    assert 0 <= passage.start <= passage.end <= len(text)
    assert passage.end - passage.start <= limit
    previous = 0
    for start, end in passage.highlights:
        assert previous <= start < end <= passage.end - passage.start
        previous = end


def test_touching_ranges_are_joined() -> None:
    assert merged([(4, 6), (0, 2), (2, 3), (5, 9)]) == ((0, 3), (4, 9))


# The file: "# H\nab\n:meta:\ncd\r\nef" with the third line left out.
TEXT = "ab\ncd\r\nef"
SEGMENTS = (Segment(4, 7, 1), Segment(14, 20, 3))


@pytest.mark.parametrize(
    ("offset", "line", "column", "file"), [(0, 1, 0, 4), (1, 1, 1, 5), (3, 3, 0, 14), (8, 4, 1, 19), (9, 4, 2, 20)]
)
def test_an_offset_of_the_text_is_placed_in_the_file(offset: int, line: int, column: int, file: int) -> None:
    assert place(TEXT, SEGMENTS, offset, len) == Place(line, column)
    assert file_offset(SEGMENTS, offset) == file


def test_a_range_that_ends_with_a_segment_ends_there_and_not_in_the_next() -> None:
    assert text_range(TEXT, SEGMENTS, 0, 3, len).end == Place(2, 0)


def test_columns_use_the_measure() -> None:
    text = "a😀b"
    assert place(text, (Segment(0, 3, 0),), 2, lambda part: len(part.encode("utf-16-le")) // 2) == Place(0, 3)
