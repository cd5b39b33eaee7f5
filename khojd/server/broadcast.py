"""Telling clients that the index changed: `khoj/statusChanged`, and progress of work that nobody asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from khojd.server.failure import where
from khojd.server.methods.index import index_status
from khojd.server.progress import Work

if TYPE_CHECKING:
    from khojd.engine import Engine
    from khojd.index.status import IndexStatus
    from khojd.server.session import Session

log = logging.getLogger(__name__)

PERIOD = 0.5  # seconds between two notifications
_WORTH_SHOWING = 2  # periods that background work lasts before it gets a progress bar


class Broadcast:
    """Asks the engine for its status once for all clients, at most twice a second, and always after the last change."""

    def __init__(self, engine: Engine, sessions: Collection[Session]) -> None:
        self._engine = engine
        self._sessions = sessions
        self._changed = asyncio.Event()
        self._works: dict[Session, Work] = {}
        self._told: dict[Session, frozenset[str]] = {}  # problems that a client has heard of
        self._periods = 0  # that background work has lasted

    async def run(self) -> None:
        """Until cancelled."""
        unsubscribe = self._engine.subscribe(self._changed.set)
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                try:
                    await self._tell(await self._engine.status())
                except Exception as error:
                    # Not a reason to tell nobody anything any more.
                    log.error("the status cannot be told: %s\n%s", type(error).__name__, where(error))
                await asyncio.sleep(PERIOD)
        finally:
            unsubscribe()

    async def _tell(self, status: IndexStatus) -> None:
        self._periods = self._periods + 1 if status.running else 0
        message = index_status(status)
        for session in tuple(self._sessions):
            if not session.protocol.initialized:
                continue
            session.toggles.refresh()
            session.toggles.follow("indexed")
            # Only to clients that said hello: others would show a warning for a notification they do not know.
            if session.hello is not None:
                session.protocol.send("khoj/statusChanged", message, optional=True)
            problems = frozenset(status.problems)
            for problem in sorted(problems - self._told.get(session, frozenset())):
                session.tell(f"khojd: {problem}")
            self._told[session] = problems
            self._show(session, status)
        if status.running:
            self._changed.set()  # ask again: a long embedding run may have nothing else to say
        for kept in (self._works, self._told):
            for session in kept.keys() - set(self._sessions):
                del kept[session]

    def _show(self, session: Session, status: IndexStatus) -> None:
        work = self._works.get(session)
        if status.running is None:
            if work is not None:
                self._works.pop(session).end(f"{status.indexed:,} files, {status.entries:,} entries")
        elif work is not None:
            work.report(status.running)
        elif self._periods >= _WORTH_SHOWING and not session.own_work and session.can("window.work_done_progress"):
            session.spawn(self._begin(session), "progress")

    async def _begin(self, session: Session) -> None:
        token = f"khojd-{session.owner}-indexing"
        try:
            await session.window_work_done_progress_create_async(lsp.WorkDoneProgressCreateParams(token=token))
        except JsonRpcException:
            return  # the client will not show it
        if session not in self._works and session in self._sessions:
            self._works[session] = Work(session, token, "khojd: indexing", cancellable=False)
