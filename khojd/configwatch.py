"""Taking up changes of config.toml while running. A bad edit keeps the last good configuration, and says so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from khojd import configfile
from khojd.config import Config
from khojd.errors import ConfigError

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class ConfigWatch:
    """Watches one file, present or not. `apply` gets each new configuration; `problem` a message, or "" when all is well again.

    The file is looked at once a second: that sees every way in which editors and dotfile managers replace a file or a link to
    it, for one `stat`.
    """

    def __init__(self, path: Path, apply: Callable[[Config], Awaitable[None]], problem: Callable[[str], None]) -> None:
        self.path = path
        self._apply = apply
        self._problem = problem
        self._seen = _fact(path)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if _fact(self.path) != self._seen:
                await self.reload()

    async def reload(self) -> bool:
        """Read the file now; False when the last good configuration stays."""
        self._seen = _fact(self.path)
        try:
            config = await asyncio.to_thread(configfile.load, self.path)
            await self._apply(config)
        except ConfigError as error:
            log.warning("the configuration stays as it was: %s", error.message)
            self._problem(f"the configuration stays as it was: {error.message}")
            return False
        self._problem("")
        return True


def _fact(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
