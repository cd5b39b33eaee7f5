"""Conversations in Emacs, with a model server that says what it is told to say."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from khojd.server.types import UpdateParams, UpdateResult
from tests.clients.conftest import TEA, TODO
from tests.conftest import missing
from tests.e2e.conftest import Place, place
from tests.editors.emacs.conftest import Emacs, elpa
from tests.llm.replay import HANG, Replay, Reply, Request, json_reply, sse, stream_reply

__all__ = ["place"]

pytestmark = pytest.mark.timeout(300)

ANSWER = ("Green tea 🍵 ", "is **ste", "amed** [", "1]", ". That is all.")
EDIT = {
    "action": "replace",
    "note": "tea",
    "old": "between green and black",
    "new": "between green 🍃 and black",
    "why": "a leaf was missing",
}


def chunk(reason: str | None = None, **delta: str) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return json.dumps({"id": "1", "object": "chat.completion.chunk", "choices": [choice]})


def saying(*pieces: str) -> Reply:
    """Each piece by itself, after a thought."""
    values = [chunk(reasoning_content="the user asks about tea"), *(chunk(content=piece) for piece in pieces)]
    return stream_reply(*(sse(value, end=b"") for value in values), sse(chunk("stop")))


def answer(request: Request) -> Reply:
    messages = [str(message["content"]) for message in request.json["messages"]]
    if "Talk for ever" in messages[-1]:
        return stream_reply(sse(chunk(content="On and on"), end=b""), HANG)
    if "Please refuse" in messages[-1]:
        return json_reply({"error": {"message": "no such thing", "type": "invalid_request_error"}}, status=400)
    if "Please edit" in "".join(messages):
        done = any("🍃" in text for text in messages)
        return saying("I propose it." if done else json.dumps({"tool": "propose_edit", "arguments": EDIT}))
    return saying(*ANSWER)


async def test_emacs_asks_its_notes(emacs: Emacs, place: Place) -> None:
    asked = await converse(emacs, place, "chat.el")
    # What was selected and what was mentioned went to the model, and to no one who did not ask for it.
    about = {question: [text for text in asked if question in text] for question in ("What is selected", "What is mentioned")}
    assert any("A steel one" in text for text in about["What is selected"]), about
    assert any("Half oxidised" in text for text in about["What is mentioned"]), about


async def test_emacs_asks_in_markdown_mode(emacs: Emacs, place: Place) -> None:
    found = elpa("markdown-mode")
    if not found:
        missing("markdown-mode (apt install elpa-markdown-mode)")
    await converse(emacs, place, "markdown.el", found)


async def converse(emacs: Emacs, place: Place, script: str, libraries: Sequence[str] = ()) -> list[str]:
    """Run a script; all that was said to the model, a text for each time that it was asked."""
    (place.notes / "tea.md").write_text(TEA, encoding="utf-8")
    (place.notes / "errands.org").write_text(TODO, encoding="utf-8")
    async with Replay() as server:
        server.on("POST", "/v1/chat/completions", answer)
        server.on("GET", "/v1/models", json_reply({"object": "list", "data": [{"id": "tiny", "object": "model"}]}))
        models = f'[providers.tiny]\nbase_url = "{server.url}/v1"\n[models]\nchat = ["tiny/tiny"]\n'
        place.configure(more=f"{models}[chat]\nrewrite = false\ntitles = false\n")
        await asyncio.to_thread(_index, place)
        await asyncio.to_thread(emacs.test, script, place, libraries)
        # Nothing is being written any longer for answers that were stopped.
        async with asyncio.timeout(60):
            for request in server.requests:
                if not request.answered.is_set():
                    await request.left.wait()
        return ["\n".join(str(one["content"]) for one in request.json["messages"]) for request in server.requests if request.body]


def _index(place: Place) -> None:
    with place.client() as client:
        client.call("khoj/index/update", UpdateParams(), UpdateResult)
