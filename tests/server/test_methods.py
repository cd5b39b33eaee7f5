"""What the khoj/* methods say, apart from what the engine finds."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from khojd.config import Config, Embedding
from khojd.configfile import load
from khojd.index.status import Progress
from khojd.server import broadcast, types
from khojd.server.methods.config import without_secrets
from khojd.server.methods.table import COMMANDS, METHODS
from tests.server.conftest import Attach
from tests.server.editor import Editor, Failure
from tests.server.paper import PaperEngine


async def test_a_search_without_a_token_is_one_answer(editor: Editor) -> None:
    result = await editor.request("khoj/search", {"query": "tea"})
    assert (result["phase"], result["count"], len(result["hits"])) == ("fused", 2, 2)
    hit = result["hits"][0]
    assert hit["location"]["uri"] == "file:///notes/a%20b.md"
    assert (hit["path"], hit["headings"], hit["snippet"]) == ("/notes/a b.md", ["Top"], "tea")
    assert editor.heard("$/progress") == []


async def test_as_an_argument_of_a_command_a_query_may_stand_alone(editor: Editor, engine: PaperEngine) -> None:
    await editor.request("workspace/executeCommand", {"command": "khoj.search", "arguments": ['say "tea" \u2615']})
    assert engine.asked[0].query == 'say "tea" \u2615'


@pytest.mark.parametrize("command", [False, True])
async def test_a_search_with_a_token_streams_its_phases_and_does_not_repeat_the_hits(editor: Editor, command: bool) -> None:
    params: dict[str, Any] = {"query": "tea", "partialResultToken": "here"}
    if command:
        final = await editor.request("workspace/executeCommand", {"command": "khoj.search", "arguments": [params]})
    else:
        final = await editor.request("khoj/search", params)
    parts = editor.heard("$/progress")
    assert [part["token"] for part in parts] == ["here", "here"]
    assert [(part["value"]["phase"], len(part["value"]["hits"])) for part in parts] == [("words", 1), ("fused", 2)]
    assert (final["phase"], final["hits"], final["count"]) == ("fused", [], 2)


async def test_folders_of_a_search_are_paths_or_uris_and_nothing_else(editor: Editor, engine: PaperEngine) -> None:
    await editor.request("khoj/search", {"query": "x", "folders": ["/notes/", "file:///more%20notes", "~/mine"]})
    assert engine.asked[0].folders == ("/notes", "/more notes", str(Path.home() / "mine"))
    with pytest.raises(Failure, match="'relative'") as failure:
        await editor.request("khoj/search", {"query": "x", "folders": ["relative"]})
    assert failure.value.data["kind"] == "not-found"


@pytest.mark.parametrize("params", [{}, {"text": "a", "path": "/b"}])
async def test_similar_takes_text_or_a_file(editor: Editor, params: dict[str, Any]) -> None:
    with pytest.raises(Failure, match="either text, or a file"):
        await editor.request("khoj/similar", params)


async def test_the_status_is_not_told_at_each_change(editor: Editor, engine: PaperEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "PERIOD", 3600.0)
    for _ in range(1000):
        engine.changed()
    assert (await editor.hear("khoj/statusChanged"))["indexed"] == 3
    for _ in range(100):
        engine.changed()
        await editor.request("khoj/daemon/status")
    assert editor.heard("khoj/statusChanged") == []


async def test_the_status_is_told_after_the_last_change(editor: Editor, engine: PaperEngine) -> None:
    for _ in range(3):  # also in the pause after one that was told
        engine.changed()
        assert (await editor.hear("khoj/statusChanged"))["entries"] == 5


async def test_background_work_is_shown_to_clients_that_can(attach: Attach, engine: PaperEngine) -> None:
    able = await attach(capabilities={"window": {"workDoneProgress": True}})
    able.answers["window/workDoneProgress/create"] = lambda _: None
    plain = await attach()
    engine.running = Progress("embedding", 10, 40)
    engine.changed()
    begin = await able.hear("$/progress")
    assert begin["value"]["kind"] == "begin"
    report = await able.hear("$/progress")
    assert (report["value"]["percentage"], report["value"]["khoj"]["left"]) == (25, 30)
    engine.running = None
    engine.changed()
    end = await able.hear("$/progress", where=lambda params: params["value"]["kind"] == "end")
    assert end["token"] == begin["token"]
    await plain.request("khoj/daemon/status")
    assert (plain.heard("$/progress"), plain.asked) == ([], [])


async def test_a_folder_that_is_not_configured_is_asked_for_once_and_indexed_after_a_yes(
    attach: Attach, engine: PaperEngine, tmp_path: Path
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    here: dict[str, Any] = {"workspaceFolders": [{"uri": folder.as_uri(), "name": "notes"}]}
    questions: list[str] = []
    asked = asyncio.Event()

    def answer(title: str) -> Any:
        def reply(params: Any) -> Any:
            questions.append(params["message"])
            asked.set()
            return next(action for action in params["actions"] if action["title"] == title)

        return reply

    asks: dict[str, Any] = {"window": {"showMessage": {"messageActionItem": {}}}}
    editor = await attach(initialized=False)
    editor.answers["window/showMessageRequest"] = answer("Index it")
    assert engine.folders() == ()
    await editor.initialize(capabilities=asks, **here)
    await asked.wait()
    while not engine.folders():
        await editor.request("khoj/daemon/status")
    assert [each.path for each in engine.folders()] == [str(folder)]
    assert str(folder) in questions[0]
    # The next client does not ask for what is indexed already, nor for a folder in it.
    (folder / "sub").mkdir()
    again = await attach(capabilities=asks, khoj={"protocol": 1, "folders": [str(folder / "sub")]}, **here)
    await again.request("khoj/daemon/status")
    await editor.request("khoj/daemon/status")
    assert again.asked == []


async def test_always_is_kept_in_the_configuration(attach: Attach, engine: PaperEngine, tmp_path: Path) -> None:
    editor = await attach(initialized=False)
    editor.answers["window/showMessageRequest"] = lambda params: params["actions"][1]
    folder = str(tmp_path / "index")
    await editor.initialize(capabilities={"window": {"showMessage": {}}}, khoj={"protocol": 1, "folders": [folder]})
    config = tmp_path / "config.toml"
    while not config.exists():
        await editor.request("khoj/daemon/status")
    assert [each.path for each in load(config).folders] == [folder]
    assert [each.path for each in engine.folders()] == [folder]


async def test_a_no_is_kept_for_the_next_editor(attach: Attach, engine: PaperEngine, tmp_path: Path) -> None:
    asks: dict[str, Any] = {"window": {"showMessage": {}}}
    khoj: dict[str, Any] = {"protocol": 1, "folders": [str(tmp_path)]}
    said = asyncio.Event()
    editor = await attach(initialized=False)

    def refuse(params: Any) -> Any:
        said.set()
        return next(action for action in params["actions"] if action["title"] == "Not now")

    editor.answers["window/showMessageRequest"] = refuse
    await editor.initialize(capabilities=asks, khoj=khoj)
    await said.wait()
    await editor.request("khoj/daemon/status")
    other = await attach(capabilities=asks, khoj=khoj)
    await other.request("khoj/daemon/status")
    assert other.asked == []
    assert engine.folders() == ()


async def test_a_client_that_cannot_ask_gets_a_line_in_its_log_and_nothing_is_indexed(
    attach: Attach, engine: PaperEngine, tmp_path: Path
) -> None:
    editor = await attach(khoj={"protocol": 1, "folders": [str(tmp_path)]})
    told = await editor.hear("window/logMessage")
    assert f"{tmp_path} is not indexed" in told["message"]
    assert engine.folders() == ()


async def test_a_question_that_is_never_answered_ends_with_its_session(attach: Attach, engine: PaperEngine, tmp_path: Path) -> None:
    editor = await attach(khoj={"protocol": 1, "folders": [str(tmp_path)]}, capabilities={"window": {"showMessage": {}}})
    while not editor.asked:
        await editor.request("khoj/daemon/status")
    editor.notify("exit")
    await editor.ended()
    assert engine.folders() == ()


async def test_the_configuration_in_force_is_told_without_secrets(editor: Editor, engine: PaperEngine, tmp_path: Path) -> None:
    engine.config = Config(embedding=Embedding(model="https://me:hunter2@example.org/model"))
    result = await editor.request("khoj/config/get")
    assert result["file"] == str(tmp_path / "config.toml")
    assert result["exists"] is False
    assert result["config"]["search"]["profile"] == "default"
    assert result["config"]["embedding"]["model"] == "https://(hidden)@example.org/model"
    tree = {"github": {"api_key": "abc", "tokens": ["x", "y"], "entry_tokens": 256, "password": ""}}
    assert without_secrets(tree) == {
        "github": {"api_key": "(hidden)", "tokens": ["(hidden)", "(hidden)"], "entry_tokens": 256, "password": ""}
    }


async def test_a_text_is_validated_as_a_configuration(editor: Editor) -> None:
    assert await editor.request("khoj/config/validate", {"text": '[search]\nprofile = "precise"\n'}) == {
        "valid": True,
        "problems": [],
    }
    result = await editor.request("khoj/config/validate", {"text": '[search]\nprofil = "precise"\n'})
    assert result["valid"] is False
    (problem,) = result["problems"]
    assert (problem["key"], problem["closest"]) == ("search.profil", "profile")


async def test_the_daemon_stays_while_another_client_is_attached_unless_forced(attach: Attach) -> None:
    one = await attach(khoj={"protocol": 1, "client": "khojd.el"})
    other = await attach()
    answer = await other.request("khoj/daemon/retire")
    assert answer == {"retiring": False, "reason": "other clients are attached: khojd.el"}
    status = await other.request("khoj/daemon/status")
    assert [client["name"] for client in status["clients"]] == ["khojd.el", "test"]
    assert await other.request("khoj/daemon/retire", {"force": True}) == {"retiring": True, "reason": ""}
    await one.ended()
    await other.ended()


async def test_a_daemon_leaves_when_asked_though_notes_wait_to_be_indexed(editor: Editor, engine: PaperEngine) -> None:
    engine.busy = True
    assert (await editor.request("khoj/daemon/status"))["busy"] is True
    assert await editor.request("khoj/daemon/retire") == {"retiring": True, "reason": ""}


def test_every_method_has_a_command_and_a_schema() -> None:
    assert {name.replace(".", "/") for name in COMMANDS} == set(METHODS)
    _, components = msgspec.json.schema_components([kind for method in METHODS.values() for kind in (method.params, method.result)])
    assert "clientHello" not in components
    assert components["SearchParams"]["additionalProperties"] is False
    assert "tookMs" in components["SearchResult"]["properties"]
    assert issubclass(METHODS["khoj/search"].params, types.Params)
