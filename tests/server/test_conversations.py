"""khoj/conversations/* and khoj/personas/* over a real daemon and socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from khojd.config import Config, Persona
from khojd.content import markdown, org
from khojd.content.model import ContentSettings
from khojd.server.methods.table import COMMANDS
from tests.server.conftest import Attach
from tests.server.editor import Editor, Failure
from tests.server.paper import PaperEngine
from tests.server.talking import Talk, saying, talking

NOTES = {"tea.md": "# Tea 🍵\n\n🍵🍵 Green tea is steamed soon after picking.\n", "coffee.org": "* Coffee\nBeans are roasted.\n"}
STEAMED = "🍵🍵 Green tea is steamed soon after picking."


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with talking(tmp_path, NOTES) as made:
        yield made


async def asked(talk: Talk, *questions: str, conversation: str = "") -> tuple[str, list[str]]:
    """Ask these in one conversation; its id and the ids of the turns."""
    turns = []
    for question in questions:
        talk.answers(saying(f"Of {question} green tea is steamed [1]."))
        reply = (await talk.ask(question, conversation=conversation)).reply
        conversation = reply["conversation"]
        turns.append(reply["turn"])
    return conversation, turns


async def got(talk: Talk, id: str, **params: Any) -> dict[str, Any]:
    result: dict[str, Any] = await talk.editor.request("khoj/conversations/get", {"conversation": id, **params})
    return result


def questions(turns: list[dict[str, Any]]) -> list[str]:
    return [turn["question"] for turn in turns]


async def test_what_was_asked_and_answered_is_listed_and_shown(talk: Talk) -> None:
    id, turns = await asked(talk, "How is green tea made?", "And then?")
    listed = await talk.editor.request("khoj/conversations/list", {})
    assert listed["problem"] == ""
    (one,) = listed["conversations"]
    assert (one["id"], one["title"], one["turns"], one["titled"]) == (id, "How is green tea made?", 2, False)
    whole = await got(talk, id)
    assert whole["conversation"] == one
    first = whole["turns"][0]
    assert [turn["id"] for turn in whole["turns"]] == turns
    assert first["answer"] == "Of How is green tea made? green tea is steamed [1]."
    assert (first["state"], first["model"], first["provider"], first["persona"]) == ("complete", "m", "here", "default")
    assert first["finished"] >= first["created"] > 0
    assert first["usage"]["totalSeconds"] > 0
    assert "model" in {step["kind"] for step in first["steps"]}
    assert [reference["number"] for reference in first["references"]] == [1]
    assert len((await got(talk, id, passages=True))["turns"][0]["references"]) >= 1


async def test_the_list_takes_words_and_pages(talk: Talk) -> None:
    tea, _ = await asked(talk, "How is green tea made?")
    beans, _ = await asked(talk, "What of the BEANS?")
    for params, ids in (
        ({}, [beans, tea]),
        ({"query": "beans"}, [beans]),
        ({"query": "steamed made"}, [tea]),
        ({"query": "nothing of this"}, []),
        ({"limit": 1}, [beans]),
        ({"limit": 5, "offset": 1}, [tea]),
    ):
        found = await talk.editor.request("khoj/conversations/list", params)
        assert [one["id"] for one in found["conversations"]] == ids


async def test_citations_lead_to_where_their_text_is_now(talk: Talk) -> None:
    id, _ = await asked(talk, "How is green tea made?")
    (before,) = (await got(talk, id))["turns"][0]["citations"]
    assert (before["state"], before["quote"]) == ("fresh", STEAMED)
    assert talk.vault.cut("tea.md", before["location"]["range"]) == STEAMED
    talk.vault.open("tea.md", "Above.\n\n" + NOTES["tea.md"])
    (moved,) = (await got(talk, id))["turns"][0]["citations"]
    assert moved["state"] == "moved"
    assert talk.vault.cut("tea.md", moved["location"]["range"]) == STEAMED
    assert moved["location"]["range"]["start"]["line"] == before["location"]["range"]["start"]["line"] + 2
    talk.vault.edit("tea.md", "All is new.\n")
    (stale,) = (await got(talk, id))["turns"][0]["citations"]
    assert (stale["state"], stale["quote"], stale["hash"]) == ("stale", STEAMED, before["hash"])


async def test_after_a_rename_citations_and_sources_lead_to_the_new_name(talk: Talk) -> None:
    id, _ = await asked(talk, "How is green tea made?")
    Path(talk.vault.path("tea.md")).rename(talk.vault.path("leaves.md"))
    await talk.editor.request("khoj/index/update", {})
    turn = (await got(talk, id))["turns"][0]
    for found in (*turn["citations"], *turn["references"]):
        assert found["path"] == talk.vault.path("leaves.md")
        assert STEAMED in talk.vault.cut("leaves.md", found["location"]["range"])


async def test_a_conversation_is_renamed_by_the_beginning_of_its_id(talk: Talk) -> None:
    id, _ = await asked(talk, "How is green tea made?")
    renamed = await talk.editor.request("khoj/conversations/rename", {"conversation": id[:12], "title": " My\ntea "})
    assert (renamed["id"], renamed["title"], renamed["titled"]) == (id, "My tea", True)
    back = await talk.editor.request("khoj/conversations/rename", {"conversation": id, "title": ""})
    assert (back["title"], back["titled"]) == ("How is green tea made?", False)


async def test_a_fork_goes_its_own_way(talk: Talk) -> None:
    id, turns = await asked(talk, "one", "two", "three")
    fork = await talk.editor.request("khoj/conversations/fork", {"turn": turns[1][:12]})
    assert (fork["forkedFrom"], fork["turns"]) == (turns[1], 2)
    await asked(talk, "else", conversation=fork["id"])
    assert questions((await got(talk, fork["id"]))["turns"]) == ["one", "two", "else"]
    assert questions((await got(talk, id))["turns"]) == ["one", "two", "three"]
    whole = await talk.editor.request("khoj/conversations/fork", {"conversation": id})
    assert whole["turns"] == 3
    for wrong in ({}, {"turn": turns[0], "conversation": id}):
        with pytest.raises(Failure, match="either a turn or a conversation"):
            await talk.editor.request("khoj/conversations/fork", wrong)


async def test_a_question_asked_anew_leaves_the_old_one_aside(talk: Talk) -> None:
    id, turns = await asked(talk, "one", "two", "three")
    talk.answers(saying("Better."))
    await talk.ask("two, better", conversation=id, replaces=turns[1])
    whole = await got(talk, id, aside=True)
    assert questions(whole["turns"]) == ["one", "two, better"]
    assert questions(whole["aside"]) == ["two", "three"]
    assert (await got(talk, id))["aside"] == []
    back = await talk.editor.request("khoj/conversations/fork", {"turn": turns[2]})
    assert questions((await got(talk, back["id"]))["turns"]) == ["one", "two", "three"]


async def test_deleting_ends_the_answer_that_is_being_written(talk: Talk) -> None:
    id, _ = await asked(talk, "one")
    never = asyncio.Event()
    talk.answers(saying("Green tea", never))
    running = asyncio.create_task(talk.ask("two", conversation=id))
    await talk.editor.hear("$/progress", where=lambda params: params["value"].get("text") == "Green tea")
    gone = await talk.editor.request("khoj/conversations/delete", {"conversation": id})
    assert gone["conversation"]["id"] == id
    assert (await running).reply["state"] == "cancelled"
    assert (await talk.editor.request("khoj/conversations/list", {}))["conversations"] == []
    with pytest.raises(Failure, match=id) as failure:
        await got(talk, id)
    assert failure.value.data["kind"] == "not-found"


@pytest.mark.parametrize("format", ["markdown", "org"])
async def test_an_export_links_to_the_lines_of_now(talk: Talk, format: str) -> None:
    id, _ = await asked(talk, "How is [green] tea made?", "And then?")
    talk.vault.open("tea.md", "Above.\n\n" + NOTES["tea.md"])
    exported = await talk.editor.request("khoj/conversations/export", {"conversation": id, "format": format})
    assert (exported["format"], exported["title"]) == (format, "How is [green] tea made?")
    assert exported["name"] == "how-is-green-tea-made" + {"markdown": ".md", "org": ".org"}[format]
    parse = markdown.parse if format == "markdown" else org.parse
    parsed = parse(exported["text"], ContentSettings())
    level = {"markdown": 2, "org": 1}[format]
    assert [section.heading for section in parsed.sections if section.level == level] == ["How is [green] tea made?", "And then?"]
    path = talk.vault.path("tea.md")
    target = f"{path}#L5" if format == "markdown" else f"file:{path}::5"
    assert [link.target for link in parsed.links] == [target] * 4
    assert "changed since" not in exported["text"]
    talk.vault.edit("tea.md", "All is new.\n")
    again = await talk.editor.request("khoj/conversations/export", {"conversation": id, "format": format})
    assert "changed since" in again["text"]


async def test_where_nothing_can_be_written_questions_are_answered_and_followed_up(tmp_path: Path) -> None:
    (tmp_path / "index" / "conversations.db").mkdir(parents=True)  # no file can be made there
    async with talking(tmp_path, NOTES) as talk:
        assert "cannot be written" in (await talk.editor.request("khoj/conversations/list", {}))["problem"]
        talk.answers(saying("It is withered first."))
        first = await talk.ask("How is green tea made?")
        notices = [value["step"]["text"] for value in first.values if value["kind"] == "step"]
        assert any("not kept" in text for text in notices)
        talk.answers(saying("Because."))
        second = await talk.ask("Why?", conversation=first.reply["conversation"])
        assert (second.reply["state"], second.text) == ("complete", "Because.")
        sent = json.dumps(talk.model.requests[-1].json)
        assert "How is green tea made?" in sent
        assert "It is withered first." in sent


async def test_they_are_commands_too(editor: Editor) -> None:
    names = {"list", "get", "rename", "delete", "fork", "export"}
    assert {f"khoj.conversations.{name}" for name in names} | {"khoj.personas.list", "khoj.personas.get"} <= set(COMMANDS)
    listed = await editor.request("workspace/executeCommand", {"command": "khoj.conversations.list"})
    assert listed == {"conversations": [], "problem": ""}


@pytest.mark.parametrize("method", ["get", "delete", "export", "rename", "fork"])
async def test_an_unknown_id_is_named(editor: Editor, method: str) -> None:
    params = {"conversation": "feedfeed", **({"title": "x"} if method == "rename" else {})}
    with pytest.raises(Failure, match="feedfeed") as failure:
        await editor.request(f"khoj/conversations/{method}", params)
    assert failure.value.data["kind"] == "not-found"


async def test_personas_are_the_built_in_ones_and_those_of_the_configuration(attach: Attach, engine: PaperEngine) -> None:
    own = {"strict": Persona(based_on="developer", style="detailed", description="Strict"), "default": Persona(model="a/b")}
    engine.config = replace(engine.config, personas=own, chat=replace(Config().chat, persona="strict"))
    editor = await attach()
    result = await editor.request("khoj/personas/list")
    assert result["default"] == "strict"
    assert [one["name"] for one in result["personas"]] == ["default", "researcher", "developer", "writer", "strict"]
    strict = result["personas"][-1]
    assert (strict["builtIn"], strict["basedOn"], strict["style"], strict["model"]) == (False, "developer", "detailed", "a/b")
    assert strict["prompt"] == result["personas"][2]["prompt"]
    assert await editor.request("khoj/personas/get", {"name": "strict"}) == strict
    assert await editor.request("khoj/personas/get") == strict
    with pytest.raises(Failure, match="did you mean 'strict'"):
        await editor.request("khoj/personas/get", {"name": "strickt"})
