"""What refers to a heading, a note, an address, a file that is not there; what is marked in the note.

Situations: microsoft/vscode-markdown-languageservice (references, fileReferences and documentHighlights tests),
artempyanykh/marksman (RefsTests.fs), iwe-org/iwe (references_test.rs).
"""

from tests.peers.asking import highlights, references
from tests.server.features.conftest import MakeVault

DOC = "# abc\n\n[link 1](#abc)\n[not link](#noabc)\n[link 2](#abc)\n\n[bla]: #abc\n\n# def\n"
OTHERS = {
    "doc.md": DOC,
    "sub/other.md": "[no](#abc)\n[no](/doc.md#abz)\n[with](/doc.md#abc)\n[without](/doc#abc)\n",
    "zother.md": "[no](#abc)\n[link](./doc.md#abc)\n[rel](./doc#ABC)\n[[doc#abc]]\n[note](doc.md)\n<a href='doc.md#abc'>x</a>\n",
}
TO_HEADING = [
    ("doc.md", 3, "[link 1](#abc)"),
    ("doc.md", 5, "[link 2](#abc)"),
    ("doc.md", 7, "[bla]: #abc"),
    ("sub/other.md", 3, "[with](/doc.md#abc)"),
    ("sub/other.md", 4, "[without](/doc#abc)"),
    ("zother.md", 2, "[link](./doc.md#abc)"),
    ("zother.md", 3, "[rel](./doc#ABC)"),
    ("zother.md", 4, "[[doc#abc]]"),
    ("zother.md", 6, "<a href='doc.md#abc'>x</a>"),
]


async def test_links_to_a_heading_from_the_heading_and_from_each_link(make_vault: MakeVault) -> None:
    vault = await make_vault(OTHERS)
    assert await references(vault, "doc.md", DOC.replace("# abc", "# a<|>bc", 1)) == TO_HEADING
    assert await references(vault, "doc.md", DOC.replace("(#abc", "(#a<|>bc", 1)) == TO_HEADING
    assert await references(vault, "doc.md", DOC.replace("]: #abc", "]: #a<|>bc", 1)) == TO_HEADING
    declared = await references(vault, "doc.md", DOC.replace("(#abc", "(#a<|>bc", 1), declaration=True)
    assert declared == sorted([*TO_HEADING, ("doc.md", 1, "# abc")])
    vault.edit("doc.md", DOC)
    text = vault.text("zother.md").replace("./doc.md#a", "./doc.md#<|>a", 1)
    assert await references(vault, "zother.md", text) == TO_HEADING


async def test_links_to_a_note_hold_those_to_its_headings_and_to_none_of_them(make_vault: MakeVault) -> None:
    files = {"other.md": "pre\n# header\n[own](#header)\n[self](./other.md)\n", "here.md": ""}
    vault = await make_vault(files)
    text = "[a](./ot<|>her)\n[b](./other#header)\n[c](./other.md#no-such)\n[d](doc)\n"
    found = await references(vault, "here.md", text)
    assert [one for one in found if one[0] == "here.md"] == [
        ("here.md", 1, "[a](./other)"),
        ("here.md", 2, "[b](./other#header)"),
        ("here.md", 3, "[c](./other.md#no-such)"),
    ]
    assert ("other.md", 4, "[self](./other.md)") in found


async def test_links_to_the_same_address_in_all_notes(make_vault: MakeVault) -> None:
    files = {
        "other.md": "[x](http://example.org/cat) http://example.org/cat. [y](http://example.org)\n",
        "plan.org": "[[http://example.org/cat][cat]]\n[[http://example.org/cats]]\n",
        "here.md": "",
    }
    vault = await make_vault(files)
    text = (
        "[1](http://example.org/<|>cat)\n[2](http://example.org)\n<http://example.org/cat>\n\n[3]: http://example.org/cat\n\n"
        "[5](https://example.org/cat) [6](http://other.org/cat) [7][3]\n<a href='http://example.org/cat'>8</a>\n"
    )
    assert await references(vault, "here.md", text) == [
        ("here.md", 1, "[1](http://example.org/cat)"),
        ("here.md", 3, "<http://example.org/cat>"),
        ("here.md", 5, "[3]: http://example.org/cat"),
        ("here.md", 8, "<a href='http://example.org/cat'>8</a>"),
        ("other.md", 1, "[x](http://example.org/cat)"),
        ("other.md", 1, "http://example.org/cat"),
        ("plan.org", 1, "[[http://example.org/cat][cat]]"),
    ]


