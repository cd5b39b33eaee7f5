"""The package khoj in each Emacs, in a terminal in which somebody types: time to the first hits, and what the mode costs."""

import fcntl
import json
import os
import pty
import random
import re
import shutil
import statistics
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.bench.built import vault
from tests.bench.daemon import Daemon
from tests.bench.options import Options
from tests.bench.prose import Prose
from tests.bench.table import TARGET, Row, Table, figure, percentile, say

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "editor" / "emacs"
QUERIES = 20
LOADS = 15
KEYS = 200  # typed into the large note, with the mode on and off in turn
TURNS = 3
PACE = 0.12  # seconds between keys at least, as of one who types fast
LATE = 3.0  # seconds after which hits are not waited for any longer
LARGE = 1_000_000
_KEY = {"search": "\x1b[15~", "open": "\x1b[17~", "mode": "\x1b[18~", "used": "\x1b[19~"}


def tables(options: Options) -> list[Table]:
    programs = _programs()
    if not programs:
        raise RuntimeError("no Emacs: apt install emacs-nox; .ci/emacs30 gets a newer one")
    built = vault(options)
    large = built.folder / "large.org"
    large.write_text(_large(), encoding="utf-8")
    typed = queries(built.folder, options.pick(QUERIES, 4))
    rows: list[Row] = []
    daemon = Daemon(built.index, (built.folder,))
    with daemon, daemon.start() as client:
        client.ask("khoj/index/update", {"embed": True})
        for program in programs:
            emacs = _Emacs(program, options.work, daemon, large)
            say(f"  {emacs.name}")
            rows += _loading(emacs, options.pick(LOADS, 3))
            for interface in ("default completion", "fido"):
                rows.append(_searching(emacs, typed, interface))
            rows += _typing(emacs, options.pick(KEYS, 40), options.pick(TURNS, 1))
    keys = sum(map(len, typed))
    notes = (
        f"{built.files:,} notes; a terminal of 110 by 40, with previews of hits; {keys} keystrokes, one each {PACE * 1000:.0f} "
        "ms, or when the one before is answered.",
        "From the write to the terminal until Emacs has painted hits for what was typed; of that, the search waits "
        "30 ms for the next key.",
        f"The large note is {LARGE / 1e6:.0f} MB of Org. Its figure is processor time of Emacs, with the mode on less with it off, "
        f"{options.pick(TURNS, 1)} times {options.pick(KEYS, 40)} keys each, 20 a second; telling khojd what was typed is in it.",
    )
    return [Table("Emacs", tuple(rows), notes)]


class _Emacs:
    """One that is installed, and the package as it has compiled it."""

    def __init__(self, program: str, work: Path, daemon: Daemon, large: Path) -> None:
        self.program = program
        self.daemon = daemon
        self.large = large
        self.work = work
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        self.name = " ".join(said.splitlines()[0].split()[1:3])
        self.compiled = work / f"khoj-{self.name.replace(' ', '-')}"
        shutil.copytree(PACKAGE, self.compiled)
        self.batch("-f", "batch-byte-compile", *map(str, sorted(self.compiled.glob("*.el"))))

    def batch(self, *arguments: str) -> str:
        command = [self.program, "--batch", "-Q", "-L", str(self.compiled), *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=300).stdout

    def terminal(self, **more: str) -> "_Terminal":
        return _Terminal(self, more)


