"""Search queries made of questions."""

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from khojd import config
from khojd.chat import periods, queries, rewrite
from khojd.chat.model import Turn
from khojd.chat.requests import search_steps
from khojd.search.query import parse
from tests.chat.desk import answer, chunk, desk, notices
from tests.llm.replay import HANG, json_reply, stream_reply

CONFIG = config.Config()
TODAY = date(2024, 5, 23)


def turn(question: str, said: str = "Yes.") -> Turn:
    return Turn("0", "0", question, answer=said, state="complete")


@pytest.mark.parametrize(
    ("question", "text", "filters"),
    [
        ("what of tag:work and tea?", "what of and tea?", "tag:work"),
        ('notes date:"last week" file:"a b.md"', "notes", 'date:"last week" file:"a b.md"'),
        ("what about tag:work?", "what about", "tag:work"),
        ("(see tag:work)", "(see", "tag:work"),
        ("-tag:private tea", "tea", "-tag:private"),
        ('exact +"green tea" words', "exact words", '+"green tea"'),
        ("what does `tag:work` mean", "what does `tag:work` mean", ""),
        ("todo: buy milk", "todo buy milk", ""),
        ("date: what is it?", "date what is it?", ""),
        ("is date >= 2024 a filter", "is date 2024 a filter", ""),
        ("tags:work is a slip", "tags work is a slip", ""),
        ("std::vector and http://x.org/a and 10:30", "std::vector and http://x.org/a and 10:30", ""),
        ('say "never mind" now', 'say "never mind" now', ""),
        ('an open " quote', 'an open " quote', ""),
    ],
)
def test_filters_that_are_written_hold_and_what_only_looks_like_one_is_text(question: str, text: str, filters: str) -> None:
    assert queries.split(question, CONFIG, TODAY) == (text, filters)


@given(st.text(alphabet=st.sampled_from('abc :<>=~"\\+-tagdefilmo,./`#@\n☕'), max_size=60))
def test_the_text_of_any_question_has_no_filter_and_any_filter_parses(question: str) -> None:
    text, filters = queries.split(question, CONFIG, TODAY)
    assert not parse(text, today=TODAY).filters
    assert not parse(filters, today=TODAY).text
    assert not parse(queries.shortened(text), today=TODAY).filters


@pytest.mark.parametrize(
    ("question", "filter", "sure"),
    [
        ("What did I write last week?", 'date:"last week"', True),
        ("What did we decide on 3 May 2024?", 'date:"2024-05-03"', True),
        ("What did I do since March 2024?", 'date>="2024-03"', True),
        ("Which meetings were before 2024-02-01?", 'date<"2024-02-01"', True),
        ("my notes from 2023", 'date:"2023"', True),
        ("Is the plan for May 2024 good?", 'date:"2024-05"', False),
        ("What did I read 3 days ago?", 'date:"3 days ago"', True),
    ],
)
def test_a_span_of_time_in_words_becomes_a_filter(question: str, filter: str, sure: bool) -> None:
    assert periods.named(question, CONFIG, TODAY) == periods.Span(filter, sure)


@pytest.mark.parametrize(
    "question",
    [
        "What is tea?",
        "Where did Caroline move from 4 years ago?",
        "What happened two weeks before May 3, 2024?",
        "Between May 2024 and June 2024?",
        "I paid 2024 euros",
        "the version 2024.1 is out",
    ],
)
def test_what_is_no_clear_span_of_time_becomes_no_filter(question: str) -> None:
    assert periods.named(question, CONFIG, TODAY) is None


def test_a_question_that_only_may_mean_a_span_is_searched_without_it_too() -> None:
    assert queries.plan("Is the plan for May 2024 good?", (), CONFIG, TODAY).queries == (
        "Is the plan for May 2024 good?",
        'Is the plan for May 2024 good? date:"2024-05"',
    )
    assert len(queries.plan("What did I write last week?", (), CONFIG, TODAY).queries) == 1
    assert queries.plan("What did I write last week?", (), CONFIG, TODAY).wider == "What did I write last week?"
    own = queries.plan("What did I write last week? date:2024-01", (), CONFIG, TODAY)
    assert own == queries.Plan(("What did I write last week?",), "date:2024-01")


