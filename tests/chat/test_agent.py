"""An answer with tools, from the first request to the last word."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from khojd.chat import agent
from khojd.chat.agent import Limits
from khojd.chat.model import Step
from khojd.chat.tools.registry import Context, Registry, Result, tool
from khojd.errors import ProviderError
from khojd.llm.model import ChatRequest, Ended, Event, Message, Text, Thinking, Used
from tests.chat.toolbox import LIMITS, Desk, Script, calls, desk, proposals_of, results_of, run, says, steps_of, text_of

NOTES = {"meeting.md": "# Meeting\n\nThe meeting is on Friday.\n", "team.md": "Ada and Bob.\n"}
CALL = '```json\n{"tool": "search_notes", "arguments": {"query": "meeting"}}\n```'


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, NOTES) as made:
        yield made


class Nothing(Struct, frozen=True):
    pass


class Waiting:
    """A tool that runs until it is told to go on; it says how many run at once, and whether it was cancelled."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.began = asyncio.Event()
        self.running = 0
        self.most = 0
        self.cancelled = 0
        self.contexts: list[Context] = []

    async def run(self, context: Context, arguments: Nothing) -> Result:
        self.contexts.append(context)
        self.running += 1
        self.most = max(self.most, self.running)
        self.began.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return Result("waited")

    def registry(self) -> Registry:
        return Registry(tool(name, "Waits.", Nothing, self.run) for name in ("first", "second", "third"))


async def test_a_tool_is_called_and_its_result_answers(vault: Desk) -> None:
    model = Script(calls(("search_notes", {"query": "meeting"}), text="I look."), says("On Friday", " [1]."))
    said = await run(model, vault)
    assert text_of(said) == "I look.\n\nOn Friday [1]."
    assert [(step.kind, step.tool, step.text) for step in steps_of(said)] == [
        ("tool", "search_notes", 'search_notes "meeting"'),
        ("result", "search_notes", "1 passage of 1 note"),
    ]
    assert steps_of(said, "tool")[0].data["arguments"] == {"query": "meeting"}
    assert steps_of(said, "result")[0].data["passages"] == [1]
    assert [one.text for one in vault.numbers.given] == ["# Meeting\n\nThe meeting is on Friday."]
    first, second = model.requests
    assert [one.name for one in first.tools] == list(vault.registry.names())
    assert second.messages[: len(first.messages)] == first.messages
    asked, told = second.messages[len(first.messages) :]
    assert (asked.role, asked.text, [call.name for call in asked.tool_calls]) == ("assistant", "I look.", ["search_notes"])
    assert (told.role, told.tool_call_id, told.tool_name) == ("tool", "call-search_notes-0", "search_notes")
    assert '<note n="1" path="meeting.md"' in told.text
    assert isinstance(said[-1], Ended)
    assert model.closed == 2


async def test_what_is_found_is_said_as_it_happens(vault: Desk) -> None:
    waiting = Waiting()
    model = Script(calls(("first", {})), says("Done."))
    said: list[agent.Said] = []
    events = agent.run(
        stream=model, native=True, messages=(), tools=waiting.registry().select(), context=vault.context(), limits=LIMITS
    )
    async with aclosing(events):
        async for one in events:
            said.append(one)
            if isinstance(one, Step) and one.kind == "tool":
                assert len(model.requests) == 1
                waiting.go.set()
    assert [step.kind for step in steps_of(said)] == ["tool", "result"]
    assert text_of(said) == "Done."


async def test_calls_that_only_read_run_side_by_side_and_their_results_keep_their_order(vault: Desk) -> None:
    waiting = Waiting()
    model = Script(calls(("first", {}), ("second", {}), ("third", {})), says("Done."))
    task = asyncio.create_task(run(model, vault, registry=waiting.registry()))
    while waiting.running < 3:
        await waiting.began.wait()
        await asyncio.sleep(0)
    waiting.go.set()
    await task
    assert waiting.most == 3
    assert [one.tool_name for one in model.requests[1].messages if one.role == "tool"] == ["first", "second", "third"]


