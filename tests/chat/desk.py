"""Notes, a chat over them, and a model server that says what a test has it say: `async with desk(tmp_path, files) as d`.

The server is spoken to by the openai provider. Its models are `chat` and `small`; what each says is queued by `says`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from khojd import config
from khojd.chat.model import Ask, ChatEvent, Finished, Stepped, TextPart, Turn
from khojd.chat.service import Chat
from khojd.engine import Engine
from tests.llm.replay import Replay, Reply, Request, json_reply, sse, stream_reply

CHAT_PATH = "/v1/chat/completions"


def chunk(text: str = "", *, finish: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    """One event of a streamed answer."""
    value: dict[str, Any] = {
        "id": "1",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}],
    }
    if usage is not None:
        value["choices"] = []
        value["usage"] = usage
    return sse(value, end=b"")


def answer(*texts: str, prompt: int = 0, completion: int = 5, finish: str = "stop") -> Reply:
    """A whole streamed answer."""
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    ending = [chunk(finish=finish), *([chunk(usage=usage)] if prompt else []), b"data: [DONE]\n\n"]
    return stream_reply(*(chunk(text) for text in texts), *ending)


def overflow(tokens: int = 5000, context: int = 4096) -> Reply:
    """What llama-server says of a prompt that is too long."""
    message = f"the request exceeds the available context size ({tokens} > {context})"
    error = {"code": 400, "message": message, "type": "exceed_context_size_error", "n_prompt_tokens": tokens, "n_ctx": context}
    return json_reply({"error": error}, 400)


class Desk:
    """What a test asks with."""

    def __init__(self, root: Path, engine: Engine, chat: Chat, server: Replay) -> None:
        self.root = root
        self.engine = engine
        self.chat = chat
        self.server = server
        self._said: dict[str, list[Reply]] = {"chat": [], "small": []}

    # The server

    def says(self, *replies: Reply | str, model: str = "chat") -> None:
        """What the model answers from now on, in turn; the last reply stays."""
        self._said[model] = [answer(one) if isinstance(one, str) else one for one in replies]

    def reply(self, request: Request) -> Reply:
        replies = self._said[request.json["model"]]
        if not replies:
            return json_reply({"error": {"message": "this test expects no request to this model"}}, 400)
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def asked(self, model: str = "chat") -> list[dict[str, Any]]:
        """The bodies of the requests for answers so far."""
        return [one.json for one in self.server.requests if one.path == CHAT_PATH and one.json["model"] == model]

    def sent(self, model: str = "chat", number: int = -1) -> str:
        """All texts of a request, the last one unless another is named."""
        return "\n".join(text_of(message) for message in self.asked(model)[number]["messages"])

    # Notes

    def path(self, name: str) -> str:
        return str(self.root / name)

    async def write(self, files: Mapping[str, str]) -> None:
        """Put notes on disk, and wait until they are found by words and by meaning."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        await self.engine.update(embed=True)

    # Questions

    async def events(self, question: str | Ask, **more: Any) -> list[ChatEvent]:
        """All that a turn says."""
        ask = question if isinstance(question, Ask) else Ask(question, **more)
        async with aclosing(self.chat.ask(ask)) as events:
            return [event async for event in events]

    async def ask(self, question: str | Ask, **more: Any) -> Turn:
        """The turn as it ended."""
        last = (await self.events(question, **more))[-1]
        assert isinstance(last, Finished)
        return last.turn

    async def kept(self, turn: Turn) -> Turn:
        """The turn as it is kept."""
        return await self.chat.store.turn(turn.id)


def text_of(message: Mapping[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def texts(events: Sequence[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextPart))


def notices(turn: Turn) -> list[str]:
    return [step.text for step in turn.steps if step.kind == "notice"]


def steps(events: Sequence[ChatEvent], kind: str) -> list[str]:
    return [event.step.text for event in events if isinstance(event, Stepped) and event.step.kind == kind]


@asynccontextmanager
async def desk(
    base: Path,
    files: Mapping[str, str],
    *,
    model: bool = True,
    small: bool = False,
    context: int = 8192,
    embedding: bool = False,
    settings: config.Config | None = None,
) -> AsyncIterator[Desk]:
    """`model`: a chat model is configured; `small`: a small one, too. `context` is what the server says of them, 0 nothing."""
    root = base / "notes"
    root.mkdir(parents=True)
    async with Replay() as server:
        known = {"max_model_len": context} if context else {}
        described = [{"id": name, "object": "model", **known} for name in ("chat", "small")]
        server.on("GET", "/v1/models", json_reply({"object": "list", "data": described}))
        chosen = settings or config.Config()
        provider = config.Provider(kind="openai", base_url=f"{server.url}/v1", retries=0)
        chosen = replace(
            chosen,
            folders=(config.Folder(path=str(root)),),
            index=config.Index(watch="off"),
            embedding=config.Embedding(model="bundled" if embedding else "off"),
            providers={"desk": provider},
            models=config.Models(chat=("desk/chat",) if model else (), small=("desk/small",) if small else ()),
            chat=chosen.chat if settings else config.Chat(titles=False),
        )
        engine = await Engine.open(chosen, index_dir=base / "index")
        chat = await Chat.open(engine)
        one = Desk(root, engine, chat, server)
        server.on("POST", CHAT_PATH, one.reply)
        try:
            await one.write(files)
            yield one
        finally:
            await chat.close()
            await engine.close()