@pytest.mark.parametrize(
    ("question", "carried"),
    [
        ("And when does it open?", ["harbour", "museum"]),
        ("What about Tuesday?", ["harbour", "museum"]),
        ("why?", ["harbour", "museum"]),
        ("Und wann macht es auf?", ["harbour", "museum"]),
    ],
)
def test_a_question_that_leans_on_the_one_before_carries_its_words(question: str, carried: list[str]) -> None:
    plan = queries.plan(question, (turn("/notes Where is the harbour museum? tag:trip"), turn("and the tickets?")), CONFIG, TODAY)
    assert plan.follows
    for word in (*carried, "tickets"):
        assert word in plan.queries[0]
    assert "tag:trip" not in plan.queries[0]


def test_a_question_that_stands_on_its_own_carries_nothing() -> None:
    plan = queries.plan("Which pots are best for brewing oolong tea at home?", (turn("Where is the museum?"),), CONFIG, TODAY)
    assert plan == queries.Plan(("Which pots are best for brewing oolong tea at home?",))


def test_a_question_about_a_selection_is_searched_for_with_it() -> None:
    text = "Oolong tag:x is half oxidised."
    assert queries.plan("Explain this", (), CONFIG, TODAY, selected=text).queries == (
        "Explain this Oolong tag x is half oxidised.",
    )
    own = "Which pots are best for brewing green tea in the evening?"
    assert queries.plan(own, (), CONFIG, TODAY, selected=text).queries == (own,)


def test_of_a_long_question_both_ends_are_searched_for() -> None:
    (query,) = queries.plan("Beginning. " + "word " * 5000 + " What of zebras?", (), CONFIG, TODAY).queries
    assert len(query) <= queries.LONGEST
    assert query.startswith("Beginning.")
    assert query.endswith("zebras?")


async def test_where_a_span_of_time_holds_nothing_the_rest_is_searched_and_that_is_said(tmp_path: Path) -> None:
    files = {"2024-05-02.md": "Met Ada at the mill.\n", "other.md": "Met Ada at the lake.\n"}
    async with desk(tmp_path, files) as d:
        d.says("Yes.")
        turn = await d.ask("When did I meet Ada in May 2024?")
        assert [Path(one.path).name for one in turn.passages] == ["2024-05-02.md"]
        assert notices(turn) == []
        turn = await d.ask("When did I meet Ada in June 2019?")
        assert len(turn.passages) == 2
        assert "these are of any time" in notices(turn)[0]


# By a model


def said(*pairs: tuple[str, str]) -> str:
    return json.dumps({"queries": [{"text": text, "filters": filters} for text, filters in pairs]})


@pytest.mark.parametrize(
    ("answered", "found"),
    [
        (said(("green tea", "tag:tea date:2024")), ["green tea tag:tea date:2024"]),
        ("```json\n" + said(("green tea", "")) + "\n```", ["green tea"]),
        (said(("green tea", "tag: date:never nonsense tag:tea")), ["green tea tag:tea"]),
        (said(("date: green", "")), ["date green"]),
        ('{"queries": ["green tea", 5, null]}', []),
        ('{"queries": ["green tea"]}', ["green tea"]),
        ("no JSON", []),
        ('{"queries": 5}', []),
        ('{"queries": [{"text": ["a"], "filters": ""}]}', []),
        ("{" * 10_000, []),
        (said(*((f"tea {number}", "") for number in range(9))), [f"tea {number}" for number in range(5)]),
    ],
)
def test_what_a_model_answers_is_read_with_care(answered: str, found: list[str]) -> None:
    assert rewrite.read(answered, CONFIG, TODAY) == found


NOTES = {"tea.md": "# Tea\n\nGreen tea is steeped at 70 degrees.\n", "pots.md": "# Vessels\n\nA gaiwan is a lidded bowl.\n"}


