"""Keeps meaning up to date in the background: opens the model, embeds what waits, changes models while the old one serves."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from khojd import config
from khojd.embed.cache import QueryCache
from khojd.embed.factory import Choice
from khojd.embed.protocol import Embedder
from khojd.errors import Cancelled, IndexCorrupt, KhojdError, ModelError, StorageFull
from khojd.index import catalog_queue as queue
from khojd.index import catalog_vectors as rows
from khojd.index.catalog import Catalog
from khojd.index.meaning import Meaning
from khojd.index.scan import Reading
from khojd.index.status import Progress

log = logging.getLogger(__name__)
T = TypeVar("T")

SETTLE_SECONDS = 0.5  # typing goes on: embed when it pauses
COLLECT_SECONDS = 60.0  # orphaned vectors stay this long after the last change; the text may come back (undo, a move)
RETRY_SECONDS = 30.0
PATIENCE = 10.0  # seconds
QUERY_PATIENCE = 0.25  # longest wait for queries between two of the model's batches, seconds


class Filler:
    """Owns the models and the thread they fill up on. Belongs to one event loop. Fills while `calm` is set.

    `open` opens the embedder of a choice. `serving` answers queries; `target` is being filled and takes over when it is complete;
    mostly they are one. While the index cannot be written, the catalog's vectors serve and there is no target.
    """

    def __init__(
        self,
        catalog: Catalog,
        directory: Path,
        choice: Choice,
        *,
        open: Callable[[Choice], Embedder | None],
        calm: asyncio.Event,
        changed: Callable[[], None],
        corrupt: Callable[[IndexCorrupt], None],
    ) -> None:
        self.serving: Meaning | Reading | None = None
        self.target: Meaning | None = None
        self.cache: QueryCache | None = None
        self.problem = ""  # why there is no meaning
        self.opened = asyncio.Event()  # the attempt to open the model has ended
        self.entries_per_second = 0.0
        self.running: Progress | None = None
        self._catalog = catalog
        self._directory = directory
        self._choice = choice
        self._open_embedder = open
        self._calm = calm
        self._changed = changed
        self._corrupt = corrupt
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="khojd-meaning")
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._reopen = asyncio.Event()
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._patience = PATIENCE
        self._unopened = ""  # why the wanted model is not open
        self._repaired: Meaning | None = None  # whose vector store has been compared with the catalog
        self._stuck = False  # an error keeps entries waiting until the next attempt
        self._queries = 0
        self._quiet = threading.Event()
        self._quiet.set()
        self._closing = False

    @property
    def busy(self) -> bool:
        return not self.opened.is_set() or self._filling

    @property
    def _filling(self) -> bool:
        return self.target is not None and self._resumed.is_set() and not self._stuck and not self._drained.is_set()

    def wake(self) -> None:
        """Entries may wait."""
        self._drained.clear()
        if self._stuck and self.target is None:
            self.opened.clear()
        self._stuck = False
        self._wake.set()

    def pause(self) -> None:
        self._resumed.clear()

    def resume(self) -> None:
        self._resumed.set()

    @contextmanager
    def query(self) -> Iterator[None]:
        """While a query runs, the model's next batch waits a little. Call on the loop."""
        self._queries += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._queries -= 1
            if not self._queries:
                self._quiet.set()

    async def ready(self) -> None:
        """Return when the model is open, or known not to open. Searches wait once for it, as long as a model usually takes."""
        try:
            async with asyncio.timeout(self._patience):
                await self.opened.wait()
        except TimeoutError:
            self._patience = 0.0
            log.info("the model is not open yet; answering by words")

    async def drained(self, progress: Callable[[Progress], None] | None = None) -> None:
        """Return when every entry is embedded, or none will be for now (no model, paused, a full disk)."""
        await self.opened.wait()
        while self._filling:
            if progress is not None and self.running is not None:
                progress(self.running)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self._drained.wait()

    async def run(self) -> None:
        """Open the model and fill until cancelled; with other settings, begin again."""
        while True:
            self._reopen.clear()
            self._wake.clear()
            self._stuck = False
            away = False
            try:
                await self._on_thread(self._open)
            except StorageFull as error:
                self._stop_at(error)
                if self._wake.is_set():
                    continue  # something was written meanwhile, so there is room again
            except KhojdError as error:
                if error.message != self._unopened:
                    log.warning("the embedding model cannot be opened: %s", error.message)
                self.problem = self._unopened = error.message
                away = isinstance(error, ModelError) and "provider" in error.data  # its server may be back at any time
            except Exception as error:
                self.problem = self._unopened = f"the model could not be opened: {error}"
                log.exception("the embedding model cannot be opened")
            else:
                self._unopened = ""
            self.opened.set()
            self._changed()
            again = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._open_again) if away else None
            try:
                if self.target is not None:  # the former one, where the wanted one cannot be opened
                    await self._keep_full(self.target)
                elif self._stuck:
                    await self._woken(RETRY_SECONDS)
                else:
                    await self._reopen.wait()
            finally:
                if again is not None:
                    again.cancel()

    async def _keep_full(self, target: Meaning) -> None:
        """Embed whatever waits, until the model is to be another."""
        while not self._reopen.is_set():
            await self._resumed.wait()
            self._wake.clear()
            try:
                if self._repaired is not target:
                    await self._on_thread(target.repair)
                    self._repaired = target
                await self._fill(target)
                if self._reopen.is_set():
                    return  # it may not be full
                await self._on_thread(lambda: self._complete(target))
            except Exception as error:
                # A full disk, say. What waits keeps waiting; the old vectors answer.
                if not isinstance(error, KhojdError | OSError):
                    log.exception("embedding stopped by an error nobody expected")
                self._stop_at(error)
                if isinstance(error, ModelError) and error.data.get("changed"):
                    return  # another model by the same name: opened again, it is another one
                await self._woken(RETRY_SECONDS)
                continue
            self.problem = self._unopened
            if not self._wake.is_set():
                self._drained.set()
                self._changed()
                if not await self._woken(COLLECT_SECONDS):
                    await self._collect(target)
                    await self._wake.wait()
            await asyncio.sleep(SETTLE_SECONDS)

    def _stop_at(self, error: Exception) -> None:
        log.warning("embedding stopped: %s", error)
        self.problem = str(error)
        self._stuck = not self._wake.is_set()  # else the next attempt is under way, and who waits must not give up
        self.running = None
        if isinstance(error, IndexCorrupt):
            self._corrupt(error)
        self._changed()

    async def _woken(self, seconds: float) -> bool:
        """Wait until there may be something to do, at most so long; whether there may."""
        with suppress(TimeoutError):
            # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event, and this loop is endless.
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        return self._wake.is_set()

    async def reopen(self, choice: Choice) -> None:
        """Use another model from now on; the present one serves until the other is complete."""
        if choice == self._choice:
            return
        self._choice = choice
        self._reopen.set()
        self.wake()

    def _open_again(self) -> None:
        self._reopen.set()
        self._wake.set()

    async def close(self) -> None:
        """Close the models; a pass that is under way ends with the batch that the model is at."""
        self._closing = True
        self._quiet.set()
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
        for meaning in {id(m): m for m in (self.serving, self.target) if m is not None}.values():
            meaning.close()

    async def _fill(self, target: Meaning) -> None:
        while not self._reopen.is_set() and await self._on_thread(target.hand_on):
            self._changed()
        done, started = 0, time.monotonic()
        while not self._reopen.is_set():
            await self._resumed.wait()
            await self._calm.wait()
            made = await self._on_thread(lambda: target.fill(breathe=self._breathe))
            if not made.entries:
                break
            done += made.entries
            self.entries_per_second = done / max(time.monotonic() - started, 1e-6)
            waiting = await self._on_thread(lambda: queue.count_vectors_pending(self._catalog.reader(), target.model_id))
            self.running = Progress("embedding", done, done + waiting)
            self._changed()
        self.running = None

    def _breathe(self) -> None:
        self._quiet.wait(QUERY_PATIENCE)
        if self._closing:
            raise Cancelled("khojd is ending")

    def _open(self) -> None:
        if isinstance(self.serving, Reading):
            with self._catalog.transaction() as db:  # before a model is opened in vain
                rows.set_active_model(db, self.serving.model_id)
        embedder = self._open_embedder(self._choice)
        former, self.target = self.target, None
        if former is not None and former is not self.serving:
            former.close()
        if embedder is None:
            self.problem = 'embedding.model is "off"'
            self.serving = self.cache = None
            return
        try:
            self._take_up(self._meaning(embedder))
        except StorageFull:
            self._read()
            raise

    def _take_up(self, target: Meaning) -> None:
        """Let `target` be filled; it serves at once, unless another model has the vectors."""
        try:
            with self._catalog.transaction() as db:
                rows.set_meta(db, f"model_settings.{target.model_id}", msgspec.json.encode(self._choice).decode())
            active = rows.active_model(self._catalog.reader())
            if active is not None and active != target.model_id and self.serving is None:
                self.serving = self._former(active)
            former = self.serving
            if former is not None and active != target.model_id:
                self._cache(former)
            else:
                self._serve(target)
                if former is not None:
                    former.close()
        except BaseException:
            target.close()
            raise
        self.target = target

    def _read(self) -> None:
        """The index cannot be written, so there is no vector store: what the catalog holds still answers."""
        active = rows.active_model(self._catalog.reader())
        embedder = self._stored(active) if self.serving is None and active is not None else None
        if embedder is not None and active is not None:
            log.warning("the index cannot be written: search by meaning compares with every vector of the catalog")
            self.serving = Reading(self._catalog, active, embedder)
            self._cache(self.serving)

    def _former(self, model_id: int) -> Meaning | None:
        """The model that served before the settings changed, None where it cannot be opened any more."""
        embedder = self._stored(model_id)
        return None if embedder is None else self._meaning(embedder)

    def _stored(self, model_id: int) -> Embedder | None:
        """A model of the catalog, opened with the settings it had; None where that is not possible any more."""
        text = rows.meta(self._catalog.reader(), f"model_settings.{model_id}")
        try:
            embedder = self._open_embedder(_choice(text))
        except (msgspec.MsgspecError, KhojdError) as error:
            log.warning("the model that the index was made with cannot serve: %s", error)
            return None
        if embedder is not None and embedder.id != rows.models(self._catalog.reader()).get(model_id):
            embedder.close()
            return None
        return embedder

    def _meaning(self, embedder: Embedder) -> Meaning:
        try:
            return Meaning(self._catalog, self._directory, embedder)
        except BaseException:
            embedder.close()
            raise

    def _serve(self, meaning: Meaning) -> None:
        with self._catalog.transaction() as db:
            rows.set_active_model(db, meaning.model_id)
        self._cache(meaning)
        self.serving = meaning

    def _cache(self, meaning: Meaning | Reading) -> None:
        self.cache = QueryCache(meaning.embedder, self._choice.embedding.query_cache, self._choice.embedding.query_cache_seconds)

    def _complete(self, target: Meaning) -> None:
        """The target has everything: it serves from now on, and other models' vectors go."""
        former = self.serving
        if former is not target:
            self._serve(target)
            if former is not None:
                former.close()
        others = [model_id for model_id in rows.models(self._catalog.reader()) if model_id != target.model_id]
        for model_id in others:
            with self._catalog.transaction() as db:
                rows.drop_model(db, model_id)
        if others:
            target.store.drop_others()

    async def _collect(self, target: Meaning) -> None:
        def collect() -> None:
            log.info("removed %d vectors of text that is gone", target.collect())
            self._catalog.checkpoint()

        try:
            await self._on_thread(collect)
        except (KhojdError, OSError) as error:
            log.warning("vectors of text that is gone could not be removed: %s", error)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _choice(text: str) -> Choice:
    """A choice as the catalog has it; before there were remote models it was the table `embedding` alone. Raises MsgspecError."""
    try:
        return msgspec.json.decode(text, type=Choice)
    except msgspec.ValidationError:
        return Choice(msgspec.json.decode(text, type=config.Embedding))
