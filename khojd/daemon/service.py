"""The daemon: one engine, one chat over it, and a session for every client."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import khojd
from khojd.daemon.address import Record
from khojd.daemon.listener import Listener
from khojd.daemon.memory import resident_bytes
from khojd.daemon.retirement import Retirement
from khojd.server import types
from khojd.server.broadcast import Broadcast
from khojd.server.failure import where
from khojd.server.features.table import FEATURES
from khojd.server.methods.table import COMMANDS, METHODS
from khojd.server.session import Session
from khojd.sources.buffers import viewer

if TYPE_CHECKING:
    from khojd.chat.service import Chat
    from khojd.engine import Engine
    from khojd.llm.router import Router

log = logging.getLogger(__name__)

_DEPARTURE = 0.2  # seconds between being asked to leave and leaving, for the reply to go out


class Daemon:
    """Serves the clients of one listener until it is time to leave."""

    def __init__(self, engine: Engine, listener: Listener, chat: Chat, *, config_path: Path, log_path: Path) -> None:
        self.engine = engine
        self.chat = chat
        self.index = engine.index_dir
        self.config_path = config_path
        self.declined: set[str] = set()
        self.sessions: set[Session] = set()
        self._listener = listener
        self._log_path = log_path
        self._started = time.time()
        self._numbers = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._leave = asyncio.Event()
        self._leaving = False
        self._retirement = Retirement(lambda: engine.config.daemon.idle_minutes * 60, self._busy)

    @property
    def router(self) -> Router:
        return self.chat.router

    async def run(self) -> None:
        """Serve until idle, retired or told to stop; then end all turns and sessions. Engine and chat are left open."""
        await self._listener.serve(self._connected)
        record = Record(pid=os.getpid(), address=str(self._listener.path), protocol=types.PROTOCOL, version=khojd.__version__)
        record.write(self.index)
        broadcast = asyncio.create_task(Broadcast(self.engine, self.sessions).run(), name="broadcast")
        waits = [
            asyncio.create_task(self._idle(), name="idle"),
            asyncio.create_task(self._leave.wait(), name="leave"),
            asyncio.create_task(self.engine.fatal.wait(), name="fatal"),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            log.info("leaving: %s", ", ".join(task.get_name() for task in waits if task.done()))
        finally:
            # The address goes first: whoever comes from now on starts another daemon, which waits for our lock.
            self._depart()
            Record.remove(self.index)
            self._listener.close()
            await self.chat.stop("khojd ended before the answer was whole")
            for task in (*waits, broadcast, *self._connections):
                task.cancel()
            await asyncio.gather(*waits, broadcast, *self._connections, return_exceptions=True)

    async def _idle(self) -> None:
        await self._retirement.wait()
        # In the same step of the loop: no client can be let in between.
        self._depart()

    def _depart(self) -> None:
        """From now on whoever comes gets an end of file before anything else, and looks for another daemon."""
        self._leaving = True
        self._listener.hide()

    def stop(self) -> None:
        """End `run` now (a signal)."""
        self._depart()
        self._leave.set()

    # --- what sessions ask for ----------------------------------------------------------------------------------------------

    def entered(self) -> None:
        # Only from `initialize` on: a connection that says nothing does not keep a daemon.
        self._retirement.entered()

    def status(self) -> types.DaemonStatus:
        config = self.engine.config
        return types.DaemonStatus(
            pid=os.getpid(),
            version=khojd.__version__,
            protocol=types.PROTOCOL,
            started=self._started,
            address=str(self._listener.path),
            index=str(self.index),
            config=str(self.config_path),
            log=str(self._log_path),
            memory_bytes=resident_bytes(),
            busy=self._busy(),
            idle_minutes=config.daemon.idle_minutes,
            clients=tuple(
                types.ClientStatus(name=session.client, since=session.since, requests=session.protocol.running)
                for session in sorted(self.sessions, key=lambda session: session.since)
                if session.protocol.initialized
            ),
        )

    def reason_to_stay(self, session: Session) -> str:
        """Whom or what it would cut off to leave now, "" for nothing. What is not yet indexed is when a daemon is next started."""
        others = [other for other in self.sessions if other is not session and other.protocol.initialized]
        if others:
            names = sorted(other.client or "an unnamed client" for other in others)
            return f"other clients are attached: {', '.join(names)}"
        running = self.chat.running
        return "" if not running else "an answer is being written" if running == 1 else f"{running} answers are being written"

    def _busy(self) -> bool:
        return bool(self.chat.running) or self.engine.busy

    def retire(self) -> None:
        self._depart()
        asyncio.get_running_loop().call_later(_DEPARTURE, self._leave.set)

    # --- connections --------------------------------------------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio's stream servers run this in a task"
        if self._leaving:
            writer.close()
            return
        self._connections.add(task)
        self._numbers += 1
        session = Session(self, self._numbers, METHODS, COMMANDS, FEATURES)
        self.sessions.add(session)
        viewer.set(session.owner)  # in this task and what it starts: all that the client asks
        try:
            await session.protocol.serve(reader, writer, lambda: self.engine.config.daemon.max_message_bytes)
        except asyncio.CancelledError:
            pass  # the daemon is leaving; the session has ended itself
        except Exception as error:
            log.error("%s ended by an error: %s\n%s", session.label, type(error).__name__, where(error))
        finally:
            self.engine.close_owner(session.owner)
            self.sessions.discard(session)
            self._connections.discard(task)
            if session.protocol.initialized:
                self._retirement.left()
            log.info("%s left", session.label)
