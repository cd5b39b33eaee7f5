"""Asking about a selection: the code action, and the answer that is shown."""

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from khojd.server import shown_answers, uris
from tests.llm.replay import HANG, json_reply
from tests.server.features.acting import FULL, at, offered, titles
from tests.server.features.conftest import MakeVault
from tests.server.talking import Talk, saying, talking

MakeTalk = Callable[..., Awaitable[Talk]]

NOTES = {"tea.md": "# Tea\n\nGreen tea is steamed.\n", "plan.org": "* Plan\nBuy green tea.\n"}
ABOUT = "Ask what your notes say about the selection"
SHOWS = {"window": {"showDocument": {"support": True}, "workDoneProgress": True}}


@pytest.fixture
async def make_talk(tmp_path: Path) -> AsyncIterator[MakeTalk]:
    async with AsyncExitStack() as stack:

        async def make(**options: Any) -> Talk:
            return await stack.enter_async_context(talking(tmp_path, NOTES, **options))

        yield make


# --- what is offered -------------------------------------------------------------------------------------------------------


async def test_a_selection_can_be_asked_about(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=FULL, encoding="utf-16")
    found = await offered(vault, "x.md", "🍵 Steaming leaves 🍵 at once\n", "Steaming leaves")
    (action,) = [one for one in found if one["title"] == ABOUT]
    assert action["kind"] == "khoj.ask"
    assert action["command"]["command"] == "khoj.chat.show"
    (asked,) = action["command"]["arguments"]
    (place,) = asked["context"]
    assert place["textDocument"]["uri"] == vault.uri("x.md")
    assert vault.cut("x.md", place["range"]) == "Steaming leaves"


async def test_a_selected_question_can_be_asked(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=FULL)
    found = await offered(vault, "x.org", "* To find out\nHow is green tea\n treated?\n", "How is green tea\n treated?")
    action = next(one for one in found if one["title"] == "Ask your notes: How is green tea treated?")
    assert action["command"]["arguments"] == [{"message": "How is green tea treated?"}]


async def test_nothing_is_asked_without_a_selection_or_without_being_called(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=FULL)
    assert ABOUT not in await titles(vault, "x.md", "Steaming | leaves\n")
    assert ABOUT not in await titles(vault, "x.md", "Steaming \n leaves\n", " \n ")
    start, end = vault.at("x.md", "Steaming"), vault.at("x.md", "leaves")
    for context in ({"triggerKind": 2}, {"only": ["quickfix"]}):
        assert ABOUT not in [one["title"] for one in await at(vault, "x.md", start, end, **context)]
    assert [one["title"] for one in await at(vault, "x.md", start, end, only=["khoj"])] == [ABOUT]


async def test_a_client_that_knows_commands_only_gets_the_question_as_one(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    found = await offered(vault, "x.md", "Steaming leaves\n", "leaves")
    assert [one["command"] for one in found if one["title"] == ABOUT] == ["khoj.chat.show"]


# --- what is shown ---------------------------------------------------------------------------------------------------------


async def ask_about(talk: Talk, name: str, selected: str) -> None:
    talk.vault.open(name)
    found = await at(talk.vault, name, talk.vault.at(name, selected), talk.vault.at(name, selected, after=True))
    command = next(one for one in found if one["title"] == ABOUT)["command"]
    params = {"command": command["command"], "arguments": command["arguments"]}
    assert await talk.editor.request("workspace/executeCommand", params) == {"started": True}


async def shown(talk: Talk) -> asyncio.Future[Any]:
    """What the editor is asked to show."""
    document: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def show(params: Any) -> Any:
        document.set_result(params)
        return {"success": True}

    talk.editor.answers["window/showDocument"] = show
    talk.editor.answers["window/workDoneProgress/create"] = lambda _: None
    return document


@pytest.mark.parametrize(("name", "suffix"), [("tea.md", ".md"), ("plan.org", ".org")])
async def test_the_answer_is_shown_as_a_private_file_whose_citations_can_be_hovered(
    make_talk: MakeTalk, name: str, suffix: str
) -> None:
    talk = await make_talk(capabilities={**FULL, **SHOWS})
    talk.answers(saying("It is steamed [1]."))
    document = await shown(talk)
    await ask_about(talk, name, "green tea" if name == "plan.org" else "Green tea")
    path = uris.to_path((await document)["uri"])
    assert path is not None
    file = Path(path)
    assert file.suffix == suffix
    assert not file.is_relative_to(talk.vault.root)
    assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    text = file.read_text(encoding="utf-8")
    assert "It is steamed" in text
    line = next(number for number, line in enumerate(text.splitlines()) if line.startswith("It is steamed"))
    item = {"uri": document.result()["uri"], "languageId": suffix[1:], "version": 1, "text": text}
    talk.editor.notify("textDocument/didOpen", {"textDocument": item})
    where = {"textDocument": {"uri": item["uri"]}, "position": {"line": line, "character": len("It is steamed [")}}
    hover = await talk.editor.request("textDocument/hover", where)
    assert "reen tea" in hover["contents"]["value"]


async def test_a_client_that_shows_no_files_gets_a_message(make_talk: MakeTalk) -> None:
    talk = await make_talk(capabilities=FULL)
    talk.answers(saying("It is steamed [1]."))
    await ask_about(talk, "tea.md", "Green tea")
    assert await talk.editor.hear("window/showMessage") == {"type": 3, "message": "It is steamed [1]."}


async def test_a_failure_is_shown(make_talk: MakeTalk) -> None:
    talk = await make_talk(capabilities={**FULL, **SHOWS})
    talk.answers(json_reply({"error": {"message": "bad key"}}, 401))
    await shown(talk)
    await ask_about(talk, "tea.md", "Green tea")
    message = await talk.editor.hear("window/showMessage")
    assert message["type"] == 1
    assert "here" in message["message"]


async def test_a_person_cancels_by_the_progress_that_is_shown(make_talk: MakeTalk) -> None:
    talk = await make_talk(capabilities={**FULL, **SHOWS})
    talk.answers(saying("It is", HANG))
    await shown(talk)
    await ask_about(talk, "tea.md", "Green tea")
    request = await talk.asked()
    begun = await talk.editor.hear("$/progress", where=lambda params: params["value"]["kind"] == "begin")
    assert begun["value"]["cancellable"]
    talk.editor.notify("window/workDoneProgress/cancel", {"token": begun["token"]})
    await request.left.wait()
    await talk.editor.hear("$/progress", where=lambda params: params["value"]["kind"] == "end")


async def test_only_the_newest_answers_are_kept(make_talk: MakeTalk) -> None:
    talk = await make_talk(capabilities={**FULL, **SHOWS})
    talk.answers(saying("It is steamed [1]."))
    directory = None
    for _ in range(2):
        document = await shown(talk)
        await talk.editor.request("khoj/chat/show", {"message": "Tea?"})
        directory = Path(uris.to_path((await document)["uri"]) or "").parent
        for number in range(shown_answers.KEPT):
            (directory / f"{number}.md").touch()
    assert directory is not None
    document = await shown(talk)
    await talk.editor.request("khoj/chat/show", {"message": "Tea?"})
    await document
    assert len(list(directory.iterdir())) == shown_answers.KEPT
