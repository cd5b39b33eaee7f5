"""What a client can rely on, whatever it sends: an answer or a clean end of its own session, and nothing noticed by others."""

import asyncio
import gc
import json
import logging
import weakref
from typing import Any

import pytest

from khojd.daemon.service import Daemon
from khojd.server.message import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, NOT_INITIALIZED, PARSE_ERROR, REQUEST_CANCELLED
from khojd.server.session import Session
from tests.server.conftest import Attach
from tests.server.editor import Editor, Failure, framed
from tests.server.paper import PaperEngine


async def refused(editor: Editor, method: str, params: Any = None) -> Failure:
    with pytest.raises(Failure) as failure:
        await editor.request(method, params)
    return failure.value


async def serves(editor: Editor) -> bool:
    return bool((await editor.request("khoj/daemon/status"))["pid"])


async def test_the_hello_names_the_protocol_versions_and_every_method(attach: Attach) -> None:
    editor = await attach(initialized=False)
    result = await editor.initialize(khoj={"protocol": 7, "client": "newer 7.0"})
    hello = result["capabilities"]["experimental"]["khoj"]
    assert hello["protocol"] == [1, 1]
    assert {"khoj/search", "khoj/index/status", "khoj/daemon/retire"} <= set(hello["methods"])
    assert "khoj.index.status" in result["capabilities"]["executeCommandProvider"]["commands"]
    assert result["serverInfo"]["name"] == "khojd"
    assert result["capabilities"]["textDocumentSync"]["change"] == 2


async def test_a_client_without_a_hello_is_served_as_plain_lsp(attach: Attach, engine: PaperEngine) -> None:
    editor = await attach(initialized=False)
    await editor.initialize()
    engine.changed()
    assert (await editor.request("khoj/search", {"query": "tea"}))["count"] == 2
    assert editor.heard("khoj/statusChanged") == []


async def test_a_client_of_a_protocol_older_than_ours_is_told_to_update(attach: Attach) -> None:
    editor = await attach(initialized=False)
    with pytest.raises(Failure, match="update the client") as failure:
        await editor.initialize(khoj={"protocol": 0})
    assert failure.value.data["supported"] == [1, 1]


async def test_a_malformed_hello_is_an_error_that_names_the_member(attach: Attach) -> None:
    editor = await attach(initialized=False)
    with pytest.raises(Failure, match=r"initializationOptions\.khoj.*protocol"):
        await editor.initialize(khoj={"protocol": "one"})


async def test_requests_before_initialize_are_refused(attach: Attach) -> None:
    editor = await attach(initialized=False)
    assert (await refused(editor, "khoj/daemon/status")).code == NOT_INITIALIZED
    await editor.initialize()
    assert (await refused(editor, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})).code == INVALID_REQUEST


async def test_an_unknown_method_or_command_is_an_error_with_its_name(editor: Editor) -> None:
    failure = await refused(editor, "khoj/serach", {})
    assert (failure.code, failure.data["method"]) == (METHOD_NOT_FOUND, "khoj/serach")
    failure = await refused(editor, "workspace/executeCommand", {"command": "khoj.serach"})
    assert (failure.code, failure.data["command"]) == (INVALID_PARAMS, "khoj.serach")
    assert await serves(editor)


@pytest.mark.parametrize(
    ("method", "params", "part"),
    [
        ("khoj/search", {"query": 7}, "$.query"),
        ("khoj/search", {}, "query"),
        ("khoj/search", {"query": "x", "limt": 3}, "limt"),
        ("khoj/search", {"query": "x", "limit": 0}, "$.limit"),
        ("khoj/search", {"query": "x", "limit": 201}, "$.limit"),
        ("khoj/search", [1], "object"),
        ("workspace/executeCommand", {"command": "khoj.search", "arguments": [{"query": 7}]}, "$.query"),
        ("workspace/executeCommand", {"command": "khoj.search", "arguments": [{"query": "x"}, 2]}, "one argument"),
        ("workspace/executeCommand", {"command": "khoj.index.status", "arguments": ["now"]}, "`object`, got `str`"),
        ("workspace/executeCommand", 3, "object"),
    ],
)
async def test_malformed_params_get_a_reply_that_names_the_part(editor: Editor, method: str, params: Any, part: str) -> None:
    failure = await refused(editor, method, params)
    assert failure.code == INVALID_PARAMS
    assert part in str(failure)


