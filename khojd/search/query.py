"""Query text -> free text and filters. The language is described in docs/query.md; the filters by name in vocabulary.py.

One pass over the text, linear in its length. A filter starts where a word starts; what only resembles one is either text or an
error that says what was probably meant, never a filter of another meaning.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import cast

from khojd.errors import QueryError
from khojd.search import dateexpr
from khojd.search.conditions import ANY, DateField, DateIs, File, Filter, Kind, Operator, Phrase, Property, Query, Values
from khojd.search.dateexpr import FirstWeekday
from khojd.search.paths import Glob
from khojd.search.vocabulary import ALIASES, DATE_NAMES, DATE_OPERATORS, NAMES, TYPES, meant

MOST_FILTERS = 64
MOST_CHARACTERS = 1000

_QUOTED = re.compile(r'"((?>(?:[^"\\]++|\\.)*))"', re.DOTALL)
_HEAD = re.compile(r"([+-]?)([A-Za-z]{2,12})([:<>=!~]+)")
_SPACED_DATE = re.compile(r"([+-]?)(" + "|".join(sorted(DATE_NAMES)) + r")\s+([<>]=?)\s*(\S{1,60})")
_WORD = re.compile(r"\S+")
_ITEM = re.compile(r'[^\s,"]*')
_KEY = re.compile(r'[^\s="]*')
_SPACE = re.compile(r"\s*")
_ESCAPE = re.compile(r'\\(["\\])')
_TYPOGRAPHIC = str.maketrans("“”„‟", '"' * 4)
_FOLLOWING = re.compile(r"\S{1,20}(?:\s+\S{1,20}){1,3}")


def parse(query: str, *, today: date, first_weekday: FirstWeekday = "monday", day_first: bool = True) -> Query:
    """Free text and filters of `query`. Total: returns, or raises QueryError with `part` and `allowed`.

    `day_first` says how a date such as 03/04/2024 is read.
    """
    return _Parser(_well_formed(query), today, first_weekday, day_first).run()


def quoted_at(text: str, at: int) -> tuple[str, int] | None:
    """The string in double quotes that starts at `at`, unescaped, and where it ends; None when it does not end."""
    found = _QUOTED.match(text, at)
    return (_ESCAPE.sub(r"\1", found[1]), found.end()) if found else None


def _well_formed(text: str) -> str:
    """Without lone surrogates, which no store can take, and with plain double quotes for those that telephones put in."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").translate(_TYPOGRAPHIC)


