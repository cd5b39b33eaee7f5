"""Links and anchors of Markdown texts: what is one, where it stands, and what it is a part of."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token

from khojd.content import markdown
from khojd.content.model import ContentSettings, Link, Parsed

UUID = "12345678-1234-1234-1234-123456789abc"


def parse(text: str) -> Parsed:
    return markdown.parse(text, ContentSettings())


def links(text: str) -> list[tuple[str, str, str, str]]:
    """Kind, whole, target and text of each link."""
    return [(link.kind, text[link.start : link.end], link.target, link.text) for link in parse(text).links]


CASES = (
    ("[[note]]", "wiki", "[[note]]", "note", ""),
    ("# In [[a heading]]", "wiki", "[[a heading]]", "a heading", ""),
    ("[[note#heading|alias]]", "wiki", "[[note#heading|alias]]", "note#heading", "alias"),
    ("[[note#^block]]", "wiki", "[[note#^block]]", "note#^block", ""),
    ("[[#heading]]", "wiki", "[[#heading]]", "#heading", ""),
    ("[[^^block]]", "wiki", "[[^^block]]", "^^block", ""),
    ("[[ spaced ]]", "wiki", "[[ spaced ]]", "spaced", ""),
    ("[[a [b] c]]", "wiki", "[[a [b] c]]", "a [b] c", ""),
    ("[[]]", "wiki", "[[]]", "", ""),
    ("[[日本語 🎉|e\u0301]]", "wiki", "[[日本語 🎉|e\u0301]]", "日本語 🎉", "e\u0301"),
    ("| a |\n|---|\n| [[a\\|b]] |\n", "wiki", "[[a\\|b]]", "a", "b"),
    ("![[img.png|alt|100]]", "embed", "![[img.png|alt|100]]", "img.png", "alt|100"),
    ("- {{embed [[x]]}}", "embed", "{{embed [[x]]}}", "x", ""),
    (f"- (({UUID}))", "block", f"(({UUID}))", UUID, ""),
    (f"- {{{{embed (({UUID}))}}}}", "block", f"{{{{embed (({UUID}))}}}}", UUID, ""),
    (f"- [label]((({UUID})))", "block", f"[label]((({UUID})))", UUID, "label"),
    ("[a](b.md)", "markdown", "[a](b.md)", "b.md", "a"),
    ("[a](b(c(d)).md)", "markdown", "[a](b(c(d)).md)", "b(c(d)).md", "a"),
    ("[a](<b c.md>)", "markdown", "[a](<b c.md>)", "b c.md", "a"),
    ('[a](b "t")', "markdown", '[a](b "t")', "b", "a"),
    ("[a](b 't')", "markdown", "[a](b 't')", "b", "a"),
    ("[a](b (t))", "markdown", "[a](b (t))", "b", "a"),
    ("[a\\]b](c)", "markdown", "[a\\]b](c)", "c", "a\\]b"),
    ("[a [b] c](d)", "markdown", "[a [b] c](d)", "d", "a [b] c"),
    ("[`a]`](b)", "markdown", "[`a]`](b)", "b", "`a]`"),
    ("[[1]](https://x.org/y)", "markdown", "[[1]](https://x.org/y)", "https://x.org/y", "[1]"),
    ("[https://x.org](y)", "markdown", "[https://x.org](y)", "y", "https://x.org"),
    ("> [two\n> lines](a.md\n> 't')", "markdown", "[two\n> lines](a.md\n> 't')", "a.md", "two\n> lines"),
    ("![a](b.png)", "image", "![a](b.png)", "b.png", "a"),
    ("see <https://x.org/?a=[b]>", "plain", "<https://x.org/?a=[b]>", "https://x.org/?a=[b]", ""),
    ("<me@x.org>", "plain", "<me@x.org>", "me@x.org", ""),
    ("(see https://x.org/a_(b).)", "plain", "https://x.org/a_(b)", "https://x.org/a_(b)", ""),
    ("見よhttps://x.org/a。後", "plain", "https://x.org/a", "https://x.org/a", ""),
    ("> [!note] Mind [[this]]\n> too", "wiki", "[[this]]", "this", ""),
    ("x[^1]\n\n[^1]: see [[this]]", "wiki", "[[this]]", "this", ""),
    ("up:: [[parent]]\n\ntext", "wiki", "[[parent]]", "parent", ""),
    ('---\nup: "[[parent|p]]"\n---\ntext', "wiki", "[[parent|p]]", "parent", "p"),
    ("---\nsource: https://x.org/a\n---\n", "plain", "https://x.org/a", "https://x.org/a", ""),
)


@pytest.mark.parametrize(("text", "kind", "whole", "target", "label"), CASES)
def test_each_kind_of_link_has_its_target_and_text(text: str, kind: str, whole: str, target: str, label: str) -> None:
    assert links(text) == [(kind, whole, target, label)]
    check_ranges(text)
    check_ranges(text.replace("\n", "\r\n"))
    check_ranges(text.replace("\n", "\r"))


@pytest.mark.parametrize(
    "text",
    [
        "`[[a]]` ``[b](c) ` `` and `https://x.org`",
        "```\n[[a]]\n[b](c)\n```",
        "    [[a]]",
        "- item\n\n  ~~~\n  [[a]]\n  ~~~",
        "<!-- [[a]] -->",
        "text <!-- [[a]]\n[b](c) --> text",
        "%%\n[[a]]\n%%",
        "text %%[[a]]%% text",
        "$$\n[[a]]\n\n[b](c)\n$$",
        "so $$[a](b)$$ it is",
        "\\[[a] \\[b](c)",
        "#[[two words]]",
        "[ ] [x] [^1] [nothing]",
        "[a](b c)",
        "[a](b",
        "[[a\nb]]",
        "((not an id))",
        "`<a href='https://x.org'>` <!-- <a href='b'> -->",
        "<a title='href=b'> <a src='b'> <img href='b'>",
    ],
)
def test_what_is_no_link(text: str) -> None:
    assert links(text) == []
    assert links(text.replace("\n", "\r\n")) == []


def test_reference_links_have_the_target_of_their_definition() -> None:
    text = "[full][Foo  Bar] [foo bar][] [FOO bar] ![img][foo bar] [other]\n\n- item\n\n  [foo\n  bar]: <a b.md> 'title'\n[none]"
    assert links(text) == [
        ("reference", "[full][Foo  Bar]", "a b.md", "full"),
        ("reference", "[foo bar][]", "a b.md", "foo bar"),
        ("reference", "[FOO bar]", "a b.md", "FOO bar"),
        ("reference", "![img][foo bar]", "a b.md", "img"),
        ("definition", "[foo\n  bar]: <a b.md> 'title'", "a b.md", "foo\n  bar"),
    ]
    check_ranges(text)
    assert len({(link.target_start, link.target_end) for link in parse(text).links}) == 1


def test_the_first_definition_of_a_label_counts_and_none_is_one_in_a_paragraph() -> None:
    assert links("[a]\n\n[a]: b\n[a]: c\n") == [
        ("reference", "[a]", "b", "a"),
        ("definition", "[a]: b", "b", "a"),
        ("definition", "[a]: c", "c", "a"),
    ]
    assert links("text\n[a]: b\n") == []
    assert links("[^1]: b\n\nx [^1]\n") == []


def test_links_hold_images_but_no_links() -> None:
    assert [link[:3] for link in links("[![a](b)](c) and ![x [y](z)](w) and [p [q](r) s](t)")] == [
        ("markdown", "[![a](b)](c)", "c"),
        ("image", "![a](b)", "b"),
        ("image", "![x [y](z)](w)", "w"),
        ("markdown", "[y](z)", "z"),
        ("markdown", "[q](r)", "r"),
    ]


def test_links_and_anchors_know_their_section() -> None:
    text = "---\nup: '[[f]]'\n---\n[[r]] ^r1\n# A [[a]] ^a1\n[[b]]\n\nB {#b1}\n===\n- [[c]] ^c1\n\n## C\n[d]: e\n"
    parsed = parse(text)
    assert [(link.target, link.section) for link in parsed.links] == [("f", 0), ("r", 0), ("a", 1), ("b", 1), ("c", 2), ("e", 3)]
    assert [(anchor.name, anchor.section) for anchor in parsed.anchors] == [("r1", 0), ("a1", 1), ("b1", 2), ("c1", 2)]
    logseq = parse(f"- one [[a]]\n  id:: {UUID}\n\t- child [[b]]\n- two [[c]]\n")
    assert [(link.target, link.section) for link in logseq.links] == [("a", 1), ("b", 1), ("c", 2)]
    assert [(anchor.kind, anchor.name, anchor.section) for anchor in logseq.anchors] == [("block", UUID, 1)]


def test_anchors_are_the_bare_names() -> None:
    text = 'para ^p-1\n\n# H {#custom .x}\n## J ^j1\n### <a id="html"></a> K\n`^code`\n\n```\nx ^no\n```\n^alone\n'
    parsed = parse(text)
    found = [(anchor.kind, anchor.name) for anchor in parsed.anchors]
    assert found == [("block", "p-1"), ("custom_id", "custom"), ("block", "j1"), ("custom_id", "html"), ("block", "alone")]
    assert all(text[anchor.start : anchor.end] == anchor.name for anchor in parsed.anchors)


def check_ranges(text: str) -> None:
    parsed = parse(text)
    size = len(text)
    for link in parsed.links:
        assert 0 <= link.start < link.end <= size
        assert text[link.target_start : link.target_end] == link.target
        assert text[link.text_start : link.text_end] == link.text
        if link.kind != "reference":
            assert link.start <= link.target_start <= link.target_end <= link.end
        assert link.section == section_of(parsed, link.start)
    assert list(parsed.links) == sorted(parsed.links, key=lambda link: (link.start, -link.end))
    for anchor in parsed.anchors:
        assert text[anchor.start : anchor.end] == anchor.name
        assert anchor.section == section_of(parsed, anchor.start)


def section_of(parsed: Parsed, offset: int) -> int:
    return max(index for index, section in enumerate(parsed.sections) if index == 0 or section.span.start <= offset)


PIECES = (
    "[", "]", "(", ")", "](", "[a](b)", "[[x]]", "[[x|y]]", "![[z]]", "[[", "]]", "|", "![", "`", "``", "\\", "<", "> ",
    "\n", "\n\n", "- ", "1. ", "# ", "a", "b c", " ", '"', "'", "<http://x.y>", "<b>", "<!--", "-->", "    ", "\t", "é",
    "https://a.b/c.", "((", f"(({UUID}))", "{{embed [[x]]}}", "#", "[ ] ", "%%", "$$", "k:: v", "^a1", "\r", "\r\n",
    "[a]: b\n", "[a]", "---\n", "🎉",
)  # fmt: skip


TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(TEXTS)
def test_every_range_lies_in_the_text_and_is_what_it_says(text: str) -> None:
    check_ranges(text)


@given(TEXTS)
def test_simple_paragraphs_are_read_like_all_others(text: str) -> None:
    """A definition that nothing uses makes the whole text be read bracket by bracket."""
    closely = parse(f"{text}\n\n[never used]: q\n").links
    if closely and closely[-1].kind == "definition":  # not in the code or comment that the text ends in
        assert without_sections(parse(text).links) == without_sections(closely[:-1])


@given(TEXTS)
def test_line_ends_of_any_kind_make_the_same_links(text: str) -> None:
    text = text.replace("\r", "")
    for end in ("\r\n", "\r"):
        assert [[part.replace(end, "\n") for part in link] for link in links(text.replace("\n", end))] == [
            [*link] for link in links(text)
        ]


def without_sections(found: tuple[Link, ...]) -> list[Link]:
    return [msgspec.structs.replace(link, section=0) for link in found]


COMMONMARK = MarkdownIt("commonmark")


def commonmark(text: str) -> list[tuple[str, str]]:
    """Links and images by markdown-it, by their start; addresses as the text of a link are left out."""
    found: list[tuple[str, str]] = []

    def walk(tokens: list[Token], depth: int) -> None:
        for token in tokens:
            if token.type == "link_open" and not (token.markup == "autolink" and depth):
                found.append(("link", str(token.attrs["href"])))
            elif token.type == "image":
                found.append(("image", str(token.attrs["src"])))
            if token.type in ("link_open", "link_close") and token.markup != "autolink":
                depth += token.nesting
            walk(token.children or [], depth + (token.type == "image"))

    walk(COMMONMARK.parse(text), 0)
    return found


def ours(text: str) -> list[tuple[str, str]]:
    found = []
    for link in parse(text).links:
        target = link.target
        if link.kind in ("definition", "html") or (link.kind == "plain" and text[link.start] != "<"):
            continue
        if link.kind == "plain" and not re.match(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:", target):
            target = f"mailto:{target}"
        kind = "image" if text[link.start] == "!" else "link"
        found.append((kind, COMMONMARK.normalizeLink(target if link.kind == "plain" else unescapeAll(target))))
    return found


OTHERS = re.compile(r"\[\[|\(\(|\{\{|%%|\$\$|\[\^")  # what CommonMark does not know
WITHOUT_DEFINITIONS = (
    "[", "]", "(", ")", "](", "[a](b)", "![", "![a](b 't')", "`", "``", "\\", "<", ">", "\n", "\n\n", "a", "b c", " ", '"', "'",
    "<http://x.y>", "<b>", "<m@x.y>", "<!--", "-->", "é", "&amp;", "*", "_", "https://a.b/c.", "(c)", "](<d e>)",
)  # fmt: skip
WITH_DEFINITIONS = (
    "[",
    "]",
    "[r]",
    "[r][]",
    "[t][r]",
    "![r]",
    "\\",
    "`",
    "a",
    " ",
    "\n",
    "\n\n[r]: /u\n\n",
    "\n\n[T]: </v w> 't'\n\n",
)


@given(
    st.one_of(*(st.lists(st.sampled_from(pieces), max_size=14).map("".join) for pieces in (WITHOUT_DEFINITIONS, WITH_DEFINITIONS)))
)
def test_commonmarks_links_are_those_of_markdown_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    if not OTHERS.search(text):
        assert ours(text) == commonmark(text)


def test_commonmarks_own_examples_have_the_links_of_a_full_parse(shared_data: Path) -> None:
    spec = (shared_data / "corpora/nasty/nasty-commonmark/spec.txt").read_text(encoding="utf-8")
    examples = re.findall(r"^`{32} example\n(.*?)^\.$", spec, re.DOTALL | re.MULTILINE)
    compared = [one.replace("→", "\t") for one in examples if not OTHERS.search(one)]
    assert len(compared) > 600
    assert [one for one in compared if ours(one) != commonmark(one)] == []


HOSTILE = (
    "[[", "[[a|", "[a](", '[a](b "', "[a](b '", "[a](<b", "[a][", "[a]: b\n", "![", "[", "]", "[a] ", "((", "{{embed [[",
    "%%", "$$", "$$\n", "<a ", "<!--", "<![CDATA[", "<a b='", "<a@", "https://", "http://a(", "[a[", "[a](b) [", "`[[a]]",
    "\\[", "> [a\n", "|[a]|b|\n|-|-|\n", "#[[a]] ", "^a\n", "[[a [b] ", "[a [b\n\n", "[a [b http://x\n\n",
    "http://x.y `\n\n", "[a](b c(((", "[x]((",
    "<a href='", "<a href='b'>", "<img src=", "<!--<a href='b'>", "<a href='b'>\n", "<div>\n<a href='b'>", "<a \n href='b",
)  # fmt: skip


@pytest.mark.parametrize("mark", HOSTILE)
def test_brackets_by_the_hundred_thousand_are_read_in_linear_time(mark: str) -> None:
    text = mark * (200_000 // len(mark))  # hours, were it quadratic: the test's time limit is the guard
    parse(text)
    parse("[a]: b\n\n" + text)


@pytest.mark.parametrize(
    ("text", "target", "shown"),
    [
        ('see <a class="x" href="b.md#c">that <b>one</b></a>.', "b.md#c", "that <b>one</b>"),
        ("<A\n  HREF='b.md'\n>that</A>", "b.md", "that"),
        ('<a href="b.md"> no end\n\nof it</a>', "b.md", ""),
        ("<div>\n\t<img alt='>' src='b.png'/>\n</div>", "b.png", ""),
        ('| a |\n|---|\n| <img src="b c.png" width="9"> |', "b c.png", ""),
    ],
)
def test_tags_of_html_are_links(text: str, target: str, shown: str) -> None:
    (link,) = parse(text).links
    assert (link.kind, link.target, link.text) == ("html", target, shown)
    assert text[link.target_start : link.target_end] == target
    assert text[link.start] == "<" and text[link.end - 1] == ">"


@pytest.mark.parametrize("opening", ["[[", "![[", "[text](", "[text](<"])
def test_a_link_of_ten_thousand_characters_has_its_exact_range(opening: str) -> None:
    closing = {"[[": "]]", "![[": "]]", "[text](": ")", "[text](<": ">)"}[opening]
    text = f"before {opening}{'x' * 10_000}{closing} after\n"
    (link,) = parse(text).links
    assert (link.start, link.end, link.target) == (7, len(text) - 7, "x" * 10_000)


def test_names_that_html_gives_count_but_not_those_in_code_and_comments() -> None:
    text = (
        '<a id="one"></a> and `<a id="two">`\n\n```html\n<input name="three">\n```\n\n    <b id="four">\n\n'
        '<div id="five">\n<p name="six">\n</div>\n\n<!-- <a id="seven"> -->\n'
    )
    parsed = markdown.parse(text, ContentSettings())
    assert [anchor.name for anchor in parsed.anchors] == ["one", "five", "six"]
