"""Titles that a small model gives: what is one, and what is left of them."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd import config
from khojd.chat import naming, titles
from khojd.chat.model import Ask, References
from tests.chat.desk import answer, desk, steps
from tests.llm.replay import HANG, json_reply, stream_reply

NOTES = {"tea.md": "# Tea\n\nGreen tea is steeped at 70 degrees.\n"}
TITLED = config.Config(chat=config.Chat(rewrite=False))
INSTRUCTIONS = naming._INSTRUCTIONS


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ('"Water for green tea [1]."\nI hope that helps.', "Water for green tea"),
        ("Title: Tea and water", "Tea and water"),
        ("**Titel:** Grüner Tee", "Grüner Tee"),
        ("# Tea and water", "Tea and water"),
        ("1. Tea and water", "Tea and water"),
        ("Sure! Here is a title:\n\n“Tea time”", "Tea time"),
        ("<think>Something short.\nTea?</think>\n\nTea time", "Tea time"),
        ("Something short.</think>Tea time", "Tea time"),
        ("茶の淹れ方", "茶の淹れ方"),
        ("C++ and C#, again", "C++ and C#, again"),
    ],
)
def test_a_title_is_taken_out_of_what_stands_around_it(said: str, title: str) -> None:
    assert titles.from_model(said, INSTRUCTIONS) == title


@pytest.mark.parametrize(
    "said",
    [
        "",
        " \n…\n",
        "🙂",
        "<think>The person asks about tea",
        "I'm sorry, but I cannot give a title.",
        "As an AI language model I have no tea.",
        "Give this conversation a title of 3 to 7 words",
        "A title of 3 to 7 words: tea",
        "tea tea tea tea tea",
        "the the tea the the tea",
        "Teaaaaaaaaaaaaaa",
        "Question: How hot is it?",
        "<|im_start|>assistant",
        '{"title": "Tea"}',
        "<b>Tea",
        "```",
        "Tea is a drink that is made of leaves and of water which is hot but not too hot",
        "According to note [1], green tea is steeped",
    ],
)
def test_what_is_no_title_is_not_taken_for_one(said: str) -> None:
    assert titles.from_model(said, INSTRUCTIONS, "According to note [1], green tea is steeped at 70 degrees.") == ""


@given(st.text())
def test_a_title_is_one_short_line_whatever_was_said(said: str) -> None:
    title = titles.from_model(said, INSTRUCTIONS)
    assert len(title) <= titles.AUTOMATIC + 1
    assert len(title.splitlines()) <= 1
    assert titles.tidy(title) == title


async def test_a_conversation_is_titled_by_the_small_model_and_the_request_is_shown_and_counted(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, small=True, settings=TITLED) as d:
        d.says(answer("At 70 degrees [1].", prompt=100, completion=7))
        d.says(answer('"Water for green tea."', prompt=40, completion=5), model="small")
        events = await d.events("How hot is green tea?")
        # It is said in the stream where the request will go, and the answer does not wait for it.
        assert steps(events, "model") == ["desk/chat (on this machine)", "desk/small (on this machine), for a title"]
        last = events[-1].turn  # type: ignore[union-attr]
        assert (last.usage.requests, last.usage.prompt_tokens, last.usage.answer_tokens) == (1, 100, 7)
        async with asyncio.timeout(60):
            while (found := await d.chat.store.get(last.conversation)).title == "How hot is green tea?":
                await asyncio.sleep(0.01)
        assert found.title == "Water for green tea"
        kept = await d.kept(last)
        assert (kept.usage.requests, kept.usage.prompt_tokens, kept.usage.answer_tokens) == (2, 140, 12)
        assert (kept.usage.main_requests, kept.usage.main_prompt_tokens, kept.usage.main_answer_tokens) == (1, 100, 7)
        assert kept.steps == last.steps


@pytest.mark.parametrize("said", ["rubbish", "error"])
async def test_without_a_good_title_that_of_the_question_stays(tmp_path: Path, said: str) -> None:
    async with desk(tmp_path, NOTES, small=True, settings=TITLED) as d:
        d.says("At 70 degrees [1].")
        d.says(answer("tea " * 50) if said == "rubbish" else json_reply({"error": {"message": "broken"}}, 500), model="small")
        turn = await d.ask("How hot is green tea?")
        async with asyncio.timeout(60):
            while (await d.kept(turn)).usage.requests < 2:
                await asyncio.sleep(0.01)
        found = await d.chat.store.get(turn.conversation)
        assert (found.title, found.titled) == ("How hot is green tea?", False)


async def test_no_title_is_asked_for_after_the_end_of_all(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, small=True, settings=TITLED) as d:
        d.says("Green tea takes 70 degrees [1].")
        d.says(stream_reply(HANG), model="small")
        ending: asyncio.Task[None] | None = None
        async with aclosing(d.chat.ask(Ask("How hot is green tea?"))) as events:
            async for event in events:
                if isinstance(event, References):  # the answer is whole, and being kept
                    ending = asyncio.create_task(d.chat.stop("ends"))
        assert ending is not None
        await ending
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("title")]


async def test_an_answer_does_not_wait_for_its_title(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, small=True, settings=TITLED) as d:
        d.says("At 70 degrees [1].")
        d.says(stream_reply(HANG), model="small")
        async with asyncio.timeout(60):
            assert (await d.ask("How hot is green tea?")).state == "complete"
