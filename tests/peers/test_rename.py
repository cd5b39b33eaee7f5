"""New names for headings and files, and what follows them.

Situations: microsoft/vscode-markdown-languageservice (rename.test.ts, fileRename.test.ts), artempyanykh/marksman
(RefactorTests.fs), iwe-org/iwe (rename_test.rs), Feel-ix-343/markdown-oxide (rename.rs).
"""

import pytest

from tests.peers.asking import RENAMING, prepared, renamed
from tests.server.editor import Failure
from tests.server.features.applied import applied
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

HEADING = "### A b C ###\n[x](#a-b-c)\n[[#A b C]]\n\n[ref]: #a-b-c\n<a href='#a-b-c'>y</a>\n"
ELSEWHERE = "[x](#a-b-c)\n[y](./doc.md#a-b-c)\n[z](./doc#a-b-c)\n[[doc#A b C|that]]\n[[doc]]\n"


async def test_a_heading_is_renamed_from_itself_and_from_each_link_to_it(make_vault: MakeVault) -> None:
    vault = await make_vault({"doc.md": HEADING, "other.md": ELSEWHERE})
    wanted = {
        "doc.md": "### New Head ###\n[x](#new-head)\n[[#New Head]]\n\n[ref]: #new-head\n<a href='#new-head'>y</a>\n",
        "other.md": "[x](#a-b-c)\n[y](./doc.md#new-head)\n[z](./doc#new-head)\n[[doc#New Head|that]]\n[[doc]]\n",
    }
    for needle in ("# A", "(#a", "[#A", ": #a", "'#a"):
        at = HEADING.index(needle) + len(needle)
        text = f"{HEADING[:at]}<|>{HEADING[at:]}"
        assert (await prepared(vault, "doc.md", text))[1] == "A b C", needle  # type: ignore[index]
        assert await renamed(vault, "doc.md", text, "New Head") == wanted, needle
    vault.edit("doc.md", HEADING)
    assert await renamed(vault, "other.md", ELSEWHERE.replace("./doc.md#a", "./doc.md#<|>a"), "New Head") == wanted


async def test_the_chosen_text_of_a_heading_is_without_its_hashes(make_vault: MakeVault) -> None:
    vault = await make_vault({"doc.md": ""})
    for text in ("|# abc\n", "### a|bc ###\n", "abc|\n===\n"):
        assert await prepared(vault, "doc.md", text) == ("abc", "abc"), text
    assert await prepared(vault, "doc.md", "# x\n\nplain te|xt\n") is None


async def test_a_file_is_renamed_from_the_path_of_a_link(make_vault: MakeVault) -> None:
    files = {
        "doc.md": "",
        "sub/two words.md": "# Two\n",
        "other.md": "[a](/sub/two%20words.md) [[two words]] <a href='sub/two%20words.md'>b</a>\n",
    }
    vault = await make_vault(files, capabilities=RENAMING)
    text = "[x](./sub/two%20wo|rds.md)\n\n[ref]: </sub/two words.md#two>\n"
    assert await renamed(vault, "doc.md", text, "three more") == {
        "sub/three more.md": "# Two\n",
        "doc.md": "[x](./sub/three%20more.md)\n\n[ref]: </sub/three more.md#two>\n",
        "other.md": "[a](/sub/three%20more.md) [[three more]] <a href='sub/three%20more.md'>b</a>\n",
    }


