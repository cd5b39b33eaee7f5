"""What renames have rewritten, so that the way back gives the same bytes: `t%65a.md`, `TEA`, `tea\\.md` all mean `tea.md`.

How a link was written beyond what it must be is not in the text any more when its note got another name.
"""

import html
import re
from hashlib import blake2b
from itertools import groupby
from operator import attrgetter
from urllib.parse import unquote

from msgspec import Struct, structs

from khojd.content import names
from khojd.graph.rename.moved import Moves
from khojd.graph.rename.plan import Change, Plan

KEPT = 5_000  # texts

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_Key = tuple[str, bytes]


class _Piece(Struct, frozen=True):
    """[start, end) of a text as a rename left it, and what stood there before."""

    start: int
    end: int
    before: str


class Memory:
    """Texts as the last renames would leave them, each with its pieces. A note that was changed since is another text."""

    def __init__(self) -> None:
        self._pieces: dict[_Key, tuple[_Piece, ...]] = {}

    def keep(self, plan: Plan) -> None:
        """Remember what the plan changes; whether it is carried out need not be known."""
        moves = Moves(plan.moves)
        for changes in _by_text(plan):
            text, done, shift, pieces = changes[0].sheet.text, 0, 0, []
            parts = []
            for change in changes:
                parts += [text[done : change.start], change.text]
                start = change.start + shift
                pieces.append(_Piece(start, start + len(change.text), text[change.start : change.end]))
                shift += len(change.text) - (change.end - change.start)
                done = change.end
            key = _key(moves.new(changes[0].sheet.path), "".join([*parts, text[done:]]))
            self._pieces.pop(key, None)
            self._pieces[key] = tuple(pieces)
        while len(self._pieces) > KEPT:
            del self._pieces[next(iter(self._pieces))]

    def restored(self, plan: Plan) -> Plan:
        """The plan with what it writes written as it was before, where that says the same."""
        found: list[Change] = []
        for changes in _by_text(plan):
            sheet = changes[0].sheet
            pieces = self._pieces.get(_key(sheet.path, sheet.text), ())
            left = list(changes)
            for piece in pieces:
                inside = [one for one in left if piece.start <= one.start and one.end <= piece.end]
                if inside and _same(piece.before, _applied(sheet.text, piece.start, piece.end, inside)):
                    left = [one for one in left if one not in inside]
                    unsure = any(one.unsure for one in inside)
                    found.append(Change(sheet, piece.start, piece.end, piece.before, unsure))
            found += left
        return structs.replace(plan, changes=tuple(found))


def _by_text(plan: Plan) -> list[list[Change]]:
    """The changes of each text, in its order."""
    ordered = sorted(plan.changes, key=lambda one: (one.sheet.path, one.start))
    return [list(group) for _, group in groupby(ordered, key=attrgetter("sheet.path"))]


def _applied(text: str, start: int, end: int, changes: list[Change]) -> str:
    parts, at = [], start
    for change in changes:
        parts += [text[at : change.start], change.text]
        at = change.end
    return "".join([*parts, text[at:end]])


def _same(one: str, other: str) -> bool:
    """Whether two pieces of links say the same but for case, brackets, escapes and percent-encoding."""
    return one == other or _plain(one) == _plain(other)


def _plain(written: str) -> str:
    unescaped = html.unescape(_ESCAPE.sub(r"\1", written.removeprefix("[[").removesuffix("]]")))
    return names.fold(unquote(unescaped))


def _key(path: str, text: str) -> _Key:
    return path, blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
