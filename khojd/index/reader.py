"""Reading one file into a document. Pure work, done in this process for a few files and in worker processes for many."""

import gc
import hashlib
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading

import msgspec
from msgspec import Struct

from khojd.content import registry
from khojd.content.model import ContentSettings
from khojd.errors import ContentError, SkippedContent
from khojd.index.document_rows import rows_of
from khojd.index.rows import DocumentRows
from khojd.index.status import FileState
from khojd.sources.scan import FileStat, look


class Job(Struct, frozen=True, array_like=True):
    """A file to read. `known` is the hash of the bytes that were indexed last with the same settings, b"" for none."""

    path: str
    known: bytes = b""


class Reading(Struct, frozen=True, array_like=True):
    """What reading a file gave. `document` is None unless it was read and differs from what was known.

    `fact` is the file's state before it was read (size, time), so that a change during the reading is seen as a change later.
    `gone` says that there is no such file.
    """

    path: str
    fact: FileStat
    hash: bytes = b""
    document: DocumentRows | None = None
    state: FileState = "indexed"
    reason: str = ""
    gone: bool = False
    unchanged: bool = False


def content_hash(data: bytes) -> bytes:
    """The 16 bytes by which a file's content is known."""
    return hashlib.blake2b(data, digest_size=16).digest()


def too_large(size: int, settings: ContentSettings) -> str:
    """Why a text of so many bytes is not read, "" when it is."""
    return (
        f"{size:,} bytes, more than content.max_file_bytes = {settings.max_file_bytes:,}" if size > settings.max_file_bytes else ""
    )


def read(job: Job, settings: ContentSettings) -> Reading:
    """Read, decode and parse a file. Never raises for what a file may hold or refuse."""
    fact = look(job.path)
    if fact is None:
        return Reading(job.path, FileStat(job.path, 0, 0, 0), gone=True)
    if fact.problem:
        return Reading(job.path, fact, state="failed", reason=fact.problem)
    if reason := registry.skip_reason(job.path):
        return Reading(job.path, fact, state="skipped", reason=reason)
    if reason := too_large(fact.size, settings):
        return Reading(job.path, fact, state="skipped", reason=reason)
    try:
        with open(job.path, "rb") as file:  # noqa: PTH123 - a Path for each of 10,000 files costs more than the call
            data = file.read(settings.max_file_bytes + 1)
    except FileNotFoundError:
        return Reading(job.path, fact, gone=True)
    except OSError as error:
        return Reading(job.path, fact, state="failed", reason=f"cannot be read: {(error.strerror or str(error)).lower()}")
    digest = content_hash(data)
    if digest == job.known:
        return Reading(job.path, fact, hash=digest, unchanged=True)
    try:
        document = registry.read(job.path, data, settings)
    except SkippedContent as error:
        return Reading(job.path, fact, hash=digest, state="skipped", reason=error.message)
    except ContentError as error:
        return Reading(job.path, fact, hash=digest, state="failed", reason=error.message)
    return Reading(job.path, fact, hash=digest, document=rows_of(document))


class _Batch(Struct, frozen=True, array_like=True):
    jobs: list[Job]
    settings: ContentSettings


_encoder = msgspec.msgpack.Encoder()
_batches = msgspec.msgpack.Decoder(_Batch)
_readings = msgspec.msgpack.Decoder(list[Reading])


def encode_batch(jobs: list[Job], settings: ContentSettings) -> bytes:
    """A batch as a worker process takes it: msgpack costs a tenth of what pickle does here."""
    return _encoder.encode(_Batch(jobs, settings))


def read_batch(encoded: bytes) -> bytes:
    """What a worker process runs."""
    batch = _batches.decode(encoded)
    return _encoder.encode([read(job, batch.settings) for job in batch.jobs])


def decode_readings(encoded: bytes) -> list[Reading]:
    """The answer of `read_batch`."""
    return _readings.decode(encoded)


def worker_setup() -> None:
    """First thing in a worker process: searches in the parent go first, and it ends with its parent, however that ends.

    A worker of a killed parent would wait for work for ever: it holds the other end of its queue itself.
    """
    if sys.platform != "win32":
        os.nice(5)
    # A batch makes many objects that all live until it is sent: looking through them for cycles finds none.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent.sentinel,), name="khojd-parent", daemon=True).start()


def _leave_with(parent: int) -> None:
    multiprocessing.connection.wait([parent])
    os._exit(1)
