"""A folder as configured, made usable."""

import os
from pathlib import Path

from msgspec.structs import replace

from khojd.config import Folder
from khojd.errors import ConfigError
from khojd.paths import plain
from khojd.sources.rules import SKIPPED_DIRECTORIES


def resolved(folder: Folder) -> Folder:
    """The folder with its path absolute, `~` expanded, without a slash at the end. Links in it are kept as they are."""
    return replace(folder, path=plain(os.path.abspath(os.path.expanduser(folder.path))))  # noqa: PTH100, PTH111 - Path keeps ".."


def check(folder: Folder) -> None:
    """Raises ConfigError when `folder` cannot be a folder of notes now."""
    path = Path(folder.path)
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where it may not look
        raise _error(folder, f"{path} does not exist")
    if not os.path.isdir(path):  # noqa: PTH112
        raise _error(folder, f"{path} is a file; name the folder it is in")
    if not os.access(path, os.R_OK | os.X_OK):
        raise _error(folder, f"{path} may not be read by this user")
    if skipped := SKIPPED_DIRECTORIES.intersection(path.parts):
        raise _error(folder, f"{path} is never read: {min(skipped)} folders hold no notes")


def _error(folder: Folder, message: str) -> ConfigError:
    return ConfigError(message, key="folders.path", value=folder.path)
