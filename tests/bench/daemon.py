"""A real daemon on an index and folders of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from khojd.daemon.address import socket_path
from tests.bench.client import Client

STOP_SECONDS = 30.0


class Daemon:
    """`started` is the time from its spawn to its reply to `initialize`, in seconds."""

    def __init__(self, index: Path, folders: Sequence[Path], *, settings: str = "") -> None:
        index.parent.mkdir(parents=True, exist_ok=True)
        self.index = index
        self.config = index.parent / f"{index.name}.toml"
        tables = "".join(f'[[folders]]\npath = "{folder}"\n' for folder in folders)
        self.config.write_text(f"{settings}\n{tables}", encoding="utf-8")
        self.started = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> Path:
        return socket_path(self.index.resolve())

    @property
    def pid(self) -> int:
        assert self._process is not None, "start it first"
        return self._process.pid

    def command(self, name: str, *arguments: str) -> list[str]:
        """A `khojd` command line for this index."""
        return [sys.executable, "-m", "khojd", name, "--index", str(self.index), "--config", str(self.config), *arguments]

    def start(self) -> Client:
        """Start it; the client that waited for it."""
        began = time.perf_counter()
        self._process = subprocess.Popen(self.command("serve", "--detached"), stdin=subprocess.DEVNULL)
        client = Client.connect(self.address)
        self.started = time.perf_counter() - began
        return client

    def stop(self) -> None:
        """End it as a person logging out would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            finally:
                self._process.kill()
                self._process.wait()
                self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def isolate(work: Path) -> None:
    """Let this process and its children see a home of their own: nobody's configuration, index or socket is touched."""
    for name, directory in {
        "HOME": "home",
        "XDG_CONFIG_HOME": "home/.config",
        "XDG_DATA_HOME": "home/.local/share",
        "XDG_STATE_HOME": "home/.local/state",
        "XDG_CACHE_HOME": "home/.cache",
        "XDG_RUNTIME_DIR": "run",
    }.items():
        (work / directory).mkdir(parents=True, exist_ok=True, mode=0o700)
        os.environ[name] = str(work / directory)
    for name in ("KHOJD_CONFIG", "KHOJD_INDEX"):
        os.environ.pop(name, None)
    checkout = str(Path(__file__).resolve().parents[2])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [checkout, os.environ.get("PYTHONPATH", "")]))
