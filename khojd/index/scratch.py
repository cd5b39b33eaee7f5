"""Temporary directories, also those that a process which was killed has left behind."""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

_NAME = re.compile(r"khojd-[a-z]+-([0-9]+)-[^-]*")


def scratch(purpose: str) -> "tempfile.TemporaryDirectory[str]":
    """A temporary directory of this process; what earlier ones have left behind is removed. `purpose` is one small word."""
    clear(Path(tempfile.gettempdir()))
    return tempfile.TemporaryDirectory(prefix=f"khojd-{purpose}-{os.getpid()}-")


def clear(place: Path) -> None:
    """Remove the directories in `place` that this user's processes made as `scratch` does, and that have ended."""
    if sys.platform == "win32":
        return  # a process cannot be asked for there without a right to it
    for directory in place.glob("khojd-*"):
        made = _NAME.fullmatch(directory.name)
        if made and not _runs(int(made[1])) and directory.lstat().st_uid == os.getuid():
            shutil.rmtree(directory, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
