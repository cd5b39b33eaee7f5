"""khoj/chat over a real daemon and socket, with a model server in this process."""

import asyncio
import base64
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.llm.replay import HANG, RESET, json_reply
from tests.server.editor import Editor, Failure
from tests.server.features.vault import WIDTHS
from tests.server.talking import Talk, saying, streamed, talking

MakeTalk = Callable[..., Awaitable[Talk]]

NOTES = {
    "tea.md": "# Tea 🍵\n\n🍵🍵 Green tea is steamed soon after picking. 👩‍🌾 Black tea is oxidised.\n",
    "coffee.org": "* Coffee\nBeans are roasted, then ground.\n",
}
STEAMED = "🍵🍵 Green tea is steamed soon after picking."


@pytest.fixture
async def make_talk(tmp_path: Path) -> AsyncIterator[MakeTalk]:
    async with AsyncExitStack() as stack:

        async def make(files: dict[str, str] | None = None, **options: Any) -> Talk:
            return await stack.enter_async_context(talking(tmp_path, files or NOTES, **options))

        yield make


@pytest.fixture
async def talk(make_talk: MakeTalk) -> Talk:
    return await make_talk()


def text_of(talk: Talk, citation: dict[str, Any]) -> str:
    return talk.vault.cut(talk.vault.name(citation["location"]["uri"]), citation["location"]["range"])


# --- the answer ------------------------------------------------------------------------------------------------------------


async def test_an_answer_streams_and_the_reply_does_not_repeat_it(talk: Talk) -> None:
    talk.answers(saying("Green ", "tea is ", "steamed [", "1", "].", " So it is."))
    answer = await talk.ask("What is done to green tea?")
    assert answer.text == "Green tea is steamed [1]. So it is."
    assert answer.kinds[0] == "started"
    assert answer.kinds[-1] == "references"
    reply = answer.reply
    assert (reply["state"], reply["text"], reply["steps"], reply["reason"]) == ("complete", "", [], "")
    assert (reply["provider"], reply["model"], reply["extractive"]) == ("here", "m", False)
    assert answer.values[0] == {
        "kind": "started",
        "conversation": reply["conversation"],
        "turn": reply["turn"],
        "title": reply["title"],
    }
    assert reply["citations"] == answer.citations
    assert reply["references"] == answer.values[-1]["references"]


async def test_text_comes_before_the_answer_is_whole(talk: Talk) -> None:
    rest = asyncio.Event()
    talk.answers(saying("Green tea", rest, " is steamed."))
    asked = asyncio.create_task(talk.ask("Tea?"))
    first = await talk.editor.hear("$/progress", where=lambda params: params["value"]["kind"] == "text")
    assert first["value"]["text"] == "Green tea"
    rest.set()
    assert (await asked).text == " is steamed."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_a_citation_stands_right_in_answer_and_note_in_every_encoding(make_talk: MakeTalk, encoding: str) -> None:
    talk = await make_talk(encoding=encoding)
    talk.answers(saying("🌱 Green tea 🧑‍🍳 is steamed [1]. Black tea 🍵 is oxidised", "【1】。"))
    answer = await talk.ask("What is done to green tea and black tea?")
    assert [text_of(talk, one) for one in answer.citations] == [STEAMED, "👩‍🌾 Black tea is oxidised."]
    assert [one["quote"] for one in answer.citations] == [STEAMED, "👩‍🌾 Black tea is oxidised."]
    places = [answer.text.index("[1]"), answer.text.rindex("[1]")]
    width = WIDTHS[encoding]
    assert [one["at"] for one in answer.citations] == [width(answer.text[:place]) for place in places]
    assert answer.reply["citations"] == answer.citations
    reference = answer.reply["references"][0]
    assert talk.vault.cut("tea.md", reference["location"]["range"]) == reference["text"]


async def test_a_quote_is_shown_where_it_stands_in_the_buffer_of_the_client(talk: Talk) -> None:
    talk.vault.open("tea.md", "🍵 typed above\n\n" + NOTES["tea.md"])
    await talk.vault.indexed()
    talk.answers(saying("Green tea is steamed [1]."))
    answer = await talk.ask("What is done to green tea?")
    assert text_of(talk, answer.citations[0]) == STEAMED
    assert answer.citations[0]["location"]["range"]["start"]["line"] == 4
    assert answer.citations[0]["state"] == "fresh"