async def test_changes_are_proposed_one_after_the_other_and_nothing_is_written(vault: Desk) -> None:
    before = vault.texts()
    edit = {"action": "replace", "note": "meeting", "old": "Friday", "new": "Monday", "why": "moved"}
    model = Script(calls(("propose_edit", edit), ("read_note", {"note": "team"})), says("Proposed."))
    said = await run(model, vault)
    (one,) = proposals_of(said)
    assert (one.before, one.after) == ("Friday", "Monday")
    assert [step.text for step in steps_of(said, "edit")] == ["proposes: change meeting.md: moved"]
    assert "Nothing is changed yet" in results_of(model.requests[1])[0]
    assert vault.texts() == before


async def test_a_model_without_tools_of_its_own_writes_calls_as_json(vault: Desk) -> None:
    model = Script(says("I look.\n\n", CALL[:20], CALL[20:], "\nThe result is"), says("On Friday [1]."))
    said = await run(model, vault, native=False)
    assert text_of(said) == "I look.\n\nOn Friday [1]."
    first, second = model.requests
    assert first.tools == second.tools == ()
    assert "search_notes" in first.messages[0].text
    assert first.messages[0].text.startswith("Answer.\n\nYou can use tools.")
    asked, told = second.messages[-2:]
    assert (asked.role, asked.text) == ("assistant", f"I look.\n\n{CALL}")
    assert (told.role, told.text.split("\n")[0]) == ("user", "The result of search_notes:")
    assert "The meeting is on Friday." in told.text
    assert model.closed == 2


async def test_a_call_that_a_server_returns_as_text_is_run_all_the_same(vault: Desk) -> None:
    model = Script(
        says("<tool_call>\n", '{"name": "search_notes",', ' "arguments": {"query": "meeting"}}\n', "</tool_call>"),
        says("On Friday."),
    )
    said = await run(model, vault)
    assert text_of(said) == "On Friday."
    assert steps_of(said, "result")[0].text == "1 passage of 1 note"
    assert "The meeting is on Friday." in model.requests[1].messages[-1].text


async def test_thinking_and_an_answer_without_tools_pass_through(vault: Desk) -> None:
    ended = Ended("length", Message("assistant", "Hello"))
    said = await run(Script([Thinking("Hm."), Text("Hel"), Text("lo"), Used(10, 2), ended]), vault)
    assert said == [Thinking("Hm."), Text("Hel"), Text("lo"), ended]


# Mistakes of the model


async def test_mistakes_go_back_to_the_model_which_may_then_do_better(vault: Desk) -> None:
    model = Script(
        calls(("serch_notes", {"query": "meeting"}), ("search_notes", None)),
        calls(("search_notes", {"q": "meeting"})),
        calls(("search_notes", {"query": "meeting"})),
        says("On Friday."),
    )
    said = await run(model, vault)
    unknown, broken = results_of(model.requests[1])
    assert "There is no tool 'serch_notes'; did you mean search_notes?" in unknown
    assert "its arguments are no JSON object" in broken
    assert "unknown field `q`" in results_of(model.requests[2])[-1]
    assert text_of(said) == "On Friday."
    assert [step.data["failed"] for step in steps_of(said, "result")] == [True, True, True, False]


async def test_the_same_call_is_not_run_twice(vault: Desk) -> None:
    same = calls(("search_notes", {"query": "meeting", "limit": 3}))
    other = calls(("search_notes", {"limit": 3, "query": "meeting"}))
    model = Script(same, other, says("On Friday."))
    said = await run(model, vault)
    assert "was called with exactly these arguments before" in results_of(model.requests[2])[-1]
    assert steps_of(said, "result")[1].data["failed"]


@pytest.mark.parametrize("native", [True, False])
async def test_a_model_that_never_gets_it_right_is_asked_to_answer(vault: Desk, native: bool) -> None:
    wrong = calls(("nonsense", {"x": 1})) if native else says('{"tool": "nonsense", "arguments": {"x": 1}}')
    model = Script(*[wrong] * agent.MOST_FAULTS, says("I do not know."))
    said = await run(model, vault, native=native)
    assert text_of(said) == "I do not know."
    assert [step.text for step in steps_of(said, "notice")] == [
        "4 tool calls of the model could not be run: answered with what was found until then"
    ]
    assert "Answer the question now" in model.requests[-1].messages[-1].text
    assert [message.role for message in model.requests[-1].messages][-1] == ("tool" if native else "user")


