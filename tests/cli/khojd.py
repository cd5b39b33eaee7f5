"""The command line as a person uses it: processes, over an index of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from khojd.daemon.client import Client

ROOT = Path(__file__).resolve().parents[2]
Result = subprocess.CompletedProcess[str]


class Khojd:
    """Runs `khojd` with every place it reads or writes in `home`; `home/notes` is where the notes are."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.notes = home / "notes"
        self.config = home / "config.toml"
        self.index = home / "index"
        for path in (self.notes, home / "run"):
            path.mkdir(mode=0o700)
        unwanted = ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
        self.environment = {name: value for name, value in os.environ.items() if name not in unwanted} | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "XDG_DATA_HOME": str(home),
            "XDG_STATE_HOME": str(home),
            "XDG_CACHE_HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "KHOJD_CONFIG": str(self.config),
            "KHOJD_INDEX": str(self.index),
            "PYTHONPATH": str(ROOT),
        }

    def __call__(self, *arguments: str, status: int | None = 0, cwd: Path | None = None, **environment: str) -> Result:
        """Run a command line; its exit status must be `status`, and never is there a traceback."""
        result = subprocess.run(
            self.command(*arguments),
            env={**self.environment, **environment},
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert "Traceback" not in result.stderr, result.stderr
        if status is not None:
            assert result.returncode == status, result.stderr
        return result

    def json(self, *arguments: str, status: int = 0) -> Any:
        """What a command line prints with --json."""
        return json.loads(self(*arguments, "--json", status=status).stdout)

    def refused(self, *arguments: str, status: int = 2) -> str:
        """The one line on stderr of a command line that fails, without a word on stdout."""
        result = self(*arguments, status=status)
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        return result.stderr.removeprefix("khojd: ").rstrip("\n")

    def interrupted(self, *arguments: str, when: Callable[[], bool]) -> Result:
        """Start a command line and interrupt it, as Ctrl-C does, when it has said a line on stderr and `when` has become true."""
        process = subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            while not when():
                assert process.poll() is None, "it ended before it could be interrupted"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        assert "Traceback" not in err
        return subprocess.CompletedProcess(arguments, process.returncode, out, said + err)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "khojd", *arguments]

    def client(self) -> Client:
        """A session of the test's own with the daemon that runs."""
        address = self.index / "daemon"
        assert address.exists(), "a daemon runs"
        return Client.connect(index=self.index, config=self.config, spawn=False, name="a test")

    def write(self, name: str, text: str) -> Path:
        path = self.notes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path
