"""Finds markers like [1] in text that comes in pieces.

[1], [1, 2], [1-3], [^1], 【1】, 【1†…】, ［1］ and [[1]] are markers; nothing is one in code spans and fenced
code, after a backslash, or with a number that is a year. What is found does not depend on where the text is
cut, each character is looked at twice at most, and no more is held back than what could be the beginning of
a marker and one space before it.
"""

import re
from typing import NamedTuple

LONGEST = 200  # characters of a marker
_WIDEST = 50  # numbers of one range
_CLOSERS = {"[": "]", "【": "】", "［": "］"}
_SPECIAL = re.compile(r"[\[【［`~\\\n]")
_LINE_HEAD = re.compile(r"[ \t\r>*+.)\-0-9]*")  # what may stand before a code fence: quotes, bullets and numbers of lists
_ITEM = re.compile(r"(\d+)(?:\s*[-–—]\s*\^?(\d+))?")
_YEARS = range(1500, 2200)

# A marker character by character: state -> kind of character -> state. d digit, s space, c closing bracket, t †, x any other.
_START, _CARET, _NUMBER, _AFTER, _NEXT, _DASH, _LAST, _CLOSE, _TAIL = range(9)
_STEPS: tuple[dict[str, int], ...] = (
    {"s": _START, "^": _CARET, "d": _NUMBER},
    {"d": _NUMBER},
    {"d": _NUMBER, "s": _AFTER, ",": _NEXT, "-": _DASH, "t": _TAIL},
    {"s": _AFTER, ",": _NEXT, "-": _DASH},
    {"s": _NEXT, "^": _CARET, "d": _NUMBER},
    {"s": _DASH, "^": _DASH, "d": _LAST},
    {"d": _LAST, "s": _CLOSE, ",": _NEXT},
    {"s": _CLOSE, ",": _NEXT},
    dict.fromkeys("sd^,-tx", _TAIL),
)
_COMPLETE = {_NUMBER, _AFTER, _LAST, _CLOSE, _TAIL}
_KINDS = {
    **dict.fromkeys("0123456789０１２３４５６７８９", "d"),
    **dict.fromkeys(" \t\u00a0\u3000", "s"),
    **dict.fromkeys(",;，；、", ","),
    **dict.fromkeys("-–—", "-"),
    **dict.fromkeys("]】］", "c"),
    **dict.fromkeys("[【［`\n", "!"),
    "^": "^",
    "†": "t",
}


class Marker(NamedTuple):
    """`space` is the one before it, or "". `double`: [[1]], which may also be a link to a note of that name."""

    text: str
    space: str
    numbers: tuple[int, ...]
    double: bool = False


