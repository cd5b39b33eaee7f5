"""Text that is typed but not saved is searched in place of the file's."""

from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from khojd.config import Config, Content
from khojd.content import registry
from khojd.content.model import ContentSettings, Parsed
from khojd.graph.graph import Graph
from khojd.graph.model import Place, Reference
from khojd.index.status import FileStatus
from khojd.search.types import SimilarRequest
from khojd.sources.buffers import viewer
from tests.engine.conftest import Notes

pytestmark = pytest.mark.usefixtures("as_editor")


async def unsaved(notes: Notes, query: str) -> bool:
    hits = await notes.hits(query, mode="lexical")
    return bool(hits) and hits[0].unsaved


async def saved(notes: Notes, query: str) -> bool:
    hits = await notes.hits(query, mode="lexical")
    return bool(hits) and not hits[0].unsaved


async def test_typed_text_is_found_with_ranges_in_the_buffer_until_it_is_closed(notes: Notes) -> None:
    path = notes.write("a.md", "# Birds\nA heron.\n")
    async with notes.open() as engine:
        await engine.update()
        engine.open_buffer("editor", str(path), "# Birds\nA heron.\n", 1)
        engine.change_buffer("editor", str(path), "\n\n# Birds\nAn osprey dives.\n", 2)
        await notes.until(lambda: unsaved(notes, "osprey"))
        (hit,) = await notes.hits("osprey", mode="lexical")
        assert (hit.range.start.line, hit.passage.start.line) == (2, 3)
        assert await notes.found("heron", mode="lexical") == []
        assert (await engine.status()).buffers == 1
        engine.close_buffer("editor", str(path))
        await notes.until(lambda: saved(notes, "heron"))
        assert await notes.found("osprey", mode="lexical") == []


async def test_a_saved_buffer_is_the_file_again(notes: Notes) -> None:
    path = notes.write("a.md", "A heron.\n")
    async with notes.open() as engine:
        await engine.update()
        engine.open_buffer("editor", str(path), "An osprey.\n", 1)
        await notes.until(lambda: unsaved(notes, "osprey"))
        path.write_text("An osprey.\n", encoding="utf-8")
        engine.change_buffer("editor", str(path), "An osprey.\n", 2)
        await notes.until(lambda: saved(notes, "osprey"))
        assert (await engine.status()).buffers == 0


async def test_an_unchanged_buffer_costs_nothing_also_with_other_line_ends(notes: Notes) -> None:
    path = notes.write("a.md", "A heron.\r\nAn egret.\r\n")
    other = notes.write("b.md", "Another.\n")
    async with notes.open() as engine:
        await engine.update()
        engine.open_buffer("editor", str(path), "A heron.\nAn egret.\n", 1)
        engine.open_buffer("editor", str(other), "Another, changed.\n", 1)
        await notes.until(lambda: unsaved(notes, "changed"))
        assert await saved(notes, "heron")
        assert (await engine.status()).buffers == 1


async def test_a_new_file_is_found_before_it_was_ever_saved(notes: Notes) -> None:
    async with notes.open() as engine:
        engine.open_buffer("editor", str(notes.root / "new.org"), "* Idea\nBuild a kite.\n", 1)
        await notes.until(lambda: unsaved(notes, "kite"))
        engine.close_owner("editor")
        await notes.until(lambda: _gone(notes, "kite"))


async def _gone(notes: Notes, query: str) -> bool:
    return not await notes.hits(query, mode="lexical")


async def test_buffers_outside_the_folders_and_ignored_ones_are_not_indexed(notes: Notes) -> None:
    (notes.root / ".gitignore").write_text("private.md\n", encoding="utf-8")
    inside = notes.write("a.md", "Text.\n")
    async with notes.open() as engine:
        await engine.update()
        engine.open_buffer("editor", str(notes.root.parent / "outside.md"), "The secret word is kestrel.\n", 1)
        engine.open_buffer("editor", str(notes.root / "private.md"), "The secret word is kestrel.\n", 1)
        engine.open_buffer("editor", str(inside), "Text, changed.\n", 1)
        await notes.until(lambda: unsaved(notes, "changed"))
        assert await notes.hits("kestrel", mode="lexical") == ()


async def test_no_buffer_outlives_the_process(notes: Notes) -> None:
    path = notes.write("a.md", "A heron.\n")
    async with notes.open() as engine:
        await engine.update()
        engine.open_buffer("editor", str(path), "An osprey.\n", 1)
        await notes.until(lambda: unsaved(notes, "osprey"))
    async with notes.open():
        assert await notes.found("heron", mode="lexical") == ["a.md"]
        assert await notes.found("osprey", mode="lexical") == []


