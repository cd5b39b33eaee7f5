"""What the client says of files, folders and its documents is honoured."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.server.editor import Failure
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

YES = {"window/showMessageRequest": lambda _: {"title": "Index it"}}
CAN_ASK = {"window": {"showMessage": {}}, "workspace": {"workspaceFolders": True}}
OUTLINE = "textDocument/documentSymbol"


async def found(vault: Vault, query: str) -> list[str]:
    return [symbol["name"] for symbol in await vault.ask("workspace/symbol", query=query)]


async def until_found(vault: Vault, query: str, expected: list[str]) -> None:
    async with asyncio.timeout(60):
        while await found(vault, query) != expected:
            pass


def change_folders(vault: Vault, *, added: tuple[Path, ...] = (), removed: tuple[Path, ...] = ()) -> None:
    event = {
        kind: [{"uri": f"file://{path}", "name": path.name} for path in paths]
        for kind, paths in (("added", added), ("removed", removed))
    }
    vault.editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})


async def test_changed_files_are_read_when_the_client_tells_of_them(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": "# Tea\n"})
    vault.write("new.md", "# Zeppelin\n")
    elsewhere = {"uri": "file:///nowhere/else.md", "type": 2}
    vault.editor.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": vault.uri("new.md"), "type": 1}, elsewhere]})
    await until_found(vault, "zeppelin", ["Zeppelin"])
    Path(vault.path("new.md")).unlink()
    vault.editor.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": vault.uri("new.md"), "type": 3}]})
    await until_found(vault, "zeppelin", [])
    assert vault.editor.heard("window/logMessage") == []


async def test_a_client_that_can_is_asked_to_tell_of_notes_and_settings(make_vault: MakeVault) -> None:
    registered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    able = {"dynamicRegistration": True}
    await make_vault(
        {},
        capabilities={"workspace": {"didChangeWatchedFiles": able, "didChangeConfiguration": able}},
        answers={"client/registerCapability": registered.set_result},
    )
    files, settings = (await registered)["registrations"]
    assert files["method"] == "workspace/didChangeWatchedFiles"
    (watcher,) = files["registerOptions"]["watchers"]
    assert ",md," in watcher["globPattern"]
    assert ",org," in watcher["globPattern"]
    assert (settings["method"], settings["registerOptions"]) == ("workspace/didChangeConfiguration", {"section": "khoj"})


async def test_a_folder_is_asked_for_when_it_is_added_and_left_when_it_is_removed(make_vault: MakeVault, tmp_path: Path) -> None:
    vault = await make_vault({"tea.md": "# Tea\n"}, capabilities=CAN_ASK, answers=YES)
    more = tmp_path / "more"
    more.mkdir()
    (more / "a.md").write_text("# Zeppelin\n", encoding="utf-8")
    change_folders(vault, added=(more,))
    await until_found(vault, "zeppelin", ["Zeppelin"])
    change_folders(vault, removed=(more,))
    await until_found(vault, "zeppelin", [])
    change_folders(vault, removed=(vault.root,))
    await vault.indexed()
    assert "Tea" in await found(vault, "tea"), "a folder of the configuration stays"


async def test_a_folder_that_another_editor_has_open_stays_until_that_one_leaves_it(make_vault: MakeVault, tmp_path: Path) -> None:
    vault = await make_vault({}, capabilities=CAN_ASK, answers=YES)
    more = tmp_path / "more"
    more.mkdir()
    (more / "a.md").write_text("# Zeppelin\n", encoding="utf-8")
    change_folders(vault, added=(more,))
    await until_found(vault, "zeppelin", ["Zeppelin"])
    folder = {"uri": f"file://{more}", "name": "more"}
    other = await vault.attach(CAN_ASK, workspaceFolders=[folder])
    change_folders(vault, removed=(more,))
    await vault.indexed()
    assert await found(vault, "zeppelin") == ["Zeppelin"]
    other.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder]}})
    await until_found(vault, "zeppelin", [])


async def test_an_edit_whose_version_does_not_increase_is_applied_and_remarked_once(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    vault.open("a.md", "# One\n")
    for text in ("# Two\n", "# Three\n"):
        document = {"uri": vault.uri("a.md"), "version": 1}
        vault.editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
    assert [one["name"] for one in await vault.ask(OUTLINE, "a.md")] == ["Three"]
    (told,) = vault.editor.heard("window/logMessage")
    assert "version 1 was sent after 1" in told["message"]


async def test_a_change_of_a_document_that_is_not_open_is_told(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# One\n"})
    document = {"uri": vault.uri("a.md"), "version": 2}
    vault.editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": "# Two\n"}]})
    assert "is not open" in (await vault.editor.hear("window/logMessage"))["message"]
    assert [one["name"] for one in await vault.ask(OUTLINE, "a.md")] == ["One"]


@pytest.mark.parametrize(("line", "character"), [(-1, 0), (0, -1), (2**31, 0), (0, 2**40)])
async def test_positions_that_cannot_be_are_refused(make_vault: MakeVault, line: int, character: int) -> None:
    vault = await make_vault({"a.md": "# One\n"})
    spot = {"line": line, "character": character}
    with pytest.raises(Failure) as failed:
        await vault.ask("textDocument/selectionRange", "a.md", positions=[spot])
    assert failed.value.code == -32602


async def test_a_problem_of_the_daemon_is_told_to_each_editor_once(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# A\n"})
    vault.engine.problem("config", "config.toml: daemon.idle_minute is no setting")
    said = await vault.editor.hear("window/logMessage", where=lambda one: "idle_minute" in one["message"])
    assert said["type"] == 2
    vault.engine.problem("other", "the disk is full")
    await vault.editor.hear("window/logMessage", where=lambda one: "disk is full" in one["message"])
    assert not [one for one in vault.editor.heard("window/logMessage") if "idle_minute" in one["message"]]
