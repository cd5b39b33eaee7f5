"""Terms of texts and queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.index import analysis


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Running RUNS run", ["run", "run", "run"]),
        ("naïve Café ÅNGSTRÖM", ["naiv", "cafe", "angstrom"]),
        ("Straße strasse ﬁne", ["strass", "strass", "fine"]),
        ("foo_bar don't 3.14", ["foo", "bar", "don", "t", "3", "14"]),
        ("Ёлка Ελλάδα", ["елка", "ελλαδα"]),
        ("ＦＵＬＬ　ｗｉｄｔｈ", ["full", "width"]),
        ("東京都", ["東京", "京都"]),
        ("猫", ["猫"]),
        ("Pythonで書く", ["python", "で書", "書く"]),
        ("ｶﾞｽ", ["ガス"]),
        ("한국어", ["한국", "국어"]),
        ("हिन्दी", ["हिनदी"]),
        ("מִלָּה", ["מלה"]),
        ("co\u00adoperate", ["cooper"]),
        ("party 🎉", ["parti", "u1f389"]),
        ("… — !", []),
    ],
)
def test_terms_of_a_query(text: str, terms: list[str]) -> None:
    assert analysis.terms(text) == terms


def test_in_entries_the_last_character_of_a_run_stands_alone_too() -> None:
    assert analysis.analyzer().analyze(analysis.fold("東京都 a")) == ["東京", "京都", "都", "a"]


def test_thai_is_cut_into_pairs_without_its_tone_marks_getting_in_the_way() -> None:
    assert all(1 <= len(term) <= 2 for term in analysis.terms("ไม่มีที่ว่าง"))
    assert len(analysis.terms("ไม่มีที่ว่าง")) >= 7


def test_a_word_too_long_for_the_index_is_cut_and_not_dropped() -> None:
    terms = analysis.terms("a " + "x" * 100_000)
    assert sum(map(len, terms)) == 100_001


@given(st.text())
def test_tokens_are_ranges_of_the_text_and_found_by_their_own_text(text: str) -> None:
    for start, end, term in analysis.tokens(text):
        assert 0 <= start < end <= len(text)
        assert term in analysis.analyzer().analyze(analysis.fold(text[start:end]))


def test_tokens_say_where_words_stand() -> None:
    text = "Naïve 東京都 cats!"
    assert [(text[start:end], term) for start, end, term in analysis.tokens(text)] == [
        ("Naïve", "naiv"),
        ("東京", "東京"),
        ("京都", "京都"),
        ("都", "都"),
        ("cats", "cat"),
    ]


@given(st.text())
def test_every_text_can_be_folded_and_folds_the_same_again(text: str) -> None:
    assert analysis.analyzer().analyze(analysis.fold(text)) == analysis.analyzer().analyze(analysis.fold(text))


@pytest.mark.parametrize("query", ["", "garden ", "garden?", "a", "東京", "tab\n", "x_y", "(word)", "🎉"])
def test_a_query_that_ends_in_no_word_or_after_one_has_no_beginning_of_a_word(query: str) -> None:
    assert analysis.beginning(query) is None


@pytest.mark.parametrize(
    ("query", "prefix", "word"),
    [
        ("a tall gard", "gard", "gardening"),
        ("gardeni", "gardeni", "gardening"),
        ("plann", "plann", "planned"),
        ("Zür", "zur", "Zürich"),
    ],
)
def test_the_last_word_may_be_the_beginning_of_a_longer_one(query: str, prefix: str, word: str) -> None:
    beginning = analysis.beginning(query)
    assert beginning is not None
    assert beginning.prefix == prefix
    (term,) = analysis.terms(word)
    assert term.startswith(prefix) or term in beginning.stems
