"""The engine: folders and buffers in, answers out. It wires the parts and knows nothing of LSP.

Everything public is called on one event loop; what blocks runs on threads: one that writes, one that embeds, a few that search.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from msgspec.structs import replace

from khojd.config import Config, Folder
from khojd.content.registry import settings_of
from khojd.embed.factory import Choice, open_embedder
from khojd.errors import IndexCorrupt, NotFound, StorageFull
from khojd.graph.graph import Graph
from khojd.graph.sheet import Sheet
from khojd.graph.stop import Stop
from khojd.index.drafts import Drafts
from khojd.index.filler import Filler
from khojd.index.follower import Follower, rules_of
from khojd.index.indexer import Indexer
from khojd.index.overview import files, overview
from khojd.index.pool import Pool
from khojd.index.status import FileStatus, IndexStatus, Progress, UpdateReport
from khojd.index.stores import VECTORS, Stores, mark_suspect
from khojd.index.threads import Threads
from khojd.index.writer import Writer
from khojd.llm.line import Line
from khojd.search.duplicates import near_duplicates
from khojd.search.grep import grep
from khojd.search.phases import OnPhase, phases
from khojd.search.retrieve import Retriever
from khojd.search.similar import nearness, similar
from khojd.search.types import GrepRequest, GrepResult, Measure, SearchRequest, SearchResult, SimilarRequest
from khojd.sources.buffers import Buffer, Buffers, viewer
from khojd.sources.folder import resolved
from khojd.sources.scan import inside, notes

log = logging.getLogger(__name__)
T = TypeVar("T")

GREP_SECONDS = 20.0
Report = Callable[[Progress], None]


class Engine:
    """One open index. Make it with `open`, end it with `close`."""

    def __init__(self, config: Config, stores: Stores) -> None:
        self.config = config
        self.fatal = asyncio.Event()  # the catalog does not read back: the process must end, the next start repairs it
        self._stores = stores
        self._listeners: list[Callable[[], None]] = []
        self._buffers = Buffers(shared=config.index.share_unsaved)
        self._pool = Pool(config.index.workers)
        self._writer = Writer(stores.catalog, stores.words, settings_of(config.content))
        self._indexer = Indexer(self._writer, self._pool, self._wrote)
        self._line = Line()
        self._filler = Filler(
            stores.catalog,
            stores.directory / VECTORS,
            Choice.of(config),
            open=lambda choice: open_embedder(choice, line=self._line),
            calm=self._indexer.calm,
            changed=self._changed,
            corrupt=self._suspect,
        )
        self._threads = Threads(self._suspect)
        self._follower = Follower(
            self._indexer,
            self._writer,
            config.index,
            stores.directory,
            problem=self.problem,
            corrupt=self._suspect,
            changed=self._changed,
        )
        self._drafts = Drafts(
            self._indexer, self._writer, self._buffers, wrote=self._wrote, problem=self.problem, corrupt=self._suspect
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._problems: dict[str, str] = dict(stores.problems)
        self._retriever: Retriever | None = None

    @classmethod
    async def open(cls, config: Config, *, index_dir: Path) -> Self:
        """Open the index in `index_dir`, make it if there is none, and start to keep it up to date.

        Raises IndexTooNew, StorageFull, ConfigError. A store that does not read back is set aside and built anew.
        """
        rules = rules_of(config.folders, index_dir)
        try:
            engine = await cls._opened(config, index_dir, list(rules))
        except IndexCorrupt:
            mark_suspect(index_dir)  # damage that is met only by reading on: now the catalog is read whole, and set aside
            engine = await cls._opened(config, index_dir, list(rules))
        for rule in rules.values():
            engine._follower.follow(rule)
        engine._spawn(engine._filler.run(), "meaning")
        engine._spawn(engine._drafts.run(), "buffers")
        if engine._stores.unclean:
            engine._spawn(engine._check(), "check")
        return engine

    @classmethod
    async def _opened(cls, config: Config, index_dir: Path, roots: list[str]) -> Self:
        stores = await asyncio.to_thread(Stores.open, index_dir)
        engine = cls(config, stores)
        try:
            if not stores.catalog.read_only:
                await engine._indexer.on_writer(engine._writer.recover)
                await engine._indexer.on_writer(lambda: engine._writer.hide_others(roots))
        except BaseException:
            await engine.close()
            raise
        return engine

    async def close(self) -> None:
        """Stop all work and close the stores. What is unfinished is resumed at the next start."""
        await self._follower.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._line.close)  # first: threads may wait for a server
        await self._indexer.close()
        await self._threads.close()
        await self._filler.close()
        self._stores.catalog.interrupt()
        await self._threads.ended()
        await asyncio.to_thread(self._stores.close)

    @property
    def busy(self) -> bool:
        """Whether work is pending, so that the process should stay."""
        return self._drafts.busy or ((self._indexer.busy or self._filler.busy) and not self._indexer.paused)

    @property
    def opened(self) -> bool:
        """Whether the model and its vectors are open, or are known not to open."""
        return self._filler.opened.is_set()

    @property
    def index_dir(self) -> Path:
        return self._stores.directory

    # Search

    async def search(self, request: SearchRequest, *, measure: Measure = len, on_phase: OnPhase | None = None) -> SearchResult:
        """Answer a search; `on_phase` gets each phase as it is known, the last one included. Raises QueryError, ModelError."""
        if request.mode != "lexical":
            await self._filler.ready()
        request = replace(request, viewer=self._viewer())
        for attempt in (1, 2):
            retriever = self._retriever_now()
            try:
                with self._filler.query():
                    result, changed = await phases(retriever, request, measure=measure, on_phase=on_phase, run=self._threads.search)
            except Exception:
                if attempt == 2 or self._retriever_now() is retriever:
                    raise
                continue  # the model was changed under it
            if attempt == 1 and request.mode != "lexical" and self._retriever_now() is not retriever:
                continue
            # A hit must point at the file as it is now: read what changed since, and ask again.
            if not changed or attempt == 2 or self._indexer.paused:
                break
            try:
                await self._indexer.look_at(changed)
            except (StorageFull, OSError) as error:
                log.warning("answering from the index as it was: %s", error)
                break
        return result

    async def similar(self, request: SimilarRequest, *, measure: Measure = len) -> SearchResult:
        """More like a text or a place in a note; never the place itself. Raises QueryError, NotFound, ModelError."""
        await self._filler.ready()
        retriever, asked = self._retriever_now(), replace(request, viewer=self._viewer())
        with self._filler.query():
            return await self._threads.search(lambda: similar(retriever, asked, measure=measure))

    async def nearness(self, query: str, texts: Sequence[str]) -> list[float] | None:
        """The cosine of each text to a query; None where no model of this machine is open, or it cannot read the query."""
        retriever = self._retriever_now()
        with self._filler.query():
            return await self._threads.search(lambda: nearness(retriever, query, texts))

    async def near_duplicates(self, path: str) -> list[tuple[str, float]]:
        """Notes that say nearly the same as the one at `path`, with the cosine; none while there is no model."""
        retriever, seen = self._retriever_now(), self._viewer()
        return await self._threads.search(lambda: near_duplicates(retriever, path, seen))

    async def grep(self, request: GrepRequest, *, measure: Measure = len) -> GrepResult:
        """Lines of the files on disk that match a regular expression. Raises QueryError."""
        stop = threading.Event()
        rules = self._indexer.rules

        def work() -> GrepResult:
            paths = (path for root, each in rules.items() if within(root) for path in notes(each, others=rules.keys() - {root}))
            return grep(request, paths, measure=measure, cancelled=stop.is_set, limit_s=GREP_SECONDS, roots=list(rules))

        def within(root: str) -> bool:
            return any(inside(top, [root]) or inside(root, [top]) for top in request.folders) if request.folders else True

        try:
            return await self._threads.search(work)
        finally:
            stop.set()

    async def graph(self, work: Callable[[Graph], T], sheets: Mapping[str, Sheet] | None = None) -> T:
        """The result of `work` on the link graph, on a thread; `sheets` are the texts that the asking editor shows.

        Cancelled, it ends the work soon, too.
        """
        roots, stores, stop, seen = tuple(self._indexer.rules), self._stores, Stop(), self._viewer()

        def follows(path: str) -> bool:
            return self._indexer.folder_of(path) is not None

        def run() -> T:
            stop.check()
            db = stores.catalog.seen_by(seen)
            with stop.interrupting(db):
                return work(Graph(db, roots, sheets or {}, stores.words.phrase, stop=stop, follows=follows))

        try:
            return await self._threads.graph(run)
        finally:
            stop.set()

    # Buffers

    def open_buffer(self, owner: str, path: str, text: str, version: int) -> None:
        """An editor shows `path` with this text, saved or not."""
        self._buffers.set(Buffer(owner, path, text, version))
        self._drafts.changed(self._buffers.standing(path, owner))

    change_buffer = open_buffer

    def close_buffer(self, owner: str, path: str) -> None:
        """The editor shows it no longer; the file on disk counts again."""
        if self._buffers.close(owner, path):
            self._drafts.changed(self._buffers.standing(path, owner))

    def close_owner(self, owner: str) -> None:
        """The editor is gone."""
        for path in self._buffers.close_owner(owner):
            self._drafts.changed(self._buffers.standing(path, owner))

    def buffer(self, path: str) -> Buffer | None:
        """The editor's text that stands for `path` in what is asked now, None when there is none."""
        return self._buffers.at(self._buffers.standing(path, viewer.get()))

    def _viewer(self) -> int:
        """The overlay of unsaved texts that counts for whoever asks now."""
        return self._buffers.overlay(viewer.get())

    # Index

    async def update(self, paths: Sequence[str] = (), *, progress: Report | None = None, embed: bool = False) -> UpdateReport:
        """Look at given paths (all folders when none) and read what changed; with `embed`, also wait until all has its vectors.

        Returns when the words are searchable. Raises NotFound for a path outside every folder.
        """
        for path in paths:
            if inside(path, self._indexer.rules) is None:
                raise NotFound(
                    f"{path} is in none of the folders; add it with `khojd index --add` or in the configuration", path=path
                )
        if paths:
            report = await self._indexer.look_at(paths, progress)
        else:
            report = await self._follower.look(progress)
        if embed:
            await self._filler.drained(progress)
        return report

    async def pause(self) -> None:
        """Read and embed nothing until resumed. Buffers and searches go on."""
        self._indexer.pause()
        self._filler.pause()
        self._changed()

    async def resume(self) -> None:
        self._indexer.resume()
        self._filler.resume()
        self._changed()

    async def add_folder(self, folder: Folder) -> None:
        """Take a folder in, for the life of this process. Raises ConfigError when it cannot be one."""
        await self._follower.add(folder)
        self._drafts.all_changed()

    async def remove_folder(self, path: str) -> None:
        """Leave a folder and forget its files. Raises NotFound."""
        await self._follower.remove(path)
        self._drafts.all_changed()
        self._wrote()

    def folders(self) -> tuple[Folder, ...]:
        return tuple(rules.folder for rules in self._indexer.rules.values())

    async def status(self) -> IndexStatus:
        """The state of the index."""
        away = [problem for problem in self._line.problems if problem != self._filler.problem]
        folders, problems = self._follower.status(), (*self._problems.values(), *away)
        return await self._threads.aside(lambda: overview(self._stores, self._indexer, self._filler, folders, problems))

    async def files(
        self, *, states: tuple[str, ...] = (), prefix: str = "", limit: int = 0, offset: int = 0
    ) -> tuple[FileStatus, ...]:
        """Files with their states, in the order of their paths; `limit` 0 is all."""
        catalog = self._stores.catalog
        return await self._threads.aside(lambda: files(catalog, states=states, prefix=prefix, limit=limit, offset=offset))

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the loop whenever the status changes; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    # Configuration

    async def reconfigure(self, config: Config) -> None:
        """Go on with other settings; whatever they change is brought up to date in the background. Raises ConfigError."""
        wanted = rules_of(config.folders, self.index_dir)
        before, self.config = {resolved(folder).path for folder in self.config.folders}, config
        settings = settings_of(config.content)
        content_changed = settings != self._writer.settings
        if content_changed:
            await self._indexer.on_writer(lambda: self._writer.configure(settings))
        await self._follower.configure(before, wanted, config.index)
        self._drafts.all_changed()
        if content_changed:
            self._spawn(self._look(), "look")
        await self._filler.reopen(Choice.of(config))
        self._line.keep(config.providers)
        self._drafts.share(config.index.share_unsaved)
        self._retriever = None
        self._wrote()

    def problem(self, key: str, message: str) -> None:
        """Show `message` in the status under `key`; "" takes it away."""
        if message:
            self._problems[key] = message
        else:
            self._problems.pop(key, None)
        self._changed()

    # Inside

    def _retriever_now(self) -> Retriever:
        serving = self._filler.serving
        store = serving.store if serving is not None else None
        if self._retriever is None or self._retriever.vectors is not store:
            stores = self._stores
            self._retriever = Retriever(
                stores.catalog, stores.words, store, self._filler.cache, self.config, executor=self._threads.beside, line=self._line
            )
        self._retriever.problem = self._filler.problem
        return self._retriever

    def _suspect(self, error: IndexCorrupt) -> None:
        log.error("%s; it is repaired at the next start", error.message)
        self.problem("corrupt", f"{error.message}; khojd starts anew to repair it")
        mark_suspect(self._stores.directory)
        self.fatal.set()

    async def _look(self) -> None:
        await self._follower.look()

    async def _check(self) -> None:
        """After a start that followed no clean end: read the whole catalog once, in the background."""
        found = await self._threads.aside(self._stores.catalog.integrity)
        if found:
            self._suspect(IndexCorrupt(f"the catalog is damaged: {found[0]}", path=str(self._stores.catalog.path), store="catalog"))

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if task in self._tasks:
            self._tasks.remove(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s ended by an error", task.get_name(), exc_info=error)
            self.problem(task.get_name(), f"{task.get_name()}: {error}")

    def _wrote(self) -> None:
        self._filler.wake()
        self._drafts.retry()
        self._changed()

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()
