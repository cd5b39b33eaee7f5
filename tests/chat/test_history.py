"""Long conversations: what stays, what is summed up, what is left out."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from khojd import config
from khojd.chat import recall
from khojd.chat.model import Ask, Step, Turn
from tests.chat.desk import Desk, answer, desk, notices
from tests.llm.replay import json_reply

NOTES = {"tea.md": "# Tea\n\nGreen tea is steeped at 70 degrees.\n"}
LONG = "The mill by the river was closed for years. " * 40
SETTINGS = config.Config(chat=config.Chat(rewrite=False, titles=False))


async def talk(d: Desk, turns: int) -> Turn:
    last = await d.ask("Question 0: of the tea?")
    for number in range(1, turns):
        last = await d.ask(f"Question {number}: of the tea?", conversation=last.conversation)
    return last


async def test_turns_that_no_longer_fit_and_have_no_summary_are_left_out_oldest_first_and_said(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, context=4096, small=True, settings=SETTINGS) as d:
        d.says(json_reply({"error": {"message": "broken"}}, 500), model="small")
        d.says(*(answer(f"Answer {number}: {LONG}") for number in range(12)))
        last = await talk(d, 12)
        assert any("earlier turns of this conversation did not fit" in one for one in notices(last))
        sent = d.sent()
        assert "Question 11:" in sent
        assert "Answer 10:" in sent
        assert "Answer 0:" not in sent
        assert "70 degrees" in sent


async def test_older_turns_are_summed_up_by_the_small_model_and_the_summary_stays(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, context=4096, small=True, settings=SETTINGS) as d:
        d.says(*(answer(f"Answer {number}: {LONG}") for number in range(12)))
        d.says("We spoke of the mill.", model="small")
        last = await talk(d, 7)
        async with asyncio.timeout(60):
            while not recall.summary(await d.chat.store.turns(last.conversation))[0]:
                await asyncio.sleep(0.01)
        assert "Question 0:" in d.sent("small", 0)
        kept = await d.chat.store.turns(last.conversation)
        noted = next(one for one in kept if any("summary" in step.data for step in one.steps))
        assert "desk/small (on this machine), to sum up earlier turns" in [step.text for step in noted.steps]
        assert (noted.usage.requests, noted.usage.main_requests) == (2, 1)
        await d.ask("And what of it?", conversation=last.conversation)
        assert "We spoke of the mill." in d.sent()
        assert "Question 0:" not in d.sent()
        assert "Answer 6:" in d.sent()


def test_a_summary_counts_for_the_turns_it_is_of() -> None:
    turns = [Turn(str(number), "c", f"Q{number}") for number in range(5)]
    noted = replace(turns[3], steps=(Step("notice", "", data={"summary": "Short.", "until": "1"}),))
    assert recall.summary([*turns[:3], noted, turns[4]]) == ("Short.", (turns[2], noted, turns[4]))
    assert recall.summary(turns) == ("", tuple(turns))
    # In a copy of the conversation the turns have other ids.
    copied = [replace(turn, id="x" + turn.id) for turn in [*turns[:3], noted, turns[4]]]
    assert recall.summary(copied) == ("", tuple(copied))


async def test_an_earlier_question_is_told_without_its_command(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, settings=SETTINGS) as d:
        d.says("70 degrees [1].")
        first = await d.ask("/notes How hot is green tea?")
        await d.ask("Thank you for the green tea.", conversation=first.conversation)
        assert d.asked()[-1]["messages"][1]["content"] == "How hot is green tea?"


async def test_the_question_is_never_cut(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, context=2048, settings=SETTINGS) as d:
        d.says("Long indeed.")
        question = "What of tea? " + "I wonder about the mill. " * 300 + "That is all."
        await d.ask(Ask(question))
        assert question in d.sent()
