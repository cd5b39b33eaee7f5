"""Following the folders: each is watched, and what changes in it is read."""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from khojd import config
from khojd.errors import IndexCorrupt, KhojdError
from khojd.index.indexer import Indexer, Report
from khojd.index.status import UpdateReport
from khojd.index.writer import Writer
from khojd.sources.rules import Rules
from khojd.sources.watch import FolderWatch, Mode

log = logging.getLogger(__name__)


class Follower:
    """The watches of all folders. Belongs to one event loop.

    `problem` is told under a key what a person should know, "" when it is over; `corrupt` when a store does not read back.
    """

    def __init__(
        self,
        indexer: Indexer,
        writer: Writer,
        settings: config.Index,
        *,
        problem: Callable[[str, str], None],
        corrupt: Callable[[IndexCorrupt], None],
        changed: Callable[[], None],
    ) -> None:
        self.settings = settings
        self._indexer = indexer
        self._writer = writer
        self._problem = problem
        self._corrupt = corrupt
        self._changed = changed
        self._watches: dict[str, tuple[FolderWatch, asyncio.Task[None]]] = {}

    def roots(self) -> list[str]:
        return list(self._watches)

    def status(self) -> list[tuple[str, Mode, str]]:
        """Folder, how it is watched, and what is wrong with it."""
        off = self.settings.watch == "off"
        return [(root, "off" if off else watch.mode, watch.problem) for root, (watch, _) in self._watches.items()]

    def follow(self, root: str, rules: Rules) -> None:
        """Read a folder and keep up with it."""
        self._indexer.rules[root] = rules

        async def changed(paths: frozenset[str] | None) -> None:
            await self._follow(root, paths)

        mode, debounce = self.settings.watch, self.settings.debounce_ms
        watch = FolderWatch(
            Path(root), changed, poll=mode == "poll", debounce_ms=debounce, status=self._changed, enter=rules.directory
        )
        task = asyncio.create_task(changed(None) if mode == "off" else watch.run(), name=f"watch {root}")
        self._watches[root] = (watch, task)

    async def leave(self, root: str) -> None:
        """Keep up with a folder no longer; its files stay as they are."""
        _, task = self._watches.pop(root)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._indexer.rules.pop(root, None)
        self._problem(root, "")

    async def close(self) -> None:
        for root in self.roots():
            await self.leave(root)

    async def look(self, progress: Report | None = None) -> UpdateReport:
        """Look at all folders now. One that is away, or may not be read, does not keep the others from being read."""
        lost: set[str] = set()
        report = await self._indexer.look_at_folders(None, progress, lost=lost)
        for root in self.roots():
            if root in lost:
                await self._follow(root, None)
            else:
                self._problem(root, "")
        return report

    async def _follow(self, root: str, paths: frozenset[str] | None) -> None:
        try:
            if not await asyncio.to_thread(os.path.isdir, root):
                # Its files are told to be gone one by one, but it may come back.
                await self._indexer.on_writer(lambda: self._writer.hide_folder(root, f"the folder {root} is not there"))
            elif paths is not None:
                await self._indexer.look_at(paths)
            else:
                await self._indexer.look_at_folders([root])
            self._problem(root, "")
        except IndexCorrupt as error:
            self._corrupt(error)
        except (KhojdError, OSError) as error:
            # A full disk, a folder that may not be read: said, and tried again with the next change.
            log.warning("%s: %s", root, error)
            self._problem(root, f"{root}: {error}")
        except Exception as error:
            # The watch goes on: its end would be noticed by nobody.
            log.exception("%s could not be read", root)
            self._problem(root, f"{root}: {type(error).__name__}: {error}")
        self._changed()
