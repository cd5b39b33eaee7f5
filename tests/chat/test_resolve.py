"""A stored citation finds its text again, or says that it is gone."""

from hypothesis import given
from hypothesis import strategies as st

from khojd.chat.model import Citation, text_hash
from khojd.chat.resolve import Resolved, resolve

NOTE = "# Tea\n\nGreen tea is steamed. 緑茶は蒸される。 🍵\n\nBlack tea is oxidised.\n"


def citation(text: str, start: int, end: int) -> Citation:
    quote = text[start:end]
    return Citation(1, 0, "/notes/tea.md", start, end, 0, quote, text_hash(quote))


def of(quote: str, text: str = NOTE) -> Citation:
    start = text.index(quote)
    return citation(text, start, start + len(quote))


def test_a_note_that_did_not_change_is_fresh() -> None:
    cited = of("Black tea is oxidised.")
    assert resolve(cited, NOTE) == Resolved("fresh", cited.start, cited.end)


def test_lines_above_move_a_quote() -> None:
    cited = of("緑茶は蒸される。 🍵")
    found = resolve(cited, "New 🍵\n" + NOTE)
    assert found == Resolved("moved", cited.start + 6, cited.end + 6)


def test_an_edit_behind_the_quote_leaves_it_fresh() -> None:
    assert resolve(of("Green tea"), NOTE + "more").state == "fresh"


def test_a_changed_quote_is_stale_and_stays_within_the_text() -> None:
    cited = of("Black tea is oxidised.")
    assert resolve(cited, NOTE.replace("Black", "Red")).state == "stale"
    assert resolve(cited, "Tea") == Resolved("stale", 3, 3)


def test_a_note_that_is_gone_is_stale() -> None:
    assert resolve(of("Green"), None) == Resolved("stale", 0, 0)
    assert resolve(of("Green"), "") == Resolved("stale", 0, 0)


def test_of_several_occurrences_the_nearest_is_taken() -> None:
    text = "tea ....... tea .. tea"
    cited = citation(text, 12, 15)
    assert resolve(cited, "tea ...... tea ...... tea") == Resolved("moved", 11, 14)
    assert resolve(cited, "tea ............ tea") == Resolved("moved", 17, 20)


def test_a_quote_of_nothing_is_never_found() -> None:
    assert resolve(citation(NOTE, 3, 3), NOTE).state == "stale"


def test_a_quote_that_does_not_have_its_hash_is_never_found() -> None:
    broken = Citation(1, 0, "/notes/tea.md", 0, 5, 0, "# Tea", text_hash("other"))
    assert resolve(broken, NOTE).state == "stale"


# --- properties ------------------------------------------------------------------------------------------------------------

TEXTS = st.text(alphabet="ab \n緑🍵", min_size=1, max_size=60)
SPANS = st.tuples(st.integers(0, 59), st.integers(1, 20))
EDITS = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 8), st.text(alphabet="ab \n緑🍵", max_size=8)), max_size=6)


def cited_in(text: str, span: tuple[int, int]) -> Citation:
    start = span[0] % len(text)
    return citation(text, start, min(len(text), start + span[1]))


@given(TEXTS, SPANS, EDITS)
def test_a_quote_that_no_edit_touches_is_always_found(text: str, span: tuple[int, int], edits: list[tuple[int, int, str]]) -> None:
    cited = cited_in(text, span)
    start, end = cited.start, cited.end
    for place, removed, inserted in edits:
        place = place % (len(text) + 1)
        if place + removed <= start:
            text = text[:place] + inserted + text[place + removed :]
            start, end = start + len(inserted) - removed, end + len(inserted) - removed
        elif place >= end:
            text = text[:place] + inserted + text[place + removed :]
    found = resolve(cited, text)
    assert found.state in ("fresh", "moved")
    assert text[found.start : found.end] == cited.quote
    assert abs(found.start - cited.start) <= abs(start - cited.start)


@given(TEXTS, SPANS, EDITS)
def test_what_is_found_is_the_quote_and_fresh_is_only_what_stands_where_it_stood(
    text: str, span: tuple[int, int], edits: list[tuple[int, int, str]]
) -> None:
    cited = cited_in(text, span)
    for place, removed, inserted in edits:
        place = place % (len(text) + 1)
        text = text[:place] + inserted + text[place + removed :]
    found = resolve(cited, text)
    assert 0 <= found.start <= found.end <= len(text)
    assert (found.state == "fresh") == (text[cited.start : cited.end] == cited.quote)
    assert (found.state == "stale") == (cited.quote not in text)
    if found.state != "stale":
        assert text[found.start : found.end] == cited.quote
