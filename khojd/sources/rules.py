"""Which files of a folder are notes: include and exclude patterns, .gitignore files, hidden files.

Patterns have gitignore's meaning (https://git-scm.com/docs/gitignore): the last pattern that matches decides, a deeper
.gitignore wins over a higher one, and nothing below an excluded directory can be included again.
"""

import logging
import os
from pathlib import Path, PurePath

from pathspec import GitIgnoreSpec

from khojd.config import Folder
from khojd.errors import ConfigError

log = logging.getLogger(__name__)

# Never notes, whatever the settings say: version control, editors' own folders, packages, caches.
SKIPPED_DIRECTORIES = frozenset(
    {".git", ".hg", ".svn", ".jj", ".obsidian", ".trash", ".stversions", "node_modules", "__pycache__", ".venv", ".direnv"}
)
GITIGNORE = ".gitignore"


def is_scratch(name: str) -> bool:
    """Editors' locks, backups and swap files, which come and go beside a note while it is edited."""
    return (
        name.startswith((".#", "~$"))
        or name.endswith(("~", ".swp", ".swx", ".crswap", ".tmp-khojd"))
        or (name.startswith("#") and name.endswith("#"))
        or name == "4913"  # Vim's probe whether it may write here
    )


class Rules:
    """The rules of one folder. Paths are given relative to its root, with `/` between parts. Any thread may ask."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.root = Path(folder.path)
        self._include = _spec(folder, "include", folder.include)
        self._exclude = _spec(folder, "exclude", folder.exclude)
        self._gitignores: dict[str, GitIgnoreSpec | None] = {}
        self._above = _enclosing(self.root) if folder.gitignore else []

    def forget(self) -> None:
        """Read the .gitignore files again from now on."""
        self._gitignores = {}  # another thread may be in the middle of a look at the old ones

    def directory(self, relative: str) -> bool:
        """Whether a directory, whose parents were accepted, is entered."""
        name = relative.rpartition("/")[2]
        if name in SKIPPED_DIRECTORIES or (name.startswith(".") and not self.folder.hidden):
            return False
        return not self._ignored(relative, is_directory=True)

    def file(self, relative: str) -> bool:
        """Whether a file, whose parents were accepted, is a note."""
        name = relative.rpartition("/")[2]
        if is_scratch(name) or (name.startswith(".") and not self.folder.hidden):
            return False
        if self._include is not None and not self._include.match_file(relative):
            return False
        return not self._ignored(relative, is_directory=False)

    def accepts(self, path: str) -> bool:
        """Whether a file, given by its absolute path, is a note, all its parents considered."""
        try:
            parts = PurePath(path).relative_to(self.root).parts
        except ValueError:
            return False
        if not parts:
            return False
        return all(self.directory("/".join(parts[:i])) for i in range(1, len(parts))) and self.file("/".join(parts))

    def _ignored(self, relative: str, *, is_directory: bool) -> bool:
        candidate = relative + "/" if is_directory else relative
        if self._exclude is not None and self._exclude.match_file(candidate):
            return True
        if not self.folder.gitignore:
            return False
        # From the deepest .gitignore upwards: the first that has an opinion decides.
        parent = relative.rpartition("/")[0]
        while True:
            spec = self._gitignore(parent)
            if spec is not None:
                include = spec.check_file(candidate[len(parent) + 1 :] if parent else candidate).include
                if include is not None:
                    return include
            if not parent:
                break
            parent = parent.rpartition("/")[0]
        for prefix, spec in self._above:
            include = spec.check_file(prefix + candidate).include
            if include is not None:
                return include
        return False

    def _gitignore(self, directory: str) -> GitIgnoreSpec | None:
        known = self._gitignores
        if directory not in known:
            known[directory] = _read(self.root / directory / GITIGNORE)
        return known[directory]


def _spec(folder: Folder, key: str, patterns: tuple[str, ...]) -> GitIgnoreSpec | None:
    if not patterns:
        return None
    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError as error:
            raise ConfigError(
                f"folder {folder.path}: {key} pattern {pattern!r} is not a gitignore pattern: {error}",
                key=f"folders.{key}",
                value=pattern,
            ) from error
    return GitIgnoreSpec.from_lines(patterns)


def _read(path: Path) -> GitIgnoreSpec | None:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        log.warning("%s: not a valid .gitignore, left aside: %s", path, error)
        return None


def _enclosing(root: Path) -> list[tuple[str, GitIgnoreSpec]]:
    """The .gitignore files above `root` in the same git work tree, deepest first, each with root's path relative to it."""
    above: list[tuple[str, GitIgnoreSpec]] = []
    directory = root
    while not os.path.exists(directory / ".git"):  # noqa: PTH110 - Path.exists raises where it may not look
        if directory == directory.parent:
            return []  # not in a work tree
        directory = directory.parent
        spec = _read(directory / GITIGNORE)
        if spec is not None:
            above.append((root.relative_to(directory).as_posix() + "/", spec))
    return above
