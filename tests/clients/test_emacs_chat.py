"""Emacs asks its notes: an answer that streams, and one that is stopped."""

import asyncio
import re
from pathlib import Path

from khojd.server.types import UpdateParams, UpdateResult
from tests.clients.conftest import TEA
from tests.conftest import program
from tests.e2e.conftest import Place
from tests.llm.replay import HANG, Replay, Reply, Request, json_reply, sse, stream_reply

SCRIPT = Path(__file__).with_name("chat.el")
ANSWER = ("Green tea 🍵 ", "is ste", "amed [", "1]", ". That is all.")


def delta(text: str) -> dict[str, object]:
    return {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}


def answer(request: Request) -> Reply:
    if "Talk for ever" in request.body.decode():
        return stream_reply(sse(delta("On and on"), end=b""), HANG)
    stop = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    # Each piece by itself, so that several parts arrive.
    return stream_reply(*(sse(delta(piece), end=b"") for piece in ANSWER), sse(stop))


async def test_emacs_streams_an_answer_and_stops_another(place: Place) -> None:
    (place.notes / "tea.md").write_text(TEA, encoding="utf-8")
    async with Replay() as server:
        server.on("POST", "/v1/chat/completions", answer)
        server.on("GET", "/v1/models", json_reply({"object": "list", "data": [{"id": "tiny", "object": "model"}]}))
        models = f'[providers.tiny]\nbase_url = "{server.url}/v1"\n[models]\nchat = ["tiny/tiny"]\n'
        place.configure(more=f"{models}[chat]\nrewrite = false\ntitles = false\n")
        await asyncio.to_thread(_index, place)
        process = await asyncio.create_subprocess_exec(
            *(program("emacs"), "--batch", "-Q", "-l", str(SCRIPT.with_name("client.el")), "-l", str(SCRIPT)),
            *("--eval", '(ert-run-tests-batch-and-exit "^chat-")'),
            env=place.environment(KHOJD_SOCKET=str(place.address), KHOJD_NOTES=str(place.notes), LC_ALL="C.UTF-8"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await process.communicate())[0].decode()
        assert process.returncode == 0, said
        written = len(re.findall(r"^\(ert-deftest ", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
        assert f"Ran {written} tests, {written} results as expected, 0 unexpected" in said
        # The answer that was stopped is not being written any longer, for nobody.
        endless = next(request for request in server.requests if b"Talk for ever" in request.body)
        async with asyncio.timeout(60):
            await endless.left.wait()


def _index(place: Place) -> None:
    with place.client() as client:
        client.call("khoj/index/update", UpdateParams(), UpdateResult)
