"""The daemon's copy of an open document stays the editor's, in every position encoding."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from khojd.server import encoding, uris
from khojd.server.documents import Documents
from tests.server.conftest import Attach
from tests.server.editor import Editor
from tests.server.paper import PaperEngine

# Line ends of LSP, characters that end lines elsewhere but not in LSP, and characters of every width.
TEXT = st.text(st.sampled_from("ab \n\r\t\f\v\x85\u2028é茶🍵"), max_size=30)


def units(text: str, kind: str) -> int:
    return {"utf-8": len(text.encode()), "utf-16": len(text.encode("utf-16-le")) // 2, "utf-32": len(text)}[kind]


def places(text: str) -> list[tuple[int, int]]:
    """Every offset that an editor can name, with its line's start."""
    found = []
    start = 0
    for offset in range(len(text) + 1):
        if offset and (text[offset - 1] == "\n" or (text[offset - 1] == "\r" and text[offset : offset + 1] != "\n")):
            start = offset
        if not (offset and text[offset - 1] == "\r" and text[offset : offset + 1] == "\n"):
            found.append((offset, start))
    return found


def position(text: str, offset: int, start: int, kind: str) -> lsp.Position:
    before = text[:start].replace("\r\n", "\n").replace("\r", "\n")
    return lsp.Position(before.count("\n"), units(text[start:offset], kind))


@given(TEXT, TEXT, st.sampled_from(encoding.SUPPORTED), st.data())
def test_an_edit_lands_where_the_editor_made_it(text: str, new: str, kind: str, data: st.DataObject) -> None:
    known = places(text)
    one = data.draw(st.sampled_from(known))
    other = data.draw(st.sampled_from([place for place in known if place >= one]))
    documents = Documents()
    documents.encoding = kind
    documents.open("/x.org", text)
    change = lsp.TextDocumentContentChangePartial(
        range=lsp.Range(position(text, *one, kind), position(text, *other, kind)), text=new
    )
    assert documents.change("/x.org", [change]) == text[: one[0]] + new + text[other[0] :]


@pytest.mark.parametrize(
    ("line", "character", "result"),
    [(0, 99, "a🍵X\nb"), (9, 0, "a🍵\nbX"), (0, 2, "aX🍵\nb"), (1, 99, "a🍵\nbX")],
)
def test_a_position_outside_the_text_or_inside_a_character_is_moved_to_the_nearest(line: int, character: int, result: str) -> None:
    documents = Documents()
    documents.open("/x.md", "a🍵\nb")
    spot = lsp.Position(line, character)
    assert documents.change("/x.md", [lsp.TextDocumentContentChangePartial(range=lsp.Range(spot, spot), text="X")]) == result


@pytest.mark.parametrize(("offered", "character"), [(["utf-32"], 2), (["utf-8", "utf-16"], 7), (["utf-7", "utf-16"], 3), (None, 3)])
async def test_positions_are_in_the_first_encoding_both_know(
    attach: Attach, engine: PaperEngine, offered: list[str] | None, character: int
) -> None:
    engine.snippet = "茶🍵"
    editor = await attach(capabilities={"general": {"positionEncodings": offered}} if offered else {})
    (hit, _) = (await editor.request("khoj/search", {"query": "x"}))["hits"]
    assert hit["location"]["range"]["end"] == {"line": 0, "character": character}
    assert hit["highlights"] == [[0, character]]
    path = "/notes/t.md"
    editor.notify("textDocument/didOpen", {"textDocument": document(path, "茶🍵!")})
    spot = {"line": 0, "character": character}
    change = {"range": {"start": spot, "end": spot}, "text": "+"}
    versioned = {"uri": uris.from_path(path), "version": 2}
    editor.notify("textDocument/didChange", {"textDocument": versioned, "contentChanges": [change]})
    await editor.request("khoj/daemon/status")
    assert list(engine.buffers.values()) == ["茶🍵+!"]


