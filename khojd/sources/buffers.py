"""Editors' unsaved text, which stands in for the files on disk while it differs from them.

A text stands in for its file in what its own editor asks, and in that of all editors where they share: two people at one table see
what is saved, not what the other is typing.
"""

from contextvars import ContextVar
from typing import NamedTuple

from msgspec import Struct

NOBODY, SHARED = 0, 1  # as overlays: that of a file, and of the text that counts for everyone

viewer: ContextVar[str] = ContextVar("viewer", default="")
"""Whose unsaved texts count: the owner for whom the running task works, "" for none. A session sets it for its requests."""


class Buffer(Struct, frozen=True):
    """One editor's text of a file. `version` is the editor's own counter."""

    owner: str
    path: str
    text: str
    version: int


class Standing(NamedTuple):
    """A place where a buffer may stand in for a file."""

    path: str
    overlay: int


class Buffers:
    """Open buffers by path and owner. Each stands as an overlay, a number: its owner's, or with `shared` the one of all.

    Where two editors that share have one file open, the text that changed last stands.
    """

    def __init__(self, *, shared: bool = False) -> None:
        self.shared = shared
        self._open: dict[str, dict[str, Buffer]] = {}
        self._numbers: dict[str, int] = {}  # of owners; never given twice

    def set(self, buffer: Buffer) -> None:
        """Open a buffer, or replace its text."""
        self._numbers.setdefault(buffer.owner, SHARED + 1 + len(self._numbers))
        owners = self._open.setdefault(buffer.path, {})
        owners.pop(buffer.owner, None)  # the last changed one comes last
        owners[buffer.owner] = buffer

    def close(self, owner: str, path: str) -> bool:
        """Forget a buffer; False when there was none."""
        owners = self._open.get(path, {})
        found = owners.pop(owner, None) is not None
        if not owners:
            self._open.pop(path, None)
        return found

    def close_owner(self, owner: str) -> list[str]:
        """Forget all of an editor's buffers; their paths."""
        paths = [path for path, owners in self._open.items() if owner in owners]
        for path in paths:
            self.close(owner, path)
        return paths

    def overlay(self, owner: str) -> int:
        """The overlay that an owner's texts stand as; NOBODY for one that never had any."""
        return SHARED if self.shared else self._numbers.get(owner, NOBODY)

    def standing(self, path: str, owner: str) -> Standing:
        """Where an owner's buffer of `path` stands."""
        return Standing(path, self.overlay(owner))

    def at(self, standing: Standing) -> Buffer | None:
        """The buffer that stands there, None when there is none."""
        owners = self._open.get(standing.path, {})
        if self.shared:
            return next(reversed(owners.values())) if owners and standing.overlay == SHARED else None
        return next((buffer for owner, buffer in owners.items() if self._numbers[owner] == standing.overlay), None)

    def all(self) -> list[Standing]:
        """Wherever a buffer stands."""
        return list(dict.fromkeys(self.standing(path, owner) for path, owners in self._open.items() for owner in owners))
