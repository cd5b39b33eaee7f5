"""Stores that do not read back: found, said, built anew; and nothing is embedded again that need not be."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from copy import copy as copy_of
from pathlib import Path

import pytest
from msgspec.structs import replace

from khojd.config import Embedding
from khojd.doctor.index import examine
from khojd.engine import Engine
from khojd.errors import IndexCorrupt
from tests.engine.conftest import Notes

NOTES = 40


def garble(path: Path, start: float, length: int) -> None:
    """Write nonsense over a file from a place given as a share of its size."""
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * start))
        file.write(b"\xa5nonsense" * (length // 9))


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)


def largest(directory: Path, pattern: str = "*") -> Path:
    return max((path for path in directory.rglob(pattern) if path.is_file()), key=lambda path: path.stat().st_size)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Notes:
    """Notes and an undamaged index, made once."""
    made = Notes(tmp_path_factory.mktemp("sound"))

    async def build() -> None:
        for number in range(NOTES):
            made.write(f"{number}.md", f"# Note {number}\n" + f"The heron of number {number} stands in the pond.\n" * 15)
        async with made.open() as engine:
            await engine.update(embed=True)

    asyncio.run(build())
    return made


@pytest.fixture
def notes(sound: Notes, tmp_path: Path) -> Notes:
    """The same notes, with a copy of the index to damage."""
    copy = copy_of(sound)
    copy.index_dir = tmp_path / "index"
    shutil.copytree(sound.index_dir, copy.index_dir)
    return copy


async def whole(notes: Notes, engine: Engine) -> None:
    await engine.update(embed=True)
    status = await engine.status()
    assert (status.indexed, status.words_pending, status.vectors_pending) == (NOTES, 0, 0)
    for mode in ("lexical", "semantic"):
        assert len(set(await notes.found("heron", limit=200, mode=mode))) == NOTES


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: garble(path, 0, 200),
        cut,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"this was never a database"),
    ],
    ids=["header overwritten", "cut off", "empty", "something else"],
)
async def test_a_catalog_that_does_not_open_is_kept_and_the_notes_are_read_again(
    notes: Notes, damage: Callable[[Path], None]
) -> None:
    damage(notes.index_dir / "catalog.db")
    async with notes.open() as engine:
        await whole(notes, engine)
        (problem,) = (await engine.status()).problems
        assert "catalog" in problem
        assert "read again" in problem
    assert len(list(notes.index_dir.glob("catalog.db.corrupt-*"))) == 1
    async with notes.open() as engine:
        await whole(notes, engine)
        assert (await engine.status()).problems == ()
        assert await notes.embedded() == 0


async def test_of_catalogs_that_were_set_aside_the_newest_are_kept_and_told_of(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [notes.index_dir / f"catalog.db.corrupt-202{year}0101T000000" for year in range(3)]
    for file in old:
        file.write_bytes(b"damaged")
    cut(notes.index_dir / "catalog.db")
    async with notes.open(replace(notes.config(), embedding=Embedding(model="off"))):
        pass
    newest, second = sorted(notes.index_dir.glob("catalog.db.corrupt-*"), reverse=True)
    assert newest not in old
    assert second == old[-1]
    monkeypatch.setenv("KHOJD_INDEX", str(notes.index_dir))
    told = next(check for check in examine(notes.config(), None) if newest.name in check.message)
    assert second.name in told.message
    assert "remove them" in told.fix


def overwrite(file: Path, table: str) -> None:
    """Write nonsense over the first page of a table."""
    with closing(sqlite3.connect(file)) as db:
        ((page,),) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))
        ((size,),) = db.execute("PRAGMA page_size")
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\xa5" * size)


async def test_damage_that_only_typing_meets_is_mended_at_the_next_start(notes: Notes) -> None:
    overwrite(notes.index_dir / "catalog.db", "entries")
    path = str(notes.root / "0.md")
    async with notes.open(replace(notes.config(), embedding=Embedding(model="off"))) as engine:
        await engine.update()  # nothing has changed, so no entry is looked at
        assert not engine.fatal.is_set()
        engine.open_buffer("emacs", path, "An osprey dives.\n", 1)
        await engine.fatal.wait()
        await notes.until(lambda: _said(notes, path))
    async with notes.open() as engine:
        await whole(notes, engine)


async def _said(notes: Notes, what: str) -> bool:
    assert notes.engine is not None
    return any(what in problem for problem in (await notes.engine.status()).problems)


async def test_damage_inside_the_catalog_is_met_while_running_and_mended_at_the_next_start(notes: Notes) -> None:
    overwrite(notes.index_dir / "catalog.db", "entries")
    async with notes.open() as engine:
        with pytest.raises(IndexCorrupt, match="catalog"):
            await notes.found("heron", mode="lexical")
        assert engine.fatal.is_set()  # the daemon ends, and the next client starts another
    async with notes.open() as engine:
        await whole(notes, engine)
        assert any("catalog" in problem for problem in (await engine.status()).problems)


async def test_quiet_damage_inside_the_catalog_is_found_after_an_unclean_end(notes: Notes) -> None:
    """Nobody may ask for the damaged page for weeks: after a crash the whole catalog is read once."""
    catalog = notes.index_dir / "catalog.db"
    garble(catalog, catalog.read_bytes().rindex(b"heron") / catalog.stat().st_size, 5000)  # a note's text, which no start reads
    (notes.index_dir / "open").touch()
    async with notes.open() as engine:
        await engine.fatal.wait()
    async with notes.open() as engine:
        await whole(notes, engine)
        assert any("catalog" in problem for problem in (await engine.status()).problems)


@pytest.mark.parametrize("place", [number / 10 for number in range(1, 10)])
async def test_damage_anywhere_in_the_catalog_is_mended_at_the_second_start(notes: Notes, place: float) -> None:
    """What is met while the engine opens is mended there and then."""
    garble(notes.index_dir / "catalog.db", place, 5000)
    (notes.index_dir / "open").touch()
    async with notes.open() as engine:
        if not any("catalog" in problem for problem in (await engine.status()).problems):
            await engine.fatal.wait()
    async with notes.open() as engine:
        await whole(notes, engine)


@pytest.mark.parametrize(
    "damage",
    [
        shutil.rmtree,
        lambda words: garble(words / "meta.json", 0, 50),
        lambda words: (words / "khojd.json").unlink(),
        lambda words: cut(largest(words, "*.store")),
        lambda words: largest(words, "*.pos").unlink(),
    ],
    ids=["gone", "meta garbled", "settings gone", "segment cut off", "segment file gone"],
)
async def test_a_lost_words_index_is_built_from_the_catalog_alone(notes: Notes, damage: Callable[[Path], None]) -> None:
    damage(notes.index_dir / "words")
    async with notes.open() as engine:
        assert len(await notes.found("heron", limit=200, mode="lexical")) == NOTES  # as soon as it is open
        await whole(notes, engine)
        assert await notes.embedded() == 0
        (problem,) = (await engine.status()).problems
        assert "words index" in problem
    async with notes.open() as engine:
        await whole(notes, engine)
        assert (await engine.status()).problems == ()


@pytest.mark.parametrize(
    "damage",
    [
        shutil.rmtree,
        lambda vectors: garble(vectors / "chroma.sqlite3", 0, 500),
        lambda vectors: cut(vectors / "chroma.sqlite3"),
        lambda vectors: (vectors / "chroma.sqlite3").unlink(),
    ],
    ids=["gone", "garbled", "cut off", "database gone"],
)
async def test_a_lost_vector_store_is_built_from_the_catalog_without_the_model(
    notes: Notes, damage: Callable[[Path], None]
) -> None:
    damage(notes.index_dir / "vectors")
    async with notes.open() as engine:
        await whole(notes, engine)
        assert await notes.embedded() == 0
        (problem,) = (await engine.status()).problems
        assert "vector store" in problem
    async with notes.open() as engine:
        await whole(notes, engine)
        assert (await engine.status()).problems == ()