async def test_malformed_params_of_a_standard_method_get_a_reply_too(attach: Attach) -> None:
    editor = await attach(initialized=False)
    assert (await refused(editor, "initialize", {"capabilities": 3})).code == INVALID_PARAMS
    await editor.initialize()
    editor.notify("textDocument/didOpen", {"textDocument": "no object"})
    told = await editor.hear("window/logMessage")
    assert told["message"] == "textDocument/didOpen: Expected `object` - at `$.textDocument`"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        (None, "Expected `object`"),
        ([], "Expected `object`"),
        ({"context": {"diagnostics": []}, "textDocument": {"uri": "file:///a.md"}}, "Object missing required field `range`"),
        ({"range": {"start": {"line": 0, "character": "x"}}}, "Object missing required field `textDocument`"),
        (
            {"textDocument": {"uri": "file:///a.md"}, "range": {"start": {"line": 0}}},
            "Object missing required field `character` - at `$.range.start`",
        ),
        (
            {
                "textDocument": {"uri": "file:///a.md"},
                "range": {"start": {"line": 0, "character": -1}, "end": {"line": 0, "character": 1}},
                "context": {"diagnostics": ["x"]},
            },
            "Position.character should be in range [0:2147483647], but was -1. - at `$.range.start`",
        ),
    ],
)
async def test_what_is_wrong_with_params_of_lsp_is_said_once_and_without_python(editor: Editor, params: Any, said: str) -> None:
    failure = await refused(editor, "textDocument/codeAction", params)
    assert failure.code == INVALID_PARAMS
    assert str(failure) == f"textDocument/codeAction: {said}"


async def test_a_nested_jsonrpc_key_is_data(editor: Editor) -> None:
    failure = await refused(editor, "khoj/search", {"query": "x", "more": {"jsonrpc": "2.0", "id": 9, "method": "exit"}})
    assert failure.code == INVALID_PARAMS
    editor.notify("$/whatever", {"jsonrpc": "2.0", "id": 1, "result": None})
    assert await serves(editor)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{not json", PARSE_ERROR),
        (b'"text"', INVALID_REQUEST),
        (b"[]", INVALID_REQUEST),
        (b'{"id": 1, "method": "shutdown"}', INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": null, "method": "shutdown"}', INVALID_REQUEST),
        (b"\xff\xfe", PARSE_ERROR),
        (b"[" * 100_000, INVALID_REQUEST),
        (b"", PARSE_ERROR),
    ],
)
async def test_a_body_that_is_no_message_is_answered_and_the_session_goes_on(editor: Editor, body: bytes, code: int) -> None:
    editor.raw(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    assert await serves(editor)
    assert [reply["error"]["code"] for reply in editor.stray] == [code]


async def test_half_a_surrogate_pair_in_a_message_costs_one_character(editor: Editor, engine: PaperEngine) -> None:
    body = b'{"jsonrpc":"2.0","id":"s","method":"khoj/search","params":{"query":"a\\ud83d b \\\\ud83d \\ud83d\\ude00"}}'
    editor.raw(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    await serves(editor)
    assert engine.asked[0].query == "a\ufffd b \\ud83d \U0001f600"


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"Content-Length: many\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: 99999999999999999999999\r\n\r\n",
        b"\x00" * 100_000,
        b"X: y\r\n" * 3000 + b"\r\n",
    ],
)
async def test_broken_framing_ends_that_session_only(attach: Attach, editor: Editor, garbage: bytes) -> None:
    bad = await attach()
    bad.raw(garbage)
    await bad.ended()
    assert bad.stray[-1]["error"]["code"] == PARSE_ERROR
    assert await serves(editor)


async def test_half_a_message_ends_that_session_only(attach: Attach, editor: Editor, daemon: Daemon) -> None:
    for half in (b"Content-Len", b"Content-Length: 100\r\n\r\n{"):
        bad = await attach()
        bad.raw(half)
        await bad.writer.drain()
        (bad.writer.write_eof if bad.writer.can_write_eof() else bad.writer.close)()  # a pipe has no half to close
        await bad.ended()
    assert await serves(editor)
    assert len(daemon.sessions) == 1


