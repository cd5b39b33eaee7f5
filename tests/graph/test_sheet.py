"""What is asked of a text that is being typed, without parsing all of it."""

from hypothesis import given
from hypothesis import strategies as st

from khojd.content import markdown_outline, org_lines
from khojd.content.model import ContentSettings
from khojd.graph.sheet import Sheet

MARKDOWN = [
    "# H",
    "text",
    "```",
    "~~~",
    "    indented",
    "- item",
    "  ```",
    "> q",
    "> ```",
    "<div>",
    "</div>",
    "<!-- c",
    "-->",
    "",
    "a\tb",
    "==",
]
ORG = [
    "* H",
    "** TODO x",
    "#+begin_src",
    "#+end_src",
    "#+BEGIN_QUOTE",
    "#+END_QUOTE",
    "#+begin_example",
    "#+end_example",
    "text",
    "",
    ":D:",
    ":END:",
]
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def texts(lines: list[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda chosen, end: end.join([*chosen, ""]), st.lists(st.sampled_from(lines), max_size=12), ENDS)


@given(texts(MARKDOWN))
def test_code_is_found_in_markdown_by_what_stands_before_it(text: str) -> None:
    sheet = Sheet("/v/a.md", text, ContentSettings())
    kinds = markdown_outline.read(text, len(sheet.lines)).kinds
    for line, start in enumerate(sheet.lines.starts):
        if sheet.line_text(line).strip():
            assert sheet.in_code(start) == (kinds[line] == markdown_outline.OPAQUE), (line, text)


@given(texts(ORG), st.integers(0, 200))
def test_code_is_found_in_org_by_what_stands_between_two_headings(text: str, offset: int) -> None:
    sheet = Sheet("/v/a.org", text, ContentSettings())
    blocks = (one for one in org_lines.read_passages(text) if one.kind == "block" and one.name.lower() in org_lines.LITERAL_BLOCKS)
    literal = [(one.start, one.end) for one in blocks]
    offset = min(offset, len(text))
    inside = any(start <= offset < end for start, end in literal)
    if inside or not any(offset == end for _, end in literal):
        assert sheet.in_code(offset) == inside, (offset, text)


def test_link_abbreviations_are_known_in_any_spelling_of_the_keyword() -> None:
    for keyword in ("#+LINK:", "#+link:", "#+Link:"):
        assert Sheet("/v/a.org", f"x\n{keyword} gh https://github.com/%s\n", ContentSettings()).abbreviations == {
            "gh": "https://github.com/%s"
        }
    sheet = Sheet("/v/a.org", "text\n", ContentSettings())
    assert sheet.abbreviations == {}
    assert not sheet.is_parsed
