"""Model servers for code that blocks."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from khojd import config
from khojd.errors import ProviderError
from khojd.llm.configured import Configured
from khojd.llm.line import Line, Served
from khojd.llm.model import Health
from tests.llm.embedding_server import EmbeddingServer
from tests.llm.replay import HANG, stream_reply


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[EmbeddingServer, Line, Served]]:
    async with EmbeddingServer() as server:
        line = Line()
        try:
            yield server, line, Served("srv", "m", config.Provider(kind="ollama", base_url=server.url))
        finally:
            await asyncio.to_thread(line.close)


async def health(server: Configured) -> Health:
    async with server.use() as provider:
        return await provider.health()


async def dimensions(server: Configured, text: str = "text") -> int:
    async with server.use() as provider:
        return len((await provider.embed("m", [text]))[0])


async def another(server: Configured) -> int:
    return await dimensions(server, "another text")


def ask(line: Line, model: Served) -> int:
    return line.call(model, dimensions, seconds=60.0)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "khojd-line"]


async def test_threads_share_one_loop_and_its_connections() -> None:
    async with connected() as (server, line, model):
        assert not threads()
        with ThreadPoolExecutor(4) as pool:
            loop = asyncio.get_running_loop()
            answers = await asyncio.gather(*(loop.run_in_executor(pool, ask, line, model) for _ in range(40)))
        assert answers == [32] * 40
        assert len(threads()) == 1
        assert server.accepted <= 4
    assert not threads()


async def test_a_provider_that_the_configuration_has_no_more_is_left_and_still_answers_who_asks() -> None:
    async with connected() as (server, line, model):
        assert await asyncio.to_thread(ask, line, model) == 32
        assert server.connections == 1
        line.keep({"srv": model.settings, "other": config.Provider()})
        assert await asyncio.to_thread(ask, line, model) == 32
        assert server.accepted == 1
        line.keep({"srv": config.Provider(kind="ollama", base_url=server.url, retries=9)})
        await server.idle()
        assert await asyncio.to_thread(ask, line, model) == 32
        assert server.accepted == 2


async def test_a_closed_line_asks_nothing_and_gives_back_its_thread() -> None:
    async with connected() as (server, line, model):
        server.on("POST", "/api/embed", stream_reply(HANG))
        waiting = asyncio.create_task(asyncio.to_thread(ask, line, model))
        request = await server.arrived()
        await asyncio.to_thread(line.close)
        with pytest.raises(ProviderError, match="khojd is ending") as caught:
            await waiting
        assert caught.value.reason == "unreachable"
        await request.left.wait()
        assert not threads()
        with pytest.raises(ProviderError, match="khojd is ending"):
            ask(line, model)
        await asyncio.to_thread(line.close)


async def test_whoever_waits_in_vain_is_named_until_the_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("khojd.llm.line.AWAY_SECONDS", 600.0)
    async with connected() as (server, line, model):
        server.on("POST", "/api/embed", stream_reply(HANG))
        with pytest.raises(ProviderError, match=r"srv: no answer from m within 0\.05 seconds"):
            await asyncio.to_thread(lambda: line.call(model, dimensions, seconds=0.05, waited_for=True))
        assert line.problems == ("srv: no answer from m within 0.05 seconds",)
        server.on("POST", "/api/embed", server.embed)
        with pytest.raises(ProviderError, match=r"srv: no answer"):
            await asyncio.to_thread(lambda: line.call(model, another, seconds=60.0, waited_for=True))
        assert "another text" not in server.texts
        assert await asyncio.to_thread(ask, line, model) == 32  # work in the background does ask
        assert not line.problems
        assert await asyncio.to_thread(lambda: line.call(model, dimensions, seconds=60.0, waited_for=True)) == 32


async def test_what_goes_wrong_reaches_the_caller() -> None:
    async def broken(server: Configured) -> int:
        raise ZeroDivisionError("oops")

    async with connected() as (_, line, model):
        with pytest.raises(ZeroDivisionError, match="oops"):
            await asyncio.to_thread(lambda: line.call(model, broken, seconds=60.0))
        assert (await asyncio.to_thread(lambda: line.call(model, health, seconds=60.0))).ok
