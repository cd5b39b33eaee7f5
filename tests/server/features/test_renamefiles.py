"""Files and folders moved in the editor: links into them and the relative links in them follow."""

import asyncio
from pathlib import Path
from typing import Any

from tests.server.features.applied import applied
from tests.server.features.conftest import MakeVault
from tests.server.features.test_rename import EDITS
from tests.server.features.vault import Vault


async def will_move(vault: Vault, *pairs: tuple[str, str]) -> dict[str, str]:
    """The texts that the edit changes, by their names before the move."""
    files = [{"oldUri": vault.uri(old), "newUri": vault.uri(new)} for old, new in pairs]
    edit = await vault.ask("workspace/willRenameFiles", files=files)
    return {} if edit is None else applied(vault, edit)


async def test_it_is_told_of_notes_and_folders(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=EDITS)
    offered: dict[str, Any] = vault.editor.capabilities["workspace"]["fileOperations"]
    for operation in ("willRename", "didRename"):
        patterns = {one["pattern"]["matches"]: one["pattern"]["glob"] for one in offered[operation]["filters"]}
        assert patterns["folder"] == "**"
        assert "org" in patterns["file"]
        assert "md" in patterns["file"]


async def test_a_moved_note_keeps_its_links_and_is_found(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {
            "a/note.md": "[x](../index.md) [y](near.md#h) ![p](img/p.png) [[near]] [web](https://example.org/near.md) [s](#h)\n",
            "a/near.md": "# h\n[n](note.md)\n",
            "a/img/p.png": "\u2028",
            "index.md": "[[note]] [[a/note|alias]] [n](a/note.md#part) [n](./a/note) [n](/a/note.md)\n",
            "o.org": "[[file:a/note.md][N]] file:a/note.md [[./a/note.md::1]]\n",
        },
        capabilities=EDITS,
    )
    assert await will_move(vault, ("a/note.md", "b/c/note.md")) == {
        "a/note.md": "[x](../../index.md) [y](../../a/near.md#h) ![p](../../a/img/p.png) [[near]] "
        "[web](https://example.org/near.md) [s](#h)\n",
        "a/near.md": "# h\n[n](../b/c/note.md)\n",
        "index.md": "[[note]] [[c/note|alias]] [n](b/c/note.md#part) [n](./b/c/note) [n](/b/c/note.md)\n",
        "o.org": "[[file:b/c/note.md][N]] file:b/c/note.md [[./b/c/note.md::1]]\n",
    }


async def test_a_folder_and_several_files_move_at_once(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {
            "old/one.md": "[two](two.md) [out](../out.md) [deep](deep/three.md)\n",
            "old/two.md": "[[old/one]]\n",
            "old/deep/three.md": "[one](../one.md) [out](../../out.md)\n",
            "out.md": "[one](old/one.md) [dir](old/) [three](old/deep/three.md)\n",
        },
        capabilities=EDITS,
    )
    assert await will_move(vault, ("old", "very/new"), ("out.md", "very/out.md")) == {
        "old/two.md": "[[new/one]]\n",
        "out.md": "[one](new/one.md) [dir](new/) [three](new/deep/three.md)\n",
    }


async def test_what_has_moved_is_indexed_under_its_new_name(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# H\n", "b.md": "[[c]]\n"}, capabilities=EDITS)
    Path(vault.path("a.md")).rename(vault.path("c.md"))
    vault.editor.notify("workspace/didRenameFiles", {"files": [{"oldUri": vault.uri("a.md"), "newUri": vault.uri("c.md")}]})
    async with asyncio.timeout(60):
        while (await vault.engine.graph(lambda graph: graph.notes.at(vault.path("c.md")))) is None:
            await asyncio.sleep(0.01)
    assert await vault.engine.graph(lambda graph: graph.notes.at(vault.path("a.md"))) is None


async def test_a_link_that_cannot_follow_is_told_of(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "", "b.org": "[[file:a.md]]\n", "c.md": "[[a]]\n"}, capabilities=EDITS)
    assert await will_move(vault, ("a.md", "x::y.md")) == {"c.md": "[[x::y]]\n"}
    said = await vault.editor.hear("window/logMessage", where=lambda params: "cannot be written" in params["message"])
    assert "b.org" in said["message"]


async def test_files_nobody_links_to_and_files_of_elsewhere_change_nothing(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "text\n"}, capabilities=EDITS)
    assert await will_move(vault, ("a.md", "b.md"), ("a.md", "a.md"), ("../else.md", "../where.md")) == {}
