"""Tells editors what to do, and hears what came of it: a JSON object per line over a socket, in both directions.

An editor that takes part (a player) is a script in its own language that connects to `KHOJD_CONDUCTOR`, says {"player": name}, and
does each {"do": act, ...} as a person would: it answers {"value": ...} or {"failure": reason}. {"do": "leave"} is the last.
"""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

PATIENCE = 150.0  # seconds for an editor to come, and for each thing that it does, on a machine that others use too


class Player:
    """An editor that takes part."""

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self._reader = reader
        self._writer = writer

    async def do(self, act: str, **what: str) -> Any:
        """What came of it. Raises AssertionError with the editor's reason when it could not."""
        self._writer.write(json.dumps({"do": act, **what}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            line = await self._reader.readline()
        assert line, f"{self.name} left while it should {act}"
        answer = json.loads(line)
        assert "value" in answer, f"{self.name} could not {act} {what}: {answer.get('failure')}"
        return answer["value"]

    async def find(self, query: str) -> list[str]:
        """The notes that a search finds, by their names without suffix."""
        return self._stems(await self.do("find", query=query))

    async def found(self, query: str) -> list[str]:
        """The same, as soon as there are any."""
        return self._stems(await self.do("await", query=query))

    def _stems(self, names: list[str]) -> list[str]:
        return list(dict.fromkeys(Path(name).stem for name in names))

    async def leave(self) -> None:
        with contextlib.suppress(ConnectionError):  # it may have left by itself
            self._writer.write(b'{"do": "leave"}\n')
            await self._writer.drain()
        self._writer.close()


class Conductor:
    """Waits for players at a socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._come: dict[str, asyncio.Future[Player]] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Conductor":
        self._server = await asyncio.start_unix_server(self._connected, self.path, limit=2**20)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for coming in self._come.values():
            if coming.done() and not coming.cancelled():
                await coming.result().leave()

    async def player(self, name: str, *running: asyncio.Future[Any]) -> Player:
        """The player of that name, as soon as it is there. What runs it may end before, with its reason."""
        coming = self._coming(name)
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([coming, *running], return_when=asyncio.FIRST_COMPLETED)
        for ended in running:
            if ended.done():
                ended.result()
        return await coming

    def _coming(self, name: str) -> "asyncio.Future[Player]":
        return self._come.setdefault(name, asyncio.get_running_loop().create_future())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = json.loads(await reader.readline())["player"]
        self._coming(name).set_result(Player(name, reader, writer))
