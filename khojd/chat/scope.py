"""What /summarize is asked to sum up: notes, headings, tags, a span of time, the open note."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from khojd.chat import mentions, queries
from khojd.chat.model import Attached, Passage
from khojd.errors import ChatError, QueryError
from khojd.graph.graph import Graph
from khojd.search import dateexpr

if TYPE_CHECKING:
    from khojd.chat.turn import Running

MOST = 200  # entries
_TAG = re.compile(r"(?<!\S)#([\w][\w/-]*)")
_HINT = (
    "say what: /summarize [[note]], [[note#heading]], the words of a heading, #tag, last week, date>=2024-05 date<2024-06,"
    " or open a note and give nothing"
)


class Scope(Struct, frozen=True):
    """`passages` in their order, each whole; `what` names them for people; `wish` is what else was said."""

    what: str
    passages: tuple[Passage, ...]
    wish: str = ""


async def scope_of(turn: Running) -> Scope:
    """What the question of a /summarize means. Raises ChatError where nothing is meant, or nothing is there."""
    question, config, library = turn.question, turn.config, turn.chat.library
    today = date.today()
    if not question:
        if not turn.ask.attached:
            raise ChatError(_HINT, command="summarize")
        return await _notes(turn, turn.ask.attached, "")
    named = await mentions.mentioned(turn.chat.engine, question, sheets=turn.sheets, near=[one.path for one in turn.ask.attached])
    for note in named.notes:
        turn.record.notice(note)
    if named.places:
        return await _notes(turn, named.places, _without_marks(question))
    rest, filters = queries.split(_TAG.sub(r"tag:\1", question), config, today)
    if not filters and (span := _span(rest, turn, today)):
        rest, filters = "", span
    if filters:
        found = await library.listed(filters, within=turn.within, folders=turn.ask.folders, limit=MOST, sheets=turn.sheets)
        if not found:
            also = f" within {' '.join(turn.within.split())}" if turn.within else ""
            raise ChatError(f"no entry of your notes matches {filters}{also}", filters=filters)
        if len(found) >= MOST:
            turn.record.notice(f"{MOST} entries at most are summed up: narrow {filters} to have the rest, too")
        return Scope(filters, found, rest)
    places = await turn.chat.engine.graph(lambda graph: _by_words(graph, question, turn.ask.attached), turn.sheets)
    if not places:
        raise ChatError(f"“{question[:80]}” is no note and no heading; {_HINT}", scope=question[:80])
    if len(places) > 1:
        folders = [folder.path for folder in turn.chat.engine.folders()]
        others = ", ".join(mentions.shown(one.path, folders) for one in places[1:6])
        turn.record.notice(f"several places are called so; the first is taken, not those in {others}")
    return await _notes(turn, places[:1], "")


async def _notes(turn: Running, places: Sequence[Attached], wish: str) -> Scope:
    library = turn.chat.library
    found = [replace(await library.passage(one.path, one.start, one.end, sheets=turn.sheets), origin="scope") for one in places]
    kept = tuple(one for one in found if one.text.strip())
    if not kept:
        raise ChatError(f"{library.label(places[0].path)} is empty there", path=places[0].path)
    what = ", ".join(" › ".join((library.label(one.path), *one.headings)) for one in kept)
    return Scope(what, kept, wish)


def _span(text: str, turn: Running, today: date) -> str:
    """The date filter that a text is as a whole, e.g. `last week` or `from May 2024`; "" for none."""
    bare = re.sub(r"^(?:of|from|in|for|the)\s+", "", text.strip().rstrip(".?!"), flags=re.IGNORECASE)
    content = turn.config.content
    try:
        dateexpr.parse(
            bare, today=today, first_weekday=turn.config.search.first_weekday, day_first=content.date_order == "day-first"
        )
    except QueryError:
        return ""
    return f'date:"{bare}"'


def _by_words(graph: Graph, text: str, near: Sequence[Attached]) -> list[Attached]:
    """The heading of the open note that is called so, the note, or the headings of other notes."""
    wanted = " ".join(text.casefold().split())
    for one in near:
        note = graph.notes.at(one.path)
        for heading in graph.outline(one.path, note).headings:
            if " ".join(heading.text.casefold().split()) == wanted:
                from khojd.graph.outline import heading_place

                return [mentions.attached(graph, heading_place(heading, one.path, note))]
    found = graph.notes.by_name(text.strip(), near[0].path if near else "")
    if found.status in ("found", "ambiguous"):
        return [mentions.attached(graph, place) for place in found.places]
    rows = graph.db.execute(
        "SELECT d.path, s.start, s.level, (SELECT min(n.start) FROM sections n WHERE n.document_id = s.document_id"
        " AND n.start > s.start AND n.level <= s.level) FROM sections s JOIN seen d ON d.id = s.document_id"
        " WHERE s.heading = ? COLLATE NOCASE AND s.level > 0 ORDER BY d.path, s.start LIMIT 6",
        (text.strip(),),
    )
    return [Attached(path, start, -1 if end is None else end) for path, start, _, end in rows]


def _without_marks(question: str) -> str:
    """What is said besides the places."""
    return " ".join(mentions.LINK.sub(" ", mentions.AT.sub(" ", question)).split())
