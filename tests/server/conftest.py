"""A daemon in the test's own process, over an engine on paper."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from khojd import config
from khojd.chat.service import Chat
from khojd.daemon.listener import Listener
from khojd.daemon.service import Daemon
from tests.server.editor import Editor, address_in
from tests.server.paper import PaperEngine

if TYPE_CHECKING:
    from khojd.engine import Engine

Attach = Callable[..., Awaitable[Editor]]


@pytest.fixture
def settings() -> config.Config:
    return config.Config(daemon=config.Daemon(max_message_bytes=65_536 * 4))


@pytest.fixture
async def engine(tmp_path: Path, settings: config.Config) -> PaperEngine:
    directory = tmp_path / "index"
    directory.mkdir()
    return PaperEngine(directory, settings)


@pytest.fixture
async def daemon(engine: PaperEngine, tmp_path: Path) -> AsyncIterator[Daemon]:
    listener = Listener(address_in(tmp_path))
    chat = await Chat.open(cast("Engine", engine))
    served = Daemon(cast("Engine", engine), listener, chat, config_path=tmp_path / "config.toml", log_path=tmp_path / "log")
    running = asyncio.create_task(served.run())
    yield served
    served.stop()
    await running
    listener.close()
    await chat.close()


@pytest.fixture
async def attach(daemon: Daemon, tmp_path: Path) -> AsyncIterator[Attach]:
    """Attach another editor; by default one that has been through `initialize`."""
    editors: list[Editor] = []

    async def make(*, initialized: bool = True, listen: bool = True, **hello: Any) -> Editor:
        editor = await Editor.attach(address_in(tmp_path), listen=listen)
        editors.append(editor)
        if initialized:
            await editor.initialize(**{"khoj": {"protocol": 1, "client": "test"}, **hello})
        return editor

    yield make
    for editor in editors:
        await editor.leave()


@pytest.fixture
async def editor(attach: Attach) -> Editor:
    return await attach()