async def test_a_note_is_referred_to_by_each_way_to_write_it(make_vault: MakeVault) -> None:
    files = {
        "file2.md": "# Doc 2 Title\n\n## Doc 2 SubTitle\n",
        "sub/file3.md": "# Doc 3 Title\n",
        "file1.md": "[[file2]]\n[[file2.md]]\n[[file2#doc-2-subtitle]]\n[[doc-2-title]]\n[x](file2)\n[[file3]]\n![[file2]]\n",
    }
    vault = await make_vault(files)
    found = await references(vault, "file1.md", files["file1.md"].replace("[[file2]]", "[[f<|>ile2]]", 1))
    assert [one[1] for one in found] == [1, 2, 3, 4, 5, 7]
    # The heading that a note begins with, alone on its level, stands for the note, as in marksman.
    text = files["file2.md"]
    assert [one[1] for one in await references(vault, "file2.md", text.replace("# D", "# <|>D", 1))] == [1, 2, 3, 4, 5, 7]
    assert [one[1] for one in await references(vault, "file2.md", text.replace("## D", "## <|>D"))] == [3]
    named = text.replace("Doc 2 Title", "File2")
    assert [one[1] for one in await references(vault, "file2.md", named.replace("# F", "# <|>F", 1))] == [1, 2, 3, 5, 7]


async def test_a_tag_is_referred_to_in_all_notes(make_vault: MakeVault) -> None:
    vault = await make_vault({"one.md": "#tag1 #tag2\n", "two.md": "", "three.md": "`#tag1` #tag11\n"})
    found = await references(vault, "two.md", "text #ta<|>g1\n")
    assert found == [("one.md", 1, "tag1"), ("two.md", 1, "tag1")]


async def test_what_leads_to_the_same_place_is_marked(make_vault: MakeVault) -> None:
    vault = await make_vault({"doc.md": "", "other.md": "# Other\n\n## Frag\n"})
    text = "# A b C\n\n[x](#a-b-c)\n[y](#a-B-c 'title')\n[z](doc.md#a-B-c)\n\n[ref]: #a-B-c\n"
    marked = [(1, "A b C"), (3, "[x](#a-b-c)"), (4, "[y](#a-B-c 'title')"), (5, "[z](doc.md#a-B-c)"), (7, "[ref]: #a-B-c")]
    for needle in ("# A", "#a-b", "doc.md#", ": #a"):
        at = text.index(needle) + len(needle)
        assert await highlights(vault, "doc.md", f"{text[:at]}<|>{text[at:]}") == marked, needle
    text = "[a](http://x.org/a)\n[b](http://x.org)\n<http://x.org/a>\n[ref]: http://x.org/a\n"
    assert [one[0] for one in await highlights(vault, "doc.md", text.replace("(http", "(<|>http", 1))] == [1, 3, 4]
    text = "![](./cat.gif)\n[cat](./cat.gif)\n<img src='./cat.gif'>\n[dog](dog.gif)\n"
    assert [one[0] for one in await highlights(vault, "doc.md", text.replace("./", "<|>./", 1))] == [1, 2, 3]


async def test_nothing_refers_to_what_is_no_link(make_vault: MakeVault) -> None:
    vault = await make_vault({"doc.md": ""})
    assert await highlights(vault, "doc.md", "# abc\n\nte|xt\n") == []
    assert await references(vault, "doc.md", "[a](|)\n") == []
