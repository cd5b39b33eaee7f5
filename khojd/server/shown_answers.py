"""Answers as files that an editor can show: private, outside of the notes, and no more than a few."""

import os
from pathlib import Path

from khojd import paths
from khojd.chat import export
from khojd.chat.export import Format
from khojd.chat.model import Conversation, Turn

KEPT = 20


def write(conversation: Conversation, turn: Turn, format: Format) -> Path:
    """The file with the answer, which links to what it cites. The oldest beyond `KEPT` are removed. Raises OSError."""
    directory = paths.private_dir(paths.state_dir() / "answers")
    text = export.org(conversation, [turn]) if format == "org" else export.markdown(conversation, [turn])
    path = directory / f"{turn.id}{export.SUFFIXES[format]}"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text.encode("utf-8", "replace"))
    for old in sorted(directory.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)[KEPT:]:
        old.unlink(missing_ok=True)
    return path
