"""A model server that says what a test has it say, and an editor that asks about its notes."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from khojd import config
from tests.llm.replay import Replay, Reply, Request, Step, json_reply, sse, stream_reply
from tests.server.editor import Editor
from tests.server.features.conftest import serving
from tests.server.features.vault import Vault

ASKED = "/v1/chat/completions"


def saying(*pieces: str | Step, whole: bool = True) -> Reply:
    """An answer in these pieces. What is no text is done: an event is waited for, a fault happens."""
    steps: list[Step] = [sse(_chunk({"content": one}), end=b"") if isinstance(one, str) else one for one in pieces]
    if whole:
        steps.append(sse(_chunk({}, "stop")))
    return stream_reply(*steps)


def _chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


class Talk:
    """An editor, its notes, and the model that answers."""

    def __init__(self, vault: Vault, model: Replay) -> None:
        self.vault = vault
        self.model = model
        self._tokens = itertools.count(1)

    @property
    def editor(self) -> Editor:
        return self.vault.editor

    def answers(self, *replies: Reply) -> Self:
        self.model.on("POST", ASKED, *replies)
        return self

    async def asked(self, number: int = 1) -> Request:
        """The `number`th question that reached the model, when it has."""
        arrived, found = 0, 0
        while found < number:
            arrived += 1
            request = await self.model.arrived(arrived)
            found += request.path == ASKED
        return request

    async def ask(self, message: str, editor: Editor | None = None, **params: Any) -> "Answer":
        """Ask with a stream, and wait for the reply."""
        token = f"t{next(self._tokens)}"
        asking = editor or self.editor
        reply = await asking.request("khoj/chat", {"message": message, "partialResultToken": token, **params})
        return Answer(streamed(asking, token), reply)


class Answer:
    def __init__(self, values: list[dict[str, Any]], reply: dict[str, Any]) -> None:
        self.values = values
        self.reply = reply

    @property
    def kinds(self) -> list[str]:
        return [value["kind"] for value in self.values]

    @property
    def text(self) -> str:
        return "".join(value["text"] for value in self.values if value["kind"] == "text")

    @property
    def citations(self) -> list[dict[str, Any]]:
        return [value["citation"] for value in self.values if value["kind"] == "citation"]


def streamed(editor: Editor, token: str) -> list[dict[str, Any]]:
    """What came under a token so far."""
    return [params["value"] for params in editor.heard("$/progress") if params["token"] == token]


@asynccontextmanager
async def talking(base: Path, files: dict[str, str], *, encoding: str = "utf-16", **options: Any) -> AsyncIterator[Talk]:
    """Notes, a daemon, an editor, and a model server that the configuration names."""
    async with Replay() as model:
        model.on("GET", "/v1/models", json_reply({"object": "list", "data": [{"id": "m", "object": "model"}]}))
        settings = config.Config(
            index=config.Index(watch="off"),
            embedding=config.Embedding(model="off"),
            providers={"here": config.Provider(kind="openai", base_url=f"{model.url}/v1", retries=0)},
            models=config.Models(chat=("here/m",), vision=("here/m",)),
            chat=config.Chat(rewrite=False, titles=False),
        )
        async with serving(base, files, encoding=encoding, settings=settings, **options) as vault:
            yield Talk(vault, model)
