"""Worker processes that parse files in a large run, so that neither the loop nor a search waits for the interpreter's lock."""

import asyncio
import contextlib
import logging
import multiprocessing
import os
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from khojd.content.model import ContentSettings
from khojd.index.reader import Job, Reading, decode_readings, encode_batch, read, read_batch, worker_setup

log = logging.getLogger(__name__)

FEW = 48  # files that are read in this process: less than starting workers costs
BATCH_BYTES = 400_000
BATCH_FILES = 64
MOST_TIMES = 3  # batches of a large run are so many times as large: each is a transaction, and costs as such
LARGE = 1000  # files of a run for each time
IDLE_SECONDS = 10.0
IN_FLIGHT = 4  # batches per worker that are read or wait to be written: the writer pauses to commit, the workers should not


class Pool:
    """Reads batches of files, in workers when there are many. The workers leave when idle and are started again when needed."""

    def __init__(self, workers: int = 0) -> None:
        self._workers = workers or max(1, min(8, os.cpu_count() or 1))
        self._executor: ProcessPoolExecutor | None = None
        self._retire: asyncio.TimerHandle | None = None
        self._users = 0

    async def read(
        self, batches: Iterable[list[Job]], settings: ContentSettings, *, many: bool
    ) -> AsyncGenerator[list[Reading], None]:
        """Readings batch by batch, in no fixed order. Closing the iterator stops the run after the batches in work."""
        if not many:
            for batch in batches:
                yield await asyncio.to_thread(_read_here, batch, settings)
            return
        self._users += 1
        if self._retire is not None:
            self._retire.cancel()
        waiting: dict[asyncio.Future[bytes], tuple[list[Job], ProcessPoolExecutor | None]] = {}
        source: Iterator[list[Job]] = iter(batches)
        try:
            while True:
                for batch in islice(source, self._workers * IN_FLIGHT - len(waiting)):
                    future = self._submit(batch, settings)
                    waiting[future] = batch, self._executor
                if not waiting:
                    return
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    batch, executor = waiting.pop(future)
                    try:
                        readings = decode_readings(future.result())
                    except BrokenProcessPool:
                        # A worker died (killed, out of memory). The files are read here, one by one.
                        log.warning("a parsing process died; reading %d files without it", len(batch))
                        if executor is self._executor:  # else others have been started since, which are well
                            self._stop()
                        readings = await asyncio.to_thread(_read_here, batch, settings)
                    yield readings
        finally:
            for future in waiting:
                future.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            self._users -= 1
            if not self._users:
                self._retire = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._stop)

    def close(self) -> None:
        if self._retire is not None:
            self._retire.cancel()
        self._stop()

    def _submit(self, batch: list[Job], settings: ContentSettings) -> "asyncio.Future[bytes]":
        try:
            return self._begin(batch, settings)
        except BrokenProcessPool:
            # A worker died while it had nothing to do, or in another run.
            log.warning("a parsing process died; others are started")
            self._stop()
            return self._begin(batch, settings)

    def _begin(self, batch: list[Job], settings: ContentSettings) -> "asyncio.Future[bytes]":
        if self._executor is None:
            # Never fork: this process has threads. A fork server would stay for good, and its directory in /tmp after a kill.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self._workers, mp_context=context, initializer=worker_setup)
        return asyncio.get_running_loop().run_in_executor(self._executor, read_batch, encode_batch(batch, settings))

    def _stop(self) -> None:
        if self._executor is not None:
            with contextlib.suppress(OSError):
                self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def batched(jobs: Sequence[tuple[Job, int]]) -> Iterator[list[Job]]:
    """Group jobs, given with their file sizes, into batches that take a similar time."""
    times = max(1, min(MOST_TIMES, len(jobs) // LARGE))
    files, size = times * BATCH_FILES, times * BATCH_BYTES
    batch: list[Job] = []
    total = 0
    for job, length in jobs:
        batch.append(job)
        total += length
        if len(batch) >= files or total >= size:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _read_here(batch: list[Job], settings: ContentSettings) -> list[Reading]:
    return [read(job, settings) for job in batch]