async def test_a_note_that_changes_during_the_answer_moves_its_quotes(talk: Talk) -> None:
    rest = asyncio.Event()
    talk.answers(saying("Green tea is steamed [1].", rest, " Beans are roasted."))
    talk.vault.open("tea.md")
    asked = asyncio.create_task(talk.ask("What is done to green tea?"))
    await talk.editor.hear("$/progress", where=lambda params: params["value"]["kind"] == "citation")
    talk.vault.edit("tea.md", "Above.\n" + NOTES["tea.md"])
    rest.set()
    (citation,) = (await asked).reply["citations"]
    assert citation["state"] == "moved"
    assert text_of(talk, citation) == STEAMED


async def kept(talk: Talk, conversation: str) -> dict[str, Any]:
    """The one citation of a conversation, as it is found now."""
    found = await talk.editor.request("khoj/conversations/get", {"conversation": conversation})
    (citation,) = found["turns"][0]["citations"]
    return dict(citation)


async def test_a_kept_citation_is_found_in_a_note_that_has_another_name_by_now(talk: Talk) -> None:
    talk.answers(saying("Green tea is steamed [1]."))
    answer = await talk.ask("What is done to green tea?")
    assert (await kept(talk, answer.reply["conversation"]))["state"] == "fresh"
    (talk.vault.root / "tea.md").rename(talk.vault.root / "green.md")
    talk.vault.write("green.md", "Above.\n" + NOTES["tea.md"])
    await talk.vault.indexed()
    citation = await kept(talk, answer.reply["conversation"])
    assert (citation["state"], citation["path"]) == ("moved", talk.vault.path("green.md"))
    assert text_of(talk, citation) == STEAMED


async def test_a_kept_citation_whose_text_is_gone_is_stale(talk: Talk) -> None:
    talk.answers(saying("Green tea is steamed [1]."))
    answer = await talk.ask("What is done to green tea?")
    talk.vault.write("tea.md", NOTES["tea.md"].replace("steamed soon", "steamed at once"))
    await talk.vault.indexed()
    citation = await kept(talk, answer.reply["conversation"])
    assert (citation["state"], citation["quote"]) == ("stale", STEAMED)
    (talk.vault.root / "tea.md").unlink()
    await talk.vault.indexed()
    assert (await kept(talk, answer.reply["conversation"]))["state"] == "stale"


async def test_a_number_that_was_never_given_is_taken_out_and_counted(talk: Talk) -> None:
    talk.answers(saying("Green tea is steamed [7]."))
    answer = await talk.ask("What is done to green tea?")
    assert (answer.text, answer.reply["removed"], answer.citations) == ("Green tea is steamed.", 1, [])


async def test_without_a_token_the_reply_has_everything(talk: Talk) -> None:
    talk.answers(saying("Green tea is ", "steamed [1]."))
    reply = await talk.editor.request("khoj/chat", {"message": "What is done to green tea?"})
    assert reply["text"] == "Green tea is steamed [1]."
    assert [citation["quote"] for citation in reply["citations"]] == [STEAMED]
    assert "model" in {step["kind"] for step in reply["steps"]}
    assert talk.editor.heard("$/progress") == []


async def test_a_plain_client_asks_with_a_command(talk: Talk) -> None:
    talk.answers(saying("Green tea is steamed [1]."))
    params = {"command": "khoj.chat", "arguments": [{"message": "What is done to green tea?"}], "workDoneToken": "w"}
    reply = await talk.editor.request("workspace/executeCommand", params)
    assert reply["text"] == "Green tea is steamed [1]."
    kinds = [value["kind"] for value in streamed(talk.editor, "w")]
    assert kinds[0] == "begin"
    assert kinds[-1] == "end"


async def test_progress_says_what_is_being_done(talk: Talk) -> None:
    talk.answers(saying("Green tea is steamed [1]."))
    await talk.ask("What is done to green tea?", workDoneToken="w")
    first, *reports, last = streamed(talk.editor, "w")
    assert first == {"kind": "begin", "title": "Answering", "cancellable": True}
    assert {report["kind"] for report in reports} == {"report"}
    assert "writing the answer" in [report["message"] for report in reports]
    assert last == {"kind": "end", "message": "complete"}


