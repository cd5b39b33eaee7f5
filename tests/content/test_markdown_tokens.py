"""Marks of Markdown notes, as an editor shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content import frontmatter, marks, registry
from khojd.content.model import ContentSettings, Mark
from tests.content.test_markdown_links import TEXTS


def read(text: str, *, keywords: tuple[str, ...] = ()) -> tuple[Mark, ...]:
    settings = ContentSettings(todo_keywords=keywords)
    return marks.read("note.md", text, registry.parse("note.md", text, settings), settings)


def shown(text: str, *kinds: str, keywords: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    return [(mark.kind, text[mark.start : mark.end], mark.value) for mark in read(text, keywords=keywords) if mark.kind in kinds]


TAGS: tuple[tuple[str, list[str]], ...] = (
    ("text #one and #a/b.c, (#three)", ["one", "a/b.c", "three"]),
    ("# Heading #top", ["top"]),
    ("#[[two words]]", ["two words"]),
    ("tags:: a, #b, [[c d]]\n\ntext", ["a", "b", "c d"]),
    ("---\ntags: [a, '#b', \"c/d\"]\n---\n", ["a", "b", "c/d"]),
    ("---\ntags:\n  - a\n  - b c\n---\n", ["a", "b c"]),
    ("---\ntags: 'a, #b'\nkeywords: c d\n---\n", ["a", "b", "c", "d"]),
    ('+++\ntags = ["a", "b"]\n+++\n', ["a", "b"]),
    ("`#no` [x](#no) [[n#no]] #1 a#no\n\n```\n#no\n```\n\n%%#no%% <!-- #no -->", []),
)


@pytest.mark.parametrize(("text", "names"), TAGS)
def test_tags_are_marked_by_their_bare_names(text: str, names: list[str]) -> None:
    for ends in ("\n", "\r\n", "\r"):
        assert shown(text.replace("\n", ends), "tag") == [("tag", name, name) for name in names]


def test_tasks_and_priorities_are_marked_where_they_are_written() -> None:
    text = "# TODO [#A] Call\n## [x] Done\n### Todo list\n- [ ] a\n- [-] b\n1. LATER [#b] c\n- DONE d\n- WIP e\n"
    text += "`- [ ] no` TODO no\n"
    assert shown(text, "todo", "priority", keywords=("WIP",)) == [
        ("todo", "TODO", "TODO"),
        ("priority", "[#A]", "A"),
        ("todo", "[x]", "DONE"),
        ("todo", "[ ]", "TODO"),
        ("todo", "[-]", "DONE"),
        ("todo", "LATER", "TODO"),
        ("priority", "[#b]", "B"),
        ("todo", "DONE", "DONE"),
        ("todo", "WIP", "TODO"),
    ]


def test_days_are_marked_in_text_stamps_signs_and_front_matter() -> None:
    text = "---\ndate: 2024-05-01T10:00\ncreated: '1714521600000'\n---\non 2024-05-02, [x](2024-05-03.md) `2024-05-04`\n\n"
    text += "- TODO a\n  SCHEDULED: <2024-05-05 Sun>\n- [ ] b 📅 2024-05-06\n- 2024-13-01 and May 2024\n"
    assert shown(text, "date") == [
        ("date", "2024-05-01", "2024-05-01"),
        ("date", "1714521600000", "2024-05-01"),
        ("date", "2024-05-02", "2024-05-02"),
        ("date", "<2024-05-05 Sun>", "2024-05-05"),
        ("date", "2024-05-06", "2024-05-06"),
    ]


def test_keys_are_marked_in_front_matter_and_in_text() -> None:
    text = "---\ntitle: >-\n  not: a key\n'quoted': x\nouter:\n  inner: [1]\n---\npage:: x\n\ntext [in line:: y] `no:: z`\n"
    keys = ["title", "quoted", "outer", "inner", "page", "in line"]
    assert shown(text, "property") == [("property", key, key) for key in keys]
    toml = '+++\ntitle = "x"\n[extra]\nkey = 1\n+++\n'
    assert shown(toml, "property") == [("property", key, key) for key in ("title", "extra", "key")]


def test_blocks_are_marked_in_whole_lines() -> None:
    blocks = (
        ("frontmatter", "---\na: b\n---\n"),
        ("code", "```py\nx\n```\n"),
        ("code", "    indented\n"),
        ("table", "| a |\n|---|\n| b |\n"),
        ("quote", "> [!note] a\n> b\n"),
        ("comment", "<!-- a\nb -->\n"),
        ("comment", "%%\na\n%%\n"),
        ("drawer", ":LOGBOOK:\nCLOCK: x\n:END:\n"),
    )
    text = "\n".join(block for _, block in blocks)
    for ends in ("\n", "\r\n"):
        written = text.replace("\n", ends)
        found = shown(written, *{kind for kind, _ in blocks})
        assert [mark[:2] for mark in found] == [(kind, block.replace("\n", ends)) for kind, block in blocks]


def test_list_items_have_their_continuation_lines_and_nested_items() -> None:
    text = "- a\n  more\n  - b\n\n    ```\n    x\n    ```\n- c\n\ntext\n"
    found = [(kind, written) for kind, written, _ in shown(text, "list", "code")]
    assert found == [
        ("list", "- a\n  more\n  - b\n\n    ```\n    x\n    ```\n"),
        ("list", "  - b\n\n    ```\n    x\n    ```\n"),
        ("code", "    ```\n    x\n    ```\n"),
        ("list", "- c\n"),
    ]


def test_a_comment_within_a_line_is_marked_from_sign_to_sign_and_one_in_code_is_none() -> None:
    text = "a %%b%% c <!-- d\ne --> f `%%` <!-- open\n\n```mermaid\n%% x\n```\n"
    assert shown(text, "comment") == [("comment", "%%b%%", ""), ("comment", "<!-- d\ne -->", "")]


def test_a_text_that_is_too_deep_for_the_parser_still_has_its_other_marks() -> None:
    text = "> " * 500 + "deep\n\n- [ ] task #tag\n"
    assert shown(text, "todo", "tag") == [("todo", "[ ]", "TODO"), ("tag", "tag", "tag")]


@given(TEXTS)
def test_every_mark_lies_in_the_text_in_order_and_blocks_are_whole_lines(text: str) -> None:
    found = read(text)
    assert list(found) == sorted(found, key=lambda mark: (mark.start, -mark.end))
    assert len(set(found)) == len(found)
    for mark in found:
        assert 0 <= mark.start < mark.end <= len(text)
        if mark.kind in ("tag", "property"):
            assert text[mark.start : mark.end] == mark.value
        if mark.kind in ("code", "table", "list", "quote", "drawer"):
            assert mark.start == 0 or text[mark.start - 1] in "\r\n"
            assert mark.end == len(text) or text[mark.end - 1] in "\r\n"


HOSTILE = (
    "%%a", "<!--", "`%%` ", "a:: b\n", "- [ ] a\n", "#a ", "[#A]", "2024-01-01 ", "> ", "- ", "|a\n", ":LOGBOOK:\n",
    "tags:: a,", "%%\n",
)  # fmt: skip


@pytest.mark.parametrize("mark", HOSTILE)
def test_marks_by_the_ten_thousand_are_read_in_linear_time(mark: str) -> None:
    read(mark * (100_000 // len(mark)))


LINES = (
    "key: value", "a.b-c: x: y", "k: 'q'", 'k: "q"', "k: ''", "k:", "k: a # b", "k: a#b", "k: https://x", "k: 1.10", "k: ~",
    "k: a:", "k: é 🎉", "tags: a b", "date: 2024-05-01", "title: x", "k: - a", "k: [a]", " k: indented",
)  # fmt: skip


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=6))
def test_simple_front_matter_says_what_yaml_says(lines: list[str]) -> None:
    """A comment makes the block one for the YAML parser."""
    block = "\n".join(lines)
    simple, full = frontmatter.read(f"---\n{block}\n---\n"), frontmatter.read(f"---\n{block}\n#\n---\n")
    assert simple.properties == full.properties
    assert (simple.title, simple.tags, simple.dates, simple.valid) == (full.title, full.tags, full.dates, full.valid)
