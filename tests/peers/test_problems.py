"""What is reported, what is not, and the repairs that are offered; symbols; tables of contents.

Situations: microsoft/vscode-markdown-languageservice (diagnostic, documentSymbols and workspaceSymbol tests),
artempyanykh/marksman (DiagTest.fs, CodeActionTests.fs, TocTests.fs, SymbolsTests.fs), iwe-org/iwe (workspace_symbols_test.rs).
"""

from typing import Any

from tests.peers.asking import problems, show
from tests.server.features.acting import FULL, act, titles
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

NOTES = {"doc.md": "", "other.md": "# Other head\n", "a%20b.md": "# Odd\n", "doc.test.md": "# My head\n", "pic.png": "png"}


async def test_what_is_broken(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    text = (
        "# Good head\n\n[x](/no/such/file.md) [x](#no-head) [x](#good-head) [x](other.md#no-other) [x](other#other-head)\n"
        "[x](<no such.md> 'title') ![x](no.png) ![x](pic.png) [[nowhere]] [[other#none]] [[#none]] [x](www.bad.md)\n"
        "<a href='gone.md'>x</a> <img src='pic.png'> <img src='gone.png'>\n\n[ref]: ./no-ref.md\n"
    )
    assert await problems(vault, "doc.md", "<|>" + text) == [
        ("broken-link", "/no/such/file.md"),
        ("broken-anchor", "#no-head"),
        ("broken-anchor", "other.md#no-other"),
        ("broken-link", "no such.md"),
        ("broken-link", "no.png"),
        ("broken-link", "nowhere"),
        ("broken-anchor", "other#none"),
        ("broken-anchor", "#none"),
        ("broken-link", "www.bad.md"),
        ("broken-link", "gone.md"),
        ("broken-link", "gone.png"),
        ("broken-link", "./no-ref.md"),
    ]


async def test_what_is_not(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for text in (
        "text",
        "# My head\n[a](#my-head) [b](/doc.md#my-head) [c](doc.md#my-head) [d](doc#my-head) [e](/doc#my-head)",
        "[a](/doc.test.md#my-head) [b](doc.test#my-head) [[doc.test#My head]]",
        "[good][GoOd]\n\n[gOoD]: https://example.org",
        "a <user@example.org> <tag>b</tag> <https://example.org> [c](mailto:x@example.org)",
        "- [x]\n- [ ]\n* [X]\n+ [x] done",
        "[a](#L1) [b](doc.md#L1,2) [c](#L10-15) [d](doc.md#L61-L66)",
        "- `[!xyz].js` `[^xyz].js` `[a][b]`",
        "[a](<a%2520b.md>) [b](a%2520b.md) [c](</a%2520b.md>)",
        "[a](<#fr agment>)\n\n# FR agment",
        "[shortcut] and [another]",
        "[](https://www.example.org) [x](//example.org)",
        "![[pic.png]] [x](pic.png)",
        "<!-- [x](gone.md) --> `[x](gone.md)`",
        "[x](/)",
    ):
        assert await problems(vault, "doc.md", "<|>" + text) == [], text


async def test_a_file_that_comes_or_goes_changes_what_is_broken(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await problems(vault, "doc.md", "![x](|/new.png) [[fresh]]") == [("broken-link", "/new.png"), ("broken-link", "fresh")]
    vault.write("new.png", "png")
    vault.write("fresh.md", "# Fresh\n")
    assert await problems(vault, "doc.md", "![x](|/new.png) [[fresh]]") == []
    (vault.root / "fresh.md").unlink()
    assert await problems(vault, "doc.md", "![x](|/new.png) [[fresh]]") == [("broken-link", "fresh")]


async def test_a_missing_note_can_be_made_and_one_that_lacks_a_heading_not(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=FULL)
    assert "Create doc3.md" in await titles(vault, "doc.md", "[[do|c3]]")
    assert "sub/deep.md" in await act(vault, "doc.md", "[x](sub/de|ep.md)", "Create sub/deep.md")
    assert not [one for one in await titles(vault, "doc.md", "[[other#S|ub 2]]") if one.startswith("Create")]
    assert not [one for one in await titles(vault, "doc.md", "[[ot|her]]") if one.startswith("Create")]


async def test_a_table_of_contents_is_put_in_and_brought_up_to_date(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=FULL)
    below = "## T1\n\n[a](other.md) [b](other.md) [c](other.md) [d](other.md) [e](other.md)\n\n### T2\n\n## T3\n\n#### T4\n"
    (after,) = (await act(vault, "doc.md", "|# Top\n\n" + below, "Insert a table of contents")).values()
    links = [line for line in after.splitlines() if "](#" in line]
    assert links == ["- [T1](#t1)", "  - [T2](#t2)", "- [T3](#t3)", "  - [T4](#t4)"]
    assert after.startswith("# Top\n\n") and after.endswith(below)
    assert "Insert a table of contents" not in await titles(vault, "doc.md", "<|>" + after)
    (again,) = (await act(vault, "doc.md", "<|>" + after.replace("### T2", "### Two"), "Update the table of contents")).values()
    assert "  - [Two](#two)" in again
    with_front = "---\ntitle: x\ntags: [a]\n---\n\n" + below
    (after,) = (await act(vault, "doc.md", "<|>" + with_front, "Insert a table of contents")).values()
    assert after.startswith("---\ntitle: x\ntags: [a]\n---\n") and "- [T1](#t1)" in after


async def outline(vault: Vault, text: str) -> list[Any]:
    """Headings as [name, [those below]]."""
    show(vault, "doc.md", "<|>" + text)

    def names(found: list[dict[str, Any]]) -> list[Any]:
        return [[one["name"], names(one.get("children") or [])] for one in found]

    return names(await vault.ask("textDocument/documentSymbol", "doc.md") or [])


async def test_headings_are_the_symbols_of_a_note(make_vault: MakeVault) -> None:
    tree = {"textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}}}
    vault = await make_vault(NOTES, capabilities=tree)
    for text, wanted in (
        ("", []),
        ("a\na#a\na#\n", []),
        ("### h\n", [["h", []]]),
        ("## h\n## h2\n", [["h", []], ["h2", []]]),
        ("# h\n## h2\n## h3\n", [["h", [["h2", []], ["h3", []]]]]),
        ("# h\n#### h2\n", [["h", [["h2", []]]]]),
        ("# h\n### h2\n## h3\n", [["h", [["h2", []], ["h3", []]]]]),
        ("# A\n- foo\u2028\n# B\n- bar\n", [["A", []], ["B", []]]),
        ("# E\n## D\n#t1\n### B\n## C\n# A\n", [["E", [["D", [["B", []]]], ["C", []]]], ["A", []]]),
    ):
        assert await outline(vault, text) == wanted, text


async def found(vault: Vault, query: str) -> list[str]:
    await vault.indexed()
    return [one["name"] for one in await vault.editor.request("workspace/symbol", {"query": query}) or []]


async def test_symbols_of_all_notes_are_up_to_date(make_vault: MakeVault) -> None:
    vault = await make_vault({"one.md": "# similar\n\n## second head\n", "sub/two.md": "# not really\n"})
    assert (await found(vault, "similar"))[0] == "similar"
    assert (await found(vault, "sim"))[0] == "similar"
    assert (await found(vault, "second"))[0] == "second head"
    assert (await found(vault, "real"))[0] == "not really"
    assert (await found(vault, "head second"))[0] == "second head"
    assert await found(vault, "") != []
    vault.open("one.md", "# changed words\n")
    assert (await found(vault, "changed"))[0] == "changed words"
    vault.write("three.md", "# brand new\n")
    assert (await found(vault, "brand"))[0] == "brand new"
    (vault.root / "three.md").unlink()
    assert "brand new" not in await found(vault, "brand")
