"""What is offered while a link is typed, and what stands there after it was chosen.

Situations: microsoft/vscode-markdown-languageservice (pathCompletion.test.ts), artempyanykh/marksman (ComplTests.fs),
Feel-ix-343/markdown-oxide (completion/: footnotes, callouts), zk-org/zk (server_test.go); `[[##` is Obsidian's.
"""

import pytest

from tests.peers.asking import completed, show
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

NOTES = {
    "a.md": "# Alpha\n",
    "b.md": "# Beta\n\n## Header one\n\n## Foo / Bar\n",
    "sub/foo.md": "# Foo\n",
    "sub/new.md": "",
    "sub/two words.md": "# Spaced\n\n## X y Z\n",
    "in here/deep.md": "# Deep\n",
    "a(b.md": "# Paren\n",
    "a%b.md": "# Percent\n",
    "テ ス ト3.md": "# T\n",
    "new.md": "",
    "pic.png": "no picture",
}


async def choose(vault: Vault, name: str, text: str, label: str) -> str:
    found = await completed(vault, name, text)
    assert label in found, f"{label} is not among {list(found)}"
    return found[label]


async def test_a_path_is_written_as_it_was_begun(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for typed, label, wanted in (
        ("[](|", "a", "[](a.md)"),
        ("[](|)", "a", "[](a.md)"),
        ("[](./|)", "a", "[](./a.md)"),
        ("[](./sub/|)", "two words", "[](./sub/two%20words.md)"),
        ("[](sub/|)", "foo", "[](sub/foo.md)"),
        ("[](/|)", "foo", "[](/sub/foo.md)"),
        ("[](./in%20here/|)", "deep", "[](./in%20here/deep.md)"),
        ("[](sub/two%20w|)", "two words", "[](sub/two%20words.md)"),
        ("[](|", "a(b", "[](a%28b.md)"),
        ("[](|", "a%b", "[](a%25b.md)"),
        ("[](|", "テ ス ト3", "[](テ%20ス%20ト3.md)"),
        ('[](a| "title")', "a", '[](a.md "title")'),
    ):
        assert await choose(vault, "new.md", typed, label) == wanted, typed
    assert await choose(vault, "sub/new.md", "[](/|)", "a") == "[](/a.md)"
    assert await choose(vault, "sub/new.md", "[](../|)", "a") == "[](../a.md)"


async def test_angle_brackets_are_closed_once(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for typed in ("[](<./sub/|", "[](<./sub/|>", "[](<./sub/|>)"):
        assert await choose(vault, "new.md", typed, "foo") == "[](<./sub/foo.md>)", typed
    for typed in ("[](<sub/two words.md#|", "[](<sub/two words.md#|>", "[](<sub/two words.md#|>)"):
        assert await choose(vault, "new.md", typed, "X y Z") == "[](<sub/two words.md#x-y-z>)", typed


async def test_headings_of_this_note_of_another_and_of_all(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await completed(vault, "new.md", "[](#|\n\n# A b C\n# x y Z\n") == {
        "A b C": "[](#a-b-c)\n\n# A b C\n# x y Z\n",
        "x y Z": "[](#x-y-z)\n\n# A b C\n# x y Z\n",
    }
    assert await choose(vault, "new.md", "[x [y] z](#|)\n# H\n", "H") == "[x [y] z](#h)\n# H\n"
    assert await choose(vault, "sub/new.md", "[](/b.md#|)", "Header one") == "[](/b.md#header-one)"
    assert await choose(vault, "new.md", "[](b#h|)", "Header one") == "[](b#header-one)"
    assert await choose(vault, "new.md", "[[b#f|", "Foo / Bar") == "[[b#Foo / Bar]]"
    assert await choose(vault, "new.md", "[[Beta#|]]", "Header one") == "[[Beta#Header one]]"
    assert await choose(vault, "new.md", "[](##hea|)", "Header one") == "[](b.md#header-one)"
    assert await choose(vault, "sub/new.md", "[](##hea|", "Header one") == "[](../b.md#header-one)"
    assert await choose(vault, "sub/new.md", "[](<##x|", "X y Z") == "[](<two%20words.md#x-y-z>)"
    assert await choose(vault, "new.md", "[[##hea|]]", "Header one") == "[[b#Header one]]"
    assert await choose(vault, "new.md", "see [[##|", "X y Z") == "see [[two words#X y Z]]"
    assert await choose(vault, "sub/new.md", "[ref]: ##hea|\n", "Header one") == "[ref]: ../b.md#header-one\n"


async def test_targets_of_definitions(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await choose(vault, "new.md", "[ref]: |\n", "a") == "[ref]: a.md\n"
    assert await choose(vault, "new.md", "[ref]: ./sub/|\n", "two words") == "[ref]: ./sub/two%20words.md\n"
    assert await choose(vault, "new.md", "[ref]: <./sub/|>\n", "foo") == "[ref]: <./sub/foo.md>\n"
    assert await choose(vault, "new.md", "# A b\n\n[ref]: #|\n", "A b") == "# A b\n\n[ref]: #a-b\n"
    assert await completed(vault, "new.md", "[^1]: |\n") == {}, "a footnote"
    assert await completed(vault, "new.md", "---\n[ref]: |\n---\n") == {}, "front matter"


async def test_targets_in_html(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await choose(vault, "new.md", 'see <a href="b|', "b") == 'see <a href="b.md"'
    assert await choose(vault, "new.md", "<p>\n<a class='x' href='b|'>b</a>\n</p>", "b") == (
        "<p>\n<a class='x' href='b.md'>b</a>\n</p>"
    )
    assert await choose(vault, "new.md", '<a href="b.md#|">', "Header one") == '<a href="b.md#header-one">'
    assert await choose(vault, "new.md", '<img style="x: y" src="p|" height="10">', "pic.png") == (
        '<img style="x: y" src="pic.png" height="10">'
    )
    for text in ('<img source="|">', '<image src="|">', '<a src="|">', '<img src="http://|">', '`<a href="|">`', '```\n<a href="|'):
        assert await completed(vault, "new.md", text) == {}, text


async def test_labels_that_the_note_defines(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    below = "\n\n[ref-1]: a.md\n[Ref 2]: b.md\n"
    assert await completed(vault, "new.md", "[a][|" + below) == {"ref-1": "[a][ref-1]" + below, "Ref 2": "[a][Ref 2]" + below}
    for typed, wanted in (("[a][2|]", "[a][Ref 2]"), ("![][2|", "![][Ref 2]"), ("see [2|", "see [Ref 2]"), ("[2|]", "[Ref 2]")):
        assert await choose(vault, "new.md", typed + below, "Ref 2") == wanted + below, typed
    for typed in ("- [|", "- [x|] done", "[[2|", "\\[|", "a[|"):
        assert "Ref 2" not in await completed(vault, "new.md", typed + below), typed
    assert await completed(vault, "new.md", "[a][|\n") == {}


async def test_footnotes_of_the_note_and_kinds_of_callouts(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    below = "\n\n[^why]: Because\n  of it.\n[^2]: Two.\n"
    assert await completed(vault, "new.md", "So[^|" + below) == {"why": "So[^why]" + below, "2": "So[^2]" + below}
    assert await choose(vault, "new.md", "So[^w|]." + below, "why") == "So[^why]." + below
    cursor = show(vault, "new.md", "So[^|" + below)
    found = await vault.ask("textDocument/completion", "new.md", cursor)
    assert {item["label"]: item["detail"] for item in found["items"]} == {"why": "Because of it.", "2": "Two."}
    assert await choose(vault, "new.md", "> [!w|", "warning") == "> [!warning]"
    assert await choose(vault, "new.md", "> > [!|] Title", "tip") == "> > [!tip] Title"
    assert await completed(vault, "new.md", "not a quote [!|") == {}


async def test_the_line_of_a_link_is_not_indented_by_the_client(make_vault: MakeVault) -> None:
    support = {"insertTextModeSupport": {"valueSet": [1, 2]}}
    vault = await make_vault(NOTES, capabilities={"textDocument": {"completion": {"completionItem": support}}})
    cursor = show(vault, "new.md", "- a\n      [[a|")
    found = await vault.ask("textDocument/completion", "new.md", cursor)
    assert {item["insertTextMode"] for item in found["items"]} == {1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_nothing_where_no_link_is_and_nothing_breaks(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault(NOTES, encoding=encoding)
    for text in (
        "|",
        "word |",
        "[](http:|)",
        "[](https://x.org/|)",
        "`[[|`",
        "```\n[[|\n```",
        "[](|\n",
        "](|",
        "[|",
        "(|",
        "[[|]",
        "[[a b| c",
    ):
        await completed(vault, "new.md", text)
    for text in ("|", "word |", "[](http:|)", "[](https://x.org/|)", "`[[|`", "```\n[[|\n```", "[|"):
        assert await completed(vault, "new.md", text) == {}, text
    assert await choose(vault, "new.md", "🍵 é [[テ|", "テ ス ト3") == "🍵 é [[テ ス ト3]]"
    vault.edit("new.md", "[[")
    for line, character in ((0, 99), (99, 0)):
        await vault.ask("textDocument/completion", "new.md", {"line": line, "character": character})
