"""The daemon that the commands talk to, and paths as it takes them."""

import os
from contextlib import AbstractContextManager

import khojd
from khojd.daemon.client import Client
from khojd.errors import NotFound
from khojd.paths import plain


def connect(*, spawn: bool = True) -> AbstractContextManager[Client]:
    """A session with the daemon of the configured index, which is started if need be. Raises DaemonError."""
    return Client.connect(spawn=spawn, name=f"khojd {khojd.__version__} command line")


def absolute(path: str) -> str:
    """The absolute path that a person means from here; `~` is expanded, links stay."""
    return plain(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111


def folders(paths: list[str] | None) -> tuple[str, ...]:
    """The folders of `--folder`. Raises NotFound for one that is not there."""
    found = tuple(map(absolute, paths or ()))
    for path in found:
        if not os.path.isdir(path):  # noqa: PTH112
            what = "is not a folder" if os.path.exists(path) else "does not exist"  # noqa: PTH110
            raise NotFound(f"--folder {path} {what}", path=path)
    return found
