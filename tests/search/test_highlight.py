"""Which words of a text are shown as found."""

from hypothesis import assume, given
from hypothesis import strategies as st

from khojd.index import analysis
from khojd.search.highlight import query_terms

# Words that the English stemmer changes in all of its ways, with others of the same beginning.
WORDS = """
    ability able abilities agreement agreed argue argument babies baby bias carried carries carry controlling control cosmos cried
    cries cry dies died dying early exceeding feed fluently fluent gently happiness happily happy hoped hoping hope hopping hop idly
    lie lies lying luxuriating luxury news only operational operator operate organization organize possibility possible possibly
    potency potent probability probable probably rational relational relate skies ski skis sky stability stable sensibility sensible
    tie ties tied tying ugly universities universal university usefulness useful vietnamization 2024 20245 a1 b
""".split()  # noqa: SIM905


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30), st.sampled_from(WORDS))
def test_each_word_with_a_term_of_the_query_is_found_however_it_is_inflected(words: list[str], query: str) -> None:
    text = " ".join(words)
    terms = query_terms(query, {})
    wanted = [(token.start, token.end, token.term) for token in analysis.tokens(text) if token.term in terms.weights]
    assert list(terms.find(text, lambda whole: list(analysis.tokens(whole)))) == wanted


@given(st.text(alphabet="abdeginorstyABC 0123_-'.,", max_size=60), st.text(alphabet="abdeginorsty01 ", min_size=1, max_size=12))
def test_in_ascii_text_nothing_is_missed_or_added(text: str, query: str) -> None:
    terms = query_terms(query, {})
    wanted = [(token.start, token.end, token.term) for token in analysis.tokens(text) if token.term in terms.weights]
    assert list(terms.find(text, lambda whole: list(analysis.tokens(whole)))) == wanted


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30), st.sampled_from(WORDS), st.integers(2, 9))
def test_the_words_that_a_beginning_stands_for_are_found(words: list[str], word: str, letters: int) -> None:
    typed = word[:letters]
    beginning = analysis.beginning(typed)
    assume(beginning is not None)
    assert beginning is not None
    terms = query_terms(typed, {}, beginning)
    for text in (" ".join(words), "… " + " ".join(words)):  # ASCII text is read another way
        found = [text[start:end] for start, end, _ in terms.find(text, lambda whole: list(analysis.tokens(whole)))]
        stems = {one: analysis.word_terms(one)[0] for one in words}
        assert found == [one for one in words if stems[one].startswith(beginning.prefix) or stems[one] in beginning.stems]
