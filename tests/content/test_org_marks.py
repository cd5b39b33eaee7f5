"""What an editor shows in its own way in an Org note: kinds, ranges and values."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content import marks
from khojd.content.model import ContentSettings, Mark
from khojd.content.org import parse
from khojd.content.org_headline import DEFAULT_KEYWORDS, keyword_like, locate
from tests.content.test_org_links import PIECES

DEFAULTS = ContentSettings()
LINES = ("code", "drawer", "table", "list", "quote", "comment")


def read(text: str, settings: ContentSettings = DEFAULTS) -> tuple[Mark, ...]:
    """The marks, after checking that each range holds what its kind says."""
    found = marks.read("note.org", text, parse(text, settings), settings)
    assert list(found) == sorted(found, key=lambda mark: (mark.start, -mark.end))
    assert len(set(found)) == len(found)
    for mark in found:
        written = text[mark.start : mark.end]
        assert 0 <= mark.start < mark.end <= len(text)
        if mark.kind in LINES:
            assert mark.start == 0 or text[mark.start - 1] in "\r\n"
            assert mark.end == len(text) or (text[mark.end - 1] in "\r\n" and text[mark.end - 1 : mark.end + 1] != "\r\n")
        else:
            assert "\n" not in written and "\r" not in written
        if mark.kind == "tag":
            assert mark.value == written and ":" not in written
        elif mark.kind == "keyword":
            assert written == f"#+{written[2:]}" and mark.value == written[2:].upper()
        elif mark.kind == "priority":
            assert written == f"[#{mark.value}]"
        elif mark.kind == "date":
            assert date.fromisoformat(mark.value)
        elif mark.kind == "todo":
            assert mark.value in ("TODO", "DONE")
    return found


def of(kind: str, text: str, settings: ContentSettings = DEFAULTS) -> list[str]:
    return [text[mark.start : mark.end] for mark in read(text, settings) if mark.kind == kind]


def valued(kind: str, text: str) -> list[tuple[str, str]]:
    return [(text[mark.start : mark.end], mark.value) for mark in read(text) if mark.kind == kind]


def test_tags_are_bare_names_of_headings_and_of_the_file() -> None:
    text = "#+FILETAGS: :work:two words, three\n* A :b:c@d#%:\n"
    text += "** TODO B  :é:\t\n* no :tag: here\n* 12:30:\n#+begin_src\n* C :x:\n#+end_src"
    assert of("tag", text) == ["work", "two", "words", "three", "b", "c@d#%", "é", "x"]
    assert of("tag", "text :a: text\n- item :b:\n") == []


def test_keywords_of_headings_are_open_or_done_as_the_file_says() -> None:
    assert valued("todo", "* TODO a\n* DONE b\n* CANCELLED c\n* TODOS d\n* NEXT") == [
        ("TODO", "TODO"),
        ("DONE", "DONE"),
        ("CANCELLED", "DONE"),
        ("NEXT", "TODO"),
    ]
    own = "#+TODO: OPEN(o) | SHUT(s)\n#+SEQ_TODO: A B C\n"
    assert valued("todo", f"{own}* OPEN a\n* SHUT b\n* A c\n* C d\n* TODO e") == [
        ("OPEN", "TODO"),
        ("SHUT", "DONE"),
        ("A", "TODO"),
        ("C", "DONE"),
    ]
    assert of("todo", "* IDEA a\n", ContentSettings(todo_keywords=("IDEA",))) == ["IDEA"]


def test_check_boxes_are_tasks() -> None:
    text = "- [ ] a\n+ [X] b\n  1. [@3] [-] c\n* [ ] heading\n- [x] d\n- [y] e\n- [ ]f\n[ ] g\n: - [ ] h\n- see [ ] i\n-\t[ ]\n"
    assert valued("todo", text) == [("[ ]", "TODO"), ("[X]", "DONE"), ("[-]", "TODO"), ("[x]", "DONE"), ("[ ]", "TODO")]


def test_priorities_stand_in_headings() -> None:
    assert valued("priority", "* [#A] a\n* TODO [#b] b\n* [#10] c\n* d [#C]\n[#D]\n* DONE [#E]") == [
        ("[#A]", "A"),
        ("[#b]", "b"),
        ("[#10]", "10"),
        ("[#E]", "E"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<2024-05-01 Wed 10:00 +1w>", [("<2024-05-01 Wed 10:00 +1w>", "2024-05-01")]),
        ("see [2024-05-01] and <2024-05-02>.", [("[2024-05-01]", "2024-05-01"), ("<2024-05-02>", "2024-05-02")]),
        ("<2024-05-01 Wed>--<2024-05-03 Fri>", [("<2024-05-01 Wed>--<2024-05-03 Fri>", "2024-05-01")]),
        ("* H\nSCHEDULED: <2024-05-01 Wed>", [("<2024-05-01 Wed>", "2024-05-01")]),
        ("CLOCK: [2024-05-01 Wed 10:00]--[2024-05-01 Wed 11:00] =>  1:00", [(None, "2024-05-01")]),
        ("on 2024-05-01, not 1.2024-05-01.3", [("2024-05-01", "2024-05-01")]),
        ("#+DATE: 2024-05-01", [("2024-05-01", "2024-05-01")]),
        ("[[file:2024-05-01.org][2024-05-02]]", [("2024-05-02", "2024-05-02")]),
        ("[[2024-05-01]] [[a][at [2024-05-02] b]]", [("[2024-05-02]", "2024-05-02")]),
        ("<%%(diary-float t 4 2)> <2024-02-30> 2024-02-30 May 2024 2024-05 1 May 2024", []),
        ("#+begin_src\n<2024-05-01> 2024-05-01\n#+end_src\n: 2024-05-01\n# <2024-05-01>", []),
    ],
)
def test_dates_are_time_stamps_and_iso_days(text: str, found: list[tuple[str | None, str]]) -> None:
    assert valued("date", text) == [(written or text[7:53], value) for written, value in found]


def test_keys_of_properties_are_marked_and_their_drawer() -> None:
    text = "* H\n:PROPERTIES:\n:ID: 1\n:EMPTY:\n:header-args+: :x y\n:END:\n:note: text\n:LOGBOOK:\n- a\n:END:\n"
    assert of("property", text) == ["ID", "EMPTY", "header-args+"]
    assert of("drawer", text) == [":PROPERTIES:\n:ID: 1\n:EMPTY:\n:header-args+: :x y\n:END:\n", ":LOGBOOK:\n- a\n:END:\n"]
    assert of("drawer", "* H\n:OPEN:\ntext\n* I\n:END:\n") == []


def test_keywords_are_marked_without_their_colon() -> None:
    text = "#+title: T\n#+ATTR_HTML[x]: y\n"
    text += "#+begin_quote\n  #+CAPTION: c\n#+end_quote\n#+nothing\n#+begin_src sh\n#+TITLE: no\n#+end_src\n"
    assert valued("keyword", text) == [
        ("#+title", "TITLE"),
        ("#+ATTR_HTML", "ATTR_HTML"),
        ("#+begin_quote", "BEGIN_QUOTE"),
        ("#+CAPTION", "CAPTION"),
        ("#+end_quote", "END_QUOTE"),
        ("#+begin_src", "BEGIN_SRC"),
        ("#+end_src", "END_SRC"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("code", "a\n#+BEGIN_SRC sh\n- x\n#+END_SRC\nb", ["#+BEGIN_SRC sh\n- x\n#+END_SRC\n"]),
        ("code", "#+begin_example\n#+begin_export html\n#+end_example", ["#+begin_example\n#+begin_export html\n#+end_example"]),
        ("code", ": a\n:\n  : b\n\n: c\n:d\n", [": a\n:\n  : b\n", ": c\n"]),
        ("code", "#+begin_src\nunclosed\n* H\n#+end_src", []),
        ("table", "| a |\n|---|\n#+TBLFM: $1=1\n#+TBLFM: $1=2\ntext\n #+TBLFM: $1=1\n | b", None),
        (
            "quote",
            "#+begin_quote\na\n#+begin_src\n#+end_src\n#+end_quote\n",
            ["#+begin_quote\na\n#+begin_src\n#+end_src\n#+end_quote\n"],
        ),
        ("quote", "#+begin_verse\n:D:\n#+end_verse\n#+begin_note x\n#+end_note", None),
        (
            "comment",
            "# a\n#\n#b\n # c\n#+begin_comment\n# d\n#+end_comment",
            ["# a\n#\n", " # c\n", "#+begin_comment\n# d\n#+end_comment"],
        ),
        ("list", "- a\n  b\n\n  c\nd\n", ["- a\n  b\n\n  c\n"]),
        ("list", "- a\n  - b\n- c\n", ["- a\n  - b\n", "  - b\n", "- c\n"]),
        ("list", "1. a\n   + b\n\n   text\n2) c", ["1. a\n   + b\n\n   text\n", "   + b\n", "2) c"]),
        ("list", "- a\n\n\n  no\n", ["- a\n"]),
        ("list", " * a\n* H\n", [" * a\n"]),
        ("list", "-no\n*no\n1.no\n-\n", ["-\n"]),
        ("list", "- a\n  #+begin_src\nx\n\n\ny\n  #+end_src\n  b\nc\n", ["- a\n  #+begin_src\nx\n\n\ny\n  #+end_src\n  b\n"]),
        (
            "list",
            "- a\n  #+begin_quote\n- b\nc\n  #+end_quote\n  d\n",
            ["- a\n  #+begin_quote\n- b\nc\n  #+end_quote\n  d\n", "- b\n"],
        ),
        ("list", "#+begin_quote\n- a\n#+end_quote\n  b\n", ["- a\n"]),
        ("list", "-\ta\n\tb\n\t- c\n        - d\n", ["-\ta\n\tb\n\t- c\n        - d\n", "\t- c\n", "        - d\n"]),
    ],
)
def test_marks_of_whole_lines(kind: str, text: str, found: list[str] | None, end: str) -> None:
    if found is None:
        found = {
            "table": ["| a |\n|---|\n#+TBLFM: $1=1\n#+TBLFM: $1=2\n", " | b"],
            "quote": ["#+begin_verse\n:D:\n#+end_verse\n", "#+begin_note x\n#+end_note"],
        }[kind]
    assert of(kind, text.replace("\n", end)) == [written.replace("\n", end) for written in found]


@given(st.lists(PIECES, max_size=60).map("".join))
def test_ranges_hold_what_their_kind_says_in_any_text(text: str) -> None:
    read(text)


@given(
    st.lists(st.sampled_from(["TODO", "WIP", "COMMENT", "[#A]", " ", "\t", "a", "[[x]]", ":a:", ":b:", "::", "é"]), max_size=9).map(
        "".join
    )
)
def test_parts_of_a_heading_are_apart_and_in_order(text: str) -> None:
    parts = locate(text, DEFAULT_KEYWORDS)
    ranges = [part for part in (parts.todo, parts.priority, parts.title, *parts.tags) if part]
    assert [offset for span in ranges for offset in span] == sorted(offset for span in ranges for offset in span)
    assert ranges[0][0] >= 0 and ranges[-1][1] <= len(text)
    title = text[slice(*parts.title)]
    assert title == title.strip(" \t")


def test_the_title_of_a_heading_is_located_as_it_is_written() -> None:
    text = " TODO [#A] COMMENT See [[a][b]] :x:y: "
    parts = locate(text, DEFAULT_KEYWORDS)
    assert parts.todo and parts.priority
    assert [text[slice(*part)] for part in (parts.todo, parts.priority, parts.title, *parts.tags)] == [
        *("TODO", "[#A]", "See [[a][b]]", "x", "y"),
    ]
    assert locate("", DEFAULT_KEYWORDS).title == (0, 0)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *(
            (" TOOD buy tea", "TOOD"),
            (" BLOCKED buy tea", "BLOCKED"),
            (" WAITING-FOR tea", "WAITING-FOR"),
            (" WIP tea :tag:", "WIP"),
        ),
        *(
            (" TODO tea", ""),
            (" GNU Emacs", ""),
            (" HTML export", ""),
            (" TEXT", ""),
            (" TEXT of it", ""),
            (" WIP", ""),
            (" WIP ", ""),
        ),
        *((" Tood x", ""), (" TO DO", ""), (" W3C TODO", ""), (" 2024 x", ""), ("", ""), (" [#A] WIP x", ""), (" WIP: x", "")),
    ],
)
def test_only_a_word_that_must_be_meant_as_a_keyword_is_taken_for_one(text: str, word: str) -> None:
    assert keyword_like(text, DEFAULT_KEYWORDS) == word


def test_a_keyword_that_the_file_left_out_of_its_own_is_unknown() -> None:
    assert keyword_like(" WAITING tea", frozenset({"OPEN", "SHUT"})) == "WAITING"
    assert keyword_like(" OEPN tea", frozenset({"OPEN", "SHUT"})) == "OEPN"
    assert keyword_like(" OPEN tea", frozenset({"OPEN", "SHUT"})) == ""


@pytest.mark.parametrize(
    "text",
    [
        *(
            "- a\n" * 20_000,
            ":A:\n" * 20_000,
            "#+begin_quote\n" * 10_000 + "#+end_quote\n" * 10_000,
            "#+begin_a\n#+end_b\n" * 10_000,
        ),
        *("* x :" + "a:" * 20_000, "\n".join(" " * (line % 300) + "- a" for line in range(5_000)), "[2024-01-01 " * 20_000),
    ],
    ids=lambda text: ascii(text[:9]),
)
def test_marks_of_hostile_text_take_linear_time(text: str) -> None:
    read(text)
