"""The markers of an answer become citations, however the answer is cut into pieces."""

import itertools
import re
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.chat.citations import Citer, Style
from khojd.chat.markers import LONGEST, Marker, Recogniser
from khojd.chat.model import Citation, Citing, Passage, TextPart, text_hash
from khojd.llm.model import Cited

NOTES = {
    "/notes/tea.md": "# Tea\n\nGreen tea is steamed soon after it is picked. Black tea is oxidised.\n\n"
    "It came to England in 1657.\n",
    "/notes/coffee.org": "* Coffee\nThe beans are roasted at 200 degrees,\nand ground just before brewing. It keeps for weeks.\n",
    "/notes/茶.md": "お茶は日本で毎日飲まれる。緑茶は摘んだ後すぐに蒸される。紅茶は発酵させる。",
    "/notes/emoji.md": "🍵 is the sign for tea without a handle.\r\n👩‍🌾 grows it in 🏔️ regions.\r\n",
}


def passages() -> list[Passage]:
    """Each note without its first line, so that a passage's offsets are not the note's."""
    found = []
    for number, (path, text) in enumerate(NOTES.items(), 1):
        start = text.find("\n") + 1
        title = path[7:-3]
        found.append(Passage(path, start, len(text), 1 if start else 0, text[start:], title, ("Top",), number=number))
    return found


def answer(text: str | Iterable[str], *, style: Style = "inline", check: bool = True) -> tuple[Citer, list[TextPart | Citing]]:
    citer = Citer(passages(), style=style, check=check)
    out: list[TextPart | Citing] = []
    for piece in [text] if isinstance(text, str) else text:
        out += citer.feed(piece)
    return citer, out + citer.finish()


def texts(out: list[TextPart | Citing]) -> str:
    return "".join(part.text for part in out if isinstance(part, TextPart))


def cited(citer: Citer) -> list[int]:
    return [citation.number for citation in citer.citations]


# --- markers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "shown", "numbers"),
    [
        ("Tea [1].", "Tea [1].", [1]),
        ("Tea [1, 2].", "Tea [1][2].", [1, 2]),
        ("Tea [1][2].", "Tea [1][2].", [1, 2]),
        ("Tea [1-3].", "Tea [1][2][3].", [1, 2, 3]),
        ("Tea [3–1; 4].", "Tea [1][2][3][4].", [1, 2, 3, 4]),
        ("Tea [^1].", "Tea [1].", [1]),
        ("お茶【1】。", "お茶[1]。", [1]),
        ("Tea 【2†L1-L3】.", "Tea [2].", [2]),
        ("Tea ［１、２］.", "Tea [1][2].", [1, 2]),
        ("Tea [[1]].", "Tea [1].", [1]),
        ("[[1], [2]]", "[[1], [2]]", [1, 2]),
        ("Tea [ 1 ,2 ].", "Tea [1][2].", [1, 2]),
        ("Tea [1, 1].", "Tea [1].", [1]),
        ("See [1](https://example.org).", "See [1] (https://example.org).", [1]),
    ],
)
def test_the_ways_to_write_a_marker_become_one(written: str, shown: str, numbers: list[int]) -> None:
    citer, out = answer(written)
    assert citer.text == texts(out) == shown
    assert cited(citer) == numbers
    assert citer.removed == 0


@pytest.mark.parametrize(
    "written",
    [
        "`tea[1]` and ``a ` [1]``",
        "```python\ntea[1]\n```",
        "~~~\ntea[1]\n```\n[2]\n~~~\n",
        "> - ```\n> tea[1]\n> ```\n",
        "1. ```py info\n   [1]\n   ```\n",
        r"\[1\] is an equation",
        "in [2024], from [1999-2004] on",
        "[[2024]] and [[9]] are links to notes",
        "[ ] to do, [x] done, [1/3] [a] [1a] [] [,] [1,] [-1] [1.5] [1-2-3] [1234567890123]",
        "[1\n]",
        "[1",
        "【1",
        "[[1",
        "[1】",
    ],
)
def test_what_is_no_marker_stays_as_it_is(written: str) -> None:
    citer, out = answer(written)
    assert citer.text == texts(out) == written
    assert citer.citations == []
    assert citer.removed == 0