async def test_a_tool_that_fails_does_not_end_the_answer(vault: Desk, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(context: Context, arguments: Nothing) -> Result:
        raise RuntimeError("secret of a note")

    model = Script(calls(("broken", {})), says("Sorry."))
    said = await run(model, vault, registry=Registry([tool("broken", "Breaks.", Nothing, broken)]))
    assert results_of(model.requests[1]) == ["broken failed (RuntimeError). Go on without it."]
    assert text_of(said) == "Sorry."
    assert "the tool broken failed" in caplog.text


async def test_a_result_that_is_too_long_is_cut(vault: Desk) -> None:
    async def endless(context: Context, arguments: Nothing) -> Result:
        return Result("word " * 50_000)

    model = Script(calls(("endless", {})), says("Long."))
    await run(model, vault, registry=Registry([tool("endless", "Says much.", Nothing, endless)]))
    (result,) = results_of(model.requests[1])
    assert len(result) < 15_000
    assert result.endswith("more characters are left out)")


async def test_more_calls_than_are_allowed_at_once_are_not_run(vault: Desk) -> None:
    model = Script(calls(*(("read_note", {"note": "team", "from_line": 1, "to_line": n}) for n in range(10))), says("Many."))
    await run(model, vault)
    results = results_of(model.requests[1])
    assert len(results) == 10
    assert [result.startswith("not run: a message may hold 8 calls") for result in results] == [False] * 8 + [True] * 2


# Bounds


def reads() -> list[Any]:
    return [calls(("read_note", {"note": "team", "to_line": n})) for n in range(1, 20)]


@pytest.mark.parametrize("native", [True, False])
async def test_when_rounds_are_used_up_the_model_is_asked_for_its_answer_without_tools(vault: Desk, native: bool) -> None:
    asks = (
        reads()
        if native
        else [says(f'{{"tool": "read_note", "arguments": {{"note": "team", "to_line": {n}}}}}') for n in range(1, 20)]
    )
    model = Script(*asks[:3], says("Ada."))
    said = await run(model, vault, native=native, limits=Limits(steps=3, seconds=60, tokens=100_000))
    assert len(model.requests) == 4
    last = model.requests[-1]
    if native:
        assert (last.tool_choice, len(last.tools)) == ("none", len(vault.registry.names()))
    else:
        assert "You can use tools" not in last.messages[0].text
    assert "No more tools can be used" in last.messages[-1].text
    assert steps_of(said, "notice")[0].text.startswith("all 3 rounds of tool calls are used up (chat.steps)")
    assert text_of(said) == "Ada."


async def test_a_model_that_goes_on_calling_tools_when_it_must_answer_is_not_followed(vault: Desk) -> None:
    model = Script(*reads())
    said = await run(model, vault, limits=Limits(steps=2, seconds=60, tokens=100_000))
    assert len(model.requests) == 3
    assert len(steps_of(said, "tool")) == 2
    assert steps_of(said)[-1].text == "the model ended without an answer"
    text = '{"tool": "read_note", "arguments": {"note": "team"}}'
    model = Script(*reads()[:2], says(text))
    assert text_of(await run(model, vault, limits=Limits(steps=2, seconds=60, tokens=100_000))) == text


async def test_when_the_time_is_used_up_calls_are_not_run_and_the_model_answers(
    vault: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, ahead = time.monotonic, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: clock() + ahead)  # the loop's, too
    waiting = Waiting()
    model = Script(calls(("first", {})), says("Late."))
    running = asyncio.create_task(
        run(model, vault, registry=waiting.registry(), limits=Limits(steps=5, seconds=20, tokens=100_000))
    )
    await waiting.began.wait()
    ahead = 20.0
    said = await running
    assert waiting.cancelled == 1
    assert waiting.contexts[0].stop.is_set()
    assert "took longer than 20 seconds and was stopped" in results_of(model.requests[1])[0]
    assert "seconds for tools are used up (chat.step_seconds)" in steps_of(said, "notice")[0].text
    assert text_of(said) == "Late."


@pytest.mark.parametrize("counted", [True, False])
async def test_when_the_tokens_are_used_up_the_model_answers(vault: Desk, counted: bool) -> None:
    prompt, completion = (700, 10) if counted else (-1, -1)
    asks = [calls(("read_note", {"note": "team", "to_line": n}), prompt=prompt, completion=completion) for n in range(1, 9)]
    model = Script(*asks[:2], says("Ada.", prompt=prompt, completion=completion))
    limits = Limits(steps=9, seconds=60, tokens=1400 if counted else len(asks))
    if not counted:
        model = Script(asks[0], says("Ada."))
    said = await run(model, vault, limits=limits)
    assert "tokens are used up (chat.step_tokens)" in steps_of(said, "notice")[0].text
    assert len(model.requests) == (3 if counted else 2)


async def test_older_results_are_left_out_when_there_is_no_room_and_may_be_asked_for_again(tmp_path: Path) -> None:
    async with desk(tmp_path, {f"n{n}.md": f"note {n} " * 300 for n in range(4)}) as vault:
        asks = [calls(("read_note", {"note": f"n{n}"})) for n in range(4)]
        model = Script(*asks, asks[0], says("Read."))
        said = await run(model, vault, limits=Limits(steps=9, seconds=60, tokens=1_000_000, prompt=2500))
        last = results_of(model.requests[-1])
        assert last[0].startswith("(This result was left out")
        assert "note 0" in last[-1]
        assert text_of(said) == "Read."


async def test_a_request_that_is_too_long_for_the_server_is_made_again_without_older_results(vault: Desk) -> None:
    overflow = ProviderError("too long", provider="x", reason="overflow")
    model = Script(calls(("read_note", {"note": "team"})), calls(("read_note", {"note": "meeting"})), [overflow], says("Friday."))
    said = await run(model, vault)
    assert text_of(said) == "Friday."
    assert "left out" in steps_of(said, "notice")[0].text
    assert results_of(model.requests[3])[0].startswith("(This result was left out")
    assert "on Friday" in results_of(model.requests[3])[1]


async def test_a_prompt_that_is_too_long_by_itself_is_not_asked_again_here(vault: Desk) -> None:
    model = Script([ProviderError("too long", provider="x", reason="overflow")])
    with pytest.raises(ProviderError, match="too long"):
        await run(model, vault)
    assert len(model.requests) == 1


# Ends


async def test_a_server_that_fails_in_the_middle_leaves_what_was_said(vault: Desk) -> None:
    failure = ProviderError("it broke off", provider="x", reason="cut")
    model = Script(calls(("read_note", {"note": "team"})), [Text("Ada and "), failure])
    said: list[agent.Said] = []
    with pytest.raises(ProviderError, match="it broke off"):
        async for one in agent.run(
            stream=model, native=True, messages=(), tools=vault.registry.select(), context=vault.context(), limits=LIMITS
        ):
            said.append(one)
    assert text_of(said) == "Ada and "
    assert [step.kind for step in steps_of(said)] == ["tool", "result"]
    assert model.closed == 2


async def test_cancelling_ends_tools_and_their_threads_at_once(vault: Desk) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    threads: list[str] = []

    async def busy(context: Context, arguments: Nothing) -> Result:
        def work() -> None:
            threads.append("began")
            context.stop.wait(30)
            threads.append("stopped" if context.stop.is_set() else "went on")
            loop.call_soon_threadsafe(ended.set)

        await asyncio.to_thread(work)
        return Result("done")

    waiting = Waiting()
    registry = Registry([*waiting.registry().select(), tool("busy", "Works.", Nothing, busy)])
    model = Script(calls(("busy", {}), ("first", {})), says("Done."))
    task = asyncio.create_task(run(model, vault, registry=registry))
    await waiting.began.wait()
    while not threads:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (waiting.cancelled, waiting.running) == (1, 0)
    await ended.wait()
    assert threads == ["began", "stopped"]


async def test_a_tool_that_will_not_end_does_not_hold_up_the_cancelling(vault: Desk) -> None:
    began, release = asyncio.Event(), asyncio.Event()

    async def stubborn(context: Context, arguments: Nothing) -> Result:
        began.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return Result("at last")

    model = Script(calls(("stubborn", {})), says("Done."))
    task = asyncio.create_task(run(model, vault, registry=Registry([tool("stubborn", "Stays.", Nothing, stubborn)])))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    await asyncio.sleep(0)


async def test_closing_the_answer_closes_the_stream_of_the_model(vault: Desk) -> None:
    closed = asyncio.Event()

    async def stream(request: ChatRequest) -> AsyncIterator[Event]:
        try:
            yield Text("On ")
            await asyncio.Event().wait()
        finally:
            closed.set()

    events = agent.run(
        stream=stream, native=True, messages=(), tools=vault.registry.select(), context=vault.context(), limits=LIMITS
    )
    async with aclosing(events):
        assert await anext(events) == Text("On ")
    assert closed.is_set()
