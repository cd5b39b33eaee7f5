"""What can still be read of a damaged file of conversations, taken over into a new one."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from khojd.chat import store_file, store_rows
from khojd.chat.model import Conversation, Turn
from khojd.chat.titles import from_question
from khojd.index import migrate

MOST_STEPS = 10_000  # rows that are tried one by one where a page is damaged

_CONVERSATION = ("id", "title", "titled", "created", "updated", "persona", "filters", "forked_from")
_TURN = ("number", "id", "conversation", "aside", "saved", "body")
_decoder = msgspec.json.Decoder(Turn)


def salvage(db: sqlite3.Connection, damaged: Path) -> tuple[int, int]:
    """Copy conversations and turns from `damaged` into `db`, which is empty; how many of each.

    A turn whose conversation is lost gets one of its id again. Nothing is raised for what cannot be read.
    """
    with contextlib.ExitStack() as stack:
        try:
            old = stack.enter_context(contextlib.closing(store_file.connect_readable(damaged)))
            if migrate.version(old) != max(store_file.MIGRATIONS):
                return 0, 0
        except sqlite3.DatabaseError:
            return 0, 0
        for row in _rows(old, "conversations", _CONVERSATION):
            with contextlib.suppress(msgspec.ValidationError, sqlite3.IntegrityError):
                found = msgspec.convert({**dict(zip(_CONVERSATION, row, strict=True)), "titled": bool(row[2])}, Conversation)
                store_rows.insert_conversation(db, found)
        turns = sum(_keep(db, row) for row in _rows(old, "turns", _TURN))
    (conversations,) = db.execute("SELECT count(*) FROM conversations").fetchone()
    return conversations, turns


def _rows(old: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """The rows of a table by their numbers; a row or page that does not read back is passed over."""
    last = -1
    for _ in range(MOST_STEPS):
        try:
            for number, *row in old.execute(
                f"SELECT rowid, {', '.join(columns)} FROM {table} WHERE rowid > ? ORDER BY rowid", (last,)
            ):
                last = number
                yield tuple(row)
            return
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            last += 1


def _keep(db: sqlite3.Connection, row: tuple[Any, ...]) -> bool:
    """Insert one turn, if it is one."""
    number, id, conversation, aside, saved, body = row
    try:
        turn = _decoder.decode(body)
        if (turn.id, turn.conversation) != (id, conversation):
            return False
        if db.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation,)).fetchone() is None:
            title = from_question(turn.question)
            store_rows.insert_conversation(db, Conversation(conversation, title, turn.created, float(saved)))
        store_rows.insert_turn(db, turn, number=number, aside=int(aside), saved=float(saved))
    except (msgspec.MsgspecError, TypeError, ValueError, sqlite3.IntegrityError):
        return False
    return True