@pytest.mark.parametrize(
    ("written", "shown", "removed"),
    [
        ("Tea is green [9].", "Tea is green.", 1),
        ("Tea [9] is green", "Tea is green", 1),
        ("Tea [1, 9, 10].", "Tea [1].", 2),
        ("[9] Tea", "Tea", 1),
        ("Tea\n[9] is green", "Tea\nis green", 1),
        ("Tea [9][1]", "Tea [1]", 1),
        ("Tea[9]cup [0]", "Teacup", 2),
        ("Tea [9](x)", "Tea (x)", 1),
        ("Tea [7-9]!", "Tea!", 3),
    ],
)
def test_a_number_that_was_never_given_is_taken_out_and_counted(written: str, shown: str, removed: int) -> None:
    citer, out = answer(written)
    assert citer.text == texts(out) == shown
    assert citer.removed == removed


def test_a_code_span_that_is_never_closed_ends_with_its_line() -> None:
    citer, _ = answer("Press the ` key [1]\nto brew tea [2].")
    assert cited(citer) == [2]


def test_markers_count_again_behind_code() -> None:
    citer, _ = answer("```\n[1]\n```\nTea [2] `[3]` [4] ```x``` [1]")
    assert cited(citer) == [2, 4, 1]


def test_footnotes_have_carets_and_none_leaves_no_trace() -> None:
    written = "Green tea is steamed [1, 2]. Beans are roasted [2]"
    footnotes, _ = answer(written, style="footnote")
    assert footnotes.text == "Green tea is steamed [^1][^2]. Beans are roasted [^2]"
    nothing, out = answer(written, style="none")
    assert nothing.text == texts(out) == "Green tea is steamed. Beans are roasted"
    assert cited(nothing) == cited(footnotes) == [1, 2, 2]
    assert [citation.at for citation in nothing.citations] == [20, 20, 39]


# --- citations -------------------------------------------------------------------------------------------------------------


def test_a_citation_follows_the_text_that_ends_with_its_marker() -> None:
    _, out = answer("Tea [1, 2] cups")
    shown = [part.text if isinstance(part, TextPart) else part.citation.number for part in out]
    assert shown == ["Tea [1]", 1, "[2]", 2, " cups"]


def test_a_citation_quotes_the_sentence_that_says_what_is_claimed() -> None:
    citer, _ = answer("Black tea is oxidised [1]. It reached England in 1657. [1] Beans are ground right before brewing [2].")
    assert [citation.quote for citation in citer.citations] == [
        "Black tea is oxidised.",
        "It came to England in 1657.",
        "The beans are roasted at 200 degrees,\nand ground just before brewing.",
    ]
    assert [citation.line for citation in citer.citations] == [2, 4, 1]
    assert not any(citation.weak for citation in citer.citations)


def test_the_claim_of_a_second_marker_in_a_sentence_begins_behind_the_first() -> None:
    citer, _ = answer("Green tea is steamed [1] while black tea is oxidised [1].")
    assert [citation.quote for citation in citer.citations] == [
        "Green tea is steamed soon after it is picked.",
        "Black tea is oxidised.",
    ]


def test_sentences_without_spaces_are_told_apart() -> None:
    citer, _ = answer("緑茶は蒸される【3】。紅茶は発酵させる【3】。")
    assert [citation.quote for citation in citer.citations] == ["緑茶は摘んだ後すぐに蒸される。", "紅茶は発酵させる。"]
    assert not any(citation.weak for citation in citer.citations)


def test_words_are_compared_as_the_index_compares_them() -> None:
    citer, _ = answer("STEAMING the picked leaves of green teas [1]")
    assert citer.citations[0].quote == "Green tea is steamed soon after it is picked."