async def test_a_message_over_the_limit_is_answered_without_being_held(editor: Editor, engine: PaperEngine) -> None:
    size = 64 << 20
    head = b'{"jsonrpc":"2.0","id":4711,"method":"khoj/search","params":{"query":"'
    editor.raw(b"Content-Length: %d\r\n\r\n%b" % (size, head))
    left = size - len(head)
    while left:
        piece = min(left, 1 << 20)
        editor.raw(b"x" * piece)
        await editor.writer.drain()
        left -= piece
    assert await serves(editor)
    (reply,) = editor.stray
    assert reply["id"] == 4711
    assert reply["error"]["data"] == {"kind": "too-large", "size": size, "limit": 65_536 * 4}
    assert "daemon.max_message_bytes" in reply["error"]["message"]
    assert engine.asked == []


async def test_content_length_counts_bytes(editor: Editor, engine: PaperEngine) -> None:
    engine.snippet = "お茶 🍵"
    hit = (await editor.request("khoj/search", {"query": "茶"}))["hits"][0]
    assert hit["snippet"] == "お茶 🍵"
    assert engine.asked[0].query == "茶"


async def test_exit_ends_the_session_and_not_the_process(attach: Attach, editor: Editor, daemon: Daemon) -> None:
    leaving = await attach()
    assert await leaving.request("shutdown") is None
    assert (await refused(leaving, "khoj/daemon/status")).code == INVALID_REQUEST
    leaving.notify("exit")
    await leaving.ended()
    assert await serves(editor)
    assert len(daemon.sessions) == 1


async def test_shutdown_with_requests_running_cancels_them(editor: Editor, engine: PaperEngine) -> None:
    engine.gate.clear()
    futures = [editor.ask("khoj/search", {"query": str(number)})[1] for number in range(5)]
    await engine.started.wait()
    assert await editor.request("shutdown") is None
    for future in futures:
        with pytest.raises(Failure) as failure:
            await future
        assert failure.value.code == REQUEST_CANCELLED
    assert engine.cancelled == 5


@pytest.mark.parametrize("command", [False, True])
async def test_a_request_is_cancelled_by_its_id(editor: Editor, engine: PaperEngine, command: bool) -> None:
    engine.gate.clear()
    params: dict[str, Any] = {"query": "tea"}
    if command:
        number, future = editor.ask("workspace/executeCommand", {"command": "khoj.search", "arguments": [params]})
    else:
        number, future = editor.ask("khoj/search", params)
    await engine.started.wait()
    editor.notify("$/cancelRequest", {"id": number})
    with pytest.raises(Failure) as failure:
        await future
    assert (failure.value.code, engine.cancelled) == (REQUEST_CANCELLED, 1)


async def test_a_request_cancelled_before_it_began_is_answered_too(editor: Editor, engine: PaperEngine) -> None:
    engine.gate.clear()
    request = {"jsonrpc": "2.0", "id": 77, "method": "khoj/search", "params": {"query": "x"}}
    cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 77}}
    editor.raw(framed(request) + framed(cancel))
    assert await serves(editor)
    assert [reply["error"]["code"] for reply in editor.stray] == [REQUEST_CANCELLED]


@pytest.mark.parametrize("command", [False, True])
async def test_a_request_is_cancelled_by_its_token(editor: Editor, engine: PaperEngine, daemon: Daemon, command: bool) -> None:
    engine.gate.clear()
    if command:
        params: dict[str, Any] = {"command": "khoj.index.update", "arguments": [], "workDoneToken": "mine"}
        _, future = editor.ask("workspace/executeCommand", params)
    else:
        _, future = editor.ask("khoj/index/update", {"workDoneToken": "mine"})
    begin = (await editor.hear("$/progress"))["value"]
    report = (await editor.hear("$/progress"))["value"]
    assert (begin["kind"], begin["cancellable"]) == ("begin", True)
    assert report["khoj"] == {"what": "reading", "done": 1, "total": 4, "left": 3}
    assert "1 of 4 files, 3 left" in report["message"]
    editor.notify("window/workDoneProgress/cancel", {"token": "mine"})
    with pytest.raises(Failure) as failure:
        await future
    assert failure.value.code == REQUEST_CANCELLED
    assert (await editor.hear("$/progress"))["value"]["kind"] == "end"
    # The token is free again, and cancelling it reaches nobody.
    editor.notify("window/workDoneProgress/cancel", {"token": "mine"})
    engine.gate.set()
    assert (await editor.request("khoj/index/update", {"workDoneToken": "mine"}))["added"] == 4
    assert [len(session.protocol.tokens) for session in daemon.sessions] == [0]