async def test_a_name_that_is_taken_is_refused(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": "", "one.md": "# One\n", "two.md": "# Two\n"}, capabilities=RENAMING)
    with pytest.raises(Failure, match="two"):
        await renamed(vault, "here.md", "[](o|ne)\n", "two")


async def moved(vault: Vault, *pairs: tuple[str, str]) -> dict[str, str]:
    """The notes that change before files are moved, with their texts afterwards."""
    await vault.indexed()
    files = [{"oldUri": vault.uri(old), "newUri": vault.uri(new)} for old, new in pairs]
    edit = await vault.ask("workspace/willRenameFiles", files=files)
    return applied(vault, edit) if edit else {}


async def test_links_follow_a_file_each_in_its_way(make_vault: MakeVault) -> None:
    doc = (
        "[a](/old.md)\n[b](old.md#frag)\n[c](./old.md)\n[d](/old#frag)\n[e](./old)\n[[old]]\n[[old#x|y]]\n![[old]]\n"
        "<a href='old.md'>f</a>\n[g](/other.md)\n\n[h]: ./old.md 'title'\n[i]: <old.md>\n"
    )
    vault = await make_vault({"doc.md": doc, "old.md": "# Old\n", "other.md": "# Other\n"})
    assert await moved(vault, ("old.md", "new.md")) == {"doc.md": doc.replace("old", "new")}
    spaced = doc.replace("[[old", "[[new one").replace("<old", "<new one").replace("old", "new%20one")
    assert await moved(vault, ("old.md", "new one.md")) == {"doc.md": spaced}


async def test_links_within_a_file_that_moves_lead_where_they_led(make_vault: MakeVault) -> None:
    doc = "[a](/other.md#f)\n[b](other.md#f)\n[c](./other)\n[[other]]\n[own](#h)\n<img src='pic.png'>\n\n# H\n\n[d]: ./other.md\n"
    vault = await make_vault({"doc.md": doc, "other.md": "# F\n", "pic.png": "png"})
    after = await moved(vault, ("doc.md", "sub/new.md"))
    assert after == {
        "doc.md": "[a](/other.md#f)\n[b](../other.md#f)\n[c](../other)\n[[other]]\n[own](#h)\n<img src='../pic.png'>\n\n# H\n\n"
        "[d]: ../other.md\n"
    }


async def test_several_files_and_whole_folders_move_at_once(make_vault: MakeVault) -> None:
    files = {
        "doc.md": "[a](/old/a.md) [b](old/b.md) [c](./old/a.md) [d](/one.md) ![e](two.png) [f](old/deep/c.md)\n",
        "old/a.md": "[b](b.md) [b](./b.md) [o](../one.md) [abs](/old/b.md) [up](../old/b.md)\n",
        "old/b.md": "# B\n",
        "old/deep/c.md": "[top](../../one.md) [b](../b.md)\n",
        "one.md": "# One\n",
        "two.png": "png",
    }
    vault = await make_vault(files)
    assert await moved(vault, ("old", "new/sub")) == {
        "doc.md": "[a](/new/sub/a.md) [b](new/sub/b.md) [c](./new/sub/a.md) [d](/one.md) ![e](two.png) [f](new/sub/deep/c.md)\n",
        "old/a.md": "[b](b.md) [b](./b.md) [o](../../one.md) [abs](/new/sub/b.md) [up](b.md)\n",
        "old/deep/c.md": "[top](../../../one.md) [b](../b.md)\n",
    }
    after = await moved(vault, ("one.md", "uno.md"), ("two.png", "pics/due.png"), ("unknown.md", "known.md"))
    assert after["doc.md"] == files["doc.md"].replace("/one.md", "/uno.md").replace("two.png", "pics/due.png")
    assert after["old/a.md"] == files["old/a.md"].replace("../one.md", "../uno.md")


async def test_a_tag_is_renamed_with_those_below_it(make_vault: MakeVault) -> None:
    vault = await make_vault({"one.md": "#proj #proj/a #project\n", "two.md": ""})
    assert await renamed(vault, "two.md", "text #pr|oj\n", "work") == {
        "one.md": "#work #work/a #project\n",
        "two.md": "text #work\n",
    }


async def test_an_address_is_renamed_in_all_notes(make_vault: MakeVault) -> None:
    files = {
        "other.md": "[4](http://x.org/a) [5](http://x.org/ab)\n",
        "plan.org": "[[http://x.org/a][six]] http://x.org/a.\n",
        "doc.md": "",
    }
    vault = await make_vault(files)
    text = "[1](http://x.org/|a)\n<http://x.org/a> <a href='http://x.org/a'>t</a>\n\n[2]: http://x.org/a\n\n[3][2]\n"
    assert await prepared(vault, "doc.md", text) == ("http://x.org/a", "http://x.org/a")
    assert await renamed(vault, "doc.md", text, "https://y.org/b") == {
        "doc.md": text.replace("|", "").replace("http://x.org/a", "https://y.org/b"),
        "other.md": "[4](https://y.org/b) [5](http://x.org/ab)\n",
        "plan.org": "[[https://y.org/b][six]] https://y.org/b.\n",
    }
    for name in ("", "no address", "https://y.org/(b)"):
        with pytest.raises(Failure, match="no address"):
            await renamed(vault, "doc.md", text, name)


async def test_the_name_of_an_html_tag_is_renamed_with_the_links_to_it(make_vault: MakeVault) -> None:
    vault = await make_vault({"doc.md": "", "other.md": "[x](doc.md#spot) [[doc#spot]] <a href='doc.md#spot'>y</a>\n"})
    wanted = {
        "doc.md": '# Head\n\n<div id="place">x</div>\n\n[l](#place)\n',
        "other.md": "[x](doc.md#place) [[doc#place]] <a href='doc.md#place'>y</a>\n",
    }
    for text in ('# Head\n\n<div id="sp|ot">x</div>\n\n[l](#spot)\n', '# Head\n\n<div id="spot">x</div>\n\n[l](#sp|ot)\n'):
        assert await renamed(vault, "doc.md", text, "place") == wanted
