"""Patterns with gitignore's meaning (https://git-scm.com/docs/gitignore).

Git drops a pattern that it cannot read without a word. In a .gitignore file so do we; in khojd's own configuration it is an error,
as is one that can never match.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from khojd.config import Folder
from khojd.errors import ConfigError

log = logging.getLogger(__name__)

EXAMPLES = "*.md, /drafts/, archive/**/*.org"


def mistakes(folder: Folder) -> Iterator[tuple[str, str, str]]:
    """Every pattern of a resolved folder that would do nothing: its key, e.g. `exclude[0]`, the pattern, and why it is refused."""
    for key, patterns in (("include", folder.include), ("exclude", folder.exclude)):
        for index, pattern in enumerate(patterns):
            if reason := _mistake(pattern, folder.path, first=index == 0):
                yield f"{key}[{index}]", pattern, f"{reason}. Allowed are gitignore's patterns, e.g. {EXAMPLES}"


def check(folder: Folder) -> None:
    """Raises ConfigError for a pattern of the folder that would do nothing."""
    for key, pattern, reason in mistakes(folder):
        raise ConfigError(
            f'folder {folder.path}: {key} = "{pattern}" is not allowed: {reason}',
            key=f"folders.{key}",
            value=pattern,
            allowed=EXAMPLES,
        )


def compiled(patterns: Sequence[str]) -> GitIgnoreSpec | None:
    """Checked patterns, ready to match; None for none."""
    return GitIgnoreSpec.from_lines(patterns) if patterns else None


def read(path: Path) -> GitIgnoreSpec | None:
    """The patterns of a .gitignore file, without those that cannot be read; None where there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return GitIgnoreSpec.from_lines([line for line in lines if _readable(line, path)])


def _readable(line: str, path: Path) -> bool:
    reason = _unreadable(line)
    if reason:
        log.warning("%s: %r is left aside: %s", path, line, reason)
    return not reason


def _unreadable(pattern: str) -> str:
    """Why it cannot be read, "" when it can be (a blank line or a comment, too)."""
    if "[:" in pattern:
        return "classes by name such as [[:alpha:]] are not known here; write [a-zA-Z]"
    try:
        for each in GitIgnoreSpec.from_lines([pattern]).patterns:
            if each.include is not None and each.regex is not None:
                re.compile(each.regex.pattern)
    except (ValueError, re.error) as error:
        return "it is not a gitignore pattern" + (f" ({error})" if isinstance(error, re.error) else "")
    return ""


def _mistake(pattern: str, root: str, *, first: bool) -> str:
    """Why a pattern would do nothing, "" when it may match."""
    bare = pattern.removeprefix("!").strip()
    if not bare:
        return "it is empty"
    if pattern.startswith("#"):
        return r"it is a comment; write '\#' for the character itself"
    if reason := _unreadable(pattern):
        return reason
    if GitIgnoreSpec.from_lines([pattern]).patterns[0].include is None:
        why = r"it has a [ without ]; write '\[' for the character itself" if "[" in pattern else "it is not a gitignore pattern"
        return why if bare != "/" else "it names nothing; to leave the whole folder out, take out its table"
    if first and pattern.startswith("!"):
        return "it takes something back, and nothing stands before it"
    # A folder may well hold one of its own name, but hardly its own whole path.
    if bare.startswith("~/") or (root.count("/") > 1 and bare.startswith(root + "/")):
        return "patterns start at the folder of notes: /drafts/ is the drafts in it"
    if {"", ".", ".."}.intersection(bare.strip("/").split("/")):
        return "no path below the folder has a part that is empty, . or .."
    return ""
