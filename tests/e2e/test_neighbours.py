"""Clients that behave badly, next to one that must not notice."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.e2e.conftest import Place
from tests.server.editor import Editor


@pytest.fixture
async def good(place: Place) -> AsyncIterator[Editor]:
    for number in range(50):
        (place.notes / f"{number}.md").write_text(f"# Tea {number}\n\n" + "green leaves\n" * 200, encoding="utf-8")
    (await asyncio.to_thread(place.client)).close()
    editor = await Editor.attach(place.address)
    await editor.initialize(khoj={"protocol": 1, "client": "good"})
    await editor.request("khoj/index/update")
    yield editor
    await editor.leave()


async def test_garbage_half_messages_and_64_mb_disturb_nobody(good: Editor, place: Place) -> None:
    before = (await good.request("khoj/daemon/status"))["memoryBytes"]
    for garbage in (b"\x00" * 200_000, b"GET / HTTP/1.1\r\n\r\n", b"Content-Length: 10\r\n\r\n{", b'Content-Length: 2\r\n\r\n"x'):
        bad = await Editor.attach(place.address)
        bad.raw(garbage)
        bad.writer.write_eof()
        await bad.ended()
        await bad.leave()
    huge = await Editor.attach(place.address)
    await huge.initialize()
    text = json.dumps({"jsonrpc": "2.0", "id": 9, "method": "khoj/search", "params": {"query": "x" * (64 << 20)}}).encode()
    huge.raw(b"Content-Length: %d\r\n\r\n" % len(text))
    huge.raw(text)
    while not huge.stray:
        await asyncio.sleep(0.01)
    assert (huge.stray[0]["id"], huge.stray[0]["error"]["data"]["kind"]) == (9, "too-large")
    assert (await huge.request("khoj/search", {"query": "tea", "mode": "lexical"}))["count"]
    await huge.leave()
    after = (await good.request("khoj/daemon/status"))["memoryBytes"]
    assert after - before < 48 << 20
    assert (await good.request("khoj/search", {"query": "tea", "mode": "lexical"}))["count"]


async def test_clients_that_leave_in_the_middle_of_requests_leave_nothing_behind(good: Editor, place: Place) -> None:
    for _ in range(10):
        bad = await Editor.attach(place.address)
        await bad.initialize()
        for method, params in (
            ("khoj/search", {"query": "green leaves", "mode": "lexical"}),
            ("khoj/grep", {"pattern": "leaves"}),
            ("khoj/index/update", {"workDoneToken": 1}),
        ):
            bad.ask(method, params)
        await bad.writer.drain()
        await bad.leave()
    while len((await good.request("khoj/daemon/status"))["clients"]) > 1:
        await asyncio.sleep(0.01)
    assert (await good.request("khoj/search", {"query": "tea", "mode": "lexical"}))["count"]
    report = await good.request("khoj/index/update")
    assert (report["failed"], report["cancelled"]) == (0, False)


async def test_a_grep_over_everything_is_cancelled_at_once(good: Editor, place: Place) -> None:
    (place.notes / "big.txt").write_text("a" * 200 + "\n" + ("word " * 40 + "\n") * 90_000, encoding="utf-8")
    number, future = good.ask("khoj/grep", {"pattern": "(w|o|r|d| )+z", "workDoneToken": "g"})
    good.notify("window/workDoneProgress/cancel", {"token": "g"})
    with pytest.raises(Exception, match="cancelled"):
        await future
    assert (await good.request("khoj/search", {"query": "tea", "mode": "lexical"}))["count"]
    assert number
