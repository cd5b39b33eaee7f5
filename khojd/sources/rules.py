"""Which files of a folder are notes: include and exclude patterns, .gitignore files, hidden files.

Patterns have gitignore's meaning (https://git-scm.com/docs/gitignore): the last pattern that matches decides, a deeper
.gitignore wins over a higher one, and nothing below an excluded directory can be included again.
"""

import os
from functools import cached_property
from pathlib import Path, PurePath

from pathspec import GitIgnoreSpec

from khojd.config import Folder
from khojd.sources import patterns

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
    """The rules of one resolved folder. Paths are given relative to its root, with `/` between parts.

    The directory `index` is left out, wherever it lies: to read what one writes by reading never ends.
    Any thread may ask; .gitignore files are read when they are first needed.
    Raises ConfigError for a pattern that would do nothing.
    """

    def __init__(self, folder: Folder, index: Path | None = None) -> None:
        patterns.check(folder)
        self.folder = folder
        self.root = Path(folder.path)
        self._index = index
        self._include = patterns.compiled(folder.include)
        self._exclude = patterns.compiled(folder.exclude)
        self._gitignores = _Gitignores(self.root)

    def forget(self) -> None:
        """Read the .gitignore files again from now on."""
        self._gitignores = _Gitignores(self.root)  # another thread may be in the middle of a look at the old ones

    def directory(self, relative: str) -> bool:
        """Whether a directory, whose parents were accepted, is entered."""
        name = relative.rpartition("/")[2]
        if name in SKIPPED_DIRECTORIES or (name.startswith(".") and not self.folder.hidden):
            return False
        if self._index is not None and name == self._index.name and _same(self.root / relative, self._index):
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
        return self._gitignores.ignored(relative, candidate)


class _Gitignores:
    """The .gitignore files that concern a folder, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._inside: dict[str, GitIgnoreSpec | None] = {}

    def ignored(self, relative: str, candidate: str) -> bool:
        """From the deepest .gitignore upwards: the first that has an opinion decides. `candidate` ends with `/` for a directory."""
        parent = relative.rpartition("/")[0]
        while True:
            spec = self._of(parent)
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

    def _of(self, directory: str) -> GitIgnoreSpec | None:
        if directory not in self._inside:
            self._inside[directory] = patterns.read(self._root / directory / GITIGNORE)
        return self._inside[directory]

    @cached_property
    def _above(self) -> list[tuple[str, GitIgnoreSpec]]:
        return _enclosing(self._root)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _enclosing(root: Path) -> list[tuple[str, GitIgnoreSpec]]:
    """The .gitignore files above `root` in the same git work tree, deepest first, each with root's path relative to it."""
    above: list[tuple[str, GitIgnoreSpec]] = []
    directory = root
    while not os.path.exists(directory / ".git"):  # noqa: PTH110 - Path.exists raises where it may not look
        if directory == directory.parent:
            return []  # not in a work tree
        directory = directory.parent
        spec = patterns.read(directory / GITIGNORE)
        if spec is not None:
            above.append((root.relative_to(directory).as_posix() + "/", spec))
    return above
