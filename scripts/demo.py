"""`make demo`: index examples/notes in a temporary index, search them and ask them, with the real command line.

Nothing of a person's own configuration or index is read or changed. Ends with 1 when a search finds nothing.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTES = ROOT / "examples" / "notes"
COMMANDS = (
    ("By meaning: the note has none of these words", ["search", "-n", "2", "sore leg from jogging"]),
    (
        "Filters and exact words: work to be done by the end of June",
        ["search", "-n", "2", 'tag:work todo:NEXT deadline<2026-07 +"energy budget" why is the battery empty'],
    ),
    ("Chinese: how should tea leaves be stored?", ["search", "-n", "1", "茶叶怎么保存"]),
    ("A question; no chat model is configured: the best passages are quoted", ["chat", "Why does my knee hurt, and what helps?"]),
)


def main() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="khojd-demo-") as place:
        home = Path(place)
        environment = isolated(home)
        files = sum(1 for path in NOTES.rglob("*") if path.is_file())
        print(f"{files} notes in {NOTES.relative_to(ROOT)}, a new index in {home}\n", flush=True)
        try:
            failed = khojd(["index", "--add", str(NOTES), "--wait"], environment) != 0
            for title, command in COMMANDS:
                print(f"\n== {title}\n$ khojd {shlex.join(command)}\n", flush=True)
                failed |= khojd(command, environment) != 0
        finally:
            print(flush=True)
            khojd(["stop", "--force"], environment)
    print(f"{time.monotonic() - started:.1f} s in all")
    if failed:
        print("a command of the demo failed, or found nothing", file=sys.stderr)
    return int(failed)


def isolated(home: Path) -> dict[str, str]:
    """The environment of a person with empty hands: every place that khojd reads or writes lies in `home`."""
    places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    (home / "run").mkdir(mode=0o700)
    places |= {"XDG_RUNTIME_DIR": str(home / "run"), "KHOJD_CONFIG": str(home / "config.toml"), "KHOJD_INDEX": str(home / "index")}
    return {**os.environ, **places}


def khojd(arguments: list[str], environment: dict[str, str]) -> int:
    return subprocess.run([sys.executable, "-m", "khojd", *arguments], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