async def test_queries_of_the_small_model_are_searched_for_beside_the_question(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, small=True) as d:
        d.says("A gaiwan [1].")
        made = said(("gaiwan lidded bowl", "type:markdown tag:"))
        d.says(answer(made, prompt=50, completion=20), model="small")
        d.says(answer("A gaiwan [1].", prompt=200, completion=4))
        turn = await d.ask("How should tea be brewed?")
        where = [step.text for step in turn.steps if step.kind == "model"]
        assert where == ["desk/small (on this machine), for search queries", "desk/chat (on this machine)"]
        assert (turn.usage.requests, turn.usage.prompt_tokens, turn.usage.answer_tokens) == (2, 250, 24)
        assert (turn.usage.main_requests, turn.usage.main_prompt_tokens, turn.usage.main_answer_tokens) == (1, 200, 4)
        assert turn.queries == ("How should tea be brewed?", "gaiwan lidded bowl type:markdown")
        assert "lidded bowl" in d.sent()
        assert "How should tea be brewed?" in d.sent("small")
        assert "response_format" in d.asked("small")[0]


async def test_a_question_to_a_model_that_is_named_goes_to_no_other_for_queries_and_titles(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, settings=config.Config()) as d:
        d.says("A lidded bowl [1].", model="small")
        first = await d.ask("What is a gaiwan?", model="desk/small")
        while (await d.chat.store.get(first.conversation)).title == "What is a gaiwan?":
            await asyncio.sleep(0.01)
        await d.ask("And why is it lidded?", conversation=first.conversation, model="desk/small")
        assert len(d.asked("small")) >= 4
        assert not d.asked("chat")


@pytest.mark.parametrize("fault", ["bad", "error", "hang"])
async def test_a_small_model_that_fails_does_not_keep_the_answer(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrite, "PATIENCE", 0.2 if fault == "hang" else 60.0)
    replies = {
        "bad": answer("Sure! Here are queries."),
        "error": json_reply({"error": {"message": "broken"}}, 500),
        "hang": stream_reply(chunk("{"), HANG),
    }
    async with desk(tmp_path, NOTES, small=True) as d:
        d.says("70 degrees [1].")
        d.says(replies[fault], model="small")
        turn = await d.ask("How hot is green tea?")
        assert (turn.state, turn.answer) == ("complete", "70 degrees [1].")
        assert turn.queries == ("How hot is green tea?",)
        assert bool(notices(turn)) == (fault != "bad")
        asked = len(d.asked("small"))
        await d.ask("How hot is green tea now?")
        assert len(d.asked("small")) == asked + (fault == "bad")  # one that failed is left alone for a while


async def test_nothing_is_asked_for_queries_where_that_is_switched_off(tmp_path: Path) -> None:
    settings = config.Config(chat=config.Chat(rewrite=False, titles=False))
    async with desk(tmp_path, NOTES, small=True, settings=settings) as d:
        d.says("70 degrees [1].")
        await d.ask("How hot is green tea?")
        assert not d.asked("small")


async def test_the_chat_model_makes_queries_only_for_a_question_that_leans_on_others(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        d.says("70 degrees [1].", said(("gaiwan bowl", "")), "A bowl [1].")
        first = await d.ask("How hot is green tea?")
        assert len(d.asked()) == 1
        second = await d.ask("And what is it brewed in?", conversation=first.conversation)
        assert len(d.asked()) == 3
        assert "gaiwan bowl" in second.queries
        assert second.answer == "A bowl [1]."


async def test_a_turn_that_waits_for_the_small_model_ends_when_its_asker_leaves(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, small=True) as d:
        d.says(stream_reply(HANG), model="small")
        asking = asyncio.create_task(d.ask("How hot is green tea?"))
        request = await d.server.arrived(2)
        asking.cancel()
        await asyncio.wait([asking])
        await request.left.wait()
        assert d.chat.running == 0
        (conversation,) = await d.chat.store.list()
        assert [one.state for one in await d.chat.store.turns(conversation.id)] == ["cancelled"]


def test_a_search_says_which_servers_it_asks() -> None:
    providers = {"ollama": config.Provider(), "away": config.Provider(base_url="https://models.example/v1")}
    models = config.Models(embedding="ollama/nomic-embed-text", rerank="away/ranker")
    plain = config.Config(providers=providers, models=models)
    assert search_steps(plain) == []
    remote = replace(plain, embedding=config.Embedding(model="remote"), search=config.Search(rerank="remote"))
    assert [step.text for step in search_steps(remote)] == [
        "ollama/nomic-embed-text (on this machine), for vectors of the queries",
        "away/ranker (not on this machine), to rank what is found",
    ]
