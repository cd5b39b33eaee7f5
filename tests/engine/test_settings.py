"""Changing settings while the index is open, and between two starts."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from khojd.config import Config, Content, Embedding, Folder
from khojd.errors import ConfigError, ModelError, NotFound
from khojd.search.types import GrepRequest, SearchRequest
from tests.engine.conftest import Notes


def with_model(config: Config, model: str) -> Config:
    return replace(config, embedding=Embedding(model=model))


async def test_without_a_model_search_goes_by_words_and_says_so(notes: Notes) -> None:
    notes.write("a.md", "A heron stands in the pond.\n")
    async with notes.open(with_model(notes.config(), "off")) as engine:
        await engine.update(embed=True)
        assert await notes.found("heron") == ["a.md"]
        status = await engine.status()
        assert (status.model, status.model_problem) == ("", 'embedding.model is "off"')
        (note,) = (await engine.search(SearchRequest(query="heron"))).notes
        assert 'embedding.model is "off"; these hits are found by words alone' in note
        with pytest.raises(ModelError, match=r"is .off.; set embedding\.model in"):
            await notes.found("heron", mode="semantic")


async def test_a_changed_model_is_embedded_in_the_background_and_nothing_of_the_old_one_stays(
    notes: Notes, tiny_model: Path
) -> None:
    notes.write("a.md", "A heron stands in the pond.\n")
    notes.write("b.md", "The chain slips off the cassette.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        first = (await engine.status()).model
        await engine.reconfigure(with_model(notes.config(), str(tiny_model)))
        assert len(await notes.found("bird", mode="semantic")) == 2  # the old vectors serve, or the new ones already do
        await notes.until(lambda: _model_changed(notes, first))
        status = await engine.status()
        assert (status.vectors_pending, status.model) == (0, status.model_target)
        assert len(await notes.found("bird", mode="semantic")) == 2
    # Back to the bundled model at a start: the other one serves until it is complete.
    async with notes.open() as engine:
        assert len(await notes.found("bird", mode="semantic")) == 2
        await engine.update(embed=True)
        await notes.until(lambda: _model_is(notes, first))
        assert (await notes.found("a bird in the water", mode="semantic"))[0] == "a.md"


async def _model_changed(notes: Notes, before: str) -> bool:
    assert notes.engine is not None
    return (await notes.engine.status()).model not in ("", before)


async def _model_is(notes: Notes, model: str) -> bool:
    assert notes.engine is not None
    return (await notes.engine.status()).model == model


async def test_changed_content_settings_read_the_notes_again(notes: Notes) -> None:
    notes.write("a.org", "* Old :ARCHIVE:\nThe heron was archived.\n")
    async with notes.open() as engine:
        await engine.update()
        assert await notes.found("heron", mode="lexical") == []
        await engine.reconfigure(replace(notes.config(), content=Content(archived=True)))
        await engine.update()
        assert await notes.found("heron", mode="lexical") == ["a.org"]
    # Also when they changed while no process ran.
    async with notes.open() as engine:
        await engine.update()
        assert await notes.found("heron", mode="lexical") == []


async def test_a_folder_added_in_the_configuration_is_read_and_one_taken_out_is_forgotten(notes: Notes, tmp_path: Path) -> None:
    notes.write("a.md", "A heron.\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text("A kite.\n", encoding="utf-8")
    async with notes.open() as engine:
        await engine.update()
        await engine.reconfigure(replace(notes.config(), folders=(Folder(path=str(other)),)))
        await engine.update()
        assert [Path(hit.path).name for hit in await notes.hits("kite heron", mode="lexical")] == ["b.md"]


async def test_an_editor_adds_and_removes_a_folder(notes: Notes, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text("A kite.\n", encoding="utf-8")
    async with notes.open() as engine:
        await engine.add_folder(Folder(path=str(other)))
        await engine.update()
        assert len(await notes.hits("kite", mode="lexical")) == 1
        await engine.remove_folder(str(other))
        assert await notes.hits("kite", mode="lexical") == ()
        with pytest.raises(NotFound, match="is not one of the folders"):
            await engine.remove_folder(str(other))


@pytest.mark.parametrize(
    ("name", "message"), [("none", "does not exist"), ("file", "is a file"), ("node_modules", "folders hold no notes")]
)
async def test_what_cannot_be_a_folder_is_refused_with_the_reason(notes: Notes, tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "node_modules").mkdir()
    async with notes.open() as engine:
        with pytest.raises(ConfigError, match=message):
            await engine.add_folder(Folder(path=str(tmp_path / name)))


async def test_a_path_outside_every_folder_is_an_error(notes: Notes) -> None:
    async with notes.open() as engine:
        with pytest.raises(NotFound, match="is in none of the folders"):
            await engine.update(("/somewhere/else.md",))


async def test_the_notes_of_a_folder_that_is_configured_no_longer_are_not_found(notes: Notes) -> None:
    notes.write("a.md", "A heron.\n")
    async with notes.open() as engine:
        await engine.update()
    async with notes.open(Config()) as engine:
        assert await notes.hits("heron", mode="lexical") == ()
    async with notes.open() as engine:
        await engine.update(embed=True)
        assert await notes.found("heron") == ["a.md"]
        assert await notes.embedded() <= 1


@pytest.mark.usefixtures("as_editor")
async def test_what_is_typed_counts_from_when_its_folder_is_added_until_it_is_left(notes: Notes, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text("A kite.\n", encoding="utf-8")
    async with notes.open() as engine:
        engine.open_buffer("editor", str(other / "b.md"), "A buzzard.\n", 1)
        await notes.until(lambda: _is(not engine.busy))
        await engine.add_folder(Folder(path=str(other)))
        await notes.until(lambda: _finds(notes, "buzzard"))
        assert await notes.hits("kite", mode="lexical") == ()
        await engine.remove_folder(str(other))
        await notes.until(lambda: _is(not engine.busy))
        assert await notes.hits("buzzard", mode="lexical") == ()
        engine.close_owner("editor")


async def _is(value: bool) -> bool:
    return value


async def _finds(notes: Notes, word: str) -> bool:
    return bool(await notes.hits(word, mode="lexical"))


async def test_a_folder_that_is_added_twice_at_once_is_followed_once(notes: Notes, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    async with notes.open() as engine:
        await asyncio.gather(*(engine.add_folder(Folder(path=str(other))) for _ in range(3)))
        assert [folder.path for folder in engine.folders()] == [str(notes.root), str(other)]
        await engine.remove_folder(str(other))
        assert not [task for task in asyncio.all_tasks() if task.get_name() == f"watch {other}"]


async def test_nothing_stays_of_a_folder_that_is_removed_while_it_is_read(notes: Notes, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for number in range(300):
        (other / f"{number}.md").write_text(f"Kite number {number}.\n", encoding="utf-8")
    async with notes.open() as engine:
        await engine.add_folder(Folder(path=str(other)))
        begun = asyncio.Event()
        reading = asyncio.create_task(engine.update(progress=lambda now: begun.set() if now.done else None))
        await begun.wait()
        await engine.remove_folder(str(other))
        await reading
        assert await engine.files() == ()
        assert await notes.hits("kite", mode="lexical") == ()


async def test_a_folder_is_forgotten_though_who_asked_for_it_goes_away(notes: Notes, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text("A kite.\n", encoding="utf-8")
    async with notes.open() as engine:
        await engine.add_folder(Folder(path=str(other)))
        await engine.update()
        asking = asyncio.create_task(engine.remove_folder(str(other)))
        while str(other) in [folder.path for folder in engine.folders()]:
            await asyncio.sleep(0)
        asking.cancel()  # it is followed no longer, and its files are still to be forgotten
        await asyncio.gather(asking, return_exceptions=True)
        await notes.until(lambda: _forgotten(notes))
        assert [folder.path for folder in engine.folders()] == [str(notes.root)]


async def _forgotten(notes: Notes) -> bool:
    assert notes.engine is not None
    return await notes.engine.files() == ()


async def test_a_search_of_files_is_narrowed_to_folders_and_to_parts_of_folders(notes: Notes, tmp_path: Path) -> None:
    notes.write("a.md", "A heron.\n")
    notes.write("deep/b.md", "A heron.\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / "c.md").write_text("A heron.\n", encoding="utf-8")
    async with notes.open() as engine:
        await engine.add_folder(Folder(path=str(other)))

        async def among(*folders: Path) -> list[str]:
            found = await engine.grep(GrepRequest("heron", folders=tuple(map(str, folders))))
            return sorted(Path(match.path).name for match in found.matches)

        assert await among() == ["a.md", "b.md", "c.md"]
        assert await among(other) == ["c.md"]
        assert await among(other, notes.root / "deep") == ["b.md", "c.md"]
        assert await among(tmp_path) == ["a.md", "b.md", "c.md"]
