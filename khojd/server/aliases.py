"""Folders of notes that a client knows by another path, because there is a symbolic link on the way to them.

The index knows each note by one path, below the folder as it is configured. A client may have opened the same folder by its real
path, or through a link; it is answered in its own terms, or it would open a note twice.
"""

import os
from collections.abc import Callable, Iterable

_KEPT = 1_000  # directories


class Aliases:
    """The other paths of one client. `roots` gives the folders of notes, absolute."""

    def __init__(self, roots: Callable[[], Iterable[str]]) -> None:
        self._roots = roots
        self._known: dict[str, str] = {}  # directories as the client names them -> as the index does
        self._read_for: tuple[str, ...] = ()
        self._shown: dict[str, str] = {}  # root -> the client's path of it

    def canonical(self, path: str) -> str:
        """The path by which the index knows the file that the client calls `path`; `path` itself outside of all folders."""
        roots = tuple(self._roots())
        if not roots or _holder(path, roots) is not None:
            return path
        if roots != self._read_for or len(self._known) > _KEPT:
            self._known.clear()
            self._shown = {root: alias for root, alias in self._shown.items() if root in roots}
            self._read_for = roots
        if path in roots:
            return path
        directory, name = os.path.split(path)
        known = self._known.get(directory)
        if known is None:
            known = self._known[directory] = self._look(directory, roots)
        if known == directory:
            # The folder itself, by another name, or something outside.
            whole = self._look(path, roots)
            return whole if whole in roots else path
        return f"{known}/{name}"

    def shown(self, path: str) -> str:
        """The client's own path of a file; the index's where it has used no other."""
        root = _holder(path, self._shown)
        return path if root is None else self._shown[root] + path[len(root) :]

    def _look(self, directory: str, roots: tuple[str, ...]) -> str:
        real = os.path.realpath(directory)
        for root in roots:
            there = os.path.realpath(root)
            if real == there or real.startswith(there + "/"):
                rest = real[len(there) :]
                if directory.endswith(rest):
                    self._shown.setdefault(root, directory[: len(directory) - len(rest)])
                return root + rest
        return directory


def _holder(path: str, roots: Iterable[str]) -> str | None:
    """The longest of `roots` that is or holds `path`."""
    return max((root for root in roots if path == root or path.startswith(root + "/")), key=len, default=None)
