"""What of a text may change."""

from collections.abc import Iterable

from msgspec import Struct


class Scope(Struct, frozen=True):
    """Lines [low, high) are those that were asked for; `fixed` says of each line whether it stays whatever it seems to hold."""

    low: int
    high: int
    fixed: bytearray

    def admits(self, first: int, last: int, signs: Iterable[int]) -> bool:
        """Whether the table or list of lines [first, last) may change, whose rows or items begin on the lines `signs`."""
        return first < self.high and self.low < last and not any(self.fixed[number] for number in signs)
