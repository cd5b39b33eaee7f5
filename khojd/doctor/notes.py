"""Whether the folders can be watched: each directory takes one of the kernel's inotify watches."""

import os
from collections.abc import Iterator
from pathlib import Path

from khojd.config import Config, Folder
from khojd.doctor.check import Check
from khojd.sources.folder import resolved
from khojd.sources.rules import Rules

LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")


def examine(config: Config) -> Iterator[Check]:
    if config.index.watch != "auto":
        how = {"poll": "looked at every few seconds", "off": "not watched"}[config.index.watch]
        yield Check(
            "watching",
            "ok" if config.index.watch == "poll" else "warn",
            f'folders are {how}, as index.watch = "{config.index.watch}" says',
        )
        return
    try:
        limit = int(LIMIT.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return  # not Linux
    yield verdict(sum(map(watched, config.folders)), limit)


def watched(folder: Folder) -> int:
    """Directories of a folder that are watched: those that may hold notes."""
    rules = Rules(resolved(folder))
    count = 0
    for base, names, _ in os.walk(rules.root):
        count += 1
        below = "" if base == str(rules.root) else f"{Path(base).relative_to(rules.root).as_posix()}/"
        names[:] = [name for name in names if rules.directory(below + name)]
    return count


def verdict(directories: int, limit: int) -> Check:
    """All programs of a user share the limit, so half of it is taken for scarce."""
    message = f"{directories:,} directories of notes, {limit:,} inotify watches for all of your programs"
    fix = f"raise the limit: sudo sysctl fs.inotify.max_user_watches={max(524_288, 4 * directories)}"
    if directories > limit:
        return Check("watching", "warn", f"{message}: folders are looked at every few seconds instead", fix)
    if directories * 2 > limit:
        return Check("watching", "warn", message, fix)
    return Check("watching", "ok", message)
