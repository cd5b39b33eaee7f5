"""Slash commands, what they look at and what they send."""

from pathlib import Path

import pytest

from khojd import config
from khojd.chat import commands
from khojd.chat.model import Ask, Attached, References
from khojd.errors import ChatError, ProviderError
from tests.chat.desk import Desk, desk, notices, overflow, steps, texts
from tests.llm.replay import json_reply

NOTES = {
    "tea.md": "# Tea\n\nGreen tea is steeped at 70 degrees.\n\n## Oolong\n\nOolong likes 90 degrees.\n\n## Pots\n\nClay pots.\n",
    "plan.org": "* Meeting :work:\n<2024-05-20 Mon>\nThe meeting is on Friday at the harbour.\n",
    "log/2024-05-02.md": "Walked to the mill. #walk\n",
    "log/2024-06-01.md": "Walked to the lake. #walk\n",
}


async def found(d: Desk, question: str, **more: object) -> list[str]:
    """Names of the notes that an answer refers to, in their order."""
    events = await d.events(Ask(question, **more))  # type: ignore[arg-type]
    passages = [one for event in events if isinstance(event, References) for one in event.passages]
    return [str(Path(one.path).relative_to(d.root)) for one in passages]


async def test_without_a_model_the_best_passages_are_quoted(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, model=False) as d:
        turn = await d.ask("How hot is green tea?")
        assert (turn.state, turn.extractive) == ("complete", True)
        assert "> Green tea is steeped at 70 degrees. [1]" in turn.answer
        citation = turn.citations[0]
        assert turn.answer[citation.at :].startswith("[1]")
        text = (d.root / "tea.md").read_text()
        assert text[citation.start : citation.end] == citation.quote == "Green tea is steeped at 70 degrees."
        assert text.splitlines()[citation.line] == citation.quote
        assert not d.server.requests


LONG = """* Firmware
** NEXT Reduce the power drawn while asleep
   SCHEDULED: <2026-06-08 Mon>
   :PROPERTIES:
   :TICKET: GAUGE-112
   :END:
   The budget was written in spring. It has four pages and a table. Nobody has read the third page.
   Every week somebody promises to read it, and goes for a coffee instead, as one does in the spring.
   The radio is innocent: pulling its supply changes nothing. The battery is empty after a week because the
   regulator of the pressure sensor never switches off.
"""


async def test_without_a_model_the_sentences_that_answer_are_quoted_wherever_they_stand(tmp_path: Path) -> None:
    notes = {"gauge.org": LONG, "sleep.md": "# Sleep\n\nThe battery of my torch died, so I slept.\n"}
    async with desk(tmp_path, notes, model=False, embedding=True) as d:
        turn = await d.ask("What drains the battery?")
        assert turn.citations[0].path == d.path("gauge.org")
        quote = "The battery is empty after a week because the\n   regulator of the pressure sensor never switches off."
        assert turn.citations[0].quote == quote
        assert LONG[turn.citations[0].start : turn.citations[0].end] == quote


async def test_a_paragraph_that_has_room_is_quoted_whole(tmp_path: Path) -> None:
    paragraph = "It hurts after seven kilometres.\nThe band along the thigh is too tight."
    async with desk(tmp_path, {"run.md": f"# Knee\n\nOther things.\n\n{paragraph}\n"}, model=False) as d:
        assert paragraph in (await d.ask("Which band is too tight?")).citations[0].quote


async def test_what_org_keeps_for_programs_is_not_quoted(tmp_path: Path) -> None:
    async with desk(tmp_path, {"gauge.org": LONG}, model=False) as d:
        for question in ("What is drawn while asleep?", "/search asleep", "Which ticket is it, GAUGE-112?"):
            quote = (await d.ask(question)).citations[0].quote
            assert quote.startswith("The budget was written in spring."), question
            assert ":TICKET:" not in quote


async def test_stars_begin_an_item_of_a_list_in_markdown(tmp_path: Path) -> None:
    async with desk(tmp_path, {"tea.md": "# Tea\n\n* Pots are of clay.\n* Oolong likes 90 degrees.\n"}, model=False) as d:
        assert (await d.ask("How hot is oolong?")).citations[0].quote == "* Oolong likes 90 degrees."