class _Parser:
    def __init__(self, query: str, today: date, first_weekday: FirstWeekday, day_first: bool) -> None:
        self.query = query
        self.at = 0
        self.today = today
        self.first_weekday = first_weekday
        self.day_first = day_first

    def run(self) -> Query:
        text: list[str] = []
        filters: dict[str, Filter] = {}
        self._skip_space()
        while self.at < len(self.query):
            one = self._filter()
            if one is None:
                text.append(self._text())
            else:
                filters[one.render()] = one
                if len(filters) > MOST_FILTERS:
                    raise QueryError(f"the query has more than {MOST_FILTERS} filters", part=one.render(), allowed=[])
            self._skip_space()
        return Query(" ".join(" ".join(text).split()), tuple(filters[key] for key in sorted(filters)))

    def _skip_space(self) -> None:
        self.at = cast("re.Match[str]", _SPACE.match(self.query, self.at)).end()

    def _text(self) -> str:
        """One word, or all of a quoted string; a quote that does not end is a character like others."""
        start = self.at
        if self.query[start] == '"' and (found := quoted_at(self.query, start)):
            self.at = found[1]
            tail = _WORD.match(self.query, self.at)
            self.at = tail.end() if tail else self.at
            return found[0] + (tail[0] if tail else "")
        self.at = cast("re.Match[str]", _WORD.match(self.query, start)).end()
        return self.query[start : self.at]

    def _filter(self) -> Filter | None:
        query, at = self.query, self.at
        if query[at] in "+-" and query[at + 1 : at + 2] == '"':
            return self._phrase(negated=query[at] == "-")
        if spaced := _SPACED_DATE.match(query, at):
            self._refuse_spaced(spaced)
        head = _HEAD.match(query, at)
        if head is None:
            return None
        sign, name, operator = head.groups()
        rest = query[head.end() : head.end() + 1]
        attached = bool(rest) and not rest.isspace()
        if operator.startswith("::") or (attached and query.startswith("//", head.end()) and name != "file"):
            return None  # C++ and addresses
        if name not in NAMES:
            if attached and (right := meant(name)) and (operator[0] == ":" or right in DATE_NAMES):
                raise QueryError(
                    f"“{name}{operator}” is not a filter; did you mean {right}{operator}? To search for the text, quote it: "
                    f'"{name}{operator}…"',
                    part=f"{sign}{name}{operator}",
                    allowed=sorted(NAMES),
                )
            return None
        negated = sign == "-"
        if name in DATE_NAMES:
            self.at = head.end()
            return self._date(name, operator, negated=negated)
        if operator[0] != ":":
            return None
        self.at = head.start(3) + 1
        return self._valued(name, negated=negated)

    def _refuse_spaced(self, found: re.Match[str]) -> None:
        """`date >= 2024` means the filter when a date follows; `closed > open` is text."""
        try:
            if not found[4].startswith('"'):
                self._period(found[4])
        except QueryError:
            return
        raise QueryError(
            f"a filter has no spaces: write {found[1]}{found[2]}{found[3]}{found[4]}", part=found[0], allowed=list(DATE_OPERATORS)
        )

    def _phrase(self, *, negated: bool) -> Phrase:
        sign = self.query[self.at]
        self.at += 1
        words = " ".join(self._quoted(f"{sign}").split())
        if not any(char.isalnum() for char in words):
            raise QueryError(f'{sign}"…" has no word in it', part=f'{sign}"{words}"', allowed=[f'{sign}"exact words"'])
        self._limited(words, sign)
        return Phrase(words, negated)

    def _quoted(self, before: str) -> str:
        """The quoted string here, with nothing attached behind it."""
        found = quoted_at(self.query, self.at)
        if found is None:
            part = before + self.query[self.at : self.at + 40]
            raise QueryError(f"the quote in “{part}” has no end; close it with a double quote", part=part, allowed=[f'{before}"…"'])
        value, self.at = found
        return value

    def _ended(self, before: str) -> None:
        """A filter ends with a space."""
        if tail := _WORD.match(self.query, self.at):
            part = before + self.query[self.at : self.at + min(len(tail[0]), 40)]
            raise QueryError(f"“{tail[0][:40]}” is attached to the end of {before}; put a space between", part=part, allowed=[])

    def _limited(self, value: str, before: str) -> str:
        if len(value) > MOST_CHARACTERS:
            raise QueryError(f"the value of {before} is longer than {MOST_CHARACTERS} characters", part=before, allowed=[])
        return value

    def _value(self, before: str) -> str:
        """One value, quoted or up to the next space."""
        if self.query[self.at : self.at + 1] == '"':
            value = self._quoted(before)
            self._ended(before)
        else:
            found = _WORD.match(self.query, self.at)
            value = found[0] if found else ""
            self.at += len(value)
        if not value.strip():
            raise self._empty(before)
        return self._limited(value, before)

    def _empty(self, before: str) -> QueryError:
        example = NAMES[re.split("[:<>=]", before.lstrip("+-"), maxsplit=1)[0]].example
        return QueryError(
            f'{before} has no value; write it like {example}, or quote it to search for the text: "{before}"',
            part=before,
            allowed=[example],
        )

    def _values(self, before: str) -> list[str]:
        """Values with commas between, each quoted or not."""
        found: list[str] = []
        while True:
            if self.query[self.at : self.at + 1] == '"':
                value = self._quoted(before)
            else:
                value = cast("re.Match[str]", _ITEM.match(self.query, self.at))[0]
                self.at += len(value)
            if not value.strip():
                raise self._empty(before)
            found.append(self._limited(value.strip(), before))
            if len(found) > MOST_FILTERS:
                raise QueryError(f"{before} has more than {MOST_FILTERS} values", part=before, allowed=[])
            if self.query[self.at : self.at + 1] != ",":
                self._ended(before)
                return found
            self.at += 1

    def _valued(self, name: str, *, negated: bool) -> Filter:
        before = f"{'-' if negated else ''}{name}:"
        if name == "file":
            flag = self.query.startswith("i:", self.at)
            self.at += 2 if flag else 0
            pattern = self._value(before + ("i:" if flag else ""))
            Glob(pattern)  # raises where it is malformed
            return File(pattern, flag, negated)
        if name == "prop":
            return self._property(before, negated=negated)
        check = {"tag": _tag, "todo": _todo, "priority": _priority, "type": _type, "lang": _lang}[name]
        values = {check(value) for value in self._values(before)}
        return Values(cast("Kind", name), tuple(sorted(values)), negated)

    def _property(self, before: str, *, negated: bool) -> Property:
        value: str | None = None
        if self.query[self.at : self.at + 1] == '"':
            key = self._quoted(before)
            if self.query[self.at : self.at + 1] == "=":
                self.at += 1
                value = self._value(before + "…=")
            else:
                self._ended(before)
                key, equals, rest = key.partition("=")
                value = rest if equals else None
        else:
            key = cast("re.Match[str]", _KEY.match(self.query, self.at))[0]
            self.at += len(key)
            if self.query[self.at : self.at + 1] == "=":
                self.at += 1
                value = self._value(f"{before}{key}=")
            else:
                self._ended(before + key)
        self._limited(key + (value or ""), before)
        if not key.strip():
            raise self._empty(before)
        if "=" in key:
            raise QueryError(f"the property “{key}” has a = in its name", part=key, allowed=["prop:KEY", "prop:KEY=value"])
        if value is not None and not value.strip():
            raise QueryError(
                f"prop:{key}= has no value; leave out the = to ask whether it is there",
                part=f"prop:{key}=",
                allowed=[f"prop:{key}"],
            )
        return Property(folded(key), None if value is None else folded(value), negated)

    def _date(self, name: str, operator: str, *, negated: bool) -> DateIs:
        before = f"{'-' if negated else ''}{name}{operator}"
        if operator not in DATE_OPERATORS:
            raise QueryError(
                f"“{name}{operator}” has an operator that is not known; {name} takes {' '.join(DATE_OPERATORS)}",
                part=name + operator,
                allowed=[name + one for one in DATE_OPERATORS],
            )
        start = self.at
        value = " ".join(self._value(before).split())
        field = cast("DateField", ALIASES.get(name, name))
        if operator in (":", "=") and value.casefold() == ANY and field != "modified":
            return DateIs(field, ":", ANY, None, None, negated)
        try:
            period = self._period(value)
        except QueryError as error:
            if longer := self._unquoted(start):
                raise QueryError(
                    f'a date of several words needs double quotes: {before}"{longer}"', part=longer, allowed=[f'{before}"{longer}"']
                ) from error
            raise
        low, high = {
            ":": (period.start, period.end),
            "=": (period.start, period.end),
            ">=": (period.start, None),
            ">": (period.end, None),
            "<=": (None, period.end),
            "<": (None, period.start),
        }[operator]
        return DateIs(field, cast("Operator", ":" if operator == "=" else operator), value, low, high, negated)

    def _period(self, value: str) -> dateexpr.Period:
        return dateexpr.parse(value, today=self.today, first_weekday=self.first_weekday, day_first=self.day_first)

    def _unquoted(self, start: int) -> str:
        """The longest run of words from `start` that is a date, if quotes were forgotten."""
        found = _FOLLOWING.match(self.query, start)
        words = found[0].split() if found else []
        for count in range(len(words), 1, -1):
            longer = " ".join(words[:count]).strip("'‘’`")
            try:
                self._period(longer)
            except QueryError:
                continue
            return longer
        return ""