class Recogniser:
    """`feed` and `finish` give text and markers in order; together they are the whole text."""

    def __init__(self) -> None:
        self._parts: list[str] = []  # text that is not given out yet
        self._held = ""  # the possible marker's beginning
        self._space = ""
        self._state = _START
        self._closed = False  # one of the two brackets of [[1]]
        self._escaped = False
        self._at_head = True  # of a line
        self._run = 0  # backticks or tildes just before
        self._run_of = ""
        self._run_at_head = False
        self._span = 0  # backticks that opened the code span we are in
        self._fence = 0  # length of what opened the code block we are in
        self._fence_of = ""
        self._fence_line = False  # still on the line of the opening fence

    @property
    def in_code(self) -> bool:
        return bool(self._span or self._fence)

    def feed(self, text: str) -> list[str | Marker]:
        found: list[str | Marker] = []
        place = 0
        while place < len(text):
            if self._held:
                place = self._go_on(text, place, found)
            else:
                place = self._look(text, place, found)
        if not self._held:
            self._give(found, hold=not self.in_code)
        return found

    def finish(self) -> list[str | Marker]:
        """The rest; what was held back and became no marker is text."""
        found: list[str | Marker] = []
        if self._held:
            self._fail(found)
        self._give(found)
        return found

    # Inside

    def _look(self, text: str, place: int, found: list[str | Marker]) -> int:
        """Take the text up to the next special character, or that character."""
        character = text[place]
        if character in "`~":
            self._tick(character)
        else:
            self._end_run(character)
            if character in _CLOSERS and not self.in_code and not self._escaped:
                self._give(found, hold=True)
                self._space, self._parts = "".join(self._parts), []
                self._held, self._state, self._closed, self._at_head = character, _START, False, False
                return place + 1
            if character == "\n":
                self._escaped, self._at_head, self._span, self._fence_line = False, True, 0, False
            elif character == "\\":
                self._escaped, self._at_head = not self._escaped, False
            elif character in _CLOSERS:
                self._escaped = self._at_head = False
            else:
                special = _SPECIAL.search(text, place)
                end = special.start() if special else len(text)
                self._escaped = False
                if self._at_head:
                    head = _LINE_HEAD.match(text, place, end)
                    self._at_head = head is not None and head.end() == end
                self._parts.append(text[place:end])
                return end
        self._parts.append(character)
        return place + 1

    def _tick(self, character: str) -> None:
        if self._escaped and not self.in_code:
            self._escaped = self._at_head = False
            return
        if character != self._run_of:
            self._end_run(character)
            self._run_of, self._run_at_head = character, self._at_head
        self._run += 1
        if character == self._fence_of == "`" and self._fence_line:
            # What follows a fence of backticks holds none: it was a code span at the start of a line.
            self._span, self._fence, self._fence_line = self._fence, 0, False

    def _end_run(self, following: str) -> None:
        """What backticks and tildes mean is known by what follows them."""
        length, self._run = self._run, 0
        character, self._run_of = self._run_of, ""
        if not length:
            return
        self._at_head = self._escaped = False
        if self._fence:
            if self._run_at_head and character == self._fence_of and length >= self._fence and following.isspace():
                self._fence = 0
        elif self._span:
            if character == "`" and length == self._span:
                self._span = 0
        elif self._run_at_head and length >= 3:
            self._fence, self._fence_of, self._fence_line = length, character, True
        elif character == "`":
            self._span = length

    def _go_on(self, text: str, place: int, found: list[str | Marker]) -> int:
        """Take what continues the marker that may have begun."""
        closer = _CLOSERS[self._held[0]]
        while place < len(text):
            character = text[place]
            kind = _KINDS.get(character, "x")
            if self._closed:
                if character == closer:
                    self._succeed(self._held + character, found, double=True)
                    return place + 1
                self._fail(found)
                return place
            if character == closer and self._state in _COMPLETE:
                if not self._held.startswith("[["):
                    self._succeed(self._held + character, found)
                    return place + 1
                self._closed = True
            elif self._held == "[" == character:
                pass
            else:
                state = _STEPS[self._state].get(kind, -1)
                if state < 0 or len(self._held) >= LONGEST:
                    self._fail(found)
                    return place
                self._state = state
            self._held += character
            place += 1
        return place

    def _succeed(self, text: str, found: list[str | Marker], *, double: bool = False) -> None:
        numbers = _numbers(text)
        if numbers:
            found.append(Marker(text, self._space, numbers, double))
        else:
            self._parts.append(self._space + text)
        self._held = self._space = ""

    def _fail(self, found: list[str | Marker]) -> None:
        """What was held back is text; after [[1] there may be a marker in it."""
        held, space = self._held, self._space
        self._held = self._space = ""
        numbers = _numbers(held) if self._closed else ()
        self._closed = False
        if numbers:
            found += [f"{space}[", Marker(held[1:], "", numbers)]
        else:
            self._parts.append(space + held)

    def _give(self, found: list[str | Marker], *, hold: bool = False) -> None:
        """Give out the text; with `hold` all but a space at its end."""
        text = "".join(self._parts)
        held = " " if hold and text.endswith(" ") else ""
        if held:
            text = text[:-1]
        self._parts = [held] if held else []
        if text:
            found.append(text)


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of a marker, each once; none where one is a year, or too long for a number."""
    numbers: dict[int, None] = {}
    for item in _ITEM.finditer(text.partition("†")[0]):
        if len(item[1]) > 9 or len(item[2] or "") > 9:
            return ()
        first, last = int(item[1]), int(item[2] or item[1])
        if first in _YEARS or last in _YEARS:
            return ()
        first, last = min(first, last), max(first, last)
        numbers.update(dict.fromkeys(range(first, last + 1) if last - first < _WIDEST else (first, last)))
    return tuple(numbers)
