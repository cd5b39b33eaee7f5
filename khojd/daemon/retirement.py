"""When the daemon leaves by itself."""

import asyncio
from collections.abc import Callable

FIRST_CLIENT_GRACE = 10.0  # seconds that a daemon waits at least for the client that started it


class Retirement:
    """Waits until there was no client and no work for `idle` seconds.

    Before the first client came it waits at least FIRST_CLIENT_GRACE, so that a daemon does not leave while the client that
    started it is still on its way.
    """

    def __init__(self, idle: Callable[[], float], busy: Callable[[], bool]) -> None:
        self._idle = idle  # seconds; asked each time, as a reload may change it
        self._busy = busy
        self._clients = 0
        self._served = False
        self._since = asyncio.get_running_loop().time()
        self._changed = asyncio.Event()

    @property
    def clients(self) -> int:
        return self._clients

    def entered(self) -> None:
        self._clients += 1
        self._served = True
        self._changed.set()

    def left(self) -> None:
        self._clients -= 1
        self.stir()

    def stir(self) -> None:
        """Start the time again: something happened that a person would call use."""
        self._since = asyncio.get_running_loop().time()
        self._changed.set()

    async def wait(self) -> None:
        """Return when it is time to leave."""
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            if self._clients:
                await self._changed.wait()
                continue
            allowed = self._idle() if self._served else max(self._idle(), FIRST_CLIENT_GRACE)
            if self._busy():
                self._since = loop.time()
            left = self._since + allowed - loop.time()
            if left <= 0:
                return
            try:
                # Work does not announce its end, so it is asked for from time to time.
                async with asyncio.timeout(min(left, max(allowed / 4, 0.1))):
                    await self._changed.wait()
            except TimeoutError:
                pass
