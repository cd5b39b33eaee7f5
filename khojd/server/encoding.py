"""Position encodings: how wide text is for a client. The core counts code points; a session converts at its edge."""

from collections.abc import Callable, Sequence

from khojd.search.types import Measure

SUPPORTED = ("utf-8", "utf-16", "utf-32")


def choose(offered: Sequence[str] | None) -> str:
    """The client's first choice among those we know; LSP's default is UTF-16."""
    return next((encoding for encoding in offered or () if encoding in SUPPORTED), "utf-16")


def measure(encoding: str) -> Measure:
    """A function from text to its width in `encoding`'s code units."""
    return _MEASURES[encoding]


def column(line: str, units: int, encoding: str) -> int:
    """The code-point column that lies `units` code units into `line`, at most the line's length.

    A position inside a character (the middle of a surrogate pair) is moved to its start.
    """
    if encoding == "utf-32" or line.isascii():
        return min(units, len(line))
    width = _MEASURES[encoding]
    passed = 0
    for index, character in enumerate(line):
        passed += width(character)
        if passed > units:
            return index
    return len(line)


def _utf8(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _utf16(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


_MEASURES: dict[str, Callable[[str], int]] = {"utf-8": _utf8, "utf-16": _utf16, "utf-32": len}
