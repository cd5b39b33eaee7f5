"""What waits to be written to one client, bounded."""

import asyncio

_LAST_WORDS = 2.0  # seconds


class Outbox:
    """Writes messages in order from one task, and says when the client has fallen behind.

    Memory is bounded by cooperation: producers await `ready()` before making more, and whatever may be left out (a status
    notification, a progress report) is put with `optional=True` and dropped while more than `limit` bytes wait.
    """

    def __init__(self, writer: asyncio.StreamWriter, *, limit: int = 4 << 20) -> None:
        self._writer = writer
        self._limit = limit
        self._queue: list[bytes] = []
        self._waiting = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        # A small transport buffer: what waits should wait here, where it is counted.
        writer.transport.set_write_buffer_limits(high=256 << 10)
        self._task = asyncio.create_task(self._drain(), name="outbox")

    @property
    def waiting(self) -> int:
        """Bytes not yet taken by the operating system's buffer or the transport's."""
        return self._waiting

    def put(self, data: bytes, *, optional: bool = False) -> bool:
        """Queue `data`; False when it was dropped, because it is optional or the client is gone."""
        if self._closing or self._task.done() or (optional and not self._room.is_set()):
            return False
        self._queue.append(data)
        self._waiting += len(data)
        if self._waiting > self._limit:
            self._room.clear()
        self._wake.set()
        return True

    async def ready(self) -> None:
        """Wait until the client has read enough of what was put before."""
        await self._room.wait()

    async def close(self) -> None:
        """Write what is queued, for at most two seconds, and close the connection."""
        self._closing = True
        self._wake.set()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await asyncio.shield(self._task)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self._task.cancel()
            self._room.set()
            self._writer.close()
            if self._waiting:
                self._writer.transport.abort()

    async def _drain(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    batch, self._queue = self._queue, []
                    for data in batch:
                        self._writer.write(data)
                        await self._writer.drain()
                        self._waiting -= len(data)
                        if self._waiting <= self._limit:
                            self._room.set()
                if self._closing:
                    return
        except ConnectionError:
            self._queue.clear()
            self._waiting = 0
            self._room.set()