async def test_without_a_model_the_best_passages_are_the_answer(make_talk: MakeTalk) -> None:
    talk = await make_talk()
    answer = await talk.ask("/search green tea")
    assert "Green tea is steamed" in answer.text
    assert STEAMED in "".join(one["quote"] for one in answer.reply["citations"])
    assert talk.model.requests == []


async def test_the_next_question_has_the_conversation(talk: Talk) -> None:
    talk.answers(saying("Steamed."), saying("Oxidised."))
    first = await talk.ask("What is done to green tea?")
    second = await talk.ask("And to black tea?", conversation=first.reply["conversation"])
    assert second.reply["conversation"] == first.reply["conversation"]
    said = [message["content"] for message in talk.model.requests[-1].json["messages"]]
    assert any("Steamed." in content for content in said)


async def test_a_selection_goes_to_the_model_as_the_buffer_has_it(talk: Talk) -> None:
    talk.vault.open("draft.md", "Not this 🍵\nbut 🍵 exactly this, and\nnot that\n")
    talk.answers(saying("Well."))
    where = {"textDocument": {"uri": talk.vault.uri("draft.md")}, "range": talk.vault.range("draft.md", "🍵 exactly this")}
    await talk.ask("What do you think of it?", context=[where])
    prompt = str(talk.model.requests[-1].json["messages"])
    assert "🍵 exactly this" in prompt
    assert "exactly this, and" not in prompt
    assert "Not this" not in prompt


PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


async def test_pictures_go_to_the_model(talk: Talk) -> None:
    (talk.vault.root / "leaf").write_bytes(base64.b64decode(PICTURE))
    talk.answers(saying("A dot."))
    pictures = [f"data:image/jpeg;base64,{PICTURE}", talk.vault.uri("leaf")]
    answer = await talk.ask("/general What is this?", images=pictures)
    assert answer.text == "A dot."
    sent = talk.model.requests[-1].json["messages"][-1]["content"]
    found = [part["image_url"]["url"] for part in sent if part["type"] == "image_url"]
    assert found == [f"data:image/png;base64,{PICTURE}"] * 2


# --- a dry run -------------------------------------------------------------------------------------------------------------


async def test_a_dry_run_shows_the_prompt_and_sends_and_keeps_nothing(talk: Talk) -> None:
    talk.answers(saying("No."))
    reply = await talk.editor.request("khoj/chat", {"message": "What is done to green tea?", "dryRun": True})
    assert (reply["state"], reply["conversation"], reply["turn"], reply["text"]) == ("dry-run", "", "", "")
    assert [message["role"] for message in reply["prompt"]][:1] == ["system"]
    assert "What is done to green tea?" in reply["prompt"][-1]["text"]
    assert STEAMED in reply["prompt"][-1]["text"]
    assert [one for one in talk.model.requests if one.method == "POST"] == []
    sent = await talk.ask("What is done to green tea?")
    assert sent.reply["state"] == "complete"
    messages = talk.model.requests[-1].json["messages"]
    assert [(message["role"], message["content"]) for message in messages] == [
        (message["role"], message["text"]) for message in reply["prompt"]
    ]


# --- cancelling ------------------------------------------------------------------------------------------------------------


async def held(talk: Talk, **params: Any) -> tuple[int, "asyncio.Future[Any]"]:
    """A question whose answer has begun and will not end."""
    talk.answers(saying("Green tea", HANG))
    asked = talk.editor.ask("khoj/chat", {"message": "What is done to green tea?", "partialResultToken": "p", **params})
    await talk.editor.hear("$/progress", where=lambda heard: heard["token"] == "p" and heard["value"]["kind"] == "text")
    return asked


