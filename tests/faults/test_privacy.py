"""What a person wrote or asked stands in no log, and nobody else may read what khojd keeps."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from khojd.daemon.client import Client
from khojd.daemon.logs import log_path
from khojd.errors import KhojdError
from khojd.server import uris
from khojd.server.types import GrepParams, GrepResult, Params, SearchParams, SearchResult, SimilarParams, UpdateParams, UpdateResult
from tests.e2e.conftest import Place
from tests.llm.replay import Replay, json_reply
from tests.server.editor import Editor, Failure

SECRET = "zanzibar"


def refused(client: Client, method: str, params: Params) -> None:
    with pytest.raises(KhojdError):
        client.call(method, params, SearchResult)


def use(place: Place) -> None:
    """A session with notes that break, searches that work and searches that do not."""
    for name, text in {
        "diary.md": f"# {SECRET} heading\n\nMy {SECRET} thought.\n",
        "broken.md": f"---\ntitle: [{SECRET}\n---\n{SECRET}\n",
        "plan.org": f"* TODO {SECRET} :{SECRET}:\nSCHEDULED: <{SECRET}>\n#+begin_src\n{SECRET}\n",
    }.items():
        (place.notes / name).write_text(text, encoding="utf-8")
    (place.notes / "noise.md").write_bytes(SECRET.encode() + bytes(range(256)) * 20)
    with place.client() as client:
        client.call("khoj/index/update", UpdateParams(embed=True), UpdateResult)
        for mode in ("lexical", "semantic", "hybrid"):
            client.call("khoj/search", SearchParams(query=f"the {SECRET} thought", mode=mode), SearchResult)
        client.call("khoj/similar", SimilarParams(text=f"another {SECRET}"), SearchResult)
        client.call("khoj/grep", GrepParams(pattern=SECRET), GrepResult)
        refused(client, "khoj/search", SearchParams(query=f'date>"{SECRET}"'))
        refused(client, "khoj/search", SearchParams(query="tea", profile=SECRET))
        refused(client, "khoj/grep", GrepParams(pattern=f"({SECRET}"))


async def type_and_garble(place: Place) -> None:
    """An editor with unsaved text, and messages that make no sense."""
    editor = await Editor.attach(place.address)
    await editor.initialize(khoj={"protocol": 1, "client": "test"})
    document = {"uri": uris.from_path(str(place.notes / "new.md")), "languageId": "markdown", "version": 1}
    editor.notify("textDocument/didOpen", {"textDocument": {**document, "text": f"Unsaved {SECRET}.\n"}})
    editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": f"{SECRET} \ud83d"}]})
    editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"tekst": SECRET}]})
    for method, params in (
        ("khoj/search", {"kwery": SECRET}),
        ("khoj/search", {"query": SECRET, "limit": "many"}),
        ("textDocument/hover", {"text": SECRET}),
        ("workspace/executeCommand", {"command": "khoj.search", "arguments": [SECRET, SECRET]}),
    ):
        with pytest.raises(Failure):
            await editor.request(method, params)
    editor.raw(b"Content-Length: 30\r\n\r\n" + SECRET.encode() * 5)
    await editor.leave()


def test_the_log_holds_nothing_of_notes_and_questions_also_where_they_fail(place: Place, own_home: Path) -> None:
    place.configure(model="bundled")
    use(place)
    asyncio.run(type_and_garble(place))
    pid = place.pid
    os.kill(pid, signal.SIGTERM)
    place.gone(pid)
    logs = list(log_path(place.index).parent.glob("*.log*"))
    text = "".join(log.read_text(encoding="utf-8") for log in logs)
    assert "serving" in text
    assert [line for line in text.splitlines() if SECRET in line.lower()] == []


def test_index_log_and_socket_are_for_their_owner_alone(place: Place, own_home: Path) -> None:
    place.configure(model="bundled")
    before = os.umask(0)  # a careless shell
    try:
        use(place)
    finally:
        os.umask(before)
    kept = [
        place.index,
        *(Path(directory) / name for directory, _, files in os.walk(place.index) for name in (".", *files)),
        log_path(place.index),
        log_path(place.index).parent,
        place.address,
        place.address.parent,
    ]
    modes = {}
    for path in kept:
        with contextlib.suppress(FileNotFoundError):  # the daemon runs: of the index, files come and go
            modes[path] = path.lstat().st_mode & 0o077
    assert len(modes) > 15
    assert {path: mode for path, mode in modes.items() if mode} == {}


@pytest.mark.parametrize("level", ["info", "debug"])
async def test_keys_of_model_servers_are_in_no_log_error_or_conversation(
    place: Place, own_home: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    key = "sk-quixotic-0123456789abcdef"
    monkeypatch.setenv("QUIXOTIC_KEY", key)
    async with Replay() as server:
        server.on("GET", "/v1/models", json_reply({"object": "list", "data": [{"id": "tiny", "object": "model"}]}))
        # A server that shows the key it was given, as some do.
        server.on("POST", "/v1/chat/completions", json_reply({"error": {"message": f"Incorrect API key provided: {key}"}}, 401))
        provider = f'[providers.work]\nbase_url = "{server.url}/v1"\nkey_env = "QUIXOTIC_KEY"\nretries = 0\n'
        place.configure(model="bundled", more=f'log_level = "{level}"\n{provider}[models]\nchat = ["work/tiny"]\n')
        await asyncio.to_thread(use, place)
        editor = await Editor.attach(place.address)
        await editor.initialize()
        with pytest.raises(Failure) as failure:
            await editor.request("khoj/chat", {"message": f"What of {SECRET}?"})
        assert failure.value.code == -32031
        told = [failure.value, await editor.request("khoj/config/get"), await editor.request("khoj/conversations/list")]
        told.append(await editor.request("khoj/models/list"))
        assert key not in repr(told)
        assert any(f"Bearer {key}" in request.headers.get("authorization", "") for request in server.requests)
        await editor.leave()
    pid = place.pid
    os.kill(pid, signal.SIGTERM)
    await asyncio.to_thread(place.gone, pid)
    text = "".join(log.read_text(encoding="utf-8") for log in log_path(place.index).parent.glob("*.log*"))
    assert "serving" in text
    assert key not in text
    assert key[:12] not in text
    if level == "info":
        assert SECRET not in text
    assert key.encode() not in b"".join(file.read_bytes() for file in place.index.glob("conversations.db*"))
