"""khoj/chat/apply: what an answer proposed is changed when a person agrees, and not before."""

import json
from pathlib import Path
from typing import Any

import pytest

from khojd.server.methods.proposals import NO, YES
from tests.server.editor import Failure
from tests.server.features.applied import applied
from tests.server.talking import Talk, saying, talking

NOTES = {"meeting.md": "# Meeting\n\nIt is on Friday. 🙂\n\nBring tea.\n"}
ANNOTATES: dict[str, Any] = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create", "rename", "delete"],
            "changeAnnotationSupport": {},
        },
    }
}
ASKS: dict[str, Any] = {
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]}},
    "window": {"showMessage": {"messageActionItem": {}}},
}
REPLACE = {"action": "replace", "note": "meeting", "old": "on Friday", "new": "on Monday", "why": "it was moved"}


async def proposed(talk: Talk, **arguments: str) -> dict[str, str]:
    """Have the model propose a change; the params of khoj/chat/apply for it."""
    talk.answers(saying(json.dumps({"tool": "propose_edit", "arguments": arguments})), saying("I propose it."))
    answer = await talk.ask("/research Move the meeting to Monday")
    (value,) = [value for value in answer.values if value["kind"] == "proposal"]
    assert answer.text == "I propose it."
    return {"turn": answer.reply["turn"], "proposal": value["proposal"]["id"]}


class Client:
    """An editor that applies edits, and answers questions with `says`."""

    def __init__(self, says: str | None = None) -> None:
        self.says = says
        self.edits: list[dict[str, Any]] = []
        self.questions: list[str] = []
        self.answers = {"workspace/applyEdit": self.apply, "window/showMessageRequest": self.ask}

    def apply(self, params: dict[str, Any]) -> dict[str, Any]:
        self.edits.append(params["edit"])
        return {"applied": True}

    def ask(self, params: dict[str, Any]) -> dict[str, Any] | None:
        self.questions.append(params["message"])
        return {"title": self.says} if self.says else None


async def test_a_client_that_shows_changes_gets_one_to_be_confirmed(tmp_path: Path) -> None:
    client = Client()
    async with talking(tmp_path, NOTES, capabilities=ANNOTATES, answers=client.answers) as talk:
        params = await proposed(talk, **REPLACE)
        assert talk.vault.text("meeting.md") == NOTES["meeting.md"]
        assert client.edits == []
        done = await talk.editor.request("khoj/chat/apply", params)
        assert (done["applied"], done["uri"], done["reason"]) == (True, talk.vault.uri("meeting.md"), "")
        (edit,) = client.edits
        assert applied(talk.vault, edit) == {"meeting.md": NOTES["meeting.md"].replace("Friday", "Monday")}
        (annotation,) = edit["changeAnnotations"].values()
        assert annotation["needsConfirmation"]
        label = "Chat proposes to change meeting.md: it was moved (by here/m, asked “/research Move the meeting to Monday”)"
        assert annotation["label"] == label
        # khojd itself writes nothing, whatever the client says that it did.
        assert Path(talk.vault.path("meeting.md")).read_text() == NOTES["meeting.md"]


async def test_a_client_that_has_asked_the_person_is_not_made_to_ask_again(tmp_path: Path) -> None:
    client = Client()
    async with talking(tmp_path, NOTES, capabilities=ANNOTATES, answers=client.answers) as talk:
        params = await proposed(talk, **REPLACE)
        assert (await talk.editor.request("khoj/chat/apply", {**params, "confirmed": True}))["applied"]
        (annotation,) = client.edits[0]["changeAnnotations"].values()
        assert not annotation["needsConfirmation"]
        assert client.questions == []


@pytest.mark.parametrize(("says", "made"), [(YES, True), (NO, False), (None, False)])
async def test_a_client_that_does_not_show_changes_asks_the_person_first(tmp_path: Path, says: str | None, made: bool) -> None:
    client = Client(says)
    async with talking(tmp_path, NOTES, capabilities=ASKS, answers=client.answers) as talk:
        done = await talk.editor.request("khoj/chat/apply", await proposed(talk, **REPLACE))
        assert done["applied"] == made
        assert len(client.edits) == made
        (question,) = client.questions
        for part in ("change meeting.md: it was moved", "by here/m", "Move the meeting to Monday", "on Friday", "on Monday"):
            assert part in question


async def test_without_any_way_to_ask_nothing_is_changed_unless_the_client_has_asked(tmp_path: Path) -> None:
    client = Client()
    bare: dict[str, Any] = {"workspace": {"applyEdit": True}}
    async with talking(tmp_path, NOTES, capabilities=bare, answers=client.answers) as talk:
        params = await proposed(talk, **REPLACE)
        with pytest.raises(Failure, match="show the change yourself and send confirmed"):
            await talk.editor.request("khoj/chat/apply", params)
        assert client.edits == []
        assert (await talk.editor.request("khoj/chat/apply", {**params, "confirmed": True}))["applied"]
        assert applied(talk.vault, client.edits[0]) == {"meeting.md": NOTES["meeting.md"].replace("Friday", "Monday")}


