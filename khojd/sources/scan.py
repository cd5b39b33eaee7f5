"""Walking a folder: which files are there, with the facts that tell whether they changed."""

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator

from msgspec import Struct

from khojd.paths import plain
from khojd.sources.rules import Rules


class FileStat(Struct, frozen=True):
    """What a look at a file says without reading it. `problem` says why it cannot be read, "" when it can.

    `nameable` is false for a file whose name is no text: `path` describes it, and nothing is found by it.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int
    problem: str = ""
    nameable: bool = True

    def same_as(self, size: int, mtime_ns: int, inode: int) -> bool:
        """Whether the file is the one that was seen before (the facts git's own index goes by)."""
        return self.size == size and self.mtime_ns == mtime_ns and self.inode == inode


def look(path: str) -> FileStat | None:
    """The facts of one regular file; None when there is no such file (a directory, a socket, nothing)."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each of 50,000 files costs more than the call
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR) and not os.path.islink(path):  # noqa: PTH114
            return None
        return FileStat(path, 0, 0, 0, _reason(error))
    if not stat.S_ISREG(found.st_mode):
        return None
    return FileStat(path, found.st_size, found.st_mtime_ns, found.st_ino)


def scan(
    rules: Rules,
    *,
    below: str = "",
    others: Collection[str] = (),
    unreadable: Callable[[str, str], None] = lambda path, reason: None,
) -> Iterator[FileStat]:
    """The notes of a folder, or of the part `below` (relative), each directory once even when links lead back to it.

    A directory of the folder is visited under its own name, not under that of a link to it.

    `others` are roots of other folders, which are left to their own rules. `unreadable` is told of each directory that cannot
    be read. Raises OSError when the folder itself cannot be.
    """
    root = plain(os.fspath(rules.root))
    seen: set[tuple[int, int]] = set()
    stack = [below]
    while stack:
        relative = stack.pop()
        directory = f"{root}/{relative}" if relative else root
        try:
            found = os.stat(directory)  # noqa: PTH116
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
            entries = list(os.scandir(directory if directory.endswith("/") else directory + "/"))
        except OSError as error:
            if not relative:
                raise
            unreadable(directory, _reason(error))
            continue
        prefix = f"{relative}/" if relative else ""
        for entry in entries:
            inside = prefix + entry.name
            try:
                is_directory = entry.is_dir()
            except OSError:  # a link to itself, or to where we may not look
                is_directory = False
            if is_directory:
                linked = entry.is_symlink() and alias(rules, inside)
                if rules.directory(inside) and not linked and f"{root}/{inside}" not in others:
                    stack.append(inside)
            elif rules.file(inside):
                fact = _fact(entry)
                if fact is not None:
                    yield fact


def alias(rules: Rules, relative: str) -> bool:
    """Whether a directory is, by links, one that is visited under another name in the same folder."""
    root = plain(os.path.realpath(rules.root))
    real = plain(os.path.realpath(rules.root / relative))
    if real == root or not real.startswith(root.rstrip("/") + "/"):
        return real == root and bool(relative)
    own = real[len(root) :].strip("/")
    parts = own.split("/")
    return own != relative and all(rules.directory("/".join(parts[: i + 1])) for i in range(len(parts)))


def notes(rules: Rules, *, others: Collection[str] = ()) -> Iterator[str]:
    """The paths of a folder's readable notes; none when the folder is not there."""
    try:
        for fact in scan(rules, others=others):
            if not fact.problem:
                yield fact.path
    except OSError:
        return


def _fact(entry: "os.DirEntry[str]") -> FileStat | None:
    if not entry.path.isascii() and _unnameable(entry.path):
        described = os.fsencode(entry.path).decode("utf-8", "backslashreplace")
        return FileStat(described, 0, 0, 0, "the file's name is not valid UTF-8", nameable=False)
    try:
        found = entry.stat()
    except FileNotFoundError:
        if not entry.is_symlink():
            return None  # gone since the directory was listed
        return FileStat(entry.path, 0, 0, 0, "the link points to nothing")
    except OSError as error:
        return FileStat(entry.path, 0, 0, 0, _reason(error))
    if not stat.S_ISREG(found.st_mode):
        return None
    if not os.access(entry.path, os.R_OK):  # a change of permissions leaves size and time as they are
        return FileStat(entry.path, 0, 0, 0, "permission denied")
    return FileStat(entry.path, found.st_size, found.st_mtime_ns, found.st_ino)


def _unnameable(path: str) -> bool:
    """Whether the name holds bytes that no text can hold (Python stands surrogates in for them)."""
    return any("\ud800" <= character <= "\udfff" for character in path)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def inside(path: str, roots: Iterable[str]) -> str | None:
    """The deepest of `roots` that holds `path`, None when none does."""
    best: str | None = None
    for root in roots:
        if (path == root or path.startswith(root.rstrip("/") + "/")) and (best is None or len(root) > len(best)):
            best = root
    return best
