"""/research, from the question to the kept turn: the real chat, router and provider, and a server that speaks OpenAI's way."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec import Struct

from khojd import config
from khojd.chat.model import Ask, Finished, Proposed, Stepped, TextPart
from khojd.chat.tools.registry import Context, Result, tool
from khojd.errors import NotFound
from tests.chat.desk import Desk, answer, chunk, desk, notices, steps
from tests.chat.test_injection import called, native
from tests.llm.replay import CLOSE, HANG, stream_reply

NOTES = {
    "plan.org": "* Meeting\nThe meeting with Ada is on Friday at the harbour.\n",
    "people/ada.md": "# Ada\n\nAda is allergic to nuts, said Bob.\n",
}


async def test_an_answer_cites_what_its_tools_found(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        await native(d)
        d.says(
            called(("read_note", {"note": "ada"}), ("list_notes", {})),
            called(
                ("propose_edit", {"action": "append", "note": "plan", "heading": "Meeting", "new": "No nuts.", "why": "allergy"})
            ),
            answer("Ada is allergic ", "to nuts [2]."),
        )
        events = await d.events("/research What to bring to the meeting on Friday at the harbour?")
        last = events[-1]
        assert isinstance(last, Finished)
        turn = last.turn
        assert (turn.state, turn.command, turn.answer) == ("complete", "research", "Ada is allergic to nuts [2].")
        (citation,) = turn.citations
        assert citation.path == d.path("people/ada.md")
        text = Path(citation.path).read_text()
        assert text[citation.start : citation.end] == citation.quote
        assert "allergic to nuts" in citation.quote
        assert [one.origin for one in turn.passages] == ["search", "tool"]
        assert [event.proposal for event in events if isinstance(event, Proposed)] == list(turn.proposals)
        kinds = [event.step.kind for event in events if isinstance(event, Stepped)]
        assert kinds[-10:] == ["model", "tool", "tool", "result", "result", "model", "tool", "result", "edit", "model"]
        assert steps(events, "model")[1:] == [
            "desk/chat (on this machine), request 2 for the answer",
            "desk/chat (on this machine), request 3 for the answer",
        ]
        assert steps(events, "edit") == ["proposes: change plan.org: allergy"]
        assert turn.usage.requests == 3
        assert await d.kept(turn) == turn
        assert (d.root / "plan.org").read_text() == NOTES["plan.org"]


async def test_a_server_that_returns_calls_as_text_is_understood(tmp_path: Path, shared_data: Path) -> None:
    recorded = (shared_data / "llm-wire" / "llama-cpp-python" / "v1_chat_tools_stream.txt").read_bytes()
    body = recorded.partition(b"\r\n\r\n")[2] or recorded.partition(b"\n\n")[2]
    async with desk(tmp_path, NOTES) as d:
        await native(d)
        d.says(stream_reply(body), answer("On Friday [1]."))
        turn = await d.ask("/research When do I meet?")
        assert turn.answer == "On Friday [1]."
        assert [step.text for step in turn.steps if step.kind == "tool"] == ['search_notes "meeting"']
        assert "The meeting with Ada is on Friday" in d.sent()


async def test_a_server_that_breaks_off_in_the_middle_leaves_what_there_is(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        await native(d)
        d.says(called(("read_note", {"note": "ada"})), stream_reply(chunk("Ada is al"), CLOSE))
        turn = await d.ask("/research Who is Ada?")
        assert (turn.state, turn.answer) == ("failed", "Ada is al")
        assert [step.kind for step in turn.steps if step.tool] == ["tool", "result"]


async def test_cancelling_ends_the_tool_that_runs_and_keeps_the_steps(tmp_path: Path) -> None:
    class Nothing(Struct, frozen=True):
        pass

    began, ended = asyncio.Event(), asyncio.Event()

    async def wait(context: Context, arguments: Nothing) -> Result:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return Result("never")

    async with desk(tmp_path, NOTES) as d:
        d.chat.tools.add(tool("wait", "Waits.", Nothing, wait))
        await native(d)
        d.says(called(("wait", {})), answer("Never."))
        async with aclosing(d.chat.ask(Ask("/research Wait."))) as events:
            async for event in events:
                if isinstance(event, Stepped) and event.step.kind == "tool":
                    await began.wait()
                    assert await d.chat.cancel(await running(d))
                if isinstance(event, Finished):
                    assert ended.is_set()
                    assert event.turn.state == "cancelled"
                    assert [step.tool for step in event.turn.steps if step.tool] == ["wait"]
        assert len(d.asked()) == 1


async def running(d: Desk) -> str:
    (conversation,) = await d.chat.store.list()
    (turn,) = await d.chat.store.turns(conversation.id)
    assert (await d.chat.turn(turn.id)).state == "running"
    return turn.id


async def test_leaving_while_the_model_thinks_about_a_result_closes_its_connection(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        await native(d)
        d.says(called(("read_note", {"note": "ada"})), stream_reply(chunk("Ada "), HANG))
        async with aclosing(d.chat.ask(Ask("/research Who is Ada?"))) as events:
            async for event in events:
                if isinstance(event, TextPart):
                    break
        await d.server.requests[-1].left.wait()


async def test_budgets_of_the_configuration_hold(tmp_path: Path) -> None:
    settings = config.Config(chat=config.Chat(titles=False, steps=2))
    async with desk(tmp_path, NOTES, settings=settings) as d:
        await native(d)
        reads = [called(("read_note", {"note": "ada", "to_line": n})) for n in range(1, 5)]
        d.says(*reads[:2], answer("Enough."))
        turn = await d.ask("/research Who is Ada?")
        assert turn.answer == "Enough."
        assert notices(turn) == ["all 2 rounds of tool calls are used up (chat.steps): answered with what was found until then"]
        assert d.asked()[-1]["tool_choice"] == "none"


async def test_long_research_stays_within_the_context_of_the_model(tmp_path: Path) -> None:
    notes = {f"n{n}.md": f"# Note {n}\n\n" + f"Fact {n} is long. " * 400 for n in range(6)}
    async with desk(tmp_path, notes, context=6000) as d:
        await native(d)
        d.says(*(called(("read_note", {"note": f"n{n}"})) for n in range(6)), answer("Read."))
        turn = await d.ask("/research Read all.")
        assert (turn.state, turn.answer) == ("complete", "Read.")
        last = [message["content"] for message in d.asked()[-1]["messages"] if message["role"] == "tool"]
        assert last[0].startswith("(This result was left out")
        assert "Fact 5" in last[-1]
        assert all(len(json.dumps(asked["messages"])) < 4.5 * 6000 for asked in d.asked())


async def test_a_persona_with_an_unknown_tool_says_so(tmp_path: Path) -> None:
    settings = config.Config(personas={"odd": config.Persona(tools=("search_note",))}, chat=config.Chat(titles=False))
    async with desk(tmp_path, NOTES, settings=settings) as d:
        d.says("x")
        with pytest.raises(NotFound, match="there is no tool 'search_note'; did you mean search_notes"):
            await d.ask("Hello?", persona="odd")
