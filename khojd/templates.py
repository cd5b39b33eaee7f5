"""Templates of notes: text with placeholders, and patterns for the names of their files.

`{title}`, `{slug}` (the title as in a fragment), `{date}`, `{time}`, `{id}` (new each time) and `{selection}`; a date or time may
name its form as strftime has it, `{date:%Y-%m-%d}`. `{{` and `}}` are braces.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from khojd.config import NewNotes, Template
from khojd.content import names

PLACEHOLDERS = ("title", "slug", "date", "time", "id", "selection")
FORMS = "YmdyHMSjBbAaVGuI"  # of strftime; all of them are the same on every system
BUILT_IN = (Template(name="note"), Template(name="daily", file="{date}"))
TEXTS = {"markdown": "# {title}\n\n{selection}", "org": "#+title: {title}\n\n{selection}"}
SUFFIXES = {"markdown": ".md", "org": ".org"}

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/\\:*?"<>|#^\[\]]+')
_DEFAULT_FORMS = {"date": "%Y-%m-%d", "time": "%H:%M"}


class Mistake(ValueError):
    """What is wrong with a template. `part` is the text at fault, `allowed` what could stand there."""

    def __init__(self, reason: str, part: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.part = part
        self.allowed = allowed


class Values(Struct, frozen=True):
    """What a template is filled with."""

    title: str
    now: datetime
    selection: str = ""

    def of(self, name: str, form: str) -> str:
        if name in _DEFAULT_FORMS:
            return self.now.strftime(form or _DEFAULT_FORMS[name])
        if name == "id":
            return str(uuid.uuid4())
        return names.slug(self.title) if name == "slug" else str(getattr(self, name))


def known(settings: NewNotes) -> dict[str, Template]:
    """The templates by name: the built-in ones, and those of the configuration, which may take their places."""
    return {template.name: template for template in (*BUILT_IN, *settings.templates)}


def check(text: str) -> None:
    """Raises Mistake for what is no placeholder."""
    for _ in _pieces(text):
        pass


def check_path(pattern: str) -> None:
    """Raises Mistake for a folder or file pattern that does not stay below the folder of notes."""
    check(pattern)
    if CONTROL.search(pattern) or "\\" in pattern:
        raise Mistake("it must have neither control characters nor backslashes", pattern)
    if pattern.startswith(("/", "~")) or re.match(r"[A-Za-z]:", pattern):
        raise Mistake("it must be relative to the folder of notes", pattern)
    if ".." in pattern.split("/"):
        raise Mistake("it must not leave the folder of notes (..)", pattern)


def fill(text: str, values: Values) -> str:
    """`text` with its placeholders filled in. Raises Mistake."""
    return "".join(piece if isinstance(piece, str) else values.of(*piece) for piece in _pieces(text))


def fill_path(pattern: str, values: Values) -> str:
    """The path that a pattern gives; what is filled in for a title is one part of a path. Raises Mistake for one without a name."""
    filled = []
    for piece in _pieces(pattern):
        if isinstance(piece, str):
            filled.append(piece)
        else:
            value = values.of(*piece)
            filled.append(value if piece[0] in _DEFAULT_FORMS and piece[1] else _FORBIDDEN.sub("-", value).strip(" .-"))
    parts = [part.strip() for part in "".join(filled).split("/")]
    if any(part in ("", ".", "..") for part in parts if len(parts) > 1 or pattern) or not parts[-1]:
        raise Mistake(f"{pattern!r} gives no name for a file with the title {values.title!r}", pattern)
    if any(len(part.encode("utf-8", "surrogatepass")) > 240 for part in parts):
        raise Mistake("the name is too long for a file", pattern)
    return "/".join(parts)


def uses(text: str, name: str) -> bool:
    """Whether a valid template has a placeholder of this name."""
    return any(not isinstance(piece, str) and piece[0] == name for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str | tuple[str, str]]:
    """Literal text, and placeholders as name and form."""
    at = 0
    for match in _PIECE.finditer(text):
        yield text[at : match.start()]
        at = match.end()
        if match[1] is None:
            if match[0] not in ("{{", "}}"):
                raise Mistake(f"the brace {match[0]} stands alone; write {match[0] * 2} for a brace", match[0])
            yield match[0][0]
            continue
        name, colon, form = match[1].partition(":")
        if name not in PLACEHOLDERS:
            raise Mistake(f"there is no placeholder {match[0]}", name, PLACEHOLDERS)
        if colon and (name not in _DEFAULT_FORMS or not form):
            raise Mistake(f"{match[0]}: only date and time have a form, e.g. {{date:%Y-%m-%d}}", match[1])
        for wrong in re.findall(rf"%(?![{FORMS}%]).?", form):
            raise Mistake(f"{match[0]}: {wrong} is no form of a date or time; known are %{' %'.join(FORMS)}", wrong)
        yield name, form
    yield text[at:]