async def test_general_sends_no_notes(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        d.says("Hello.")
        turn = await d.ask(Ask("/general What is green tea?", attached=(Attached(d.path("tea.md")),)))
        assert "70 degrees" not in d.sent()
        assert "tea.md" not in d.sent()
        assert any("sends no notes" in one for one in notices(turn))
        assert turn.passages == ()


async def test_notes_says_so_when_they_hold_nothing_and_asks_no_model(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        assert (await d.ask("/notes xylophone zebra")).answer == "Your notes hold nothing on this."
        assert not d.asked()


async def test_notes_that_are_far_from_a_question_are_not_taken_for_an_answer(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, embedding=True) as d:
        assert (await d.ask("/notes xylophone zebra")).answer == "Your notes hold nothing on this."


async def test_notes_answers_from_the_passages_alone(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        d.says("70 degrees [1].")
        await d.ask("/notes How hot is green tea?")
        assert "Answer from the passages alone" in d.sent()
        await d.ask("How hot is green tea?")
        assert "Answer from the passages alone" not in d.sent()


async def test_search_shows_passages_and_asks_no_model(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        assert await found(d, "/search harbour") == ["plan.org"]
        assert not d.asked()


async def test_help_lists_every_command(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES, model=False) as d:
        said = (await d.ask("/help")).answer
        for name in (*commands.COMMANDS, "researcher", "search_notes"):
            assert name in said


def test_a_path_or_a_slash_in_the_question_is_no_command() -> None:
    assert commands.split("/etc/fstab: what is it?") == ("", "/etc/fstab: what is it?")
    assert commands.split("either/or") == ("", "either/or")
    assert commands.split("  /NOTES tea") == ("notes", "tea")
    assert commands.split("/notes\ntea\ncakes") == ("notes", "tea\ncakes")


# /summarize


@pytest.mark.parametrize(
    ("scope", "sent", "not_sent"),
    [
        ("[[tea]]", ["70 degrees", "90 degrees", "Clay pots"], ["mill"]),
        ("@tea", ["70 degrees", "Clay pots"], ["mill"]),
        ("tea", ["70 degrees", "Clay pots"], ["mill"]),
        ("[[tea#Oolong]]", ["90 degrees"], ["70 degrees", "Clay pots"]),
        ("Oolong", ["90 degrees"], ["70 degrees", "Clay pots"]),
        ("#walk", ["mill", "lake"], ["degrees"]),
        ("tag:walk date<2024-06", ["mill"], ["lake", "degrees"]),
        ("May 2024", ["mill", "harbour"], ["lake", "degrees"]),
        ("2024-06", ["lake"], ["mill", "harbour"]),
    ],
)
async def test_summarize_takes_what_is_named(tmp_path: Path, scope: str, sent: list[str], not_sent: list[str]) -> None:
    async with desk(tmp_path, NOTES) as d:
        d.says("It is about tea [1].")
        turn = await d.ask(f"/summarize {scope}")
        assert turn.answer == "It is about tea [1]."
        for text in sent:
            assert text in d.sent(), text
        for text in not_sent:
            assert text not in d.sent(), text


async def test_summarize_keeps_to_the_filters_of_the_conversation(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        d.says("A walk [1].")
        turn = await d.ask("/summarize #walk", filters='file:"2024-06*"')
        assert "lake" in d.sent()
        assert "mill" not in d.sent()
        await d.ask('/summarize #walk file:"2024-05*" file:"2024-06*"', conversation=turn.conversation)
        assert "mill" not in d.sent()
        with pytest.raises(ChatError, match="within file"):
            await d.ask("/summarize tag:work", conversation=turn.conversation)


async def test_summarize_takes_the_open_note_and_the_selection(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        d.says("Tea.")
        await d.ask(Ask("/summarize", attached=(Attached(d.path("tea.md")),)))
        assert "Clay pots" in d.sent()
        await d.ask(Ask("/summarize", attached=(Attached(d.path("tea.md"), 0, 42, "selection"),)))
        assert "70 degrees" in d.sent()
        assert "Clay pots" not in d.sent()


async def test_summarize_takes_a_span_in_its_order(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        d.says("Walks [1][2].")
        await d.ask("/summarize #walk what was far?")
        assert d.sent().index("mill") < d.sent().index("lake")
        assert "what was far?" in d.sent()


@pytest.mark.parametrize(
    ("scope", "why"),
    [("", "say what"), ("#nothing", "no entry"), ("the unheard of", "no note and no heading"), ("[[nowhere]]", "no note")],
)
async def test_summarize_says_what_it_cannot_find(tmp_path: Path, scope: str, why: str) -> None:
    async with desk(tmp_path, NOTES) as d:
        with pytest.raises(ChatError, match=why):
            await d.ask(f"/summarize {scope}")


async def test_a_long_note_is_summed_up_in_parts(tmp_path: Path) -> None:
    long = "# Long\n\n" + "\n\n".join(f"Paragraph {number}: " + "the river rose and fell again. " * 30 for number in range(40))
    async with desk(tmp_path, {"long.md": long}, context=4096, small=True) as d:
        d.says("The river moved [1][3].")
        d.says("It rose [1].", "It fell [3].", model="small")
        events = await d.events("/summarize [[long]]")
        assert texts(events) == "The river moved [1][3]."
        parts = d.asked("small")
        assert len(parts) >= 3
        where = [f"desk/small (on this machine), to sum up part {number + 1} of {len(parts)}" for number in range(len(parts))]
        *asked, last = steps(events, "model")
        assert (sorted(asked), last) == (sorted(where), "desk/chat (on this machine)")  # parts are summed up side by side
        sent = "".join(d.sent("small", number) for number in range(len(parts)))
        for number in range(40):
            assert f"Paragraph {number}:" in sent
        assert "It rose [1]." in d.sent()
        assert "Paragraph 1:" not in d.sent()


async def test_summaries_that_are_too_long_themselves_are_summed_up_again(tmp_path: Path) -> None:
    long = "# Long\n\n" + "\n\n".join(f"Paragraph {number}: " + "the river rose and fell again. " * 30 for number in range(40))
    async with desk(tmp_path, {"long.md": long}, context=2048, small=True) as d:
        d.says("The river moved [1].")
        d.says(*["The river rose and fell again [1]. " * 20] * 10, "It rose [1].", model="small")
        turn = await d.ask("/summarize [[long]]")
        assert (turn.state, turn.answer) == ("complete", "The river moved [1].")
        assert any("These are summaries of parts" in d.sent("small", number) for number in range(len(d.asked("small"))))
        assert len(d.sent()) < 6000


async def test_summaries_that_turn_out_too_long_for_the_model_are_shortened(tmp_path: Path) -> None:
    long = "# Long\n\n" + "\n\n".join(f"Paragraph {number}: " + "the river rose and fell again. " * 30 for number in range(40))
    async with desk(tmp_path, {"long.md": long}, context=4096, small=True) as d:
        d.says(overflow(9000), overflow(5000), "The river moved [1].")
        d.says("The river rose and fell again [1]. " * 20, model="small")
        turn = await d.ask("/summarize [[long]]")
        assert (turn.state, turn.answer) == ("complete", "The river moved [1].")
        first, _, last = (len(d.sent("chat", number)) for number in range(3))
        assert last < first


async def test_a_part_that_cannot_be_summed_up_is_an_error(tmp_path: Path) -> None:
    long = "# Long\n\n" + "\n\n".join(f"Paragraph {number}: " + "the river rose and fell again. " * 30 for number in range(40))
    async with desk(tmp_path, {"long.md": long}, context=4096, small=True) as d:
        d.says("It rose [1].", json_reply({"error": {"message": "broken"}}, 500), model="small")
        with pytest.raises(ProviderError):
            await d.ask("/summarize [[long]]")
        assert not d.asked()


# What is named in a question


async def test_mentions_and_links_give_their_notes_along(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        d.says("Yes.")
        await d.ask("When is it? [[plan]] and @log/2024-06-01")
        assert "harbour" in d.sent()
        assert "lake" in d.sent()
        assert 'from="named in the question"' in d.sent()


async def test_what_a_mention_may_mean_is_said(tmp_path: Path) -> None:
    files = {**NOTES, "a/week.md": "One week.\n", "b/week.md": "Other week.\n"}
    async with desk(tmp_path, files) as d:
        d.says("Yes.")
        said = " ".join(notices(await d.ask("@week and @plane and `@tea`, mail me@plan.org")))
        assert "a/week.md, b/week.md" in said
        assert "@plane is no note" in said
        assert "@tea" not in said
        assert "@plan.org" not in said
        assert "there is plan.org" in " ".join(notices(await d.ask("what of @pla")))


@pytest.mark.usefixtures("as_editor")
async def test_the_text_an_editor_shows_is_what_is_sent(tmp_path: Path) -> None:
    async with desk(tmp_path, NOTES) as d:
        d.says("Yes.")
        d.engine.open_buffer("editor", d.path("tea.md"), "# Tea\n\nGreen tea: 65 degrees, I think.\n", 2)
        await d.ask(Ask("So?", attached=(Attached(d.path("tea.md")),)))
        assert "65 degrees" in d.sent()
        assert "70 degrees" not in d.sent()


async def test_of_a_long_note_that_is_open_the_parts_for_the_question_are_given(tmp_path: Path) -> None:
    long = "# Long\n\nThe beginning.\n\n" + "\n\n".join(f"## Part {n}\n\n" + f"Filler {n}. " * 60 for n in range(40))
    long = long.replace("Filler 31. Filler 31.", "The zebra sleeps in the attic.", 1)
    async with desk(tmp_path, {"long.md": long}) as d:
        d.says("Yes.")
        turn = await d.ask(Ask("Where does the zebra sleep?", attached=(Attached(d.path("long.md")),)))
        assert "The beginning." in d.sent()
        assert "The zebra sleeps in the attic." in d.sent()
        assert any("is long" in one for one in notices(turn))
        text = (d.root / "long.md").read_text()
        for passage in turn.passages:
            assert text[passage.start : passage.end] == passage.text


async def test_an_image_without_a_model_that_sees_is_an_error_that_says_what_to_set(tmp_path: Path) -> None:
    from khojd.llm.model import Image

    picture = Image(b"\x89PNG\r\n\x1a\n", "image/png")
    async with desk(tmp_path, NOTES, model=False) as d:
        with pytest.raises(ChatError, match="khojd models"):
            await d.ask(Ask("What is this?", images=(picture,)))


async def test_a_persona_says_how_long_and_in_what_manner(tmp_path: Path) -> None:
    terse = config.Persona(prompt="Answer like a telegram.", max_tokens=77)
    settings = config.Config(personas={"terse": terse}, chat=config.Chat(titles=False))
    async with desk(tmp_path, NOTES, settings=settings) as d:
        d.says("Stop.")
        turn = await d.ask("Tea?", persona="terse")
        assert turn.persona == "terse"
        assert "Answer like a telegram." in d.sent()
        assert 77 in d.asked()[-1].values()
