"""One conversation with a real daemon over every transport."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from khojd.server import uris
from tests.e2e.conftest import Place
from tests.server.editor import Editor, Failure


async def search(editor: Editor, query: str, **more: Any) -> list[dict[str, Any]]:
    result = await editor.request("khoj/search", {"query": query, "mode": "lexical", **more})
    hits: list[dict[str, Any]] = result["hits"]
    return hits


async def test_a_hit_points_at_its_passage(editor: Editor, place: Place) -> None:
    (hit, *_) = await search(editor, "oolong oxidised")
    assert hit["path"] == str(place.notes / "tea.md")
    assert uris.to_path(hit["location"]["uri"]) == hit["path"]
    assert "Half oxidised." in hit["snippet"]
    assert hit["location"]["range"]["start"]["line"] <= 6 < hit["location"]["range"]["end"]["line"] + 1
    (hit,) = await search(editor, "kettle todo:TODO tag:shopping")
    assert (hit["todo"], hit["tags"], hit["format"]) == ("TODO", ["shopping"], "org")


async def test_phases_come_one_by_one(editor: Editor) -> None:
    params = {"query": "tea", "mode": "lexical", "partialResultToken": 7}
    final = await editor.request("khoj/search", params)
    part = await editor.hear("$/progress")
    assert (part["token"], part["value"]["phase"]) == (7, "words")
    assert (final["hits"], final["count"]) == ([], len(part["value"]["hits"]))
    assert final["count"] >= 1


async def test_the_same_search_as_a_command(editor: Editor) -> None:
    argument = {"query": "kettle", "mode": "lexical"}
    result = await editor.request("workspace/executeCommand", {"command": "khoj.search", "arguments": [argument]})
    assert result["hits"][0]["headings"] == ["Buy a kettle"]


async def test_text_that_is_typed_and_not_saved_is_found_at_its_place(editor: Editor, place: Place) -> None:
    path = place.notes / "tea.md"
    text = path.read_text(encoding="utf-8")
    uri = uris.from_path(str(path))
    editor.notify("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "markdown", "version": 1, "text": text}})
    spot = {"line": 2, "character": 10}
    change = {"range": {"start": spot, "end": spot}, "text": "gyokuro "}
    editor.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]})
    while not (hits := await search(editor, "gyokuro")):
        await editor.hear("khoj/statusChanged")
    assert (hits[0]["unsaved"], hits[0]["path"]) == (True, str(path))
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    while await search(editor, "gyokuro"):
        await editor.hear("khoj/statusChanged")


async def test_saved_text_is_found_without_asking(editor: Editor, place: Place) -> None:
    (place.notes / "new.txt").write_text("Rooibos is no tea.\n", encoding="utf-8")
    while not (hits := await search(editor, "rooibos")):
        await editor.hear("khoj/statusChanged")
    assert hits[0]["path"] == str(place.notes / "new.txt")


async def test_grep_finds_lines_as_they_are_on_disk(editor: Editor, place: Place) -> None:
    result = await editor.request("khoj/grep", {"pattern": "st[ae]+med", "context": 1})
    (match,) = result["matches"]
    assert match["line"] == "Green tea 🍵 is steamed."
    # UTF-16 positions, as no encoding was offered: the cup takes two.
    assert match["location"]["range"]["start"] == {"line": 2, "character": 16}
    assert match["path"] == str(place.notes / "tea.md")
    with pytest.raises(Failure) as failure:
        await editor.request("khoj/grep", {"pattern": "("})
    assert failure.value.data["kind"] == "query"


async def test_a_filter_that_cannot_be_understood_is_an_error_that_names_it(editor: Editor) -> None:
    with pytest.raises(Failure) as failure:
        await search(editor, 'tea date>"the day after never"')
    assert failure.value.code == -32011
    assert failure.value.data["kind"] == "query"


async def test_the_index_says_what_it_holds(editor: Editor, place: Place) -> None:
    (place.notes / "raw.bin").write_bytes(b"\x00\x01\x02" * 100)
    report = await editor.request("khoj/index/update", {"workDoneToken": "t"})
    assert report["cancelled"] is False
    kinds = [part["value"]["kind"] for part in editor.heard("$/progress")]
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    status = await editor.request("khoj/index/status")
    assert status["indexed"] == 2
    assert [folder["path"] for folder in status["folders"]] == [str(place.notes)]
    files = (await editor.request("khoj/index/files", {"states": ["indexed"]}))["files"]
    assert [Path(file["path"]).name for file in files] == ["tea.md", "todo.org"]
    assert all(file["entries"] >= 1 and file["uri"].startswith("file:///") for file in files)


async def test_a_folder_is_added_searched_and_removed(editor: Editor, tmp_path: Path, place: Place) -> None:
    other = tmp_path / "more notes"
    other.mkdir()
    (other / "a.md").write_text("# Mate\n\nBombilla.\n", encoding="utf-8")
    before = place.config.read_text(encoding="utf-8")
    added = await editor.request("khoj/index/add", {"path": uris.from_path(str(other)), "persist": True})
    assert added["folders"] == [str(place.notes), str(other)]
    while not await search(editor, "bombilla"):
        await editor.hear("khoj/statusChanged")
    assert str(other) in place.config.read_text(encoding="utf-8")
    assert await search(editor, "bombilla", folders=[str(place.notes)]) == []
    await editor.request("khoj/index/remove", {"path": str(other), "persist": True})
    assert await search(editor, "bombilla") == []
    assert place.config.read_text(encoding="utf-8") == before
    with pytest.raises(Failure) as failure:
        await editor.request("khoj/index/remove", {"path": str(other)})
    assert failure.value.data["kind"] == "not-found"
    with pytest.raises(Failure) as failure:
        await editor.request("khoj/index/add", {"path": str(other / "a.md")})
    assert failure.value.data["kind"] == "config"


async def test_pausing_holds_the_index_and_resuming_lets_it_go_on(editor: Editor) -> None:
    assert (await editor.request("khoj/index/pause"))["paused"] is True
    assert (await editor.request("khoj/index/resume"))["paused"] is False


async def test_an_answer_larger_than_every_buffer_arrives_whole(editor: Editor, place: Place) -> None:
    lines = "".join(f"- item {number} {'x' * 200}\n" for number in range(9000))
    (place.notes / "long.txt").write_text(lines, encoding="utf-8")
    results = await asyncio.gather(
        *(editor.request("khoj/grep", {"pattern": "item", "limit": 9000, "context": 2}) for _ in range(2))
    )
    assert [len(result["matches"]) for result in results] == [9000, 9000]


async def test_a_question_of_100_kb_is_answered(editor: Editor) -> None:
    hits = await search(editor, "kettle " + "tea " * 25_000)
    assert hits
