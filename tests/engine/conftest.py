"""An engine over a folder of notes in a temporary directory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from khojd.config import Config, Folder, Index
from khojd.engine import Engine
from khojd.index import filler
from khojd.index.status import FileStatus
from khojd.search.types import Hit, SearchRequest
from tests.embed.conftest import needs_extra, tiny_model

__all__ = ["needs_extra", "tiny_model"]


class Notes:
    """A folder of notes, an index directory, and what a test asks of the engine over them."""

    def __init__(self, base: Path) -> None:
        self.root = base / "notes"
        self.index_dir = base / "index"
        self.root.mkdir()
        self.engine: Engine | None = None

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def config(self, watch: str = "off") -> Config:
        return Config(folders=(Folder(path=str(self.root)),), index=Index(watch=watch))  # type: ignore[arg-type]

    @asynccontextmanager
    async def open(self, config: Config | None = None) -> AsyncIterator[Engine]:
        engine = await Engine.open(config or self.config(), index_dir=self.index_dir)
        self.engine = engine
        try:
            yield engine
        finally:
            await engine.close()

    async def hits(self, query: str, **options: object) -> tuple[Hit, ...]:
        assert self.engine is not None
        return (await self.engine.search(SearchRequest(query=query, **options))).hits  # type: ignore[arg-type]

    async def found(self, query: str, **options: object) -> list[str]:
        """Names of the files of the hits, best first."""
        return [str(Path(hit.path).relative_to(self.root)) for hit in await self.hits(query, **options)]

    async def file(self, name: str) -> FileStatus:
        assert self.engine is not None
        (status,) = await self.engine.files(prefix=str(self.root / name))
        return status

    async def embedded(self) -> int:
        """Texts for which the model was run so far."""
        assert self.engine is not None
        return (await self.engine.status()).embedded

    async def until(self, condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
        """Wait for `condition`, asked again at every change of the status."""
        assert self.engine is not None
        changed = asyncio.Event()
        end = self.engine.subscribe(changed.set)
        try:
            async with asyncio.timeout(seconds):
                while not await condition():
                    await changed.wait()
                    changed.clear()
        finally:
            end()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search by meaning waits for its model however slow the machine is."""
    monkeypatch.setattr(filler, "PATIENCE", 100.0)


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path)
