"""Exported conversations: links to what is cited, and everything in its place, whatever stands in titles and answers."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from khojd.chat import export
from khojd.chat.model import Citation, Conversation, Turn, text_hash
from khojd.content import markdown, org
from khojd.content.model import ContentSettings, Section
from tests.conftest import program

MOMENT = 1_700_000_000.0


def conversation(title: str = "About tea") -> Conversation:
    return Conversation("c" * 16, title, MOMENT, MOMENT)


def cited(answer: str, marker: str = "[1]", question: str = "What of tea?") -> Turn:
    """A turn whose answer cites a line of a note, wherever the marker stands in it."""
    number, quote = int(re.sub(r"\D", "", marker)), "Tea is\nwarm."
    citations = tuple(
        Citation(number, found.start(), "/n/my notes/a.md", 40, 43, 11, quote, text_hash(quote), "Tea", ("Green",))
        for found in re.finditer(re.escape(marker), answer)
    )
    return Turn("t", "c", question, answer=answer, citations=citations, state="complete", created=MOMENT)


def sections(text: str, format: str) -> list[Section]:
    parse = markdown.parse if format == "markdown" else org.parse
    return [section for section in parse(text, ContentSettings()).sections if section.level]


def written(*turns: Turn, title: str = "About tea") -> tuple[str, str]:
    return export.markdown(conversation(title), turns), export.org(conversation(title), turns)


def test_questions_are_headings_with_their_date_model_and_state() -> None:
    failed = Turn("t", "c", "Why?", answer="Beca", state="failed", reason="khojd ended\nearly")
    failed = replace(failed, provider="local", model="tiny_m", persona="writer")
    as_markdown, as_org = written(cited("Yes."), failed)
    assert [(one.level, one.heading) for one in sections(as_markdown, "markdown")] == [
        *((1, "About tea"), (2, "What of tea?"), (2, "Why?"))
    ]
    assert re.search(r"\*\d{4}-\d\d-\d\d \w{3} \d\d:\d\d · writer · local/tiny_m · failed: khojd ended early\*", as_markdown)
    assert as_org.startswith("#+TITLE: About tea\n#+DATE: [2023-11-1")
    assert [(one.level, one.heading) for one in sections(as_org, "org")] == [(1, "What of tea?"), (1, "Why?")]
    said = dict(sections(as_org, "org")[1].properties)
    assert (said["MODEL"], said["STATE"], said["PERSONA"]) == ("local/tiny_m", "failed: khojd ended early", "writer")


def test_a_citation_links_to_its_line_and_the_sources_are_listed() -> None:
    as_markdown, as_org = written(cited("Tea is warm [1]. Very [1]."))
    assert as_markdown.count("[1](</n/my%20notes/a.md#L12>)") == 2
    assert "- \\[1\\] [Tea › Green](</n/my%20notes/a.md#L12>): “Tea is warm.”\n" in as_markdown
    assert as_org.count("[[file:/n/my notes/a.md::12][1]]") == 2
    assert "- (1) [[file:/n/my notes/a.md::12][Tea › Green]]: “Tea is warm.”\n" in as_org
    targets = [link.target for link in markdown.parse(as_markdown, ContentSettings()).links]
    assert targets == ["/n/my%20notes/a.md#L12"] * 3
    assert [link.target for link in org.parse(as_org, ContentSettings()).links] == ["file:/n/my notes/a.md::12"] * 3


def test_footnotes_of_several_answers_are_apart() -> None:
    one = cited("Tea is warm [^2].", "[^2]")
    as_markdown, as_org = written(one, one)
    for number in (1, 2):
        assert f"Tea is warm [^{number}-2]." in as_markdown
        assert f"\n[^{number}-2]: [Tea › Green](</n/my%20notes/a.md#L12>)" in as_markdown
        assert f"Tea is warm [fn:{number}-2]." in as_org
        assert f"\n[fn:{number}-2] [[file:/n/my notes/a.md::12][Tea › Green]]" in as_org
    assert "Sources:" not in as_markdown + as_org


def test_a_marker_that_is_none_stays_text() -> None:
    as_markdown, as_org = written(Turn("t", "c", "q?", answer="In `x[1]` and [2].", state="complete"))
    assert "In `x[1]` and [2]." in as_markdown
    assert "In ~x[1]~ and [2]." in as_org


def test_what_is_stale_is_said() -> None:
    turn = cited("Warm [1].")
    assert "has changed" in export.markdown(conversation(), [turn], stale=turn.citations)
    assert "has changed" in export.org(conversation(), [turn], stale=turn.citations)
    assert "has changed" not in "".join(written(turn))


def test_a_long_question_is_shortened_in_its_heading_and_quoted_below() -> None:
    as_markdown, as_org = written(cited("Yes.", question="First * line\n\n# Second\n- third"))
    assert "\n> First \\* line  \n>\n> \\# Second  \n> \\- third  \n" in as_markdown
    assert "#+begin_quote\nFirst * line\n\n\u200b# Second\n\u200b- third\n#+end_quote" in as_org
    assert len(sections(as_markdown, "markdown")) == 2
    assert len(sections(as_org, "org")) == 1
    assert "word…\n" in written(cited("Yes.", question="word " * 100))[0]


def test_headings_of_answers_are_below_the_question() -> None:
    as_markdown, as_org = written(cited("# One\n\ntext\n\n## Two\n\nSet\n===\n\n> # quoted\n\n- # listed"))
    assert [(one.level, one.heading) for one in sections(as_markdown, "markdown")][2:] == [(3, "One"), (4, "Two"), (3, "Set")]
    assert [(one.level, one.heading) for one in sections(as_org, "org")][1:] == [(2, "One"), (3, "Two"), (2, "Set")]


@pytest.mark.parametrize(
    "answer",
    [
        "```python\nno end",
        "text\n\n~~~~\nno end\n~~~",
        "- item\n\n  ```\n  no end",
        "<!-- no end",
        "<script>\nno end\n\n",
        "<pre>\n",
        "<?php no end",
        "<![CDATA[ no end",
        "<!DOCTYPE no end",
        "<div>\n# x",
        "%% no end",
        "%%\n\n# x",
        "text\n---",
        "===",
        "a\n=",
        "[x]: http://x.example\n[^1]: note",
        "* star\n*\n**\n** two",
        "#+begin_src\n#+title: x\n",
        ":PROPERTIES:\n:ID: x\n:END:",
        "\\* star\n\\# hash",
        "a\u2028# b\u0085# c\x0c# d\r# e",
        "\x00\x1b[31m",
        "> ```\n> no end",
        "1. a\n\n   <!-- no end",
        "&#10;# x",
        "\ue0000\ue001 \ue0009\ue001",
    ],
)
def test_an_answer_cannot_leave_its_place(answer: str) -> None:
    first, last = cited(answer, question="first"), cited("The end.", question="last")
    as_markdown, as_org = written(first, last)
    assert [one.heading for one in sections(as_markdown, "markdown") if one.level <= 2] == ["About tea", "first", "last"]
    assert [one.heading for one in sections(as_org, "org") if one.level == 1] == ["first", "last"]
    # And the last answer is text: no code, no comment.
    for text, format in ((as_markdown, "markdown"), (as_org, "org")):
        body = "".join(text[each.start : each.end] for each in sections(text, format)[-1].segments)
        assert body.rstrip().endswith("\nThe end.")
    assert "definition" not in [link.kind for link in markdown.parse(as_markdown, ContentSettings()).links]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("**bold** *it* `code` ~~gone~~", "*bold* /it/ ~code~ +gone+"),
        ("in**side**word", "in\u200b*side*\u200bword"),
        ("`a~b` `c=d` `e~=f`", "=a~b= ~c=d~ e~=f"),
        ("***both***", "/*both*/"),
        ("[text](https://x.example/p) <https://y.example>", "[[https://x.example/p][text]] [[https://y.example]]"),
        ("[a [b]](https://x.example/[2])", "[[https://x.example/%5B2%5D][a {b}]]"),
        ("[note](other.md)", "[note](other.md)"),
        ("- one\n- two\n  - three\n\n    more", "- one\n- two\n  - three\n\n    more"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("```c++ {.x}\n* a\n  #+b\n,* c\n```", "#+begin_src c++\n,* a\n  ,#+b\n,,* c\n#+end_src"),
        ("```\nx\n```", "#+begin_example\nx\n#+end_example"),
        ("> a\n> > b", "#+begin_quote\na\n\nb\n#+end_quote"),
        ("---", "-----"),
        ("| a | b |\n|---|---|\n| `x` | y\\|z |", "| a | b |\n|---+---|\n| ~x~ | y\\vert{}z |"),
        ("one  \ntwo", "one\\\\\ntwo"),
        ("\\* a\n\\# b\n\\- c\n1\\. d\n: e\n\\| f", "\u200b* a\n\u200b# b\n\u200b- c\n\u200b1. d\n\u200b: e\n\u200b| f"),
        ("see [[shell:rm]] and shell:rm", "see [\u200b[shell\u200b:rm]] and shell\u200b:rm"),
        ("<<t>> [fn:1] {{{m}}} src_sh{rm}", "<\u200b<t>> [\u200bfn:1] {\u200b{{m}}} src\u200b_sh{rm}"),
        ("# TODO [#A] x :tag:", "** \u200bTODO [#A] x :tag:\u200b"),
    ],
)
def test_markdown_that_org_has_too_is_written_as_org(before: str, after: str) -> None:
    text = written(cited(before))[1]
    assert text.partition(":END:\n\n")[2].rstrip("\n") == after


NASTY = st.lists(
    st.sampled_from(
        [
            *("\n", "\n\n", " ", "  ", "    ", "\t", "a", "word", "[1]", "# ", "## ", "* ", "** ", "- ", "1. ", "> "),
            *("| a |", "|-|", "```", "````", "~~~", "`", "``", "<!--", "-->", "<pre>", "</pre>", "<script", "<div>", "%%"),
            *("===", "---", "***", "**", "_", "[1]:", "[^1]:", "[x](y)", "](http://z/", ")", "[[", "]]", "#+begin_src"),
            *("#+end_src", "#+TITLE: x", ":END:", ":PROPERTIES:", "CLOCK:", "\\", "&#35;", "&lt;", "\r", "\u2028", "\x00"),
            *("\u200b", "\ue0000\ue001", "TODO ", "COMMENT ", "[#A] ", " :tag:", "{#id}", "a:: b", "^id", "$$", "~", "="),
            *("+", "http://x.example", "<http://y.example>", "!", "温泉", "fn:", "{{{", "DEADLINE: "),
        ]
    ),
    max_size=25,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(questions=st.lists(NASTY, min_size=1, max_size=3), answers=st.lists(NASTY, min_size=3, max_size=3), title=NASTY)
@example(questions=["- a"], answers=["\t# b\n```", "", ""], title="#")
def test_the_questions_are_all_headings_of_their_level(questions: list[str], answers: list[str], title: str) -> None:
    turns = [cited(answer, question=question) for question, answer in zip(questions, answers, strict=False)]
    as_markdown, as_org = written(*turns, title=title)
    levels = [section.level for section in sections(as_markdown, "markdown") if section.level <= 2]
    assert levels == [1] + [2] * len(turns)
    found = [section for section in sections(as_org, "org") if section.level == 1]
    assert len(found) == len(turns)
    for section in found:
        assert (section.todo, section.priority, section.tags, section.excluded) == ("", "", (), False)
        assert dict(section.properties)["CREATED"].startswith("[2023-11-1")
        assert len(section.properties) == 1
    for text in (as_markdown, as_org):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u2028]", text)


def test_emacs_reads_the_questions_as_its_headings(tmp_path: Path) -> None:
    code = "* star\n\n```org\n* in code\n#+end_src\n```\n\n\\* star\n\n# Real"
    answers = [code, "- a\n\n      * b\n\n> * c", "| * |\n|---|\n| * |"]
    note = tmp_path / "a.org"
    note.write_text(written(*(cited(answer, question=f"TODO {answer[:3]}") for answer in answers))[1], encoding="utf-8")
    read = (
        '(with-temp-buffer (insert-file-contents "%s") (org-mode)'
        " (princ (org-map-entries (lambda () (car (org-heading-components))))))"
    )
    command = [program("emacs"), "-Q", "--batch", "--eval", "(require 'org)", "--eval", read % note]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "(1 2 1 1)"