@pytest.mark.parametrize("by", ["partial", "work", "turn"])
async def test_khoj_chat_cancel_ends_an_answer_and_its_connection(talk: Talk, by: str) -> None:
    _, reply = await held(talk, workDoneToken=7)
    started = next(value for value in streamed(talk.editor, "p") if value["kind"] == "started")
    params = {"partial": {"token": "p"}, "work": {"token": 7}, "turn": {"turn": started["turn"]}}[by]
    assert await talk.editor.request("khoj/chat/cancel", params) == {"cancelled": True}
    await talk.model.requests[-1].left.wait()
    ended = await reply
    assert (ended["state"], ended["turn"]) == ("cancelled", started["turn"])
    assert ended["reason"]
    assert await talk.editor.request("khoj/chat/cancel", params) == {"cancelled": False}


async def test_an_answer_can_be_cancelled_before_it_begins(talk: Talk) -> None:
    talk.answers(saying("Green tea", HANG))
    talk.vault.open("tea.md")
    where = {"textDocument": {"uri": talk.vault.uri("coffee.org")}, "range": talk.vault.range("coffee.org", "Beans are")}
    params = {"message": "Tea?", "partialResultToken": "p", "context": [where]}
    _, reply = talk.editor.ask("khoj/chat", params)
    assert await talk.editor.request("khoj/chat/cancel", {"token": "p"}) == {"cancelled": True}
    assert (await reply)["state"] == "cancelled"


async def test_cancel_request_ends_an_answer_and_its_connection(talk: Talk) -> None:
    number, reply = await held(talk, workDoneToken="w")
    talk.editor.notify("$/cancelRequest", {"id": number})
    await talk.model.requests[-1].left.wait()
    with pytest.raises(Failure) as failure:
        await reply
    assert failure.value.code == -32800
    assert streamed(talk.editor, "w")[-1]["kind"] == "end"


async def test_work_done_progress_cancel_ends_an_answer_and_its_connection(talk: Talk) -> None:
    _, reply = await held(talk, workDoneToken="w")
    talk.editor.notify("window/workDoneProgress/cancel", {"token": "w"})
    await talk.model.requests[-1].left.wait()
    with pytest.raises(Failure) as failure:
        await reply
    assert failure.value.code == -32800


async def test_a_command_is_cancelled_by_its_progress(talk: Talk) -> None:
    talk.answers(saying("Green tea", HANG))
    arguments = [{"message": "What is done to green tea?"}]
    params = {"command": "khoj.chat", "arguments": arguments, "workDoneToken": "w"}
    _, reply = talk.editor.ask("workspace/executeCommand", params)
    request = await talk.asked()
    talk.editor.notify("window/workDoneProgress/cancel", {"token": "w"})
    await request.left.wait()
    with pytest.raises(Failure):
        await reply


async def test_a_client_that_vanishes_ends_its_answer(talk: Talk) -> None:
    other = await talk.vault.attach()
    talk.answers(saying("Green tea", HANG))
    other.ask("khoj/chat", {"message": "Tea?", "partialResultToken": "p"})
    await other.hear("$/progress", where=lambda heard: heard["value"]["kind"] == "text")
    await other.leave()
    await talk.model.requests[-1].left.wait()
    assert (await talk.answers(saying("Still here.")).ask("Tea?")).text == "Still here."


async def test_cancelling_what_does_not_run_says_so(talk: Talk) -> None:
    assert await talk.editor.request("khoj/chat/cancel", {"token": "p"}) == {"cancelled": False}
    assert await talk.editor.request("khoj/chat/cancel", {"turn": "0123456789abcdef"}) == {"cancelled": False}
    for params in ({}, {"token": "p", "turn": "x"}):
        with pytest.raises(Failure, match="either a token or a turn"):
            await talk.editor.request("khoj/chat/cancel", params)


async def test_one_client_does_not_cancel_by_the_token_of_another(talk: Talk) -> None:
    await held(talk)
    other = await talk.vault.attach()
    assert await other.request("khoj/chat/cancel", {"token": "p"}) == {"cancelled": False}
    assert await talk.editor.request("khoj/chat/cancel", {"token": "p"}) == {"cancelled": True}


# --- several clients, slow ones --------------------------------------------------------------------------------------------


