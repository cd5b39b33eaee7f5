"""Editors' unsaved text, which stands in for the files on disk while it differs from them."""

from msgspec import Struct


class Buffer(Struct, frozen=True):
    """One editor's text of a file. `version` is the editor's own counter."""

    owner: str
    path: str
    text: str
    version: int


class Buffers:
    """Open buffers by path and owner. Where two editors have one file open, the text that changed last stands."""

    def __init__(self) -> None:
        self._open: dict[str, dict[str, Buffer]] = {}

    def set(self, buffer: Buffer) -> None:
        """Open a buffer, or replace its text."""
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

    def current(self, path: str) -> Buffer | None:
        """The buffer that stands for `path`, None when no editor has it open."""
        owners = self._open.get(path)
        return next(reversed(owners.values())) if owners else None

    def paths(self) -> list[str]:
        return list(self._open)