def test_a_claim_without_its_words_in_the_passage_is_weak_and_cites_all_of_it() -> None:
    citer, _ = answer("Dragons breathe purple fire [1].")
    assert citer.citations[0].weak
    assert citer.citations[0].quote == passages()[0].text
    unchecked, _ = answer("Dragons breathe purple fire [1].", check=False)
    assert not unchecked.citations[0].weak


def test_words_that_carry_only_grammar_make_no_claim_strong_in_other_languages() -> None:
    tea = "El té verde se cuece al vapor y no es de los que se dejan reposar en el agua, que es lo más común para el té."
    citer = Citer([Passage("/notes/té.md", 0, len(tea), 0, tea, number=1)])
    citer.feed("El té verde se cuece al vapor [1]. Los dragones son de los que no se ven en el cielo [1].")
    assert [citation.weak for citation in citer.citations] == [False, True]


def test_a_claim_in_another_script_is_not_called_weak() -> None:
    citer, _ = answer("Green tea is steamed [3]. 緑茶は蒸される [1].")
    assert [citation.weak for citation in citer.citations] == [False, False]


def test_a_marker_before_its_text_cites_the_whole_passage() -> None:
    citer, _ = answer("[2] The beans are roasted.")
    assert citer.citations[0].quote == passages()[1].text
    assert not citer.citations[0].weak


def test_references_are_the_cited_passages_by_number() -> None:
    citer, _ = answer("Beans [2]. Tea [1]. Beans [2].")
    assert [passage.number for passage in citer.references()] == [1, 2]


def test_passages_that_come_later_can_be_cited_from_then_on() -> None:
    citer, _ = answer("Wine [5].")
    assert cited(citer) == []
    citer.add([Passage("/notes/wine.md", 0, 21, 0, "Wine is made of grapes", number=5)])
    citer.feed("Wine is made of grapes [5].")
    citer.finish()
    assert [citation.path for citation in citer.citations] == ["/notes/wine.md"]


# --- a provider's own citations --------------------------------------------------------------------------------------------


def test_a_providers_citation_gets_a_marker_and_its_own_quote() -> None:
    citer = Citer(passages())
    out = citer.feed("Black tea is different.")
    out += citer.cited(Cited(1, "Black tea is oxidised."))
    out += citer.feed(" So it is.") + citer.finish()
    assert citer.text == texts(out) == "Black tea is different.[1] So it is."
    assert citer.citations[0].quote == "Black tea is oxidised."
    assert citer.text[citer.citations[0].at :].startswith("[1]")


def test_a_providers_citation_that_the_model_wrote_too_stands_once() -> None:
    citer = Citer(passages())
    citer.feed("Black tea is oxidised [1]")
    citer.cited(Cited(1, "Black tea is oxidised."))
    citer.finish()
    assert citer.text == "Black tea is oxidised [1]"
    assert cited(citer) == [1]


def test_a_providers_citation_of_what_was_never_given_is_counted() -> None:
    citer = Citer(passages())
    citer.feed("Tea")
    assert citer.cited(Cited(9, "x")) == []
    assert (citer.text, citer.removed, citer.citations) == ("Tea", 1, [])


def test_a_providers_citation_in_code_waits_for_its_end() -> None:
    citer = Citer(passages())
    citer.feed("```\nbrew()\n")
    assert citer.cited(Cited(2, "ground just before brewing")) == []
    citer.feed("```\n")
    citer.feed("Done.")
    citer.finish()
    assert citer.text == "```\nbrew()\n```\n[2]Done."


# --- properties ------------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("[1]", "[1, 2]", "[2-4]", "[^3]", "【4】", "【1†L2】", "［２］", "[[1]]", "[[9]]", "[9]", "[1][2]", "[0-9]", "[2024]"),
        *("[", "]", "[[", "【", "1", ",", "-", "^", "†", "`", "``", "```", "~~~", "\\", "\n", "\n\n", " ", "  ", "\t"),
        *("(", ">", "- ", "[1](u)", "e\u0301", "\r\n", "ﬀ", "\u2028", "x"),
        *("Green tea is steamed", "Beans are roasted.", "緑茶は蒸される。", "🍵👩\u200d🌾"),
    ]
)
ANSWERS = st.lists(PIECES, max_size=30).map("".join)


