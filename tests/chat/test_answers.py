"""Answers of models with abilities of their own: tools, citations, eyes; and models that fall over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from khojd import config
from khojd.chat.model import Ask
from khojd.chat.service import Chat
from khojd.chat.store import Conversations
from khojd.chat.tools.table import standard
from khojd.engine import Engine
from khojd.errors import ProviderError
from khojd.llm.model import Called, Capability, ChatRequest, Cited, Ended, Image, Message, ModelInfo, Text, Thinking, ToolCall, Used
from khojd.llm.router import Router
from tests.chat.desk import Desk, notices
from tests.llm.paper import Paper, Step, answer, failure
from tests.llm.replay import Replay

NOTES = {"tea.md": "# Tea\n\nGreen tea is steeped at 70 degrees.\n", "plan.md": "# Plan\n\nThe meeting is on Friday.\n"}
PICTURE = Image(b"\x89PNG\r\n\x1a\n", "image/png")


def knows(*more: Capability, name: str = "model") -> ModelInfo:
    return ModelInfo(name, frozenset({"chat", "streaming", *more}), context=8192)


@asynccontextmanager
async def paper_desk(
    base: Path, *scripts: list[Step], info: ModelInfo | None = None, models: config.Models | None = None
) -> AsyncIterator[tuple[Desk, Paper]]:
    """A chat whose model is on paper: `scripts` are its answers."""
    root = base / "notes"
    root.mkdir()
    paper = Paper(*scripts)
    if info is not None:
        paper.infos["model"] = info
    chosen = config.Config(
        folders=(config.Folder(path=str(root)),),
        index=config.Index(watch="off"),
        embedding=config.Embedding(model="off"),
        providers={"one": config.Provider(retries=0)},
        models=models or config.Models(chat=("one/model",)),
        chat=config.Chat(titles=False),
    )

    async def open_provider(name: str, settings: config.Provider) -> Paper:
        return paper

    engine = await Engine.open(chosen, index_dir=base / "index")
    chat = Chat(engine, Router(chosen, open_provider), await Conversations.open(engine.index_dir), standard())
    desk = Desk(root, engine, chat, Replay())
    try:
        await desk.write(NOTES)
        yield desk, paper
    finally:
        await chat.close()
        await engine.close()


def asked(paper: Paper, number: int = -1) -> ChatRequest:
    return paper.requests[number][1]


async def test_a_provider_that_cites_by_itself_gets_passages_apart_and_its_citations_count(tmp_path: Path) -> None:
    script: list[Step] = [
        Text("Green tea takes 70 degrees."),
        Cited(1, "Green tea is steeped at 70 degrees."),
        Text(" That is all."),
        Ended("stop", Message("assistant", "")),
    ]
    info = knows("citations")
    async with paper_desk(tmp_path, script, info=info) as (d, paper):
        turn = await d.ask("How hot is green tea?")
        message = asked(paper).messages[-1]
        assert "70 degrees" not in message.text
        assert [(one.number, one.source) for one in message.sources] == [(1, "tea.md")]
        assert turn.answer == "Green tea takes 70 degrees.[1] That is all."
        (citation,) = turn.citations
        assert citation.quote == "Green tea is steeped at 70 degrees."
        assert (d.root / "tea.md").read_text()[citation.start : citation.end] == citation.quote


async def test_research_calls_tools_and_cites_what_they_found(tmp_path: Path) -> None:
    call = ToolCall("1", "search_notes", {"query": "meeting"}, '{"query": "meeting"}')
    first: list[Step] = [Called(call), Used(100, 10), Ended("tools", Message("assistant", "", tool_calls=(call,)))]
    second: list[Step] = [Text("It is on Friday [2]."), Used(200, 5), Ended("stop", Message("assistant", "It is on Friday [2]."))]
    info = knows("tools")
    async with paper_desk(tmp_path, first, second, info=info) as (d, paper):
        turn = await d.ask("/research green tea, and then when is it?")
        assert turn.state == "complete"
        assert turn.answer == "It is on Friday [2]."
        assert [Path(one.path).name for one in turn.passages] == ["tea.md", "plan.md"]
        assert [Path(one.path).name for one in turn.citations] == ["plan.md"]
        assert [step.kind for step in turn.steps if step.kind in ("tool", "result")] == ["tool", "result"]
        assert turn.usage.requests == 2
        assert (turn.usage.prompt_tokens, turn.usage.answer_tokens) == (300, 15)
        assert {tool.name for tool in asked(paper, 0).tools} >= {"search_notes", "read_note", "propose_edit"}


async def test_a_persona_with_tools_may_call_them_without_a_command(tmp_path: Path) -> None:
    info = knows("tools")
    async with paper_desk(tmp_path, answer("Friday."), info=info) as (d, paper):
        await d.ask("When do we meet?", persona="researcher")
        assert {tool.name for tool in asked(paper).tools} == {"search_notes", "grep_notes", "read_note", "list_notes", "backlinks"}
        await d.ask("When do we meet?")
        assert asked(paper).tools == ()
        await d.ask("/general When do we meet?", persona="researcher")
        assert asked(paper).tools == ()


async def test_a_picture_goes_to_the_model_that_sees(tmp_path: Path) -> None:
    info = knows("vision", name="eyes")
    models = config.Models(chat=("one/model",), vision=("one/eyes",))
    async with paper_desk(tmp_path, answer("A teapot."), models=models) as (d, paper):
        paper.infos["eyes"] = info
        turn = await d.ask(Ask("What is this?", images=(PICTURE,)))
        assert paper.requests[-1][0] == "eyes"
        assert asked(paper).messages[-1].images == (PICTURE,)
        assert turn.answer == "A teapot."


async def test_a_picture_for_a_model_that_does_not_see_is_an_error(tmp_path: Path) -> None:
    info = knows()
    async with paper_desk(tmp_path, answer("A teapot."), info=info) as (d, paper):
        with pytest.raises(ProviderError, match=r"models\.vision"):
            await d.ask(Ask("What is this?", images=(PICTURE,)))
        assert not paper.requests


async def test_another_model_of_the_chain_answers_and_is_named(tmp_path: Path) -> None:
    models = config.Models(chat=("one/model", "one/other"))
    script: list[list[Step]] = [[failure("model")], answer("Here.")]
    async with paper_desk(tmp_path, *script, models=models) as (d, _):
        turn = await d.ask("Tea?")
        assert (turn.answer, turn.model) == ("Here.", "other")
        assert any("one/other is asked instead" in one for one in notices(turn))
        where = [(step.data["model"], step.data["local"]) for step in turn.steps if step.kind == "model"]
        assert where == [("model", False), ("other", False)]


async def test_thinking_is_kept_apart_from_the_answer(tmp_path: Path) -> None:
    script: list[Step] = [Thinking("Hm [1]. "), Thinking("So."), *answer("Yes.")]
    async with paper_desk(tmp_path, script) as (d, _):
        turn = await d.ask("Tea?")
        assert (turn.thinking, turn.answer) == ("Hm [1]. So.", "Yes.")


async def test_prices_make_a_cost(tmp_path: Path) -> None:
    script: list[Step] = [Text("Yes."), Used(1_000_000, 500_000), Ended("stop", Message("assistant", "Yes."))]
    async with paper_desk(tmp_path, script) as (d, _):
        priced = config.Provider(retries=0, models={"model": config.ModelSettings(price_prompt=2.0, price_answer=8.0)})
        await d.chat.reconfigure(replace(d.engine.config, providers={"one": priced}))
        assert (await d.ask("Tea?")).usage.cost == 6.0


async def test_messages_that_the_server_left_out_are_told(tmp_path: Path) -> None:
    script: list[Step] = [Text("Yes."), Used(19, 5, dropped=True), Ended("stop", Message("assistant", "Yes."))]
    async with paper_desk(tmp_path, script) as (d, _):
        turn = await d.ask("Tea?")
        assert turn.answer == "Yes."
        assert any("the server left out the beginning of the prompt" in one for one in notices(turn))


async def test_a_server_that_counts_lets_more_in_than_a_safe_guess(tmp_path: Path) -> None:
    many = {f"n{number}.md": f"# Tea {number}\n\n" + f"({number}) - tea, more; tea. " * 40 for number in range(12)}
    given = []
    for capabilities in ((), ("count",)):
        base = tmp_path / f"with{len(capabilities)}"
        base.mkdir()
        info = ModelInfo("model", frozenset({"chat", "streaming", *capabilities}), context=3072)
        async with paper_desk(base, answer("Yes."), info=info) as (d, _):
            await d.write(many)
            turn = await d.ask("What of more tea?")
            assert any("did not fit" in one for one in notices(turn))
            given.append(len(turn.passages))
    assert given[1] > given[0] > 0
