"""A vault written as a dict of files, a real engine and daemon over it, and an editor attached.

vault = await make_vault({"tea.md": "# Tea\\n"})
cursor = vault.open("index.md", "See [[te|a]].")
assert await vault.ask("textDocument/definition", "index.md", cursor) == ...
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from khojd import config
from khojd.chat.service import Chat
from khojd.daemon.listener import Listener
from khojd.daemon.service import Daemon
from khojd.engine import Engine
from khojd.server.actions import offers
from khojd.server.features import completion
from tests.server.editor import Editor, address_in
from tests.server.features.vault import Vault

MakeVault = Callable[..., Awaitable[Vault]]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person would not be kept waiting for is there however slow the machine is."""
    monkeypatch.setattr(completion, "PATIENCE", 60.0)
    monkeypatch.setattr(offers, "PATIENCE", 60.0)


@asynccontextmanager
async def serving(
    base: Path,
    files: Mapping[str, str],
    *,
    encoding: str = "utf-16",
    capabilities: dict[str, Any] | None = None,
    embedding: bool = False,
    features: config.Features | None = None,
    settings: config.Config | None = None,
    answers: Mapping[str, Callable[[Any], Any]] | None = None,
    **initialize: Any,
) -> AsyncIterator[Vault]:
    """Notes on disk, indexed; an engine and a daemon in this process; an editor that is initialized."""
    root = base / "vault"
    root.mkdir(parents=True)
    chosen = settings or config.Config(
        index=config.Index(watch="off"),
        embedding=config.Embedding(model="bundled" if embedding else "off"),
        features=features or config.Features(),
    )
    chosen = config.Config(
        **{name: getattr(chosen, name) for name in chosen.__struct_fields__ if name != "folders"},
        folders=(config.Folder(path=str(root)),),
    )
    engine = await Engine.open(chosen, index_dir=base / "index")
    listener = Listener(address_in(base))
    chat = await Chat.open(engine)
    daemon = Daemon(engine, listener, chat, config_path=base / "config.toml", log_path=base / "log")
    running = asyncio.create_task(daemon.run())
    editor = await Editor.attach(address_in(base))
    vault = Vault(root, engine, editor, encoding)
    try:
        for name, text in files.items():
            vault.write(name, text)
        editor.answers.update(answers or {})
        offered = capabilities or {}
        general = {**offered.get("general", {}), "positionEncodings": [encoding]}
        await editor.initialize(capabilities={**offered, "general": general}, **{"khoj": {"protocol": 1}, **initialize})
        await vault.indexed()
        yield vault
    finally:
        for one in (editor, *vault.others):
            await one.leave()
        daemon.stop()
        await running
        listener.close()
        await chat.close()
        await engine.close()


@pytest.fixture
async def make_vault(tmp_path: Path) -> AsyncIterator[MakeVault]:
    """Make a vault: `await make_vault({"name.md": "text"}, encoding="utf-8", capabilities={…}, embedding=True, …)`.

    What else is given goes into `initialize`, e.g. `khoj={"protocol": 1, "features": {"hover": False}}`. `answers` are the editor's
    to requests of the server, by method; `features` and `settings` are of the configuration.
    """
    async with AsyncExitStack() as stack:
        made = 0

        async def make(files: Mapping[str, str], **options: Any) -> Vault:
            nonlocal made
            made += 1
            base = tmp_path / f"v{made}"
            base.mkdir()
            return await stack.enter_async_context(serving(base, files, **options))

        yield make
