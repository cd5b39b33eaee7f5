"""Draw the pictures docs/images/emacs-*.svg: the package khoj in a terminal, over the example notes and a model that is replayed.

Nothing of a person's own is read. Needs tmux and Emacs; vertico is used where Debian's elpa-vertico is installed.
"""

import asyncio
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from khojd.server.types import UpdateParams, UpdateResult  # noqa: E402
from tests.e2e.conftest import Place  # noqa: E402
from tests.editors.emacs.test_chat import saying  # noqa: E402
from tests.llm.replay import Replay, json_reply  # noqa: E402

OUT = ROOT / "docs" / "images"
LIBRARIES = Path("/usr/share/emacs/site-lisp/elpa-src")
COLUMNS, LINES = 110, 30
_GREY = [(0, 0, 0)] * 8
THEME = TerminalTheme((255, 255, 255), (0, 0, 0), _GREY)  # Emacs names all of its colours itself
ANSWER = (
    "It hurts on the outside, after about seven kilometres, and most on the way downhill [1]. Your physiotherapist found two "
    "reasons: the **band along the thigh** is too tight, and the **hip** too weak [1].\n\n"
    "What helps, in the words of your notes:\n\n"
    "- side planks every day [1]\n- shorter steps [1]\n- no slopes until it is gone [1]\n"
)
SETUP = """\
(setq khoj-command (append (json-parse-string (getenv "KHOJD_CONNECT")) nil) inhibit-startup-screen t make-backup-files nil
      create-lockfiles nil enable-local-variables nil)
(menu-bar-mode -1)
(load-theme 'modus-operandi t)
(require 'khoj)
(require 'org)
(when (require 'vertico nil t) (vertico-mode 1))
(global-set-key (kbd "C-c s") #'khoj-search)
(global-set-key (kbd "C-c n") #'khoj-chat-new)
(global-set-key (kbd "C-c i") #'khoj-index)
(global-khoj-mode 1)
"""


class Terminal:
    """An Emacs in tmux, with a server of its own."""

    def __init__(self, place: Place, base: Path) -> None:
        self._socket = base / "tmux"
        setup = base / "setup.el"
        setup.write_text(SETUP, encoding="utf-8")
        libraries = [f"-L {path}" for path in LIBRARIES.glob("*") if path.name.startswith(("vertico-", "compat-"))]
        note = place.notes / "org" / "home.org"
        command = f"emacs -nw -Q {' '.join(libraries)} -L {ROOT / 'editor' / 'emacs'} -l {setup} {shlex.quote(str(note))}"
        environment = place.environment(
            KHOJD_CONNECT=json.dumps(place.command("connect", *place.places)), LC_ALL="C.UTF-8", COLORTERM="truecolor"
        )
        environment.pop("TMUX", None)
        size = ["-x", str(COLUMNS), "-y", str(LINES)]
        self._tmux("-f", os.devnull, "new-session", "-d", *size, command, environment=environment)
        self.wait("Khoj")

    def keys(self, *keys: str) -> None:
        for key in keys:
            self._tmux("send-keys", key)
            time.sleep(0.2)

    def write(self, text: str) -> None:
        for letter in text:
            self._tmux("send-keys", "-l", letter)
            time.sleep(0.05)

    def wait(self, pattern: str, seconds: float = 30.0) -> None:
        """Return when the screen has something. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, screen := self._tmux("capture-pane", "-p"), re.DOTALL):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{pattern} did not come:\n{screen}")
            time.sleep(0.1)

    def draw(self, name: str, title: str) -> None:
        time.sleep(1.0)  # nothing moves any longer
        shown = self._tmux("capture-pane", "-e", "-p").rstrip("\n")
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        console.print(Text.from_ansi(shown), soft_wrap=True)
        svg = console.export_svg(title=title, theme=THEME, unique_id=name)
        svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # nothing from elsewhere
        (OUT / f"{name}.svg").write_text(svg.replace("Fira Code", "DejaVu Sans Mono"), encoding="utf-8")

    def close(self) -> None:
        self._tmux("kill-server")

    def _tmux(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        command = ["tmux", "-u", "-S", str(self._socket), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True, timeout=20).stdout


async def main() -> int:
    with tempfile.TemporaryDirectory(prefix="khojd-pictures-") as name:
        base = Path(name)
        os.environ.update(HOME=str(base), XDG_RUNTIME_DIR=str(base / "run"))
        (base / "run").mkdir(mode=0o700)
        place = Place(base)
        # Wide letters are not of the same width everywhere.
        unaligned = shutil.ignore_patterns("箱根*", "龙井*")
        shutil.copytree(ROOT / "examples" / "notes", place.notes, dirs_exist_ok=True, ignore=unaligned)
        (place.notes / "letters" / "scan.txt").write_bytes(b"\xff\xfe\x00\xd8\x00")  # starts as UTF-16, and is not
        async with Replay() as server:
            server.on("POST", "/v1/chat/completions", saying(*(f"{word} " for word in ANSWER.split(" "))))
            server.on("GET", "/v1/models", json_reply({"object": "list", "data": [{"id": "qwen3", "object": "model"}]}))
            models = f'[providers.local]\nbase_url = "{server.url}/v1"\n[models]\nchat = ["local/qwen3"]\n'
            folders = f'[[folders]]\npath = "{place.notes}"\n'
            place.config.write_text(f"{folders}{models}[chat]\nrewrite = false\ntitles = false\n", encoding="utf-8")
            await asyncio.to_thread(_all, place, base)
    return 0


def _all(place: Place, base: Path) -> None:
    try:
        with place.client() as client:
            client.call("khoj/index/update", UpdateParams(embed=True), UpdateResult)
        _draw(Terminal(place, base))
    finally:
        place.clear()


def _draw(terminal: Terminal) -> None:
    try:
        terminal.keys("C-c", "s")
        terminal.write("why do I wake up at night")
        terminal.wait(r"khoj preview.*Sleep\.md")
        terminal.draw("emacs-search", "M-x khoj-search")
        terminal.keys("C-g", "C-c", "n")
        terminal.wait("Ask")
        terminal.keys("C-x", "1")
        terminal.write("Why does my knee hurt when I run?")
        terminal.keys("C-c", "C-c")
        terminal.wait(r"\[fn:1-1\] ")
        terminal.draw("emacs-chat", "M-x khoj-chat")
        terminal.keys("C-x", "1", "C-c", "i")
        terminal.wait("failed.*indexed")
        terminal.keys("C-x", "1")
        terminal.draw("emacs-index", "M-x khoj-index")
    finally:
        terminal.close()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