def pieces(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in itertools.pairwise(places)]


CUTS = st.lists(st.integers(0, 10_000), max_size=20)
STYLES = st.sampled_from(["inline", "footnote", "none"])


@given(ANSWERS, CUTS, STYLES)
@settings(deadline=None)
def test_cutting_an_answer_changes_nothing(text: str, cuts: list[int], style: Style) -> None:
    whole, _ = answer(text, style=style)
    for parts in (pieces(text, cuts), list(text)):
        citer, out = answer(parts, style=style)
        assert citer.text == texts(out) == whole.text
        assert citer.citations == whole.citations
        assert citer.removed == whole.removed


@given(ANSWERS, CUTS, STYLES)
@settings(deadline=None)
def test_every_citation_quotes_its_file_exactly_and_stands_at_its_marker(text: str, cuts: list[int], style: Style) -> None:
    citer, out = answer(pieces(text, cuts), style=style)
    given = {passage.number: passage for passage in passages()}
    for citation in citer.citations:
        passage = given[citation.number]
        assert citation.path == passage.path
        assert passage.start <= citation.start < citation.end <= passage.end
        note = NOTES[citation.path]
        assert citation.quote == note[citation.start : citation.end]
        assert citation.hash == text_hash(citation.quote)
        assert citation.line == note.count("\n", 0, citation.start)
        marker = {"inline": f"[{citation.number}]", "footnote": f"[^{citation.number}]", "none": ""}[style]
        assert citer.text.startswith(marker, citation.at)
    said = ""
    for part in out:
        if isinstance(part, TextPart):
            said += part.text
        elif style != "none":
            assert said.endswith(f"{part.citation.number}]")
            assert part.citation.at < len(said)
    assert [part.citation for part in out if isinstance(part, Citing)] == citer.citations


@given(ANSWERS, CUTS)
@settings(deadline=None)
def test_no_more_is_held_back_than_what_may_become_a_marker(text: str, cuts: list[int]) -> None:
    recogniser = Recogniser()
    fed = given_out = ""
    for piece in pieces(text, cuts):
        fed += piece
        given_out += raw(recogniser.feed(piece))
        assert fed.startswith(given_out)
        held = fed[len(given_out) :]
        assert re.fullmatch(r" ?(?:(?:\[\[?|【|［)[^\n`\\]*)?", held), held
        assert len(held) <= LONGEST + 1
    assert given_out + raw(recogniser.finish()) == text


def raw(found: list[str | Marker]) -> str:
    return "".join(one if isinstance(one, str) else one.space + one.text for one in found)


@given(st.text(max_size=200), CUTS)
@settings(deadline=None)
def test_any_text_goes_through(text: str, cuts: list[int]) -> None:
    citer, out = answer(pieces(text, cuts))
    assert citer.text == texts(out)
    if not re.search(r"\d\s*[\]】］]", text) and "†" not in text:
        assert citer.text == text


@pytest.mark.parametrize("hostile", ["[", "[[", "[1", "[1,", "[1-", "【1†", "`", "~", "\\", " ", "[^", "`[1]", "[[1] "])
def test_hostile_text_is_read_in_linear_time(hostile: str) -> None:
    """Counted, not timed: how often a character is looked at."""
    text = hostile * (20_000 // len(hostile))
    looked = 0

    class Counted(str):
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            nonlocal looked
            looked += 1
            return str.__getitem__(self, key)  # type: ignore[index]

    recogniser = Recogniser()
    recogniser.feed(Counted(text))
    assert looked <= 4 * len(text)


def test_a_citation_knows_the_headings_and_title_of_its_passage() -> None:
    citer, _ = answer("Tea [1]")
    citation: Citation = citer.citations[0]
    assert (citation.title, citation.headings) == ("tea", ("Top",))
