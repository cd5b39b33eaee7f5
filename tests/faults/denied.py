"""What khojd does with notes and directories it may not read. Run by test_permissions.py as a user whom modes bind:

python -m tests.faults.denied SCENARIO DIRECTORY
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from khojd.config import Config, Embedding, Folder
from khojd.doctor.index import examine
from khojd.errors import ConfigError, StorageFull
from tests.engine.conftest import Notes


def by_words(notes: Notes, watch: str = "off") -> Config:
    return replace(notes.config(watch), embedding=Embedding(model="off"))


async def notes(base: Path) -> None:
    """A note and a directory are closed, then opened again."""
    made = Notes(base)
    note, inside = made.write("a.md", "The heron.\n\x00"), made.write("deep/b.md", "The egret.\n")
    made.write("c.md", "The osprey.\n")
    async with made.open(by_words(made)) as engine:
        await engine.update()
        note.chmod(0)
        inside.parent.chmod(0)
        await engine.update()
        for name, word in (("a.md", "heron"), ("deep/b.md", "egret")):
            status = await made.file(name)
            assert status.state == "failed"
            assert "permission denied" in status.reason
            assert status.notes == (), "what was noticed when it could be read is past"
            assert await made.found(word, mode="lexical") == []
        assert await made.found("osprey", mode="lexical") == ["c.md"]
        note.chmod(0o600)
        inside.parent.chmod(0o700)
        await engine.update()
        assert await made.found("heron", mode="lexical") == ["a.md"]
        assert await made.found("egret", mode="lexical") == ["deep/b.md"]


async def folder(base: Path) -> None:
    """A folder is closed before khojd starts, and opened while it runs."""
    made = Notes(base)
    made.write("a.md", "The heron.\n")
    made.root.chmod(0)
    async with made.open(by_words(made, "poll")) as engine:
        await made.until(lambda: _problem(made, "denied"))
        with pytest.raises(ConfigError, match="may not be read"):
            await engine.add_folder(Folder(path=str(_closed(base / "other"))))
        made.root.chmod(0o700)
        await engine.update()
        assert await made.found("heron", mode="lexical") == ["a.md"]
        await made.until(lambda: _well(made, "denied"))  # a look that had begun before may have said it once more


async def index(base: Path) -> None:
    """The index directory lets nothing be written, then lets nobody in."""
    made = Notes(base)
    made.write("a.md", "The heron.\n")
    async with made.open(by_words(made)) as engine:
        await engine.update()
    made.index_dir.chmod(0o500)
    made.write("b.md", "The egret.\n")
    async with made.open(by_words(made)) as engine:
        with pytest.raises(StorageFull, match="read-only"):
            await engine.update()
        assert await made.found("heron", mode="lexical") == ["a.md"]
    made.index_dir.chmod(0o700)
    async with made.open(by_words(made)) as engine:
        await engine.update()
        assert await made.found("egret", mode="lexical") == ["b.md"]


async def examined(base: Path) -> None:
    """`khojd doctor` looks at an index that lets nothing be written, and does not take it for a damaged one."""
    made = Notes(base)
    made.write("a.md", "The heron.\n")
    async with made.open() as engine:
        await engine.update(embed=True)
    for directory, _, files in os.walk(made.index_dir):
        for name in files:
            (Path(directory) / name).chmod(0o400)
        Path(directory).chmod(0o500)
    os.environ["KHOJD_INDEX"] = str(made.index_dir)
    checks = {check.name: check for check in examine(made.config(), None)}
    for directory, _, _ in os.walk(made.index_dir):
        Path(directory).chmod(0o700)
    assert {name: check.state for name, check in checks.items()} == {
        "index": "warn",
        "catalog": "ok",
        "words": "ok",
        "vectors": "warn",
    }, checks
    for name in ("index", "vectors"):
        assert "can be written; nothing is lost" in checks[name].fix


async def _problem(made: Notes, words: str) -> bool:
    assert made.engine is not None
    status = await made.engine.status()
    return any(words in problem for problem in (*status.problems, *(folder.problem for folder in status.folders)))


async def _well(made: Notes, words: str) -> bool:
    return not await _problem(made, words)


def _closed(path: Path) -> Path:
    path.mkdir(mode=0)
    return path


SCENARIOS = {scenario.__name__: scenario for scenario in (notes, folder, index, examined)}

if __name__ == "__main__":
    asyncio.run(SCENARIOS[sys.argv[1]](Path(sys.argv[2])))