async def test_two_clients_get_their_own_answers(talk: Talk) -> None:
    other = await talk.vault.attach({"general": {"positionEncodings": ["utf-8"]}})
    both = asyncio.Event()

    def answer(request: Any) -> Any:
        black = "black" in request.json["messages"][-1]["content"].rsplit("Question", 1)[-1].lower()
        return saying("Black is oxidised [1]." if black else "Green is steamed [1].", both, " End.")

    talk.model.on("POST", "/v1/chat/completions", answer)
    asked = [
        asyncio.create_task(talk.ask("Question: green tea?")),
        asyncio.create_task(talk.ask("Question: black tea?", other)),
    ]
    await talk.asked(2)
    both.set()
    green, black = [await one for one in asked]
    assert (green.text, black.text) == ("Green is steamed [1]. End.", "Black is oxidised [1]. End.")
    assert green.reply["conversation"] != black.reply["conversation"]
    first, second = green.citations[0]["location"]["range"]["end"], black.citations[0]["location"]["range"]["end"]
    assert first["character"] == WIDTHS["utf-16"](STEAMED)
    assert second["character"] == WIDTHS["utf-8"](NOTES["tea.md"].splitlines()[2])


async def test_a_client_that_does_not_read_gets_the_whole_answer_in_fewer_parts(talk: Talk) -> None:
    words = random.Random(1)
    pieces = ["".join(words.choices("abcdefghij klmno\n", k=64 << 10)) for _ in range(160)]
    talk.answers(saying(*pieces))
    slow = await Editor.attach(talk.vault.socket, listen=False)
    talk.vault.others.append(slow)
    slow.listen()
    await slow.initialize()
    assert slow._task is not None
    slow._task.cancel()
    await asyncio.gather(slow._task, return_exceptions=True)
    _, reply = slow.ask("khoj/chat", {"message": "Tea?", "partialResultToken": "p"})
    await (await talk.asked()).answered.wait()
    slow.listen()
    assert (await reply)["state"] == "complete"
    texts = [value["text"] for value in streamed(slow, "p") if value["kind"] == "text"]
    assert "".join(texts) == "".join(pieces)
    assert len(texts) < len(pieces)


# --- what goes wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "at_fault"),
    [
        ({"message": " \n"}, "message"),
        ({"message": "/notes"}, "message"),
        ({"message": "/nonsense tea"}, "message"),
        ({"message": "x", "conversation": "0123456789abcdef"}, "conversation"),
        ({"message": "x", "persona": "nobody"}, "persona"),
        ({"message": "x", "model": "nowhere/m"}, "model"),
        ({"message": "x", "model": "here/nothing"}, "model"),
        ({"message": "x", "replaces": "0123456789abcdef"}, "replaces"),
        ({"message": "x", "filters": "date:banana"}, "filters"),
        ({"message": "x", "context": [{"textDocument": {"uri": "untitled:Untitled-1"}}]}, "context[0]"),
        ({"message": "x", "images": ["data:text/plain,x"]}, "images[0]"),
        ({"message": "x", "images": ["/no/such/picture.png"]}, "images[0]"),
    ],
)
async def test_an_error_names_the_member_at_fault(talk: Talk, params: dict[str, Any], at_fault: str) -> None:
    missing = {"error": {"message": "The model `nothing` does not exist", "code": "model_not_found"}}
    talk.answers(json_reply(missing, 404))
    with pytest.raises(Failure) as failure:
        await talk.editor.request("khoj/chat", params)
    assert failure.value.data["param"] == at_fault


async def test_a_misspelt_member_is_an_error(talk: Talk) -> None:
    with pytest.raises(Failure, match="mesage"):
        await talk.editor.request("khoj/chat", {"mesage": "x", "message": "y"})


async def test_a_turn_that_fails_before_its_answer_is_an_error(talk: Talk) -> None:
    talk.answers(json_reply({"error": {"message": "bad key"}}, 401))
    with pytest.raises(Failure) as failure:
        await talk.ask("Tea?", workDoneToken="w")
    assert failure.value.data["reason"] == "auth"
    assert "param" not in failure.value.data
    assert streamed(talk.editor, "w")[-1]["kind"] == "end"


async def test_a_turn_that_breaks_off_is_a_reply_that_says_why(talk: Talk) -> None:
    talk.answers(saying("Green tea", RESET))
    answer = await talk.ask("Tea?")
    assert answer.text == "Green tea"
    assert answer.reply["state"] == "failed"
    assert answer.reply["reason"]
