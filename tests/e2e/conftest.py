"""Real daemons, each with an index and notes of the test's own."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from khojd.daemon.address import Record, socket_path
from khojd.daemon.client import Client
from khojd.errors import DaemonError
from tests.server.editor import Editor

if sys.platform == "win32":
    import _winapi

    KILL = signal.SIGTERM  # ends a process at once there
else:
    KILL = signal.SIGKILL

TEA = "# Tea\n\nGreen tea 🍵 is steamed.\n\n## Oolong\n\nHalf oxidised.\n"
TODO = "* TODO Buy a kettle :shopping:\nDEADLINE: <2024-05-01 Wed>\nA steel one.\n"
ROOT = Path(__file__).resolve().parents[2]


class Place:
    """A configuration, an index, notes, and the processes that use them."""

    def __init__(self, base: Path) -> None:
        self.notes = base / "notes"
        self.notes.mkdir()
        self.config = base / "config.toml"
        self.index = (base / "index").resolve()
        self.children: list[subprocess.Popen[bytes]] = []
        self.configure()

    def configure(self, *, idle_minutes: float = 5.0, model: str = "off", more: str = "") -> None:
        """Write config.toml."""
        self.config.write_text(
            f'[[folders]]\npath = "{self.notes.as_posix()}"\n[embedding]\nmodel = "{model}"\n'
            f"[daemon]\nidle_minutes = {idle_minutes}\n{more}",
            encoding="utf-8",
        )

    @property
    def places(self) -> list[str]:
        return ["--index", str(self.index), "--config", str(self.config)]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "khojd", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), **more}

    def start(self, *arguments: str, **more: str) -> "subprocess.Popen[bytes]":
        """A process whose standard streams are pipes; ended with the test."""
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            self.command(*arguments), stdin=pipe, stdout=pipe, stderr=pipe, env=self.environment(**more), cwd=self.notes
        )
        self.children.append(child)
        return child

    def client(self, *, spawn: bool = True) -> Client:
        return Client.connect(index=self.index, config=self.config, spawn=spawn)

    @property
    def pid(self) -> int:
        """Of the daemon that runs."""
        record = Record.read(self.index)
        assert record is not None, "no daemon is running"
        return record.pid

    @property
    def address(self) -> Path:
        return socket_path(self.index)

    def gone(self, pid: int) -> None:
        """Wait until a process has ended; our own children are reaped."""
        deadline = time.monotonic() + 60
        while alive(pid):
            assert time.monotonic() < deadline, f"process {pid} does not end"
            time.sleep(0.02)

    def clear(self) -> None:
        """End everything."""
        for child in self.children:
            child.kill()
            child.communicate()
        record = Record.read(self.index)
        if record is None:
            return
        try:
            with self.client(spawn=False) as client:
                client.retire(force=True)
        except DaemonError:
            pass
        if alive(record.pid):
            os.kill(record.pid, signal.SIGTERM)
            self.gone(record.pid)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    if sys.platform == "win32":
        try:
            handle = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, pid)
        except OSError:
            return False
        try:
            return _winapi.WaitForSingleObject(handle, 0) == _winapi.WAIT_TIMEOUT
        finally:
            _winapi.CloseHandle(handle)
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc/self").exists()
    return state != "Z"


@pytest.fixture
def place(tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    runtime = tempfile.mkdtemp(prefix="khojd-")  # short enough for a socket
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    made = Place(tmp_path)
    yield made
    made.clear()
    shutil.rmtree(runtime)


@pytest.fixture(params=["socket", "bridge"])
async def editor(place: Place, request: pytest.FixtureRequest) -> AsyncIterator[Editor]:
    """An editor that was initialized, over each transport, with some notes in the index."""
    (place.notes / "tea.md").write_text(TEA, encoding="utf-8")
    (place.notes / "todo.org").write_text(TODO, encoding="utf-8")
    if request.param == "bridge":
        child = await asyncio.create_subprocess_exec(
            *place.command("connect", *place.places),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=place.environment(),
            limit=1 << 20,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        attached = Editor(child.stdout, child.stdin)
        attached.listen()
    else:
        (await asyncio.to_thread(place.client)).close()
        attached = await Editor.attach(place.address)
        child = None
    await attached.initialize(khoj={"protocol": 1, "client": "e2e"})
    await attached.request("khoj/index/update")
    yield attached
    attached.notify("exit")
    await attached.ended()
    await attached.leave()
    if child is not None:
        assert await child.wait() == 0