def folded(text: str) -> str:
    """As values are compared: without case, whitespace runs as one space."""
    return " ".join(text.casefold().split())


def _wrong(name: str, value: str, allowed: Iterable[str]) -> QueryError:
    choices = list(allowed)
    return QueryError(
        f"{name}:{value[:60]} is not known; {name}: takes {', '.join(choices)}", part=f"{name}:{value[:60]}", allowed=choices
    )


def _tag(value: str) -> str:
    tag = folded(value).strip("/# ")
    if not tag:
        raise _wrong("tag", value, ["a tag"])
    return tag


def _todo(value: str) -> str:
    return folded(value)


def _priority(value: str) -> str:
    text = unicodedata.normalize("NFKC", value).casefold()
    if text != ANY and not re.fullmatch(r"[a-z]|[0-9]{1,2}", text):
        raise _wrong("priority", value, ["a letter such as A", "a number such as 1", ANY])
    return text


def _type(value: str) -> str:
    if value.casefold() not in TYPES:
        raise _wrong("type", value, TYPES)
    return TYPES[value.casefold()]


def _lang(value: str) -> str:
    found = re.fullmatch(r"([a-z]{2,3})(?:[-_][a-z0-9]{2,8})*", value.casefold())
    if not found:
        raise _wrong("lang", value, ["a two-letter code such as en, de, ja"])
    return found[1]
