"""Which entries may answer: those that a query's filters let through, else all but those that the viewer does not see.

Entries of a folder that is out of reach, of a file that a buffer stands in for, and of other editors' buffers stay in the words
index and the vector store. A search leaves them out of both lists of candidates from the start.
"""

import sqlite3
from collections.abc import Sequence, Set

from msgspec import Struct

from khojd.index.words import Words
from khojd.search import listing
from khojd.search.conditions import Filter
from khojd.search.filters import resolve

FEW = 1000  # entries up to which they are looked up one by one


class Scope(Struct, frozen=True):
    """`within` are the only ids that may answer, None where there is no such bound; then `without` are ids that may not.

    `share` of all entries is not in `without`: above 0, at most 1.
    """

    within: Set[int] | None = None
    without: Set[int] = frozenset()
    share: float = 1.0

    def has(self, entry_id: int) -> bool:
        return entry_id not in self.without if self.within is None else entry_id in self.within

    def narrowed(self, ids: Set[int] | None) -> "Scope":
        """What of it is also among `ids` (visible entries; None: all of them)."""
        if ids is None:
            return self
        return Scope(ids if self.within is None else self.within & ids)


EVERYTHING = Scope()


class Hidden:
    """The hidden entries. Kept as long as no file is hidden or shown, for they may be many. Any thread may ask."""

    def __init__(self) -> None:
        self._known: tuple[tuple[object, ...], Set[int]] = ((), frozenset())

    def ids(self, db: sqlite3.Connection) -> Set[int]:
        # The mark first: what is hidden between the two is then read again the next time.
        mark = listing.hidden_mark(db)
        known, ids = self._known
        if known != mark:
            ids = listing.hidden_entries(db)
            self._known = (mark, ids)
        return ids


def scope(db: sqlite3.Connection, words: Words, hidden: Hidden, filters: Sequence[Filter], folders: Sequence[str]) -> Scope:
    """The entries that all filters let through, under `folders` (absolute paths; () is all), as the viewer of `db` sees them."""
    within = resolve(db, words, filters, folders=folders)
    if within is not None:
        return Scope(within)
    without = hidden.ids(db)
    if unseen := listing.unseen_entries(db):
        without = without | unseen
    if not without:
        return EVERYTHING
    total = words.count()
    seen = total - len(without)
    if seen <= FEW:
        return Scope(listing.seen_entries(db))
    return Scope(None, without, seen / total)
