"""Conversations on disk: the SQLite file `conversations.db` in the index directory, and the one thread that works on it.

A person's conversations cannot be made again, so nothing here removes them: a damaged file is kept under another name, what an
edited question replaces is put aside, and a turn that was cut off keeps what there is of its answer.
"""

import asyncio
import contextlib
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from khojd.chat import store_file, store_rows, store_salvage, titles
from khojd.chat.model import Conversation, Turn
from khojd.errors import IndexCorrupt, StorageFull, StoreError

log = logging.getLogger(__name__)
T = TypeVar("T")
Turns = list[Turn]  # `Conversations.list` hides the name


def new_id() -> str:
    """An id for a conversation or a turn: 16 random hexadecimal digits."""
    return secrets.token_hex(8)


def new_conversation(question: str, *, persona: str = "", filters: str = "") -> Conversation:
    """A conversation that begins with `question`, kept nowhere yet."""
    now = time.time()
    return Conversation(
        id=new_id(), title=titles.from_question(question), created=now, updated=now, persona=persona, filters=filters
    )


class Conversations:
    """The conversations of one index directory. Belongs to one event loop; every call waits its turn on one thread.

    `problem` says what a person must know: the file was set aside, or nothing can be written. Where it cannot be written, reading
    works and every change raises StorageFull, until there is room again. Besides NotFound, any call may raise IndexCorrupt and
    StoreError. A call that is cancelled is done all the same.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problem = ""
        self._db: sqlite3.Connection | None = None
        self._writable = False
        self._closed = False
        self._listener: Callable[[str], None] = lambda problem: None
        self._told = ""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="khojd-conversations")

    @classmethod
    async def open(cls, directory: Path) -> Self:
        """Open or make the file. Turns that another process left running become failed, with the text that they have.

        A damaged file is set aside, one that cannot be written is read. Raises IndexTooNew; StorageFull when it can neither be
        read nor set aside.
        """
        store = cls(directory)
        try:
            await store._on_thread(store._open)
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """End the thread, after what it has been given to do."""

        def close() -> None:
            if self._db is not None:
                self._db.close()
                self._db = None

        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, close)
            self._thread.shutdown(wait=False)

    def watch(self, listener: Callable[[str], None]) -> None:
        """Call `listener` on the loop with `problem` whenever it changes, and now if there is one; "" says that all is well."""
        self._listener, self._told = listener, ""
        self._tell()

    # --- conversations ------------------------------------------------------------------------------------------------------

    async def begin(self, question: str, *, persona: str = "", filters: str = "") -> Conversation:
        """A new conversation, titled by its first question. Raises StorageFull: `new_conversation` makes one without the file."""
        one = new_conversation(question, persona=persona, filters=filters)
        return await self._write(lambda db: self._inserted(db, one))

    async def get(self, id: str) -> Conversation:
        """The conversation with this id, or whose id alone begins so. Raises NotFound."""
        return await self._read(lambda db: store_rows.conversation(db, store_rows.resolve(db, id)))

    async def resolve(self, prefix: str) -> str:
        """The id of the conversation whose id begins so. Raises NotFound, also when there are several."""
        return await self._read(lambda db: store_rows.resolve(db, prefix))

    async def resolve_turn(self, prefix: str) -> str:
        """The id of the turn whose id begins so. Raises NotFound, also when there are several."""
        return await self._read(lambda db: store_rows.resolve(db, prefix, "turns"))

    async def list(self, query: str = "", *, limit: int = 0, offset: int = 0) -> list[Conversation]:
        """Conversations, last changed first: all, or those with every word of `query` in title, questions or answers."""
        return await self._read(lambda db: store_rows.listed(db, query, limit, offset))

    async def rename(self, id: str, title: str) -> Conversation:
        """Title a conversation as a person wants; an empty title is made from the first question again. Raises NotFound."""
        wanted = titles.tidy(title)

        def rename(db: sqlite3.Connection) -> Conversation:
            store_rows.conversation(db, id)
            store_rows.set_title(db, id, wanted or store_rows.automatic_title(db, id), titled=bool(wanted))
            return store_rows.conversation(db, id)

        return await self._write(rename)

    async def entitle(self, id: str, title: str) -> Conversation:
        """Title a conversation as a model proposes, unless someone has named it before. Raises NotFound."""
        wanted = titles.tidy(title)

        def entitle(db: sqlite3.Connection) -> Conversation:
            if wanted and not store_rows.conversation(db, id).titled:
                store_rows.set_title(db, id, wanted, titled=True)
            return store_rows.conversation(db, id)

        return await self._write(entitle)

    async def change(self, id: str, *, persona: str | None = None, filters: str | None = None) -> Conversation:
        """Give a conversation another persona or other filters, where they are not None. Raises NotFound."""

        def change(db: sqlite3.Connection) -> Conversation:
            store_rows.conversation(db, id)
            db.execute(
                "UPDATE conversations SET persona = ifnull(?, persona), filters = ifnull(?, filters) WHERE id = ?",
                (persona, filters, id),
            )
            return store_rows.conversation(db, id)

        return await self._write(change)

    async def delete(self, id: str) -> None:
        """Remove a conversation and its turns, also those put aside, from the disk. Raises NotFound."""

        def delete(db: sqlite3.Connection) -> None:
            store_rows.conversation(db, id)
            db.execute("DELETE FROM conversations WHERE id = ?", (id,))

        await self._write(delete)
        await self._read(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())

    async def fork(self, turn_id: str) -> Conversation:
        """A new conversation with copies of a turn and all that led to it. Raises NotFound, ChatError while one of them runs."""

        def fork(db: sqlite3.Connection) -> Conversation:
            line = store_rows.line_of(db, turn_id)
            source = store_rows.conversation(db, line[-1].conversation)
            now = time.time()
            copy = msgspec.structs.replace(source, id=new_id(), created=now, updated=now, forked_from=turn_id)
            store_rows.insert_conversation(db, copy)
            for turn in line:
                store_rows.save_turn(db, msgspec.structs.replace(turn, id=new_id(), conversation=copy.id), now)
            return store_rows.conversation(db, copy.id)

        return await self._write(fork)

    # --- turns --------------------------------------------------------------------------------------------------------------

    async def add(self, turn: Turn) -> None:
        """Keep a new turn, last of its conversation. Raises NotFound for an unknown conversation."""
        await self.save(turn)

    async def save(self, turn: Turn) -> None:
        """Keep a turn as it is now, in the place it has. Raises NotFound when its conversation was deleted meanwhile."""
        await self._write(lambda db: store_rows.save_turn(db, turn, time.time()))

    async def amend(self, id: str, change: Callable[[Turn], Turn]) -> None:
        """Add to a turn that has ended, in its place; its conversation is not changed by that. Raises NotFound."""
        await self._write(lambda db: store_rows.replace_turn(db, change(store_rows.turn(db, id))))

    async def turn(self, id: str) -> Turn:
        """Raises NotFound."""
        return await self._read(lambda db: self._as_read(store_rows.turn(db, id)))

    async def turns(self, conversation: str, *, aside: bool = False) -> Turns:
        """The turns of a conversation in their order, or with `aside` those that were put aside. Raises NotFound."""

        def turns(db: sqlite3.Connection) -> Turns:
            store_rows.conversation(db, conversation)
            return [self._as_read(turn) for turn in store_rows.turns(db, conversation, aside=aside)]

        return await self._read(turns)

    async def put_aside(self, turn_id: str) -> Turns:
        """Take a turn and those after it out of the conversation, to ask anew; they are kept. Raises NotFound."""
        return await self._write(lambda db: store_rows.put_aside(db, turn_id, time.time()))

    # --- the thread ---------------------------------------------------------------------------------------------------------

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._on_thread(lambda: work(self._opened()))

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def write() -> T:
            with self._transaction() as db:
                return work(db)

        return await self._on_thread(write)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            try:
                with store_file.errors(self.directory / store_file.FILE):
                    return work()
            except IndexCorrupt:
                if self._db is not None:
                    self._mend()
                raise

        if self._closed:
            raise StoreError(f"the conversations of {self.directory} are closed", path=str(self.directory))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)
        finally:
            self._tell()

    def _tell(self) -> None:
        if self.problem != self._told:
            self._told = self.problem
            self._listener(self.problem)

    def _opened(self) -> sqlite3.Connection:
        assert self._db is not None, "the thread takes no work after the connection is closed"
        return self._db

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if not self._writable:
            self._reopen()
        db = self._opened()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _open(self) -> None:
        """Open the file for writing, else for reading, else go without."""
        self.problem = ""
        try:
            try:
                self._take(store_file.open_writable(self.directory))
            except IndexCorrupt as error:
                log.error("%s", error.message)
                self._begin_anew()
        except StorageFull as error:
            log.warning("%s", error.message)
            self._note(error.message)
            self._writable = False
            try:
                self._db = store_file.open_readable(self.directory)
            except IndexCorrupt as damage:
                self._note(damage.message)
                self._db = store_file.empty()
            except StorageFull:
                self._db = store_file.empty()

    def _begin_anew(self) -> None:
        """Set the damaged file aside, and take over what can be read of it."""
        aside = store_file.set_aside(self.directory)
        db = store_file.open_writable(self.directory)
        try:
            with store_file.errors(self.directory / store_file.FILE):
                db.execute("BEGIN IMMEDIATE")
                conversations, turns = store_salvage.salvage(db, aside)
                db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        log.error("the file is kept as %s; %d conversations with %d turns were taken over", aside.name, conversations, turns)
        self._note(
            f"the file of conversations did not read back and is kept as {aside};"
            f" what could be read of it was taken over: {conversations} conversations with {turns} turns"
        )
        self._take(db)

    def _mend(self) -> None:
        """Look at the whole file after something in it did not read back."""
        store_file.mark_suspect(self.directory)
        self._opened().close()
        self._db, self._writable = store_file.empty(), False
        self._open()

    def _reopen(self) -> None:
        """Try whether the file can be written by now. Raises StorageFull."""
        db = store_file.open_writable(self.directory)
        self._opened().close()
        self._take(db)
        self.problem = ""

    def _take(self, db: sqlite3.Connection) -> None:
        try:
            with store_file.errors(self.directory / store_file.FILE):
                lost = store_rows.recover(db)
        except BaseException:
            db.close()
            raise
        self._db, self._writable = db, True
        if lost:
            log.info("%d turns were cut off when khojd ended", lost)

    def _note(self, problem: str) -> None:
        self.problem = "; ".join(filter(None, (self.problem, problem)))

    def _inserted(self, db: sqlite3.Connection, one: Conversation) -> Conversation:
        store_rows.insert_conversation(db, one)
        return one

    def _as_read(self, turn: Turn) -> Turn:
        # In a file that cannot be written nobody runs a turn.
        return store_rows.crashed(turn, turn.created) if turn.state == "running" and not self._writable else turn
