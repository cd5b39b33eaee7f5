"""The test server itself: what it sends is what was asked for."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.llm.replay import CLOSE, HANG, RESET, Replay, Reply, cut, json_reply, refused_url, sse, stream_reply, transcript


async def test_pieces_arrive_apart_and_whole() -> None:
    body = sse({"text": "Café 🙂"}, "plain")
    async with Replay() as server, httpx.AsyncClient(trust_env=False) as client:
        server.on("POST", "/chat", stream_reply(*cut(body, every=1)))
        async with client.stream("POST", f"{server.url}/chat?a=b", json={"model": "m"}) as response:
            pieces = [piece async for piece in response.aiter_raw()]
        assert b"".join(pieces) == body
        assert len(pieces) == len(body)
        assert (server.requests[0].json, server.requests[0].query) == ({"model": "m"}, {"a": "b"})
        assert server.requests[0].answered.is_set()


async def test_replies_come_in_turn_on_one_connection() -> None:
    async with Replay() as server, httpx.AsyncClient(trust_env=False) as client:
        server.on("GET", "/x", json_reply({"error": "later"}, 429, [("Retry-After", "1")]), json_reply([1]))
        got = [(await client.get(f"{server.url}/x")) for _ in range(3)]
        assert [response.status_code for response in got] == [429, 200, 200]
        assert got[0].headers["retry-after"] == "1"
        assert (await client.get(f"{server.url}/other")).status_code == 404
        assert server.accepted == 1


@pytest.mark.parametrize("step", [RESET, CLOSE])
async def test_a_broken_connection_is_broken_after_what_was_sent(step: object) -> None:
    async with Replay() as server, httpx.AsyncClient(trust_env=False) as client:
        server.on("GET", "/x", stream_reply(b"data: one\n\n", step))  # type: ignore[arg-type]
        got = b""
        with pytest.raises(httpx.NetworkError if step is RESET else httpx.RemoteProtocolError):
            async with client.stream("GET", f"{server.url}/x") as response:
                async for piece in response.aiter_raw():
                    got += piece
        assert got == b"data: one\n\n"


async def test_a_client_that_leaves_is_noticed() -> None:
    async with Replay() as server, httpx.AsyncClient(trust_env=False) as client:
        server.on("GET", "/x", stream_reply(b"data: one\n\n", HANG))
        async with client.stream("GET", f"{server.url}/x") as response:
            assert await anext(response.aiter_raw()) == b"data: one\n\n"
            request = await server.arrived()
            assert not request.left.is_set()
        async with asyncio.timeout(60):
            await request.left.wait()
            await server.idle()


async def test_a_first_byte_waits_for_its_event() -> None:
    ready = asyncio.Event()
    async with Replay() as server, httpx.AsyncClient(trust_env=False) as client:
        server.on("GET", "/x", Reply(body=[b"here"], before=[ready], framing="close"))
        asking = asyncio.create_task(client.get(f"{server.url}/x"))
        await server.arrived()
        assert not asking.done()
        ready.set()
        assert (await asking).text == "here"


async def test_nothing_listens_at_a_refused_address_or_after_the_stop() -> None:
    async with Replay() as server, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(refused_url())
        await server.stop()
        with pytest.raises(httpx.ConnectError):
            await client.get(server.url)


async def test_transcripts_are_replayed_as_recorded(shared_data: Path) -> None:
    wire = shared_data / "llm-wire"
    async with Replay() as server, httpx.AsyncClient(trust_env=False) as client:
        server.on("GET", "/stream", transcript(wire / "vllm" / "v1_chat_stream_usage.txt", every=100))
        server.on("GET", "/missing", transcript(wire / "ollama" / "chat_unknown_model.txt"))
        server.on("GET", "/killed", transcript(wire / "llama-server" / "midstream_kill_router_v1_chat_completions.txt"))
        stream = await client.get(f"{server.url}/stream")
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.text.endswith("data: [DONE]\n\n")
        missing = await client.get(f"{server.url}/missing")
        assert (missing.status_code, missing.json()) == (404, {"error": "model 'nope' not found"})
        killed = (await client.get(f"{server.url}/killed")).text
        assert killed.endswith("\n\nproxy error: Failed to read connection")
        assert all(record.startswith('data: {"choices"') for record in killed.split("\n\n")[:-1])