class _Terminal:
    """An Emacs in a terminal, what is typed in it, and what it says has happened."""

    def __init__(self, emacs: _Emacs, more: dict[str, str]) -> None:
        self._said = emacs.work / "said"
        self._said.write_bytes(b"")
        self._read = 0
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "KHOJD_CONNECT": json.dumps(emacs.daemon.command("connect")),
            "KHOJD_BENCH_SAID": str(self._said),
            "KHOJD_BENCH_LARGE": str(emacs.large),
            **more,
        }
        environment.pop("INSIDE_EMACS", None)
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 110, 0, 0))
        script = str(Path(__file__).with_name("emacs.el"))
        command = [emacs.program, "-nw", "-Q", "-L", str(emacs.compiled), "-l", script]
        self._process = subprocess.Popen(command, env=environment, preexec_fn=lambda: os.login_tty(theirs), pass_fds=(theirs,))
        os.close(theirs)
        self._reading = threading.Thread(target=self._drain)
        self._reading.start()

    def type(self, keys: str) -> float:
        """Type; the time at which it was done."""
        now = time.time()
        os.write(self._ours, keys.encode())
        return now

    def wait(self, what: str, *rest: Any, patience: float = 60.0) -> list[Any]:
        """The next thing said that is `what`, whose last parts are `rest`. Raises TimeoutError."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with self._said.open(encoding="utf-8") as file:
                file.seek(self._read)
                while line := file.readline():
                    if not line.endswith("\n"):
                        break
                    self._read = file.tell()
                    heard = json.loads(line)
                    if heard[0] == what and heard[len(heard) - len(rest) :] == list(rest):
                        return list(heard)
            time.sleep(0.002)
        raise TimeoutError(f"Emacs has not said {what} {rest}")

    def __enter__(self) -> Self:
        assert self.wait("there")[2], "Emacs has not reached the daemon"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reading.join()
        os.close(self._ours)

    def _drain(self) -> None:
        try:
            while os.read(self._ours, 65_536):
                pass
        except OSError:  # the other end is closed
            return


def _programs() -> list[str]:
    newest = os.environ.get("KHOJD_TEST_EGLOT") or str(ROOT / ".cache" / "emacs30" / "run")
    found = [shutil.which("emacs"), newest if Path(newest).exists() else None]
    return list(dict.fromkeys(program for program in found if program))


def _loading(emacs: _Emacs, times: int) -> list[Row]:
    rows = []
    everything = " ".join(f"(require '{path.stem})" for path in sorted(PACKAGE.glob("*.el")) if path.stem != "khoj-consult")
    for name, forms, target in (
        ("load of the package", "(require 'khoj)", "50 ms"),
        ("the same with global-khoj-mode", "(require 'khoj) (global-khoj-mode 1)", "50 ms"),
        ("all of its files, jsonrpc, org and transient", f"(require 'khoj) {everything}", ""),
    ):
        timed = f"(let ((start (float-time))) {forms} (princ (- (float-time) start)))"
        took = [float(emacs.batch("--eval", timed)) for _ in range(times)]
        rows.append(_row(emacs, name, f"{figure(statistics.median(took) * 1000)} ms", target))
    return rows


def _searching(emacs: _Emacs, typed: Sequence[str], interface: str) -> Row:
    took = []
    with emacs.terminal(**({"KHOJD_BENCH_FIDO": "1"} if interface == "fido" else {})) as terminal:
        for query in ("warm up", *typed):
            terminal.type(_KEY["search"])
            terminal.wait("reading")
            for end in range(1, len(query) + 1):
                if query[end - 1] == " ":
                    terminal.type(" ")  # finds what was found before
                    continue
                began = terminal.type(query[end - 1])
                try:
                    painted = terminal.wait("painted", query[:end], patience=LATE)[1]
                except TimeoutError:
                    say(f"    no hits were painted for {query[:end]!r}")
                    painted = began + LATE
                if query != "warm up":
                    took.append(painted - began)
                time.sleep(max(0.0, began + PACE - time.time()))
            _leave(terminal)
    result = ", ".join(f"p{share * 100:.0f} {figure(percentile(took, share) * 1000)}" for share in (0.5, 0.95))
    return _row(emacs, f"keystroke to painted hits, {interface}", f"{result} ms", "p95 120 ms")


def _leave(terminal: _Terminal) -> None:
    """Quit the minibuffer. Emacs may take a C-g for the quitting of a timer of its own, so it is typed until it is heard."""
    for _ in range(20):
        terminal.type("\x07")
        try:
            terminal.wait("left", patience=1.0)
        except TimeoutError:
            continue
        return
    raise TimeoutError("Emacs does not leave the minibuffer")


def _typing(emacs: _Emacs, keys: int, turns: int) -> list[Row]:
    used: dict[bool, list[float]] = {False: [], True: []}
    told: list[float] = []
    with emacs.terminal() as terminal:
        terminal.type(_KEY["open"])
        terminal.wait("open")
        on = False
        for _ in range(turns * 2):
            for _ in range(10):  # what is new at the first keys
                _press(terminal, "w")
            terminal.type(_KEY["used"])
            before = terminal.wait("used")[2]
            for number in range(keys):
                _press(terminal, " " if number % 6 == 5 else random.choice("abcdefgh"))
            time.sleep(0.6)  # the last of it is told
            terminal.type(_KEY["used"])
            after = terminal.wait("used")
            used[on].append((after[2] - before) / keys)
            told += after[3] if on else []
            terminal.type(_KEY["mode"])
            on = terminal.wait("mode")[2]
    cost = statistics.median(used[True]) - statistics.median(used[False])
    without = figure(statistics.median(used[False]) * 1000)
    return [
        _row(emacs, "a key in 1 MB of Org, mode on less off", f"{figure(cost * 1000)} ms (off: {without} ms)", "2 ms"),
        _row(emacs, "telling khojd, 4 times a second at most", f"p95 {figure(percentile(told, 0.95) * 1000)} ms"),
    ]


def _press(terminal: _Terminal, key: str) -> None:
    terminal.type(key)
    time.sleep(0.05)


def _row(emacs: _Emacs, name: str, result: str, target: str = "") -> Row:
    say(f"    {name}: {result}")
    return Row(f"{emacs.name}: {name}", result, target, TARGET if target else "")


def queries(folder: Path, number: int) -> list[str]:
    """Two or three words that stand together in a note, each time of another one."""
    paths = sorted(folder.rglob("*.md"))
    drawn = random.Random(29)
    found: list[str] = []
    while len(found) < number:
        text = drawn.choice(paths).read_text(encoding="utf-8", errors="replace")
        runs = re.findall(r"\b[a-z]{3,9}(?: [a-z]{3,9}){1,2}\b", text)
        if runs:
            found.append(drawn.choice(runs))
    return found


def _large() -> str:
    prose = Prose(23)
    parts: list[str] = []
    size = 0
    while size < LARGE:
        parts.append(f"* {prose.heading()}\n{prose.paragraph(60)}\n[[file:note.org][{prose.heading()}]] {prose.paragraph(20)}\n")
        size += len(parts[-1])
    return "".join(parts)
