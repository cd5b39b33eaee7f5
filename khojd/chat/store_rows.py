"""Rows of the conversations' database. All functions take the connection; those that write are called within a transaction."""

import re
import sqlite3
import unicodedata
from typing import Any

import msgspec

from khojd.chat import titles
from khojd.chat.model import Conversation, Turn
from khojd.errors import ChatError, NotFound

MOST_WORDS = 50  # of a search; further ones are left aside
CRASHED = "khojd ended before the answer was whole"

_ID = re.compile(r"[0-9a-f]{1,16}")
_COLUMNS = "c.id, c.title, c.titled, c.created, c.updated, c.persona, c.filters, c.forked_from"
_COUNT = "(SELECT count(*) FROM turns t WHERE t.conversation = c.id AND t.aside = 0)"
_SELECT = f"SELECT {_COLUMNS}, {_COUNT} FROM conversations c"
_TURN = "SELECT id, conversation, body FROM turns"
_FOUND = """(instr(c.folded, ?{n}) OR EXISTS
    (SELECT 1 FROM turns t WHERE t.conversation = c.id AND t.aside = 0 AND instr(t.folded, ?{n})))"""
_decoder = msgspec.json.Decoder(Turn)


def fold(text: str) -> str:
    """`text` as it is compared in searches."""
    once = unicodedata.normalize("NFKC", text).casefold()
    return _sound(unicodedata.normalize("NFKC", once).replace("\0", " "))


# --- conversations -------------------------------------------------------------------------------------------------------------


def conversation(db: sqlite3.Connection, id: str) -> Conversation:
    """Raises NotFound."""
    row = db.execute(f"{_SELECT} WHERE c.id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound(f"there is no conversation {id!r}", conversation=id)
    return _conversation(row)


def resolve(db: sqlite3.Connection, id: str, table: str = "conversations") -> str:
    """The id that starts with `id`. Raises NotFound when there is none, or more than one."""
    what = table.removesuffix("s")
    wanted = id.strip().lower()
    found = []
    if _ID.fullmatch(wanted):
        found = [row[0] for row in db.execute(f"SELECT id FROM {table} WHERE id >= ? AND id < ? LIMIT 6", (wanted, wanted + "g"))]
    if not found:
        raise NotFound(f"there is no {what} {id!r}", **{what: id})
    if len(found) > 1:
        shown = ", ".join(found[:5]) + (" and more" if len(found) > 5 else "")
        raise NotFound(f"{id!r} is the beginning of several {table}: {shown}", **{what: id})
    return str(found[0])


def listed(db: sqlite3.Connection, query: str, limit: int, offset: int) -> list[Conversation]:
    """Those that have every word of `query` in their title, questions or answers; last changed first. `limit` 0 is all."""
    words = list(dict.fromkeys(fold(query).split()))[:MOST_WORDS]
    where = " AND ".join(_FOUND.format(n=number) for number in range(1, len(words) + 1))
    order = f"ORDER BY c.updated DESC, c.rowid DESC LIMIT {limit or -1:d} OFFSET {offset:d}"
    rows = db.execute(f"{_SELECT} {'WHERE ' + where if where else ''} {order}", words)
    return [_conversation(row) for row in rows]


def insert_conversation(db: sqlite3.Connection, one: Conversation) -> None:
    db.execute(
        "INSERT INTO conversations (id, title, titled, created, updated, persona, filters, forked_from, folded)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            one.id,
            _sound(one.title),
            one.titled,
            one.created,
            one.updated,
            _sound(one.persona),
            _sound(one.filters),
            one.forked_from,
            fold(one.title),
        ),
    )


def set_title(db: sqlite3.Connection, id: str, title: str, *, titled: bool) -> None:
    db.execute("UPDATE conversations SET title = ?, titled = ?, folded = ? WHERE id = ?", (_sound(title), titled, fold(title), id))


def automatic_title(db: sqlite3.Connection, id: str) -> str:
    """From the first question that is part of the conversation."""
    first = _first(db, id)
    return titles.from_question(turn(db, first).question if first else "")


def _conversation(row: tuple[Any, ...]) -> Conversation:
    id, title, titled, created, updated, persona, filters, forked_from, turns = row
    return Conversation(
        id=id,
        title=title,
        created=created,
        updated=updated,
        turns=turns,
        persona=persona,
        filters=filters,
        forked_from=forked_from,
        titled=bool(titled),
    )


# --- turns ---------------------------------------------------------------------------------------------------------------------


