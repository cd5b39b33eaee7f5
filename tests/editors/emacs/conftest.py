"""The package khoj, compiled by each Emacs, and a terminal for that Emacs to run its tests in."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.e2e.conftest import ROOT, Place

PACKAGE = ROOT / "editor" / "emacs"
HERE = Path(__file__).parent
INSTALLED = Path("/usr/share/emacs/site-lisp/elpa-src")
KINDS = ("oldest", "newest")
PATIENCE = 280.0  # seconds for a script; each of its waits has a limit of its own, and each test that runs one 300 seconds


@dataclass(frozen=True)
class Emacs:
    """An Emacs and the directory of the package as it has compiled it."""

    program: str
    compiled: Path

    def batch(self, *arguments: str, home: Path | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.program, "--batch", "-Q", *arguments],
            env={**os.environ, "LC_ALL": "C.UTF-8", **({"HOME": str(home)} if home else {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=110,
        )

    def test(self, script: str, place: Place, libraries: Sequence[str] = (), **more: str) -> None:
        """Run all tests of a script in a terminal: a person's Emacs has windows, a minibuffer, and waits for keys."""
        path, report = HERE / script, place.config.with_name(f"report-{Path(script).stem}")
        keyboard = report.with_name(f"keyboard-{Path(script).stem}")
        keyboard.touch()
        environment = place.environment(
            KHOJD_CONNECT=json.dumps(place.command("connect", *place.places)),
            KHOJD=json.dumps([*place.command(), *place.places]),
            KHOJD_SOCKET=str(place.address),
            KHOJD_NOTES=str(place.notes),
            KHOJD_REPORT=str(report),
            KHOJD_KEYBOARD=str(keyboard),
            KHOJD_EMACS=self.program,
            KHOJD_PACKAGE=str(self.compiled),
            KHOJD_SUPPORT=str(HERE / "support.el"),
            LC_ALL="C.UTF-8",
            TERM="xterm-256color",
            **more,
        )
        environment.pop("INSIDE_EMACS", None)
        paths = [part for path in (*libraries, str(self.compiled)) for part in ("-L", path)]
        loaded = [*paths, "-l", str(HERE / "support.el"), "-l", str(path)]
        in_terminal([self.program, "-nw", "-Q", *loaded, "-f", "test-run"], environment, keyboard)
        said = report.read_text(encoding="utf-8") if report.exists() else "it wrote no report"
        written = len(re.findall(r"^\(ert-deftest ", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert written
        assert f"Ran {written} tests, {written} results as expected, 0 unexpected" in said, said


def elpa(*packages: str) -> list[str]:
    """Where Debian's elpa-… packages are installed, those of them that are."""
    return [str(path) for path in INSTALLED.glob("*") if path.name.rpartition("-")[0] in packages]


def in_terminal(command: list[str], environment: dict[str, str], keyboard: Path) -> None:
    """Run a command in a terminal of its own until it ends. What it appends to the file is typed in that terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 110, 0, 0))
    process = subprocess.Popen(command, env=environment, pass_fds=(theirs,), preexec_fn=lambda: os.login_tty(theirs))
    os.close(theirs)
    seen = bytearray()
    sitting = threading.Thread(target=_sit, args=(ours, keyboard, seen))
    sitting.start()
    try:
        process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        pytest.fail(f"Emacs did not end; the terminal showed, last: {bytes(seen[-4000:])!r}")
    finally:
        process.kill()
        process.wait()
        sitting.join()
        os.close(ours)


def _sit(terminal: int, keyboard: Path, seen: bytearray) -> None:
    """Look at the terminal, and type what is to be typed, until the other end is closed."""
    with keyboard.open("rb") as keys, contextlib.suppress(OSError):
        while True:
            if select.select([terminal], [], [], 0.02)[0]:
                if not (shown := os.read(terminal, 65536)):
                    return
                seen += shown
            if typed := keys.read():
                os.write(terminal, typed)


def _program(kind: str) -> str | None:
    installed = shutil.which("emacs")
    if kind == "oldest":
        return installed
    newest = os.environ.get("KHOJD_TEST_EGLOT") or str(ROOT / ".cache" / "emacs30" / "run")
    return newest if Path(newest).exists() and newest != installed else None


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Emacs]:
    """Compiles the package once for each kind of Emacs; a warning is an error."""
    made: dict[str, Emacs] = {}

    def compile_for(kind: str) -> Emacs:
        if kind not in made:
            program = _program(kind)
            if program is None:
                missing("emacs" if kind == "oldest" else "Emacs 29 or newer beside the installed one (.ci/emacs30 gets one)")
            assert program is not None
            target = tmp_path_factory.mktemp(f"khoj-{kind}")
            for source in PACKAGE.glob("*.el"):
                shutil.copy(source, target)
            emacs = Emacs(program, target)
            warnings = "(setq byte-compile-error-on-warn t)"
            files = sorted(str(one) for one in target.glob("*.el"))
            ran = emacs.batch("-L", str(target), "--eval", warnings, "-f", "batch-byte-compile", *files)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            made[kind] = emacs
        return made[kind]

    return compile_for


@pytest.fixture(params=KINDS)
def emacs(request: pytest.FixtureRequest, compiled: Callable[[str], Emacs]) -> Emacs:
    """The installed Emacs, and a newer one."""
    if sys.platform == "win32":
        pytest.skip("a terminal of Unix is needed")
    return compiled(request.param)
