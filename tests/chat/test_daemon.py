"""A daemon with answers on their way: it stays for them, and what it has of them outlives it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from khojd.chat import record
from khojd.chat.store import Conversations
from tests.llm.replay import HANG
from tests.server.talking import Talk, saying, talking

NOTES = {"tea.md": "# Tea\n\nGreen tea is steamed.\n"}


async def begun(talk: Talk) -> str:
    """Ask, and wait for the first words; the turn's id."""
    talk.answers(saying("Green tea", HANG))
    talk.editor.ask("khoj/chat", {"message": "What of green tea?", "partialResultToken": "p"})
    started = await talk.editor.hear("$/progress", where=lambda heard: heard["value"]["kind"] == "started")
    await talk.editor.hear("$/progress", where=lambda heard: heard["value"]["kind"] == "text")
    turn: str = started["value"]["turn"]
    return turn


async def test_a_daemon_stays_while_an_answer_is_written_and_says_why(tmp_path: Path) -> None:
    async with talking(tmp_path, NOTES) as talk:
        turn = await begun(talk)
        assert await talk.editor.request("khoj/daemon/retire") == {"retiring": False, "reason": "an answer is being written"}
        assert (await talk.editor.request("khoj/daemon/status"))["busy"]
        await talk.editor.request("khoj/chat/cancel", {"turn": turn})
        assert not (await talk.editor.request("khoj/daemon/status"))["busy"]
        assert (await talk.editor.request("khoj/daemon/retire"))["retiring"]


async def test_an_answer_is_kept_when_the_daemon_is_made_to_leave(tmp_path: Path) -> None:
    async with talking(tmp_path, NOTES) as talk:
        turn_id = await begun(talk)
        assert (await talk.editor.request("khoj/daemon/retire", {"force": True}))["retiring"]
        await talk.editor.ended()
        await talk.model.requests[-1].left.wait()
        directory = talk.vault.engine.index_dir
    store = await Conversations.open(directory)
    try:
        turn = await store.turn(turn_id)
        assert (turn.state, turn.answer) == ("cancelled", "Green tea")
        assert "khojd ended" in turn.reason
    finally:
        await store.close()


async def test_of_a_daemon_that_dies_the_answer_so_far_is_found_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "EVERY", 0.05)
    async with talking(tmp_path, NOTES) as talk:
        turn_id = await begun(talk)
        kept = talk.vault.engine.index_dir
        # What a process that is killed leaves: what is in the file at that moment.
        for attempt in range(1000):
            died = tmp_path / f"died{attempt}"
            died.mkdir()
            with (
                closing(sqlite3.connect(kept / "conversations.db")) as source,
                closing(sqlite3.connect(died / "conversations.db")) as to,
            ):
                source.backup(to)
            store = await Conversations.open(died)
            try:
                turn = await store.turn(turn_id)
            finally:
                await store.close()
            if turn.answer:
                break
        assert (turn.state, turn.answer) == ("failed", "Green tea")
        assert turn.reason
        assert [one.path for one in turn.passages] == [talk.vault.path("tea.md")]
