"""A model server that says what it is told to say, on a thread of its own."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Self

from tests.llm.replay import HANG, Replay, Reply, Request, json_reply, sse, stream_reply

NAMES = ("qwen3", "phi4")  # of the models; the first one answers where none is chosen
FOR_EVER = "On and on"  # an answer that does not end


def chunk(reason: str | None = None, **delta: str) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return json.dumps({"id": "1", "object": "chat.completion.chunk", "choices": [choice]})


def saying(text: str, every: int = 7) -> Reply:
    """The text in pieces, after a thought; FOR_EVER never ends."""
    pieces = [text[place : place + every] for place in range(0, len(text), every)]
    thought = sse(chunk(reasoning_content="The notes say something about that."), end=b"")
    body = [thought, *(sse(chunk(content=piece), end=b"") for piece in pieces)]
    if text == FOR_EVER:
        return stream_reply(*body, HANG)
    usage = json.dumps(
        {"id": "1", "object": "chat.completion.chunk", "choices": [], "usage": {"prompt_tokens": 812, "completion_tokens": 96}}
    )
    return stream_reply(*body, sse(chunk("stop"), usage))


class Model:
    """`answer` gives the text for the messages of a request. Use as a context manager; `lines` configures khojd for it."""

    def __init__(self, answer: Callable[[list[str]], str]) -> None:
        self._answer = answer
        self._loop = asyncio.new_event_loop()
        self._server = Replay()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model")

    @property
    def lines(self) -> str:
        """For config.toml."""
        server = f'[providers.local]\nbase_url = "{self._server.url}/v1"\n'
        server += "".join(f"[providers.local.models.{name}]\ncontext = 32768\n" for name in NAMES)
        return f'{server}[models]\nchat = ["local/qwen3"]\n[chat]\nrewrite = false\ntitles = false\n'

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.__aenter__(), self._loop).result(10)
        self._server.on("POST", "/v1/chat/completions", self._reply)
        models = [{"id": name, "object": "model"} for name in NAMES]
        self._server.on("GET", "/v1/models", json_reply({"object": "list", "data": models}))
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def left(self) -> None:
        """Wait until nothing is written any longer for answers that were stopped."""

        async def wait() -> None:
            async with asyncio.timeout(10):
                for request in self._server.requests:
                    ends = [asyncio.ensure_future(event.wait()) for event in (request.answered, request.left)]
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                    for end in ends:
                        end.cancel()

        asyncio.run_coroutine_threadsafe(wait(), self._loop).result(15)

    def _reply(self, request: Request) -> Reply:
        return saying(self._answer([str(message["content"]) for message in request.json["messages"]]))
