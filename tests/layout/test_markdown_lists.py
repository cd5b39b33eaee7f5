"""Ordered lists of Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from tests.layout.laid import edits, laid

CASES = {
    "numbers go on from the first": ("4. a\n4. b\n9. c\n", "4. a\n5. b\n6. c\n"),
    "parentheses stay": ("1) a\n3) b\n", "1) a\n2) b\n"),
    "another sign is another list": ("1. a\n3. b\n7) c\n9) d\n", "1. a\n2. b\n7) c\n8) d\n"),
    "zeros in front stay": ("01. a\n01. b\n03. c\n", "01. a\n02. b\n03. c\n"),
    "nested lists are numbered on their own": (
        "1. a\n   1. b\n   1. c\n   5. d\n1. e\n   3. f\n   3. g\n3. h\n",
        "1. a\n   1. b\n   2. c\n   3. d\n2. e\n   3. f\n   3. g\n3. h\n",
    ),
    "what follows in an item moves with a longer number": (
        "9. a\n   more\n9. b\n   more\n\n   - c\n     d\n\n       code\n8. e\n",
        "9. a\n   more\n10. b\n    more\n\n    - c\n      d\n\n        code\n11. e\n",
    ),
    "and with a shorter one": ("1. a\n10. b\n    more\n", "1. a\n2. b\n   more\n"),
    "an indentation that is wide enough stays": ("9. a\n9. b\n    - c\n1. d\n", "9. a\n10. b\n    - c\n11. d\n"),
    "so do tabs": ("9. a\n9. b\n\tmore\n\t- c\n1. d\n", "9. a\n10. b\n\tmore\n\t- c\n11. d\n"),
    "where code would become none, all of an item moves": (
        "9. a\n9. b\n\n    c\n\n       code\n1. d\n",
        "9. a\n10. b\n\n     c\n\n        code\n11. d\n",
    ),
    "a lazy line stays": ("9. a\n9. b\nlazy\n1. d\n", "9. a\n10. b\nlazy\n11. d\n"),
    "texts in one column stay in it": ("8.  a\n9.  b\n    more\n9.  c\n10. d\n", "8.  a\n9.  b\n    more\n10. c\n11. d\n"),
    "in quotes": ("> 9. a\n> 9. b\n>    more\n> 1. c\n", "> 9. a\n> 10. b\n>     more\n> 11. c\n"),
    "a quote in an item moves": (
        "9. a\n9. b\n   > q\n   > 1. r\n   > 3. s\n1. c\n",
        "9. a\n10. b\n    > q\n    > 1. r\n    > 2. s\n11. c\n",
    ),
    "code in an item moves and is the same": (
        "9. a\n1. b\n   ```\n     1. x\n     1. y\n   ```\n",
        "9. a\n10. b\n    ```\n      1. x\n      1. y\n    ```\n",
    ),
    "two lists in one line": ("1. 1. a\n   3. b\n3. c\n", "1. 1. a\n   2. b\n2. c\n"),
    "items of a footnote": ("[^1]: Text\n\n    1. a\n    3. b\n", "[^1]: Text\n\n    1. a\n    2. b\n"),
    "a table in an item moves and is aligned": (
        "9. a\n4. b\n\n   |x|y|\n   |-|-|\n",
        "9. a\n10. b\n\n    | x   | y   |\n    |-----|-----|\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_a_list_is_numbered_on(before: str, after: str) -> None:
    assert laid(before) == after
    assert edits(after) == []


@pytest.mark.parametrize(
    "text",
    [
        "1. a\n1. b\n1. c\n",
        "0. a\n0. b\n",
        "7. a\n",
        "```\n1. a\n5. b\n```\n",
        "    1. a\n    5. b\n",
        "---\nx: |\n  1. a\n  5. b\n---\n",
        "%%\n1. a\n5. b\n%%\n",
        "Text %%\n1. a\n5. b\n%%\n",
        "a) b\nd) c\n",
        "999999999. a\n5. b\n",
        "1. \n10. \n   text that would come into the item\n",
    ],
)
def test_what_is_no_list_or_meant_so_stays(text: str) -> None:
    assert edits(text) == []


def test_only_the_digits_are_replaced() -> None:
    text = "1. a\n3. b\n"
    assert [(text[one.start : one.end], one.text) for one in edits(text)] == [("3", "2")]


def test_lists_nested_too_deep_for_the_parser_stay() -> None:
    text = "".join("   " * depth + "1. a\n" + "   " * depth + "3. b\n" for depth in range(120))
    assert edits(text + "1. " * 5000) == []


PIECES = [
    "> ",
    "  ",
    "   ",
    "    ",
    "\t",
    "1. ",
    "9. ",
    "10. ",
    "99. ",
    "007. ",
    "3) ",
    "- ",
    "```",
    "text",
    "[^1]: ",
    "%%",
    "|a|b|",
    "|-|-|",
    "",
]
TEXT = st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map("".join), max_size=12).map("\n".join)
HTML = MarkdownIt("commonmark").enable("table").use(footnote_plugin)


@given(TEXT)
def test_any_text_says_the_same_and_is_laid_out_once(text: str) -> None:
    after = laid(text)
    assert laid(after) == after
    assert HTML.render(after, {}) == HTML.render(text, {})