async def test_unsaved_text_is_found_while_indexing_is_paused(notes: Notes) -> None:
    path = notes.write("a.md", "A heron.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        await engine.pause()
        engine.open_buffer("editor", str(path), "An osprey.\n", 1)
        await notes.until(lambda: unsaved(notes, "osprey"))
        await engine.resume()


def shared(notes: Notes, *, share: bool = True) -> Config:
    config = notes.config()
    return replace(config, index=replace(config.index, share_unsaved=share))


async def seen(notes: Notes, owner: str, query: str) -> list[tuple[str, bool]]:
    """Names of the hits as an editor sees them, and whether they are unsaved."""
    before = viewer.set(owner)
    try:
        return [(Path(hit.path).name, hit.unsaved) for hit in await notes.hits(query, mode="lexical")]
    finally:
        viewer.reset(before)


async def test_what_one_editor_has_typed_is_found_by_that_editor_alone(notes: Notes) -> None:
    path = str(notes.write("a.md", "# Birds\nA heron stands. See [[b]].\n"))
    notes.write("b.md", "# Ponds\nDeep water.\n")
    async with notes.open() as engine:
        await engine.update()
        engine.open_buffer("editor", path, "# Birds\nAn osprey dives. #fishing\n", 1)
        engine.open_buffer("code", path, "# Birds\nA kite soars.\n", 1)
        engine.open_buffer("code", str(notes.root / "new.md"), "A kite of paper.\n", 1)
        await notes.until(lambda: unsaved(notes, "osprey"))
        for owner, word in (("code", "soars"), ("code", "paper")):  # each text is taken in on its own
            await notes.until(partial(_sees, notes, owner, word))
        assert [await seen(notes, owner, "osprey") for owner in ("editor", "code", "")] == [[("a.md", True)], [], []]
        assert [await seen(notes, owner, "heron") for owner in ("editor", "code", "")] == [[], [], [("a.md", False)]]
        assert sorted(await seen(notes, "code", "kite")) == [("a.md", True), ("new.md", True)]
        assert [await seen(notes, owner, "tag:fishing") for owner in ("editor", "code")] == [[("a.md", True)], []]
        assert [await seen(notes, owner, 'birds file:"a.md"') for owner in ("editor", "code", "")] == [
            [("a.md", True)],
            [("a.md", True)],
            [("a.md", False)],
        ]
        # The graph is the viewer's, too: only in the file there is a link to the other note.
        backlinks = {}
        for owner in ("editor", ""):
            viewer.set(owner)
            backlinks[owner] = await engine.graph(lambda graph: [link.note.path for link in _backlinks(graph, notes)])
        assert backlinks == {"editor": [], "": [path]}
        viewer.set("")
        assert [hit.unsaved for hit in (await engine.similar(SimilarRequest(text="a bird over the water"))).hits].count(True) == 0
        assert (await engine.status()).buffers == 3
        engine.close_owner("code")
        await notes.until(lambda: _sees(notes, "code", "heron"))
        await notes.until(lambda: _blind(notes, "code", "kite"))  # its two texts are withdrawn one after the other
        assert (await engine.status()).buffers == 1


def _backlinks(graph: Graph, notes: Notes) -> list[Reference]:
    note = graph.notes.at(str(notes.root / "b.md"))
    assert note is not None
    return graph.backlinks(Place(note.path, "note", note=note))


async def _sees(notes: Notes, owner: str, query: str) -> bool:
    return bool(await seen(notes, owner, query))


async def _blind(notes: Notes, owner: str, query: str) -> bool:
    return not await seen(notes, owner, query)


async def test_where_unsaved_text_is_shared_the_last_one_to_type_counts_for_all(notes: Notes) -> None:
    path = notes.write("a.md", "A heron.\n")
    async with notes.open(shared(notes)) as engine:
        await engine.update()
        engine.open_buffer("code", str(path), "A kite.\n", 1)
        engine.open_buffer("editor", str(path), "An osprey.\n", 1)
        await notes.until(lambda: unsaved(notes, "osprey"))
        assert [await seen(notes, owner, "osprey") for owner in ("code", "")] == [[("a.md", True)]] * 2
        engine.close_owner("editor")
        await notes.until(lambda: unsaved(notes, "kite"))
        assert await notes.hits("osprey", mode="lexical") == ()


async def test_sharing_can_be_switched_on_and_off_while_text_is_unsaved(notes: Notes) -> None:
    path = notes.write("a.md", "A heron.\n")
    async with notes.open() as engine:
        await engine.update()
        engine.open_buffer("editor", str(path), "An osprey.\n", 1)
        await notes.until(lambda: unsaved(notes, "osprey"))
        await engine.reconfigure(shared(notes))
        await notes.until(lambda: _sees(notes, "code", "osprey"))
        assert len(await seen(notes, "editor", "osprey")) == 1
        await engine.reconfigure(shared(notes, share=False))
        await notes.until(lambda: _sees(notes, "code", "heron"))
        assert await seen(notes, "code", "osprey") == []
        await notes.until(lambda: unsaved(notes, "osprey"))
        await notes.until(lambda: _buffers_are(notes, 1))  # what stood for all is withdrawn on its own


async def _buffers_are(notes: Notes, number: int) -> bool:
    assert notes.engine is not None
    return (await notes.engine.status()).buffers == number


async def _states(notes: Notes, name: str) -> dict[bool, FileStatus]:
    """The states of a file (False) and of the buffer beside it (True)."""
    assert notes.engine is not None
    return {status.unsaved: status for status in await notes.engine.files(prefix=str(notes.root / name))}


def _delicate(text: str, settings: ContentSettings) -> Parsed:
    if "{" in text:
        raise ValueError("an open brace")
    return registry.TEXT.parse(text, settings)


async def test_text_that_its_format_cannot_read_fails_with_its_reason_and_what_was_saved_answers_until_it_can(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.PROCESSORS, ".delicate", registry.Processor("delicate", _delicate))
    path = str(notes.write("a.delicate", "A heron.\n"))
    async with notes.open() as engine:
        await engine.update()
        engine.open_buffer("editor", path, "An osprey.\n", 1)
        await notes.until(lambda: unsaved(notes, "osprey"))
        engine.change_buffer("editor", path, "An osprey {\n", 2)
        await notes.until(lambda: saved(notes, "heron"))
        assert await notes.hits("osprey", mode="lexical") == ()
        states = await _states(notes, "a.delicate")
        assert (states[False].state, states[True].state) == ("indexed", "failed")
        assert states[True].reason == "could not be read as delicate: ValueError: an open brace"
        assert (await engine.status()).buffers == 0
        await notes.until(lambda: _has_problems(notes, 1))  # said after the text was written
        (problem,) = (await engine.status()).problems
        assert path in problem
        assert "an open brace" in problem
        # A save of the file meanwhile does not hide it behind the buffer.
        Path(path).write_text("A kite.\n", encoding="utf-8")
        await engine.update([path])
        assert await saved(notes, "kite")
        engine.change_buffer("editor", path, "An osprey dives.\n", 3)
        await notes.until(lambda: unsaved(notes, "osprey"))
        assert await notes.hits("kite", mode="lexical") == ()
        await notes.until(lambda: _has_problems(notes, 0))


async def _has_problems(notes: Notes, number: int) -> bool:
    assert notes.engine is not None
    return len((await notes.engine.status()).problems) == number


async def test_unsaved_text_that_grows_beyond_the_limit_is_skipped_as_its_file_would_be(notes: Notes) -> None:
    path = str(notes.write("a.md", "A heron.\n"))
    async with notes.open(replace(notes.config(), content=Content(max_file_bytes=2000))) as engine:
        await engine.update()
        engine.open_buffer("editor", path, "An osprey.\n", 1)
        await notes.until(lambda: unsaved(notes, "osprey"))
        engine.change_buffer("editor", path, "An osprey.\n" * 200, 2)
        await notes.until(lambda: saved(notes, "heron"))
        assert await notes.hits("osprey", mode="lexical") == ()
        states = await _states(notes, "a.md")
        assert (states[True].state, states[True].reason) == ("skipped", "2,200 bytes, more than content.max_file_bytes = 2,000")
        engine.close_buffer("editor", path)
        await notes.until(lambda: _has_no_buffer(notes, "a.md"))


async def _has_no_buffer(notes: Notes, name: str) -> bool:
    return True not in await _states(notes, name)


async def test_what_an_editor_has_decrypted_is_not_indexed(notes: Notes) -> None:
    secret = str(notes.write("secret.org.gpg", "-----BEGIN PGP MESSAGE-----\n"))
    inside = str(notes.write("a.md", "Text.\n"))
    async with notes.open() as engine:
        await engine.update()
        engine.open_buffer("editor", secret, "The secret word is kestrel.\n", 1)
        engine.open_buffer("editor", inside, "Text, changed.\n", 1)
        await notes.until(lambda: unsaved(notes, "changed"))
        assert await notes.hits("kestrel", mode="lexical") == ()
        assert {status.state for status in (await _states(notes, "secret.org.gpg")).values()} == {"skipped"}
