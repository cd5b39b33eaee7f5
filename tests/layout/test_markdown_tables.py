"""Tables of Markdown, as people write them and as they come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.layout.laid import edits, laid

CASES = {
    "cells get the width of their column": (
        "|Tea|Steep|\n|---|---|\n|Sencha|1 min|\n",
        "| Tea    | Steep |\n|--------|-------|\n| Sencha | 1 min |\n",
    ),
    "sides are kept": (
        "| a | b | c | d |\n| :- | :-: | -: | - |\n| long one | long one | long one | long one |\n",
        "| a        |    b     |        c | d        |\n"
        "| :------- | :------: | -------: | -------- |\n"
        "| long one | long one | long one | long one |\n",
    ),
    "wide characters count two, combining ones none": (
        "| a | b |\n|---|---|\n| 日本茶 | x |\n| cafe\u0301 | x |\n| 🍵 | x |\n",
        "| a      | b   |\n|--------|-----|\n| 日本茶 | x   |\n| cafe\u0301   | x   |\n| 🍵     | x   |\n",
    ),
    "an escaped pipe is text": (
        "| a | b |\n|---|---|\n| x \\| y | 1 |\n",
        "| a      | b   |\n|--------|-----|\n| x \\| y | 1   |\n",
    ),
    "a pipe in code is text where GFM sees a cell too many": (
        "| a | b |\n|---|---|\n| `x|y` | 1|\n",
        "| a     | b   |\n|-------|-----|\n| `x|y` | 1   |\n",
    ),
    "a row that can be read in two ways stays": (
        "| a | b |\n|---|---|\n| `x|y` |\n| long text | 1|\n",
        "| a         | b   |\n|-----------|-----|\n| `x|y` |\n| long text | 1   |\n",
    ),
    "missing cells and borders are added, cells too many are kept": (
        "| a | b\n|---|---\n| 1 |\n1 | 2 | 3 |\n",
        "| a   | b   |\n|-----|-----|\n| 1   |     |\n| 1   | 2   | 3   |\n",
    ),
    "a table without borders at its sides stays without": (
        "a | b\n--|--:\nlong | 1\nx | 200000\n",
        "a    |      b\n---- | -----:\nlong |      1\nx    | 200000\n",
    ),
    "a first column to the right is not moved into code": (
        "a | b\n-: | -\nlong long long | 1\nx | 2\n",
        "a              | b\n-------------: | ---\nlong long long | 1\nx              | 2\n",
    ),
    "in a list and a quote rows keep what is before them": (
        "- |a|b|\n  |-|-|\n   |c|d|\n\n> 1. |a|b|\n>    |-|-|\n>    |cc|dddd|\n",
        "- | a   | b   |\n  |-----|-----|\n  | c   | d   |\n\n> 1. | a   | b    |\n>    |-----|------|\n>    | cc  | dddd |\n",
    ),
    "a paragraph right below a table stays": (
        "|a|b|\n|-|-|\n|1|2|\nTable: two letters\n",
        "| a   | b   |\n|-----|-----|\n| 1   | 2   |\nTable: two letters\n",
    ),
    "a comment in a cell is one piece": (
        "|a|b|\n|-|-|\n|x <!-- 1|2 -->|3|\n",
        "| a              | b   |\n|----------------|-----|\n| x <!-- 1|2 --> | 3   |\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_a_table_is_aligned(before: str, after: str) -> None:
    assert laid(before) == after
    assert edits(after) == []


@pytest.mark.parametrize(
    "text",
    [
        "```\n|a|b|\n|-|-|\n|long|c|\n```\n",
        "    |a|b|\n    |-|-|\n    |long|c|\n",
        "<!--\n|a|b|\n|-|-|\n|long|c|\n-->\n",
        "%%\n|a|b|\n|-|-|\n|long|c|\n%%\n",
        "Text %%\n|a|b|\n|-|-|\n|long|c|\n%%\n",
        "---\ntitle: |a|b|\n---\n",
        "|a|b|\n\n|long|c|\n",
        "|a|b|\n|-|\n|long|c|\n",
        "|a\n---\n|long\n",
    ],
)
def test_what_is_no_table_stays(text: str) -> None:
    assert edits(text) == []


def test_only_the_blanks_that_differ_are_replaced() -> None:
    text = "| a   | b    |\n|-----|------|\n| x | long |\n| y   | z    |\n"
    (only,) = edits(text)
    assert (text[: only.start], only.end - only.start, only.text) == ("| a   | b    |\n|-----|------|\n| x", 0, "  ")


def test_one_huge_cell_does_not_make_a_huge_table() -> None:
    text = "|a|b|\n|-|-|\n" + "|c|d|\n" * 2000 + f"|{'x' * 5000}|e|\n"
    assert edits(text) == []


def test_many_missing_cells_do_not_make_a_huge_table() -> None:
    text = "|" + "a|" * 2000 + "\n|" + "-|" * 2000 + "\n" + "|b|\n" * 2000
    assert edits(text) == []


def test_a_table_of_fifty_kilobytes_is_aligned() -> None:
    text = "|a|b|\n|-|-|\n" + "".join(f"|{number}|{'x' * (number % 20)}|\n" for number in range(3000))
    after = laid(text)
    assert {len(line) for line in after.splitlines()} == {len("| 2999 | xxxxxxxxxxxxxxxxxxx |")}


CELL = st.text(alphabet="ab 1`\\日é🍵-:<>*_[]!%&", max_size=8)
ROWS = st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=6)
RULE = st.sampled_from(["---", ":-:", "-:", ":-", " - "])
PREFIX = st.sampled_from(["", "  ", "> ", "> > ", ">"])
HTML = MarkdownIt("commonmark").enable("table")


@given(ROWS, st.lists(RULE, min_size=4, max_size=4), PREFIX, st.sampled_from(["|", ""]), st.sampled_from(["|", ""]))
def test_a_table_says_the_same_and_is_aligned_once(
    rows: list[list[str]], rules: list[str], prefix: str, left: str, right: str
) -> None:
    table = [rows[0], rules[: len(rows[0])], *rows[1:]]
    text = "\n".join(prefix + left + "|".join(row) + right for row in table)
    after = laid(text)
    assert laid(after) == after
    assert HTML.render(after) == HTML.render(text)
    for old, new in zip(text.split("\n"), after.split("\n"), strict=True):
        cells = [cell.strip(" ") for cell in new.lstrip("> ").strip("| ").split("|")]
        kept = [cell.strip(" ") for cell in old.lstrip("> ").strip("| ").split("|")]
        assert set(old) == set("|-: >") & set(old) or cells[: len(kept)] == kept