def document(path: str, text: str) -> dict[str, Any]:
    return {"uri": uris.from_path(path), "languageId": "markdown", "version": 1, "text": text}


async def test_open_documents_are_the_engines_buffers_until_closed(editor: Editor, engine: PaperEngine, attach: Attach) -> None:
    path = "/notes/a b#?%é.md"
    editor.notify("textDocument/didOpen", {"textDocument": document(path, "one")})
    versioned = {"uri": uris.from_path(path), "version": 2}
    editor.notify("textDocument/didChange", {"textDocument": versioned, "contentChanges": [{"text": "two"}]})
    other = await attach()
    other.notify("textDocument/didOpen", {"textDocument": document(path, "three")})
    await other.request("khoj/daemon/status")
    await editor.request("khoj/daemon/status")
    assert sorted((key[1], text) for key, text in engine.buffers.items()) == [(path, "three"), (path, "two")]
    editor.notify("textDocument/didSave", {"textDocument": {"uri": uris.from_path(path)}})
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uris.from_path(path)}})
    await editor.request("khoj/daemon/status")
    assert list(engine.buffers.values()) == ["three"]
    assert engine.updated == [(path,)]


async def test_a_client_that_leaves_takes_its_buffers_along(attach: Attach, engine: PaperEngine) -> None:
    editor = await attach()
    editor.notify("textDocument/didOpen", {"textDocument": document("/notes/a.md", "one")})
    await editor.request("khoj/daemon/status")
    assert engine.buffers
    editor.notify("exit")
    await editor.ended()
    watcher = await attach()
    await watcher.request("khoj/daemon/status")
    assert engine.buffers == {}


async def test_documents_that_are_no_files_are_left_alone(editor: Editor, engine: PaperEngine) -> None:
    for uri in ("untitled:Untitled-1", "git:/notes/a.md", "file://server/share/a.md", "vscode-notebook-cell:/a#1"):
        text = {"uri": uri, "languageId": "markdown", "version": 1, "text": "one"}
        editor.notify("textDocument/didOpen", {"textDocument": text})
        change = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": "two"}]}
        editor.notify("textDocument/didChange", change)
        editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    await editor.request("khoj/daemon/status")
    assert engine.buffers == {}
    assert editor.heard("window/logMessage") == []


async def test_a_change_to_a_document_that_is_not_open_is_said(editor: Editor, engine: PaperEngine) -> None:
    change = {"textDocument": {"uri": "file:///n.md", "version": 2}, "contentChanges": [{"text": "two"}]}
    editor.notify("textDocument/didChange", change)
    assert "/n.md was changed but is not open" in (await editor.hear("window/logMessage"))["message"]
    assert engine.buffers == {}


@given(st.binary(min_size=1, max_size=20).filter(lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")))
def test_every_file_name_survives_as_a_uri(name: bytes) -> None:
    import os

    path = "/notes/" + os.fsdecode(name)
    uri = uris.from_path(path)
    assert uri.isascii()
    assert uris.to_path(uri) == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a%20b.md", "/a b.md"),
        ("file:///a b.md", "/a b.md"),
        ("file://localhost/a.md", "/a.md"),
        ("file:/a.md", "/a.md"),
        ("file:///c%3A/x.md", "/c:/x.md"),
        ("file:///a/../b.md", "/b.md"),
        ("FILE:///a.md", "/a.md"),
        ("file:///why?.md", "/why?.md"),
        ("file://host/a.md", None),
        ("http://x/a.md", None),
        ("file:a.md", None),
        ("file:///%00", None),
        ("/a.md", None),
    ],
)
def test_file_uris_as_editors_write_them(uri: str, path: str | None) -> None:
    assert uris.to_path(uri) == path


def test_a_path_goes_out_as_editors_expect_it(tmp_path: Path) -> None:
    assert uris.from_path("/notes/a b/茶.org") == "file:///notes/a%20b/%E8%8C%B6.org"
