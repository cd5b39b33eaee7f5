"""Where links lead: names, paths, titles, encodings, headings, tags of HTML.

Situations: artempyanykh/marksman (RefsTests.fs), iwe-org/iwe (go_to_definition_test.rs, hover_test.rs), zk-org/zk (server_test.go),
microsoft/vscode-markdown-languageservice (definition, tableOfContents and documentLinks tests), Feel-ix-343/markdown-oxide.
"""

import pytest

from tests.peers.asking import definition, show
from tests.server.features.conftest import MakeVault

NOTES = {
    "tea.md": "# Green Tea\n\n## Heading #1\n\n## Two  words\n\n## Fruit\n\n### Two  words\n",
    "file with spaces.md": "# Spaces\n",
    "doc.3.with.dots.md": "Dots\n",
    "sub/note-a.md": "# Note A\n",
    "sub/nested/note-b.md": "# Note B\n",
    "top.md": "# Top\n",
    "20221218.md": "# Sun 18 Dec 2022\n",
    "html.md": '# My Head\n\n<div id="my-target"></div>\n\ntext <span id="inner">here</span>\n\n<a name="my-head"></a>\n',
    "titled.md": "---\ntitle: A title of its own\n---\n\n# Header\n",
    "here.md": "",
    "sub/here.md": "",
    "sub/nested/here.md": "",
}


async def test_notes_by_name_path_title_and_encoding(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for link, note in (
        ("[[tea]]", "tea.md"),
        ("[[tea.md]]", "tea.md"),
        ("[[Green Tea]]", "tea.md"),
        ("[[green-tea]]", "tea.md"),
        ("[[file with spaces]]", "file with spaces.md"),
        ("[[file%20with%20spaces.md]]", "file with spaces.md"),
        ("[x](file%20with%20spaces)", "file with spaces.md"),
        ("[x](<file with spaces.md>)", "file with spaces.md"),
        ("[[doc.3.with.dots]]", "doc.3.with.dots.md"),
        ("[[doc.3.with.dots.md]]", "doc.3.with.dots.md"),
        ("[[Sun 18 Dec 2022]]", "20221218.md"),
        ("[[A title of its own]]", "titled.md"),
        ("[[note-b]]", "sub/nested/note-b.md"),
        ("[[sub/nested/note-b]]", "sub/nested/note-b.md"),
        ("[x](/sub/note-a)", "sub/note-a.md"),
        ("[x](sub/note-a.md)", "sub/note-a.md"),
        ('<a href="sub/note-a.md">x</a>', "sub/note-a.md"),
        ("<img src='/tea.md'>", "tea.md"),
        ("![[tea]]", "tea.md"),
        ("- one\\n  - [[tea|that]]", "tea.md"),
    ):
        text = link.replace("\\n", "\n")
        at = max(text.find("[["), text.find("]("), text.find("href"), text.find("src")) + 6
        assert [one[0] for one in await definition(vault, "here.md", f"{text[:at]}<|>{text[at:]}")] == [note], link


async def test_paths_are_relative_to_the_note_or_to_its_folder(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for source, path, note in (
        ("sub/here.md", "note-a", "sub/note-a.md"),
        ("sub/here.md", "../top", "top.md"),
        ("sub/nested/here.md", "/sub/note-a", "sub/note-a.md"),
        ("here.md", "/sub/nested/note-b.md", "sub/nested/note-b.md"),
        ("sub/nested/here.md", "/top", "top.md"),
        ("sub/here.md", vault.path("sub/note-a.md"), "sub/note-a.md"),
        ("sub/here.md", "/does-not-exist", None),
        ("sub/here.md", "https://example.org/foo", None),
        ("sub/here.md", "/", None),
    ):
        found = await definition(vault, source, f"[x](<|>{path})")
        assert [one[0] for one in found] == ([note] if note else []), (source, path)


async def test_headings_by_text_by_slug_and_by_number(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for link, line in (
        ("[[tea#Heading #1]]", 3),
        ("[[tea#Heading %231]]", 3),
        ("[[tea#heading-1]]", 3),
        ("[x](tea.md#heading-1)", 3),
        ("[x](<tea.md#Heading 1>)", 3),
        ("[[tea#two words]]", 5),
        ("[x](tea.md#two-words-1)", 9),
        ("[[tea#Fruit#Two words]]", 9),
        ("[x](tea.md#FRUIT)", 7),
        ("[x](html.md#my-head)", 1),
        ("[x](html.md#my-target)", 3),
        ("[x](html#inner)", 5),
        ('<a href="html.md#inner">x</a>', 5),
    ):
        assert [one[1] for one in await definition(vault, "here.md", f"<|>{link}")] == [line], link


@pytest.mark.parametrize(
    ("headings", "slug", "line"),
    [
        ("# Indentação\n", "indentação", 1),
        ("# Инструкция - Делай Раз, Делай Два\n", "инструкция---делай-раз-делай-два", 1),
        ("## Header 2\n### Header 3\n## Заголовок 2\n", "Заголовок-2", 3),
        ("# a\n# a\n## a\n", "a-2", 3),
        ("# [linked](x.md) `code` **bold**\n", "linked-code-bold", 1),
        ("# A_b-c & d!\n", "a_b-c--d", 1),
        ("Under\n=====\n", "under", 1),
        ("#      f o  o    ##\n", "f-o-o", 1),
        ("# 🍵 tea\n", "-tea", 1),
    ],
)
async def test_slugs_are_those_of_github(make_vault: MakeVault, headings: str, slug: str, line: int) -> None:
    vault = await make_vault({"here.md": ""})
    assert [one[1] for one in await definition(vault, "here.md", f"{headings}\n[x](<|>#{slug})\n")] == [line]


async def test_beside_a_link_there_is_nothing(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for text in ("te|xt [[tea]] on", "text [[tea]] o|n", "αβ| γ[[tea]]", "|", "plain|", "[[|]]", "[x](|)"):
        assert await definition(vault, "here.md", text) == [], text
    for encoding_text in ("- αβγ[[t|ea]]\n", "🗺 [x](te|a)\n"):
        assert [one[0] for one in await definition(vault, "here.md", encoding_text)] == ["tea.md"]


async def test_a_hover_shows_the_note_without_its_front_matter(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "first/target.md": "# Sibling\n", "first/here.md": "", "second/target.md": "# Other\n"})
    for name, text, shown, hidden in (
        ("here.md", "see [[titl|ed]]", "# Header", "title:"),
        ("here.md", "🗺 [x](te|a.md)", "# Green Tea", "Spaces"),
        ("first/here.md", "[x](tar|get)", "# Sibling", "# Other"),
        ("sub/here.md", "[[to|p]]", "# Top", "Note"),
        ("here.md", '<a href="te|a.md">x</a>', "# Green Tea", "Spaces"),
    ):
        value = (await vault.ask("textDocument/hover", name, show(vault, name, text)))["contents"]["value"]
        assert shown in value and hidden not in value, text
    for text in ("no li|nk", "αβ| γ [[tea]]"):
        assert await vault.ask("textDocument/hover", "here.md", show(vault, "here.md", text)) is None


async def test_a_picture_is_shown_by_a_hover(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": "", "s p a c e.png": "png"})
    for text in ("![img](<./s p| a c e.png>)", '<img src="s p| a c e.png">', "![[s p| a c e.png]]"):
        hover = await vault.ask("textDocument/hover", "here.md", show(vault, "here.md", text))
        assert f"]({vault.uri('s p a c e.png')})" in hover["contents"]["value"], text
