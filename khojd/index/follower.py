"""Following the folders: each is watched, and what changes in it is read."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from khojd import config
from khojd.config import Folder
from khojd.errors import IndexCorrupt, KhojdError, NotFound
from khojd.index.indexer import Indexer, Report
from khojd.index.status import UpdateReport
from khojd.index.writer import Writer
from khojd.sources.folder import check, resolved
from khojd.sources.rules import Rules
from khojd.sources.watch import FolderWatch, Mode

log = logging.getLogger(__name__)

JUST_NOW = 30.0  # seconds


def rules_of(folders: Iterable[Folder], index: Path) -> dict[str, Rules]:
    """The rules of configured folders by their resolved paths. Raises ConfigError."""
    return {folder.path: Rules(folder, index) for folder in map(resolved, folders)}


class Follower:
    """The watches of all folders. Belongs to one event loop.

    `problem` is told under a key what a person should know, "" when it is over; `corrupt` when a store does not read back.
    """

    def __init__(
        self,
        indexer: Indexer,
        writer: Writer,
        settings: config.Index,
        index: Path,
        *,
        problem: Callable[[str, str], None],
        corrupt: Callable[[IndexCorrupt], None],
        changed: Callable[[], None],
    ) -> None:
        self.settings = settings
        self._indexer = indexer
        self._writer = writer
        self._index = index
        self._problem = problem
        self._corrupt = corrupt
        self._changed = changed
        self._watches: dict[str, tuple[FolderWatch, asyncio.Task[None]]] = {}
        # What the first look at a folder did, and when; None: not yet.
        self._first: dict[str, tuple[float, UpdateReport] | None] = {}
        self._choosing = asyncio.Lock()  # of folders: one change after the other
        self._removing: set[asyncio.Task[None]] = set()

    def roots(self) -> list[str]:
        return list(self._watches)

    def status(self) -> list[tuple[str, Mode, str]]:
        """Folder, how it is watched, and what is wrong with it."""
        off = self.settings.watch == "off"
        return [(root, "off" if off else watch.mode, watch.problem) for root, (watch, _) in self._watches.items()]

    async def add(self, folder: Folder) -> None:
        """Follow one more folder. Raises ConfigError when it cannot be one."""
        rules = Rules(resolved(folder), self._index)
        async with self._choosing:
            if rules.folder.path not in self._watches:
                await asyncio.to_thread(check, rules.folder)
                self.follow(rules)
        self._changed()

    async def remove(self, path: str) -> None:
        """Leave a folder and forget its files. Raises NotFound."""
        root = resolved(Folder(path=path)).path
        if root not in self._watches:
            raise NotFound(f"{path} is not one of the folders", path=path, folders=self.roots())
        # Whole, also when who asked goes away: files of a folder that nobody follows would be found as they were, for ever.
        removing = asyncio.create_task(self._remove(root), name=f"forget {root}")
        self._removing.add(removing)
        removing.add_done_callback(self._removing.discard)
        await asyncio.shield(removing)

    async def _remove(self, root: str) -> None:
        async with self._choosing:
            if root in self._watches:
                await self.leave(root)
                await self._forget(root)

    async def configure(self, before: Iterable[str], wanted: Mapping[str, Rules], settings: config.Index) -> None:
        """Follow the folders of a changed configuration. Others that were added besides those configured `before` stay."""
        configured = set(before)
        async with self._choosing:
            again = (settings.watch, settings.debounce_ms) != (self.settings.watch, self.settings.debounce_ms)
            self.settings = settings
            for root in self.roots():
                if root in configured and (again or root not in wanted or self._indexer.rules[root].folder != wanted[root].folder):
                    await self.leave(root)
                    if root not in wanted:
                        await self._forget(root)
            for root, rules in wanted.items():
                if root not in self._watches:
                    self.follow(rules)

    async def _forget(self, root: str) -> None:
        await self._indexer.on_writer(lambda: self._writer.remove_folder(root))
        await self._indexer.on_writer(self._writer.flush)

    def follow(self, rules: Rules) -> None:
        """Read a folder and keep up with it."""
        root = rules.folder.path
        self._indexer.take(root, rules)

        async def changed(paths: frozenset[str] | None) -> None:
            await self._follow(root, paths)

        mode, debounce = self.settings.watch, self.settings.debounce_ms
        watch = FolderWatch(
            Path(root),
            changed,
            poll=mode == "poll",
            debounce_ms=debounce,
            status=self._changed,
            entering=lambda: Rules(rules.folder, self._index).directory,
        )
        self._first[root] = None
        task = asyncio.create_task(changed(None) if mode == "off" else watch.run(), name=f"watch {root}")
        self._watches[root] = (watch, task)

    async def leave(self, root: str) -> None:
        """Keep up with a folder no longer; its files stay as they are."""
        _, task = self._watches.pop(root)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._indexer.leave(root)
        self._first.pop(root, None)
        self._problem(root, "")

    async def close(self) -> None:
        await asyncio.gather(*self._removing, return_exceptions=True)
        for root in self.roots():
            await self.leave(root)

    async def look(self, progress: Report | None = None) -> UpdateReport:
        """Look at all folders now. One that is away, or may not be read, does not keep the others from being read.

        The report counts what the first look has just done, which began by itself when khojd did or the folder was added.
        """
        lost: set[str] = set()
        report = await self._indexer.look_at_folders(None, progress, lost=lost)
        firsts = list(self._first.values())
        self._first.clear()  # of what comes later this look has been the first
        for first in firsts:
            if first is not None and time.monotonic() - first[0] < JUST_NOW:
                report = report.after(first[1])
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
                report = await self._indexer.look_at_folders([root])
                if root in self._first:
                    self._first[root] = self._first[root] or (time.monotonic(), report)
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