def turn(db: sqlite3.Connection, id: str) -> Turn:
    """Raises NotFound."""
    row = db.execute(f"{_TURN} WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound(f"there is no turn {id!r}", turn=id)
    return _turn(row)


def turns(db: sqlite3.Connection, conversation: str, *, aside: bool = False) -> list[Turn]:
    """In their order: those of the conversation, or with `aside` those that were put aside."""
    which = "aside > 0" if aside else "aside = 0"
    rows = db.execute(f"{_TURN} WHERE conversation = ? AND {which} ORDER BY number", (conversation,))
    return [_turn(row) for row in rows]


def save_turn(db: sqlite3.Connection, turn: Turn, now: float) -> None:
    """Insert the turn, or replace what there is of it; it keeps its place. Raises NotFound for an unknown conversation."""
    titled = conversation(db, turn.conversation).titled
    db.execute(
        "INSERT INTO turns (id, conversation, state, saved, folded, body) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE"
        " SET state = excluded.state, saved = excluded.saved, folded = excluded.folded, body = excluded.body",
        (turn.id, turn.conversation, turn.state, now, _folded(turn), _body(turn)),
    )
    db.execute("UPDATE conversations SET updated = max(updated, ?) WHERE id = ?", (now, turn.conversation))
    if not titled and _first(db, turn.conversation) == turn.id:
        set_title(db, turn.conversation, titles.from_question(turn.question), titled=False)


def replace_turn(db: sqlite3.Connection, turn: Turn) -> None:
    """Put a turn in its own place, also one that was put aside."""
    values = (turn.state, _folded(turn), _body(turn), turn.id)
    db.execute("UPDATE turns SET state = ?, folded = ?, body = ? WHERE id = ?", values)


def _first(db: sqlite3.Connection, conversation: str) -> str | None:
    row = db.execute(
        "SELECT id FROM turns WHERE conversation = ? AND aside = 0 ORDER BY number LIMIT 1", (conversation,)
    ).fetchone()
    return None if row is None else str(row[0])


def insert_turn(db: sqlite3.Connection, turn: Turn, *, number: int, aside: int, saved: float) -> None:
    """A turn in the place that it had in another file."""
    db.execute(
        "INSERT INTO turns (number, id, conversation, aside, state, saved, folded, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, turn.id, turn.conversation, aside, turn.state, saved, _folded(turn), _body(turn)),
    )


def put_aside(db: sqlite3.Connection, id: str, now: float) -> list[Turn]:
    """Take a turn and those after it out of its conversation; they stay in the file. Raises NotFound for one that is no part."""
    row = db.execute("SELECT conversation, number FROM turns WHERE id = ? AND aside = 0", (id,)).fetchone()
    if row is None:
        turn(db, id)
        raise NotFound(f"the turn {id!r} was put aside before", turn=id)
    conversation, number = row
    later = "conversation = ? AND aside = 0 AND number >= ?"
    taken = [_turn(each) for each in db.execute(f"{_TURN} WHERE {later} ORDER BY number", (conversation, number))]
    (time,) = db.execute("SELECT max(aside) + 1 FROM turns WHERE conversation = ?", (conversation,)).fetchone()
    db.execute(f"UPDATE turns SET aside = ? WHERE {later}", (time, conversation, number))
    db.execute("UPDATE conversations SET updated = max(updated, ?) WHERE id = ?", (now, conversation))
    return taken


def line_of(db: sqlite3.Connection, id: str) -> list[Turn]:
    """The turns that led to a turn, itself last, as they stood when it was asked. Raises NotFound, ChatError for one that runs."""
    row = db.execute("SELECT conversation, number, aside FROM turns WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound(f"there is no turn {id!r}", turn=id)
    conversation, number, aside = row
    # What was put aside together with it, or later, was still there when it was asked.
    still = "(aside = 0 OR aside >= ?)" if aside else "aside = ?"
    rows = db.execute(
        f"{_TURN} WHERE conversation = ? AND number <= ? AND {still} ORDER BY number",
        (conversation, number, aside),
    )
    found = [_turn(each) for each in rows]
    if any(each.state == "running" for each in found):
        raise ChatError("the answer is not whole yet; fork the conversation when it is, or cancel it first", turn=id)
    return found


def recover(db: sqlite3.Connection) -> int:
    """Mark the turns of a process that is gone as failed; what there is of their answers stays. Returns their number."""
    rows = db.execute("SELECT id, conversation, body, saved FROM turns WHERE state = 'running'").fetchall()
    for row in rows:
        ended = crashed(_turn(row[:3]), row[3])
        db.execute("UPDATE turns SET state = ?, body = ? WHERE id = ?", (ended.state, _body(ended), ended.id))
    return len(rows)


def crashed(turn: Turn, finished: float) -> Turn:
    """A running turn whose process is gone."""
    return msgspec.structs.replace(turn, state="failed", reason=CRASHED, finished=finished)


def _turn(row: tuple[Any, ...]) -> Turn:
    id, conversation, body = row
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # One turn that does not read back must not hide the others.
        return Turn(id=id, conversation=conversation, question="", state="failed", reason=f"this turn does not read back: {error}")


def _folded(turn: Turn) -> str:
    return fold(f"{turn.question}\n{turn.answer}")


def _body(turn: Turn) -> str:
    try:
        return msgspec.json.encode(turn).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_sounded(msgspec.to_builtins(turn))).decode()


def _sounded(value: Any) -> Any:
    if isinstance(value, str):
        return _sound(value)
    if isinstance(value, dict):
        return {_sounded(key): _sounded(each) for key, each in value.items()}
    return [_sounded(each) for each in value] if isinstance(value, list | tuple) else value


def _sound(text: str) -> str:
    """`text` without halves of surrogate pairs, which models may write and no UTF-8 holds."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text
