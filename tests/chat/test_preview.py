"""What would be sent, shown beforehand: the same that is sent then, and what cannot be known is said."""

from pathlib import Path
from typing import Any

import pytest

from khojd import config
from khojd.chat.model import Ask
from khojd.chat.preview import Foreseen
from khojd.errors import ChatError
from tests.chat.desk import Desk, answer, desk, text_of
from tests.llm.replay import json_reply

NOTES = {"tea.md": "# Tea\n\nGreen tea is steeped at 70 degrees.\n"}
LONG = "# Long\n\n" + "\n\n".join(f"Paragraph {number}: " + "the river rose and fell again. " * 30 for number in range(40))
QUIET = config.Config(chat=config.Chat(titles=False, rewrite=False))


def said(request: Foreseen) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in request.messages]


def sent(asked: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["role"], text_of(message)) for message in asked["messages"]]


def posts(d: Desk) -> int:
    return len([one for one in d.server.requests if one.method == "POST"])


async def test_all_requests_of_a_question_are_shown_as_they_are_sent(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, small=True, settings=config.Config()) as d:
        shown = await d.chat.preview(Ask("How hot is green tea?"))
        assert posts(d) == 0
        assert await d.chat.store.list() == []
        assert [(one.what, str(one.to)) for one in shown.requests] == [
            ("for search queries", "desk/small"),
            ("", "desk/chat"),
            ("for a title", "desk/small"),
        ]
        assert "other passages may be found" in shown.requests[1].open
        d.says("70 degrees [1].")
        d.says("no queries", "Hot tea", model="small")
        await d.ask("How hot is green tea?")
        assert said(shown.requests[0]) == sent(d.asked("small")[0])
        assert said(shown.requests[1]) == sent(d.asked()[0])


@pytest.mark.parametrize("native", [True, False])
async def test_research_is_shown_with_its_tools_and_what_comes_later_is_said(tmp_path: Path, native: bool) -> None:
    async with desk(tmp_path, NOTES, settings=QUIET) as d:
        if not native:
            said_of = {"id": "chat", "object": "model", "max_model_len": 8192}
            d.server.on("GET", "/v1/models", json_reply({"object": "list", "data": [said_of]}))
            off = config.ModelSettings(tools="off")
            provider = d.engine.config.providers["desk"]
            await d.chat.reconfigure(_with(d.engine.config, provider, off))
        (shown,) = (await d.chat.preview(Ask("/research How hot is green tea?"))).requests
        assert posts(d) == 0
        assert "each further request" in shown.open
        d.says("70 degrees [1].")
        await d.ask("/research How hot is green tea?")
        (asked,) = d.asked()
        assert said(shown) == sent(asked)
        offered = [(tool["function"]["name"], tool["function"]["parameters"]) for tool in asked.get("tools", ())]
        assert [(tool.name, tool.parameters) for tool in shown.tools] == offered
        assert bool(offered) == native
        assert native or "search_notes" in shown.messages[0].text


def _with(chosen: config.Config, provider: config.Provider, model: config.ModelSettings) -> config.Config:
    from msgspec.structs import replace

    return replace(chosen, providers={"desk": replace(provider, models={"chat": model})})


async def test_a_long_summary_is_shown_part_by_part(tmp_path: Path) -> None:
    async with desk(tmp_path, {"long.md": LONG}, context=4096, small=True, settings=QUIET) as d:
        shown = (await d.chat.preview(Ask("/summarize [[long]]"))).requests
        assert posts(d) == 0
        d.says("The river moved [1].")
        d.says("It rose [1].", model="small")
        await d.ask("/summarize [[long]]")
        *parts, last = shown
        assert len(parts) >= 3
        assert [one.what for one in parts] == [f"to sum up part {number} of {len(parts)}" for number in range(1, len(parts) + 1)]
        assert sorted(map(said, parts)) == sorted(map(sent, d.asked("small")))
        assert (last.what, str(last.to)) == ("", "desk/chat")
        final = last.messages[-1].text
        for number in range(1, len(parts) + 1):
            final = final.replace(f"(the summary of part {number})", "It rose [1].")
        assert final == d.asked()[0]["messages"][-1]["content"]
        assert "summed up in turn" in last.open


async def test_a_short_summary_is_one_request(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, settings=QUIET) as d:
        (shown,) = (await d.chat.preview(Ask("/summarize [[tea]]"))).requests
        d.says(answer("Tea [1]."))
        await d.ask("/summarize [[tea]]")
        assert said(shown) == sent(d.asked()[0])
        assert shown.open == ""


async def test_what_asks_no_model_shows_none(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, settings=QUIET) as d:
        with pytest.raises(ChatError, match="/search sends nothing to a model"):
            await d.chat.preview(Ask("/search tea"))
        shown = await d.chat.preview(Ask("/notes zeppelin"))
        assert shown.requests == ()
        assert any("No model is asked" in step.text for step in shown.steps)


async def test_without_a_model_it_is_said_that_nothing_would_be_sent(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, model=False) as d:
        shown = await d.chat.preview(Ask("How hot is green tea?"))
        assert [one.to for one in shown.requests] == [None]
        assert "70 degrees" in shown.messages[-1].text
        assert any("nothing would be sent" in step.text for step in shown.steps)
