from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.content.chunk import compiled, context, split
from khojd.content.model import Span
from khojd.embed.tokens import default_counter

Counter = Callable[[str], int]


def words(text: str) -> int:
    return len(text.split())


def wide(text: str) -> int:
    """Like byte-level tokenizers: as many tokens as bytes."""
    return len(text.encode("utf-8", errors="surrogatepass"))


COUNTERS: dict[str, Counter] = {"characters": len, "words": words, "bytes": wide, "wordpiece": default_counter()}
counted = pytest.mark.parametrize("count", COUNTERS.values(), ids=COUNTERS)


def pieces(text: str, count: Counter = words, max_tokens: int = 20, prefix: str = "") -> list[str]:
    spans = split(text, prefix=prefix, count=count, max_tokens=max_tokens)
    check(text, spans, count, max_tokens, prefix)
    return [text[span.start : span.end] for span in spans]


def check(text: str, spans: list[Span], count: Counter, max_tokens: int, prefix: str) -> None:
    """What must hold for any text."""
    position = 0
    for span in spans:
        assert not text[position : span.start].strip(), "text between chunks is left out"
        assert position <= span.start <= span.end <= len(text)
        fits = count(compiled(prefix, text[span.start : span.end])) <= max_tokens
        assert fits or span.end - span.start == 1
        position = span.end
    assert not text[position:].strip(), "text at the end is left out"


def test_a_text_that_fits_is_one_chunk_without_its_blank_edges() -> None:
    assert split("\n  some words\n\n", prefix="", count=words, max_tokens=20) == [Span(3, 13)]


def test_a_heading_alone_is_one_empty_chunk() -> None:
    assert split("", prefix="Title\nHeading", count=words, max_tokens=20) == [Span(0, 0)]
    assert split(" \n", prefix="Title", count=words, max_tokens=20) == [Span(0, 0)]
    assert split(" \n", prefix="", count=words, max_tokens=20) == []
    assert compiled("Title\nHeading", "") == "Title\nHeading"


def test_paragraphs_are_kept_whole_where_they_fit() -> None:
    paragraphs = ["a " * 7, "b " * 9, "c " * 12, "d " * 3]
    chunks = pieces("\n\n".join(paragraphs))
    for paragraph in paragraphs:
        assert any(paragraph.strip() in chunk for chunk in chunks)


def test_a_long_paragraph_is_cut_at_sentences() -> None:
    text = " ".join(f"Sentence number {number} has exactly seven words." for number in range(9))
    assert all(chunk.endswith(".") and chunk.startswith("Sentence") for chunk in pieces(text))


def test_abbreviations_and_initials_end_no_sentence() -> None:
    text = "Please ask Dr. Smith and J. Jones, e.g. on Monday, about it. " * 4
    assert all(chunk.startswith("Please") and chunk.endswith("about it.") for chunk in pieces(text.strip(), max_tokens=14))


def test_cjk_is_cut_after_its_full_stops() -> None:
    text = "今日は友達と東京へ行きました。とても楽しかったです！また行きたいと思いますか？" * 5
    assert all(chunk[-1] in "。！？" for chunk in pieces(text, len, 60))


def test_thai_is_cut_at_its_spaces() -> None:
    text = "วันนี้ฉันไปตลาดกับเพื่อน เราซื้อผลไม้มากมาย แล้วกลับบ้าน " * 5
    assert all(chunk[0] != " " and chunk.split()[-1] in text.split() for chunk in pieces(text, len, 80))


def test_a_long_sentence_is_cut_between_words() -> None:
    text = "alphabet " * 100
    assert all(set(chunk.split()) == {"alphabet"} for chunk in pieces(text, len, 50))


def test_headings_are_the_first_places_to_cut() -> None:
    text = "a " * 8 + "\n\n" + "a " * 3 + "\n** Second\n" + "b " * 8 + "\n\n" + "b " * 3
    assert [chunk[0] for chunk in pieces(text)] == ["a", "*"]


