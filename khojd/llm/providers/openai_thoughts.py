"""Thoughts that a server leaves in the text: `<think>…</think>` at its beginning, where no parser is set for the model."""

from collections.abc import Iterator

from khojd.llm.model import Text, Thinking

OPEN, CLOSE = "<think>", "</think>"


class Thoughts:
    """Text in pieces -> the pieces with their kind. Held back is only what may be the beginning of a mark, and space beside one."""

    def __init__(self) -> None:
        self.over = False  # only text follows, and it need not come through here
        self._inside = self._closed = False
        self._held = ""

    def feed(self, text: str) -> Iterator[tuple[type[Text] | type[Thinking], str]]:
        self._held += text
        if not self._inside and not self._closed:
            start = self._held.lstrip()
            if OPEN.startswith(start):  # or nothing but space yet
                return
            self._inside = start.startswith(OPEN)
            self.over = not self._inside
            self._held = start.removeprefix(OPEN) if self._inside else self._held
        if self._inside:
            thought, closed, rest = self._held.partition(CLOSE)
            if not closed:
                kept = _beginning(thought)
                thought, rest = thought[: len(thought) - kept], thought[len(thought) - kept :]
            if thought:
                yield Thinking, thought
            self._held = rest
            self._closed = bool(closed)
            self._inside = not closed
        if self._closed:
            self._held = self._held.lstrip()
            self.over = bool(self._held)
        if self.over:
            yield from self.rest()

    def rest(self) -> Iterator[tuple[type[Text] | type[Thinking], str]]:
        """What is held, at the end."""
        if self._held:
            yield (Thinking if self._inside else Text), self._held
            self._held = ""


def _beginning(text: str) -> int:
    """How many of the last characters may be the beginning of the closing mark."""
    return next((size for size in range(min(len(CLOSE) - 1, len(text)), 0, -1) if CLOSE.startswith(text[-size:])), 0)
