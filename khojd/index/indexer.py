"""What changed -> the stores. Looks at folders and paths, reads what differs, and keeps account of the run.

Everything that writes goes through one writer thread; reading and parsing happen beside it (worker processes when there is much).
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath
from typing import TypeVar

from khojd.index import catalog_folders as folders
from khojd.index.catalog import errors
from khojd.index.pool import FEW, Pool, batched
from khojd.index.reader import Job, Reading
from khojd.index.rows import KnownFile
from khojd.index.status import Progress, UpdateReport
from khojd.index.writer import Tally, Writer
from khojd.sources.rules import GITIGNORE, Rules
from khojd.sources.scan import FileStat, alias, inside, look, scan

log = logging.getLogger(__name__)
T = TypeVar("T")

FLUSH_SECONDS = 1.0  # in a long run, words become searchable at least this often
TURN_SECONDS = 0.2
ROUNDS = 3  # a file that changes while it is read is read again this often, then left to its next change

Report = Callable[[Progress], None]


class Look:
    """What a look at the disk found: the files that are there, and what the catalog expected to be there."""

    def __init__(self) -> None:
        self.facts: list[FileStat] = []
        self.expected: dict[str, KnownFile] = {}
        self.owners: dict[str, str] = {}  # path -> folder
        self.unreadable: dict[str, str] = {}  # directory -> reason
        self.force = False  # read also what looks unchanged

    def add(self, other: "Look") -> None:
        self.facts += other.facts
        self.expected.update(other.expected)
        self.owners.update(other.owners)
        self.unreadable.update(other.unreadable)


class Indexer:
    """Keeps the stores in line with folders. Belongs to one event loop.

    `wrote` is called after each write with True when entries may wait for vectors.
    """

    def __init__(self, writer: Writer, pool: Pool, wrote: Callable[[], None]) -> None:
        self.rules: Mapping[str, Rules] = {}  # of the folders that are followed; never changed, as threads go through it
        self.running: Progress | None = None
        self.files_per_second = 0.0
        self.queue = 0
        self.calm = asyncio.Event()  # no large run is reading: words come before meaning
        self.calm.set()
        self._writer = writer
        self._pool = pool
        self._wrote = wrote
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="khojd-writer")
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._looks = 0
        self._looked = asyncio.Event()
        self._runs = 0

    def take(self, root: str, rules: Rules) -> None:
        """Read this folder, too."""
        self.rules = {**self.rules, root: rules}

    def leave(self, root: str) -> None:
        """Read this folder no more; what of it is being read is not written."""
        self.rules = {other: rules for other, rules in self.rules.items() if other != root}

    @property
    def paused(self) -> bool:
        return not self._resumed.is_set()

    @property
    def busy(self) -> bool:
        return self._runs > 0

    def pause(self) -> None:
        """Read no further files until resumed; buffers and searches go on."""
        self._resumed.clear()

    def resume(self) -> None:
        self._resumed.set()

    async def on_writer(self, work: Callable[[], T]) -> T:
        """Run `work` on the writer thread. It is not cut off when the caller is cancelled. Raises StorageFull, IndexCorrupt."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._guarded(work))

    def _guarded(self, work: Callable[[], T]) -> T:
        # Reading from the catalog, too, may meet a damaged page.
        with errors(self._writer.catalog.path):
            return work()

    async def look_at_folders(
        self, roots: Iterable[str] | None = None, progress: Report | None = None, *, lost: set[str] | None = None
    ) -> UpdateReport:
        """Compare whole folders (all when None) with the catalog and read what differs.

        A folder that is not there or may not be read is added to `lost`; without one it raises OSError.
        """
        # One after the other: a second look at once would read again what the first one is reading.
        await self._turn(progress)
        self._looks += 1
        try:
            chosen = list(self.rules) if roots is None else [root for root in roots if root in self.rules]
            for root in chosen:
                self.rules[root].forget()
            return await self._run(lambda: self._scan(dict.fromkeys(chosen, ""), lost), progress)
        finally:
            self._looks -= 1
            self._looked.set()

    async def _turn(self, progress: Report | None) -> None:
        """Wait for the look at folders that is under way, showing its progress. While paused there is nothing to wait for."""
        while self._looks and not self.paused:
            self._looked.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TURN_SECONDS):
                    await self._looked.wait()
            if progress is not None and self.running is not None:
                progress(self.running)

    async def look_at(self, paths: Iterable[str], progress: Report | None = None) -> UpdateReport:
        """Compare given files or directories with the catalog and read what differs. Paths outside the folders are left aside."""
        wanted = set(paths)
        for path in list(wanted):
            root = inside(path, self.rules)
            if root is None:
                wanted.discard(path)
            elif PurePath(path).name == GITIGNORE:
                self.rules[root].forget()
                wanted.add(PurePath(path).parent.as_posix())
        # A directory stands for what is below it.
        wanted = {path for path in wanted if not any(parent.as_posix() in wanted for parent in PurePath(path).parents)}
        return await self._run(lambda: self._inspect(wanted), progress)

    def folder_of(self, path: str) -> str | None:
        """The folder whose rules accept `path`, None when no folder takes it as a note."""
        rules = self.rules
        root = inside(path, rules)
        return root if root is not None and rules[root].accepts(path) else None

    async def close(self) -> None:
        self._pool.close()
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)

    async def _run(self, find: Callable[[], Look], progress: Report | None) -> UpdateReport:
        started = time.monotonic()
        tally = Tally()
        self._runs += 1
        cancelled = False
        try:
            found = await asyncio.to_thread(self._guarded, find)
            for _ in range(ROUNDS):
                again = await self._read(found, tally, progress)
                if not again:
                    break
                found = await asyncio.to_thread(self._guarded, lambda again=again: self._inspect(set(again)))
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            self._runs -= 1
            if not self._runs:
                self.running = None
                self.queue = 0
            self._wrote()
        elapsed = time.monotonic() - started
        read_files = tally.added + tally.changed + tally.renamed + tally.failed + tally.skipped
        if read_files:
            self.files_per_second = read_files / max(elapsed, 1e-6)
        return UpdateReport(
            added=tally.added,
            changed=tally.changed,
            renamed=tally.renamed,
            removed=tally.removed,
            unchanged=tally.unchanged,
            skipped=tally.skipped,
            failed=tally.failed,
            took_ms=elapsed * 1000,
            cancelled=cancelled,
        )

    async def _read(self, found: Look, tally: Tally, progress: Report | None) -> list[str]:
        settings, fingerprint = self._writer.settings, self._writer.fingerprint
        jobs: list[tuple[Job, int]] = []
        problems: list[Reading] = []
        fresh: list[FileStat] = []
        for fact in found.facts:
            known = found.expected.pop(fact.path, None)
            current = known is not None and known.fingerprint == fingerprint and known.state != "pending"
            if fact.problem:
                problems.append(Reading(fact.path, fact, state="failed", reason=fact.problem))
            elif known is not None and current and not found.force and fact.same_as(known.size, known.mtime_ns, known.inode):
                if known.state == "failed":
                    tally.failed += 1
                elif known.state == "skipped":
                    tally.skipped += 1
                else:
                    tally.unchanged += 1
            else:
                usable = known is not None and known.fingerprint == fingerprint and known.state in ("indexed", "pending")
                jobs.append((Job(fact.path, known.hash if known is not None and usable else b""), fact.size))
                if known is None:
                    fresh.append(fact)
        gone = found.expected
        for path in list(gone):
            lost = inside(path, found.unreadable)
            if lost is not None:
                del gone[path]
                reason = f"{lost}: {found.unreadable[lost]}"
                problems.append(Reading(path, FileStat(path, 0, 0, 0, reason), state="failed", reason=reason))
        again: list[str] = []
        total = len(jobs) + len(problems)
        many = len(jobs) > FEW
        if many:
            # The newest notes are the ones a person looks for first.
            newest = {fact.path: -fact.mtime_ns for fact in found.facts}
            jobs.sort(key=lambda job: newest[job[0].path])
        if fresh and (many or self.paused):
            await self.on_writer(lambda: self._announce(fresh, found.owners))
            self._wrote()
        await self._resumed.wait()
        if problems := [reading for reading in problems if found.owners[reading.path] in self.rules]:
            await self.on_writer(lambda: self._writer.apply(problems, found.owners, gone, tally))
        done, flushed = len(problems), time.monotonic()
        self._tell(Progress("reading", done, total), progress)
        readings = self._pool.read(batched(jobs), settings, many=many)
        if many:
            self.calm.clear()
        try:
            async with contextlib.aclosing(readings):
                async for each in readings:
                    await self._resumed.wait()
                    batch = [reading for reading in each if found.owners[reading.path] in self.rules]
                    again += await self.on_writer(lambda batch=batch: self._writer.apply(batch, found.owners, gone, tally))  # type: ignore[misc]
                    done += len(each)
                    self._tell(Progress("reading", done, total), progress)
                    if time.monotonic() - flushed > FLUSH_SECONDS:
                        await self.on_writer(self._writer.flush)
                        self._wrote()
                        flushed = time.monotonic()
            if gone:
                removed, back = await self.on_writer(lambda: self._remove(gone, found.owners))
                tally.removed += removed
                again += back
        finally:
            try:
                await asyncio.shield(self.on_writer(self._writer.flush))
            finally:
                if many:
                    self.calm.set()
            self._wrote()
        return again

    def _remove(self, gone: Iterable[str], owners: Mapping[str, str]) -> tuple[int, list[str]]:
        # A folder that has vanished since the look is not emptied: it may come back.
        there = {root for root in {owners[path] for path in gone} if root in self.rules and os.path.isdir(root)}  # noqa: PTH112
        return self._writer.remove([path for path in gone if owners[path] in there], there=self._is_note)

    def _is_note(self, path: str) -> bool:
        return self._accepts(path) and look(path) is not None

    def _accepts(self, path: str) -> bool:
        """Whether a folder takes the file under this name, which may lead to it through links."""
        rules = self.rules
        root = inside(path, rules)
        if root is None or not rules[root].accepts(path):
            return False
        return not alias(rules[root], path[len(root) :].strip("/").rpartition("/")[0])

    def _announce(self, fresh: list[FileStat], owners: Mapping[str, str]) -> None:
        by_folder: dict[str, list[FileStat]] = {}
        for fact in fresh:
            by_folder.setdefault(owners[fact.path], []).append(fact)
        for folder, facts in by_folder.items():
            self._writer.announce(facts, folder)

    def _tell(self, now: Progress, progress: Report | None) -> None:
        self.running = now
        self.queue = now.left
        if progress is not None:
            progress(now)

    def _scan(self, parts: Mapping[str, str], lost: set[str] | None = None) -> Look:
        """Look at folders, or at parts of them (root -> directory below it, relative)."""
        found = Look()
        db = self._writer.catalog.reader()
        for root, below in parts.items():
            rules = self.rules.get(root)
            if rules is None:
                continue  # it was left meanwhile
            known = folders.known_under(db, f"{root}/{below}") if below else folders.known_below(db, root)
            others = [other for other in self.rules if other != root]
            try:
                facts = list(scan(rules, below=below, others=others, unreadable=found.unreadable.__setitem__))
            except OSError:
                if lost is None:
                    raise
                lost.add(root)
                continue
            found.facts += facts
            found.expected.update(known)
            found.owners.update(dict.fromkeys(known, root))
            found.owners.update((fact.path, root) for fact in facts)
        return found

    def _inspect(self, paths: set[str]) -> Look:
        """Look at single paths: files, directories, and what is gone."""
        found = Look()
        found.force = True
        db, followed = self._writer.catalog.reader(), self.rules
        for path in paths:
            root = inside(path, followed)
            if root is None:
                continue
            relative = path[len(root) :].strip("/")
            known = folders.known_file(db, path)
            if os.path.isdir(path):  # noqa: PTH112
                if known is not None:  # a file had this name
                    found.expected[path] = known
                    found.owners[path] = root
                parents = relative.split("/") if relative else []
                entered = all(followed[root].directory("/".join(parents[: i + 1])) for i in range(len(parents)))
                if entered and not alias(followed[root], relative):
                    found.add(self._scan({root: relative}))
                continue
            if not os.path.isdir(root):  # noqa: PTH112 - a folder that is gone is not emptied: it may come back
                continue
            gone = {path: known} if known is not None else folders.known_under(db, path)
            fact = look(path) if self._accepts(path) else None
            if fact is not None:
                found.facts.append(fact)
            found.expected.update(gone)
            found.owners.update(dict.fromkeys([*gone, path], root))
        return found