def test_code_is_cut_at_its_blank_lines_and_prose_around_it_first() -> None:
    code = "```python\n# one\nx = 1\n\n# two\ny = 2\n```\n"
    text = "before " * 6 + "\n\n" + code + "\nafter " + "after " * 5
    chunks = pieces(text, max_tokens=16)
    assert any(code.strip() in chunk for chunk in chunks)
    block = "#+begin_src sh\n" + "\n\n".join("echo " + "x " * 5 for _ in range(6)) + "\n#+end_src\n"
    assert all(chunk.lstrip().startswith(("echo", "#+begin_src")) for chunk in pieces(block, max_tokens=16))


def test_there_is_no_tiny_last_chunk() -> None:
    text = "\n\n".join("word " * 5 for _ in range(9))
    assert min(map(words, pieces(text))) >= 10


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧‍👦", "🇩🇪", "e\u0301", "👍🏽", "नि", "한", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"])
def test_what_is_seen_as_one_character_is_not_cut(cluster: str) -> None:
    chunks = pieces(cluster * 60, len, 40)
    assert len(chunks) > 1
    assert all(chunk == cluster * (len(chunk) // len(cluster)) for chunk in chunks)


@counted
@pytest.mark.parametrize("unit", ["a", "今天我去北京", "วันนี้ฉันไปตลาด", "👩‍👩‍👧‍👦", "lorem ipsum dolor ", "مرحبا بالعالم "])
def test_a_line_of_300_000_characters_is_covered_within_the_budget(count: Counter, unit: str) -> None:
    text = unit * (300_000 // len(unit))
    chunks = pieces(text, count, 254, "Title")
    assert max(map(len, chunks)) < 10_000


@pytest.mark.parametrize("unit", ["a", ".", " .", "*.", "。", "\r", "- ", "```\n", "今天我去北京", "lorem ipsum dolor "])
def test_counting_stays_linear_in_the_text(unit: str) -> None:
    asked = 0

    def count(text: str) -> int:
        nonlocal asked
        asked += len(text)
        return len(text)

    text = unit * (300_000 // len(unit))
    split(text, prefix="Title", count=count, max_tokens=254)
    assert asked < 8 * len(text)


def test_the_context_is_the_title_and_the_heading_path() -> None:
    assert context("Garden", ("Spring", "Sow  peas")) == "Garden\nSpring\nSow peas"
    assert context("", ()) == ""
    assert context("Garden", ("garden", "Peas")) == "Garden\nPeas"


def test_a_long_context_keeps_the_nearest_headings_and_half_of_the_room() -> None:
    headings = tuple(f"heading{number} with words" for number in range(20))
    prefix = context("Title", headings, count=words, max_tokens=20)
    assert prefix == "\n".join(headings[-3:])
    long = context("", ("word " * 100,), count=words, max_tokens=20)
    assert words(long) == 10
    assert pieces("text " * 50, prefix=long)


def test_a_context_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="context"):
        split("text", prefix="word " * 20, count=words, max_tokens=20)


ALPHABET = st.one_of(
    st.sampled_from([*"ab c.!?\n\n#*`-。、今日かไปش", "\r\n", "```\n", "\n\n", "👩‍👧", "\u0301", "\u200d", "🇩", "\u2028"]),
    st.characters(exclude_categories=["Cs"]),
)
TEXTS = st.lists(ALPHABET, max_size=150).map("".join)


@counted
@settings(max_examples=60)
@given(text=TEXTS, prefix=st.sampled_from(["", "Title", "A\nB"]), max_tokens=st.integers(14, 40))
def test_every_character_that_is_not_blank_lies_in_a_chunk_within_the_budget(
    count: Counter, text: str, prefix: str, max_tokens: int
) -> None:
    check(text, split(text, prefix=prefix, count=count, max_tokens=max_tokens), count, max_tokens, prefix)
