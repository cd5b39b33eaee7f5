"""`khojd serve`: the daemon's process, from its lock to its last word.

The lock is taken before anything heavy is imported, so that of many that start at once the losers are gone in tens of milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from khojd.daemon.address import config_file, index_dir, socket_path
from khojd.daemon.lock import Lock
from khojd.errors import ConfigError, KhojdError, StoreError

if TYPE_CHECKING:
    from khojd.config import Config
    from khojd.engine import Engine

log = logging.getLogger(__name__)

FAILED = 3  # as all commands end when the daemon is at fault
_YOUNG = 10_000  # objects after which the garbage collector looks at the new ones; a search makes some thousand that go with it
_SWITCH_INTERVAL = 0.0005  # seconds; the default of 5 ms is what the loop would wait for each busy thread


def main(*, index: Path | None = None, config: Path | None = None, detached: bool = False) -> int:
    """Run the daemon of `index` until it leaves.

    0: it left as it should, or another daemon has the index; else why it cannot run, as all commands end: 2: the configuration is
    wrong; 4: the index cannot be used; 3: another reason.
    """
    os.umask(0o077)
    try:
        config = config_file(config)
        index = (index or index_dir(config)).expanduser().resolve()
        address = socket_path(index)
        lock = Lock.take(index)
        if lock is None:
            if not detached:
                print(f"khojd: {index} has a daemon already", file=sys.stderr)
            return 0
        try:
            return _serve(index, config, address, detached=detached)
        finally:
            lock.release()
    except KhojdError as error:
        print(f"khojd: {error.message}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 4 if isinstance(error, StoreError) else FAILED


def _serve(index: Path, config_path: Path, address: Path, *, detached: bool) -> int:
    from khojd.configfile import load
    from khojd.daemon import logs

    config = load(config_path)
    log_path = logs.log_path(index)
    logs.start(log_path, config.daemon.log_level)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        asyncio.run(_run(index, config_path, address, log_path, detached=detached))
    except KhojdError as error:
        log.error("cannot go on: %s", error.message)
        raise
    finally:
        logging.shutdown()
    return 0


async def _run(index: Path, config_path: Path, address: Path, log_path: Path, *, detached: bool) -> None:
    from khojd.chat.service import Chat
    from khojd.configfile import load
    from khojd.configwatch import ConfigWatch
    from khojd.daemon import logs
    from khojd.daemon.listener import Listener
    from khojd.daemon.service import Daemon
    from khojd.engine import Engine

    engine = await Engine.open(load(config_path), index_dir=index)
    chat: Chat | None = None

    async def apply(config: Config) -> None:
        if config != engine.config:
            await engine.reconfigure(config)
            if chat is not None:
                await chat.reconfigure(config)
            logs.set_level(config.daemon.log_level)
            log.info("%s is in force", config_path)

    try:
        listener = Listener(address)
        try:
            chat = await Chat.open(engine)
            chat.store.watch(lambda message: engine.problem("conversations", message))
            daemon = Daemon(engine, listener, chat, config_path=config_path, log_path=log_path)
            watch = ConfigWatch(config_path, apply, lambda message: engine.problem("config", message))
            loop = asyncio.get_running_loop()
            reloads: set[asyncio.Task[bool]] = set()

            def hang_up() -> None:
                reloads.add(task := loop.create_task(watch.reload(), name="reload"))
                task.add_done_callback(reloads.discard)

            _on_signals(loop, stop=daemon.stop, hang_up=hang_up)
            log.info("serving %s at %s", index, address)
            if detached:
                logs.detach(log_path)
            else:
                print(f"khojd: serving {index} at {address}, log in {log_path}", file=sys.stderr)
            watching = asyncio.create_task(watch.run(), name="configuration")
            settling = asyncio.create_task(_settle(engine), name="settling")
            try:
                await daemon.run()
            finally:
                for task in (watching, settling, *reloads):
                    task.cancel()
                await asyncio.gather(watching, settling, *reloads, return_exceptions=True)
        finally:
            listener.close()
            if chat is not None:
                await chat.close()
    finally:
        await engine.close()


async def _settle(engine: Engine) -> None:
    """When all that stays is loaded, and there is nothing else to do, take it out of the garbage collector's sight.

    A full collection would look through it again and again, and holds up every answer for 50 ms.
    """
    changed = asyncio.Event()
    unsubscribe = engine.subscribe(changed.set)
    try:
        while not engine.opened or engine.busy:
            await changed.wait()
            changed.clear()
    finally:
        unsubscribe()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG)


def _on_signals(loop: asyncio.AbstractEventLoop, *, stop: Callable[[], None], hang_up: Callable[[], None]) -> None:
    if sys.platform == "win32":
        # Control-C and Control-Break in a console; loops watch for no signals there, and nothing hangs up.
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