async def test_a_client_that_leaves_in_the_middle_of_a_request_has_it_cancelled(
    attach: Attach, editor: Editor, engine: PaperEngine, daemon: Daemon
) -> None:
    engine.gate.clear()
    leaving = await attach()
    leaving.ask("khoj/search", {"query": "tea"})
    await engine.started.wait()
    await leaving.leave()
    while len(daemon.sessions) > 1:
        await serves(editor)
    assert engine.cancelled == 1


async def test_an_id_in_use_is_refused(editor: Editor, engine: PaperEngine) -> None:
    engine.gate.clear()
    request = {"jsonrpc": "2.0", "id": "same", "method": "khoj/search", "params": {"query": "x"}}
    editor.raw(framed(request) * 2)
    await engine.started.wait()
    assert await serves(editor)
    assert [reply["error"]["code"] for reply in editor.stray] == [INVALID_REQUEST]
    engine.gate.set()
    assert await serves(editor)


async def test_more_requests_at_once_than_anyone_needs_are_refused(editor: Editor, engine: PaperEngine) -> None:
    engine.gate.clear()
    futures = [editor.ask("khoj/search", {"query": "x"})[1] for _ in range(300)]
    done, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    with pytest.raises(Failure, match="256"):
        await done.pop()
    engine.gate.set()
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert sum(isinstance(result, dict) for result in results) == 256


async def test_a_client_that_does_not_read_holds_bounded_memory_and_disturbs_nobody(
    attach: Attach, editor: Editor, engine: PaperEngine, daemon: Daemon
) -> None:
    engine.snippet = "x" * 200_000
    slow = await attach(listen=False, initialized=False)
    hello: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
    slow.send({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})
    assert await slow.read()
    (session,) = (each for each in daemon.sessions if each.since == max(one.since for one in daemon.sessions))
    waiting = 0
    for number in range(1, 400):  # 160 MB of answers
        slow.send({"jsonrpc": "2.0", "id": number, "method": "khoj/search", "params": {"query": "x"}})
        assert await serves(editor)
        assert session.protocol._outbox is not None
        waiting = max(waiting, session.protocol._outbox.waiting)
    assert 1 << 20 < waiting < 16 << 20
    ids: set[int] = set()
    while len(ids) < 399:  # and once it reads, it gets them all
        message = await slow.read()
        assert message is not None
        ids.add(message["id"])


async def test_a_closed_session_is_forgotten(attach: Attach, editor: Editor, daemon: Daemon) -> None:
    leaving = await attach()
    session: weakref.ref[Session] = weakref.ref(next(each for each in daemon.sessions if each.label == "client 2"))
    await leaving.request("khoj/search", {"query": "x"})
    await leaving.leave()
    while len(daemon.sessions) > 1:
        await serves(editor)
    async with asyncio.timeout(60):
        while session() is not None:  # its task may still be about to end
            await serves(editor)
            gc.collect()


async def test_logs_hold_no_params(editor: Editor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await editor.request("khoj/search", {"query": "my secret diary"})
    await refused(editor, "khoj/search", {"query": ["my secret diary"]})
    opened = {"uri": "file:///d.md", "languageId": "markdown", "version": 1, "text": "my secret diary"}
    editor.notify("textDocument/didOpen", {"textDocument": opened})
    await editor.request("workspace/executeCommand", {"command": "khoj.search", "arguments": [{"query": "my secret diary"}]})
    assert "secret" not in caplog.text


async def test_an_unexpected_error_is_answered_and_logged_without_its_message(
    editor: Editor, engine: PaperEngine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "my secret diary"

    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(note)

    monkeypatch.setattr(engine, "search", fail)
    with pytest.raises(Failure, match="ZeroDivisionError") as failure:
        await editor.request("khoj/search", {"query": "x"})
    assert failure.value.code == -32603
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text
    assert await serves(editor)


async def test_messages_are_single_json_objects_without_a_character_count(attach: Attach) -> None:
    quiet = await attach(initialized=False, listen=False)
    quiet.send({"jsonrpc": "2.0", "id": 1, "method": "khoj/ünbekannt"})
    reply = await quiet.read()
    assert reply is not None
    assert json.loads(json.dumps(reply))["error"]["code"] == NOT_INITIALIZED
