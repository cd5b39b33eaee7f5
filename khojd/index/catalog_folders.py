"""What the catalog knows folder by folder: each function works inside the caller's transaction, or on a reader."""

import sqlite3
import time
from collections.abc import Iterable

from khojd.index.rows import KnownFile

_KNOWN = "SELECT path, id, size, mtime_ns, inode, state, hash, fingerprint FROM documents WHERE overlay = 0"


def known_below(db: sqlite3.Connection, folder: str) -> dict[str, KnownFile]:
    """The files found under a configured folder, by path; buffers left out."""
    return {path: KnownFile(*rest) for path, *rest in db.execute(f"{_KNOWN} AND folder = ?", (folder,))}


def known_file(db: sqlite3.Connection, path: str) -> KnownFile | None:
    row = db.execute(f"{_KNOWN} AND path = ?", (path,)).fetchone()
    return None if row is None else KnownFile(*row[1:])


def known_under(db: sqlite3.Connection, directory: str) -> dict[str, KnownFile]:
    """The files below a directory, by path."""
    # "0" follows "/" in ASCII, so this is the range of all paths that start with "directory/".
    rows = db.execute(f"{_KNOWN} AND path > ? AND path < ?", (f"{directory}/", f"{directory}0"))
    return {path: KnownFile(*rest) for path, *rest in rows}


def hide_folder(db: sqlite3.Connection, folder: str, reason: str) -> int:
    """Leave a folder's files out of answers without forgetting them; they wait until the folder is back. Returns how many."""
    return db.execute(
        "UPDATE documents SET visible = 0, state = 'pending', reason = ?, state_at = ?"
        " WHERE folder = ? AND overlay = 0 AND state = 'indexed'",
        (reason, time.time(), folder),
    ).rowcount


def show_file(db: sqlite3.Connection, document_id: int) -> None:
    """Let a file that was hidden with its folder answer again."""
    db.execute(
        "UPDATE documents SET state = 'indexed', reason = '', state_at = ?, visible = 1 WHERE id = ? AND state = 'pending'",
        (time.time(), document_id),
    )


def count(db: sqlite3.Connection, folder: str) -> int:
    """How many files a folder has."""
    return int(db.execute("SELECT count(*) FROM documents WHERE folder = ? AND overlay = 0", (folder,)).fetchone()[0])


def other_folders(db: sqlite3.Connection, configured: Iterable[str]) -> list[str]:
    """Folders with files in the catalog that are not among the configured ones."""
    known = {row[0] for row in db.execute("SELECT DISTINCT folder FROM documents")}
    return sorted(known.difference(configured))
