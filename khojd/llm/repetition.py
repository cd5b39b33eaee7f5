"""Telling a model that has begun to repeat itself and will not stop from one that writes a long list."""

from typing import Final

# The longest piece looked for, and how much of the end must consist of nothing but that piece, exactly: a list, a table or a poem
# never comes near that, while a model that is caught in a loop gets there within a minute.
_LEVELS: Final = ((500, 4_000), (2_000, 16_000))
_STEP: Final = 1_024  # characters between two looks
KEPT: Final = _LEVELS[-1][1]


class Repetition:
    """Takes a text as it grows. The work is a few microseconds per thousand characters."""

    def __init__(self) -> None:
        self._text = ""
        self._new: list[str] = []
        self._length = 0  # of what is new

    def feed(self, text: str) -> bool:
        """Whether the text now ends in one piece of at most 2,000 characters, again and again for thousands."""
        self._new.append(text)
        self._length += len(text)
        if self._length < _STEP:
            return False
        self._text = (self._text + "".join(self._new))[-KEPT:]
        self._new.clear()
        self._length = 0
        return any(repeats(self._text, longest, length) for longest, length in _LEVELS)


def repeats(text: str, longest: int, length: int) -> bool:
    """Whether the last `length` characters have a period of at most `longest`; `length` is at least three times that.

    If they have a period p, the last 2 * longest of them occur p characters earlier, too. The search may find another occurrence,
    q characters earlier, so they have both periods, and by the theorem of Fine and Wilf (1965) their greatest common divisor: then
    so has all of it, and q is a period as well. One search and one comparison therefore decide.
    """
    if len(text) < length:
        return False
    end = text[-length:]
    needle = end[-2 * longest :]
    shift = length - len(needle) - end.find(needle, length - len(needle) - longest)
    return 0 < shift <= longest and end[shift:] == end[:-shift]
