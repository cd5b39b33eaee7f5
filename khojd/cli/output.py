"""What goes to stdout: plain text, colours where a person looks at them, JSON where a program does."""

import os
import re
import sys
import time
from typing import Any, TextIO

import msgspec

from khojd.paths import plain

# A note must not steer the terminal it is shown on; tabs and line ends are fine.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36"}


def harmless(text: str) -> str:
    """`text` with control characters, and those that turn the direction of writing, replaced by U+FFFD."""
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def coloured(stream: TextIO) -> bool:
    """Whether `stream` takes colours: a terminal, unless NO_COLOR (https://no-color.org) says no; FORCE_COLOR says yes."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Style:
    """Paints text for one stream, or leaves it alone."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.on = coloured(stream or sys.stdout)

    def __call__(self, text: str, *names: str) -> str:
        if not self.on or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


def json(value: Any) -> None:
    """Print a message, or builtins, as indented JSON in UTF-8."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def say(text: str) -> None:
    """Tell a person something that is no part of the result: on stderr, so that pipes stay clean."""
    print(harmless(text), file=sys.stderr)


def shown(path: str) -> str:
    """A path as short as it still opens from here: relative when it is below the current directory."""
    try:
        here = plain(os.getcwd())  # noqa: PTH109
    except FileNotFoundError:  # it was removed meanwhile
        here = ""
    relative = path[len(here) + 1 :] if here and path.startswith(here.rstrip("/") + "/") else path
    return harmless(relative).replace("\n", "\ufffd")  # it stands on one line, whatever is in it


def size(count: int) -> str:
    """Bytes for people: 812 B, 4.2 MB."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def moment(seconds: float) -> str:
    """Day and time here, of seconds since the epoch."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def count(number: int, what: str, plural: str = "") -> str:
    """A number with its noun: 1 file, 2,000 files."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"
