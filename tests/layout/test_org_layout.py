"""Tables and lists of Org, as people write them and as they come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.layout.laid import edits, laid

TABLES = {
    "texts to the left, numbers to the right": (
        "| Tea | Steep |\n|-\n| Sencha | 60 |\n| Genmaicha | 120 |\n#+TBLFM: $2=60;%.1f\n",
        "| Tea       | Steep |\n|-----------+-------|\n| Sencha    |    60 |\n| Genmaicha |   120 |\n#+TBLFM: $2=60;%.1f\n",
    ),
    "cookies say which side, and nothing is shortened": (
        "| <r> | <l> | <c> | <2> |\n| long one | 1 | x | long one |\n| a | 22222 | centre | b |\n",
        "|      <r> | <l>   |  <c>   | <2>      |\n"
        "| long one | 1     |   x    | long one |\n"
        "|        a | 22222 | centre | b        |\n",
    ),
    "an indentation is that of the first line": ("  |a|b|\n|-\n   |1|2\n", "  | a | b |\n  |---+---|\n  | 1 | 2 |\n"),
    "missing cells are added": ("|a|b|c|\n|x|\n", "| a | b | c |\n| x |   |   |\n"),
    "of a link only what is shown takes room": (
        "| [[https://example.org][tea]] | x |\n| green | y |\n",
        "| [[https://example.org][tea]]   | x |\n| green | y |\n",
    ),
    "wide characters count two": ("|日本|x|\n|abc|y|\n", "| 日本 | x |\n| abc  | y |\n"),
    "rules alone": ("|--+-|\n|-\n", "|---+---|\n|---+---|\n"),
    "two tables with formulas between": (
        "|a|\n#+TBLFM: $1=1\n|long|\n",
        "| a |\n#+TBLFM: $1=1\n| long |\n",
    ),
}
LISTS = {
    "numbers begin with one": ("3. a\n3. b\n9. c\n", "1. a\n2. b\n3. c\n"),
    "counters set them": ("1. a\n2. [@20] b\n3. c\n", "1. a\n20. [@20] b\n21. c\n"),
    "the first may have one": ("1) [@5] a\n1) b\n", "5) [@5] a\n6) b\n"),
    "nested lists are numbered on their own": (
        "1. a\n   1. b\n   3. c\n     - d\n5. e\n   7) f\n",
        "1. a\n   1. b\n   2. c\n     - d\n2. e\n   1) f\n",
    ),
    "one empty line goes on, two end a list": ("1. a\n\n4. b\n\n\n4. c\n", "1. a\n\n2. b\n\n\n1. c\n"),
    "text in line with an item's own moves": (
        "1. [@9] a\n2. b\n   more\n   - c\n     d\n",
        "9. [@9] a\n10. b\n    more\n    - c\n      d\n",
    ),
    "other text stays, as code does": (
        "1. [@9] a\n2. b\n  more\n3. c\n   #+begin_src sh\n   ls\n   #+end_src\n",
        "9. [@9] a\n10. b\n  more\n11. c\n   #+begin_src sh\n   ls\n   #+end_src\n",
    ),
    "headings end lists": ("1. a\n2. b\n* H\n3. c\n", "1. a\n2. b\n* H\n1. c\n"),
}


@pytest.mark.parametrize(("before", "after"), [*TABLES.values(), *LISTS.values()], ids=[*TABLES, *LISTS])
def test_a_table_or_list_is_brought_into_form(before: str, after: str) -> None:
    assert laid(before, "a.org") == after
    assert edits(after, "a.org") == []


@pytest.mark.parametrize(
    "text",
    [
        "#+begin_src org\n|a|b|\n|-\n1. a\n4. b\n#+end_src\n",
        "#+begin_example\n|a|b|\n|-\n1. a\n4. b\n#+end_example\n",
        "#+begin_comment\n|a|b|\n|-\n1. a\n4. b\n#+end_comment\n",
        "#+begin_verse\n|a|b|\n|-\n1. a\n4. b\n#+end_verse\n",
        ": |a|b|\n# |a|b|\n# 4. x\n",
        "+---+---+\n|a|b|\n+---+---+\n",
        "|a|b|\n|-1|2|\n",  # Org takes the second line for a rule and drops what it holds
        "|\n|\n",
        "- a\n- b\n",
        "1. a\n- b\n4. c\n",
        "a. x\nd. y\n",
        "text with | pipes |\n",
    ],
)
def test_what_is_none_or_would_lose_something_stays(text: str) -> None:
    assert edits(text, "a.org") == []


def test_one_huge_cell_or_row_does_not_make_a_huge_table() -> None:
    assert edits("|a|b|\n" * 2000 + f"|{'x' * 5000}|e|\n", "a.org") == []
    assert edits("|" + "a|" * 5000 + "\n" + "|b|\n" * 5000, "a.org") == []


PIECES = [
    "  ",
    "   ",
    "\t",
    "1. ",
    "9. ",
    "10. ",
    "3) ",
    "- ",
    "[@5] ",
    "* ",
    "|",
    "|a|",
    "| 12 ",
    "|-",
    "+",
    "日",
    "text",
    "[[a][b|c]]",
    ":x:",
]
PIECES += ["#+begin_src", "#+end_src", "#+TBLFM: x", "[[a]]", "<r>"]
TEXT = st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map("".join), max_size=12).map("\n".join)


@given(TEXT)
def test_any_text_is_laid_out_once_and_keeps_its_words(text: str) -> None:
    after = laid(text, "a.org")
    assert laid(after, "a.org") == after
    layout = dict.fromkeys(map(ord, " \t|-+0123456789"))
    assert after.translate(layout) == text.translate(layout)
    assert after.count("\n") == text.count("\n")