async def test_a_client_that_changes_files_by_itself_is_told_the_change_in_the_note_as_it_is_now(tmp_path: Path) -> None:
    async with talking(tmp_path, NOTES) as talk:
        params = await proposed(talk, **REPLACE)
        talk.vault.write("meeting.md", "New first line.\n" + NOTES["meeting.md"])
        done = await talk.editor.request("khoj/chat/apply", {**params, "editOnly": True})
        change = done["change"]
        text = talk.vault.text("meeting.md")
        assert not done["applied"]
        assert text[change["start"] : change["end"]] == change["before"] == "on Friday"
        assert (change["after"], change["create"], change["path"]) == ("on Monday", False, talk.vault.path("meeting.md"))
        assert applied(talk.vault, done["edit"]) == {"meeting.md": text.replace("Friday", "Monday")}


async def test_a_change_finds_its_place_in_what_the_editor_shows(tmp_path: Path) -> None:
    client = Client()
    async with talking(tmp_path, NOTES, capabilities=ANNOTATES, answers=client.answers) as talk:
        params = await proposed(talk, action="append", note="meeting", new="Be on time.")
        talk.vault.open("meeting.md")
        talk.vault.edit("meeting.md", "🙂🙂 typed\n" + NOTES["meeting.md"])
        await talk.editor.request("khoj/chat/apply", params)
        (after,) = applied(talk.vault, client.edits[0]).values()
        assert after == "🙂🙂 typed\n" + NOTES["meeting.md"].rstrip() + "\n\nBe on time.\n"
        assert client.edits[0]["documentChanges"][0]["textDocument"]["version"] == 2


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ("# Meeting\n\nIt is off.\n", "what was to be replaced is no longer there"),
        ("It is on Friday. Or on Friday?\n", "stands there 2 times now"),
        ("", "is no longer there"),
    ],
)
async def test_a_change_whose_place_is_gone_is_refused(tmp_path: Path, now: str, why: str) -> None:
    client = Client()
    async with talking(tmp_path, NOTES, capabilities=ANNOTATES, answers=client.answers) as talk:
        params = await proposed(talk, **REPLACE)
        talk.vault.write("meeting.md", now)
        with pytest.raises(Failure, match=why) as failure:
            await talk.editor.request("khoj/chat/apply", params)
        assert failure.value.data["kind"] == "edit"
        assert client.edits == []


async def test_a_change_is_not_made_twice(tmp_path: Path) -> None:
    async with talking(tmp_path, NOTES) as talk:
        params = await proposed(talk, action="append", note="meeting", new="Be on time.")
        change = (await talk.editor.request("khoj/chat/apply", {**params, "editOnly": True}))["change"]
        text = talk.vault.text("meeting.md")
        talk.vault.write("meeting.md", text[: change["start"]] + change["after"] + text[change["end"] :])
        with pytest.raises(Failure, match="has this text already"):
            await talk.editor.request("khoj/chat/apply", params)


async def test_a_new_note_is_made_where_none_is_and_files_can_be_created(tmp_path: Path) -> None:
    client = Client(YES)
    async with talking(tmp_path, NOTES, capabilities=ASKS, answers=client.answers) as talk:
        params = await proposed(talk, action="create", note="ideas/new.md", new="# New")
        assert not (talk.vault.root / "ideas").exists()
        await talk.editor.request("khoj/chat/apply", params)
        assert applied(talk.vault, client.edits[0]) == {"ideas/new.md": "# New\n"}
        other = await talk.vault.attach({"workspace": {"applyEdit": True}})
        with pytest.raises(Failure, match="does not let a language server create files"):
            await other.request("khoj/chat/apply", params)
        alone = await other.request("khoj/chat/apply", {**params, "editOnly": True})
        assert (alone["edit"], alone["change"]["after"], alone["change"]["create"]) == (None, "# New\n", True)
        talk.vault.write("ideas/new.md", "Mine.\n")
        with pytest.raises(Failure, match="is there already"):
            await talk.editor.request("khoj/chat/apply", params)


async def test_a_path_that_leads_out_of_the_folders_by_now_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text(NOTES["meeting.md"])
    client = Client()
    async with talking(tmp_path, NOTES, capabilities=ANNOTATES, answers=client.answers) as talk:
        params = await proposed(talk, **REPLACE)
        note = Path(talk.vault.path("meeting.md"))
        note.unlink()
        note.symlink_to(outside)
        with pytest.raises(Failure, match="in none of the folders"):
            await talk.editor.request("khoj/chat/apply", params)
        assert client.edits == []


async def test_unknown_turns_and_proposals_are_named(tmp_path: Path) -> None:
    async with talking(tmp_path, NOTES) as talk:
        params = await proposed(talk, **REPLACE)
        with pytest.raises(Failure, match="has no proposal 'abc'"):
            await talk.editor.request("khoj/chat/apply", {**params, "proposal": "abc"})
        with pytest.raises(Failure, match="abcdef0123456789"):
            await talk.editor.request("khoj/chat/apply", {**params, "turn": "abcdef0123456789"})
