"""Metadata blocks at the head of a Markdown file: YAML between `---` lines, TOML between `+++` lines.

    title                        Parsed.title
    lang, language               Parsed.language
    tags, tag, keywords          tags of every section: a list, or a string parted by commas, else by spaces; a leading # is dropped
    date, created (and `created…`, `published`)       dates of kind `frontmatter`
    scheduled, due/deadline, completed/closed         dates of kind `scheduled`, `deadline`, `closed`
    anything else, aliases and updated too            properties of every section: keys as written, one per item, nested ones `a.b`

Scalars are taken as they are written (`1.10` stays `1.10`): YAML's own typing is not applied, so no value can fail to convert, and
no tag or merge key is ever obeyed. A `date` that is no day becomes a property, so that nothing is lost.
"""

import re
import tomllib
from itertools import islice

import yaml
from msgspec import Struct

from khojd.content.dates import parse_day
from khojd.content.model import DateRef

MAX_CHARS = 65_536  # a longer block is not metadata somebody wrote
MAX_PROPERTIES = 256
MAX_DEPTH = 4
MAX_VISITS = 2_000  # values looked at under one key
# libyaml and its composer recurse on the C stack and overflow it at some ten thousand levels, so deep nesting never reaches them.
MAX_NESTING = 64
_COMPACT_NESTING = re.compile(rf"(?:[-?:][ \t]+){{{MAX_NESTING}}}")

_YAML_OPEN = re.compile(r"---[ \t]*(?:\r\n?|\n)")
_YAML_CLOSE = re.compile(r"(?:^|(?<=[\r\n]))(?:---|\.\.\.)[ \t]*(?:\r\n?|\n|$(?![\r\n]))")
_TOML_OPEN = re.compile(r"\+\+\+[ \t]*(?:\r\n?|\n)")
_TOML_CLOSE = re.compile(r"(?:^|(?<=[\r\n]))\+\+\+[ \t]*(?:\r\n?|\n|$(?![\r\n]))")
_TOML_LINE = re.compile(r"\(at line (\d+)")
_LINE_END = re.compile(r"\r\n?|\n")

# A line that says the same to anybody: a key, and nothing, a plain scalar without `: ` and ` #`, or a quoted one without escapes.
_SIMPLE_LINE = re.compile(
    r"([A-Za-z_][A-Za-z0-9_.-]{0,127}):"
    r"""(?: +(?:([^\s\-?:,\[\]{}#&*!|>'"%@`](?:[^:# ]| (?!#| *$)|:(?! |$)|(?<! )#)*)|'([^']*)'|"([^"\\]*)"))? *$"""
)

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

TAG_KEYS = frozenset(("tags", "tag", "keywords"))
_DATE_KINDS = {
    "date": "frontmatter",
    "published": "frontmatter",
    "scheduled": "scheduled",
    "due": "deadline",
    "deadline": "deadline",
    "completed": "closed",
    "closed": "closed",
}


class FrontMatter(Struct, frozen=True):
    """What a metadata block says. `end` is the offset after it, 0 when there is none; `valid` is False when it cannot be read."""

    end: int = 0
    valid: bool = True
    title: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    dates: tuple[DateRef, ...] = ()
    notes: tuple[str, ...] = ()


NONE = FrontMatter()


def read(text: str) -> FrontMatter:
    """The metadata block `text` starts with. One that is not valid is given with `valid=False` and a note that names the line."""
    if text.startswith("---"):
        opened, closing, parse = _YAML_OPEN.match(text), _YAML_CLOSE, _yaml
    elif text.startswith("+++"):
        opened, closing, parse = _TOML_OPEN.match(text), _TOML_CLOSE, _toml
    else:
        return NONE
    closed = closing.search(text, opened.end()) if opened else None
    if opened is None or closed is None:
        return NONE  # an unclosed block is a thematic break and ordinary text
    block = text[opened.end() : closed.start()]
    if not block.strip():
        return FrontMatter(end=closed.end())
    if len(block) > MAX_CHARS:
        return _broken(closed.end(), f"front matter is longer than {MAX_CHARS} characters and was read as text")
    data = parse(block)
    if isinstance(data, str):
        return _broken(closed.end(), data)
    if not isinstance(data, dict):
        return NONE  # a text between two thematic breaks
    return _fields(data, closed.end())


def split_tags(value: str) -> list[str]:
    """Tags of a string: parted by commas, else by spaces, without a leading #."""
    parts = value.split(",") if "," in value else value.split()
    return [tag for part in parts if (tag := part.strip().removeprefix("#").strip())]


def inside(text: str, end: int) -> tuple[int, int]:
    """The range of what stands between the lines of the block that ends at `end`."""
    opened, closing = (_YAML_OPEN, _YAML_CLOSE) if text.startswith("---") else (_TOML_OPEN, _TOML_CLOSE)
    start = found.end() if (found := opened.match(text)) else 0
    closed = closing.search(text, start)
    return start, closed.start() if closed else end


def is_date(key: str) -> bool:
    """Whether the values of this key, in lower case, are days of the note."""
    return bool(_date_kind(key))


def _date_kind(key: str) -> str:
    return _DATE_KINDS.get(key) or ("frontmatter" if key.startswith("created") else "")


def _broken(end: int, note: str) -> FrontMatter:
    return FrontMatter(end=end, valid=False, notes=(note,))


def _yaml(block: str) -> object:
    """The block's value, or a note as str when it cannot be read."""
    if (simple := _simple(block)) is not None:
        return simple
    if _too_deep(block):
        return f"front matter is nested more than {MAX_NESTING} levels deep and was read as text"
    try:
        data = yaml.load(block, Loader=LOADER)  # the base loader makes strings, lists and mappings only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "a character that YAML does not allow"
        line = mark.line + 2 if mark is not None else 2
        return f"front matter is not valid YAML (line {line}: {reason}) and was read as text"
    except (ValueError, RecursionError, UnicodeError) as error:
        return f"front matter is not valid YAML (line 2: {type(error).__name__}) and was read as text"
    return data if isinstance(data, dict) else None


def _simple(block: str) -> dict[str, str] | None:
    """The value of a block of simple lines, as most are, an order of magnitude faster than by YAML's rules; None for any other."""
    data = {}
    for line in _LINE_END.split(block):
        if line:
            found = _SIMPLE_LINE.match(line) if line.isprintable() else None
            if found is None:
                return None
            data[found[1]] = found[2] or found[3] or found[4] or ""
    return data


def _toml(block: str) -> object:
    if _too_deep(block):
        return f"front matter is nested more than {MAX_NESTING} levels deep and was read as text"
    try:
        return tomllib.loads(_LINE_END.sub("\n", block))
    except (ValueError, RecursionError) as error:  # ValueError: also numbers longer than Python converts
        found = _TOML_LINE.search(str(error))
        line = int(found[1]) + 1 if found else 2
        reason = str(error).partition(" (at ")[0][:1].lower() + str(error).partition(" (at ")[0][1:]
        return f"front matter is not valid TOML (line {line}: {reason}) and was read as text"


def _too_deep(block: str) -> bool:
    if _COMPACT_NESTING.search(block):
        return True
    if block.count("[") + block.count("{") <= MAX_NESTING:
        return False
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", block):
        depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
        if depth > MAX_NESTING:
            return True
    return False


def _fields(data: dict[object, object], end: int) -> FrontMatter:
    title = language = ""
    tags: list[str] = []
    properties: list[tuple[str, str]] = []
    dates: list[DateRef] = []
    for written, value in data.items():
        key = str(written).strip()
        folded = key.casefold()
        kind = _date_kind(folded)
        if folded == "title" and not title and isinstance(value, str | int | float):
            title = _text(value)
        elif folded in ("lang", "language") and not language and isinstance(value, str):
            language = value.strip()
        elif folded in TAG_KEYS:
            tags += _tags(value)
        elif kind and not isinstance(value, dict | list) and (day := parse_day(_text(value))):
            dates.append(DateRef(kind, day.toordinal(), day.toordinal() + 1))
        elif key:
            properties += _scalars(key, value)
            del properties[MAX_PROPERTIES:]
    return FrontMatter(
        end=end,
        title=title,
        language=language,
        tags=tuple(dict.fromkeys(tags)),
        properties=tuple(dict.fromkeys(properties)),
        dates=tuple(dict.fromkeys(dates)),
    )


def _tags(value: object) -> list[str]:
    if isinstance(value, list):
        return [tag for item in value if isinstance(item, str | int) and (tag := _text(item).removeprefix("#").strip())]
    return split_tags(_text(value)) if isinstance(value, str | int) else []


def _scalars(key: str, value: object) -> list[tuple[str, str]]:
    """The scalars under a key, in order. Anchors may make a value that holds itself or grows without end, hence the caps."""
    found: list[tuple[str, str]] = []
    pending: list[tuple[str, object, int]] = [(key, value, 0)]
    for _ in range(MAX_VISITS):
        if not pending:
            break
        name, item, depth = pending.pop()
        if not isinstance(item, dict | list):
            if text := _text(item):
                found.append((name, text))
        elif depth < MAX_DEPTH:
            inner = (
                ((f"{name}.{under}", one) for under, one in item.items())
                if isinstance(item, dict)
                else ((name, one) for one in item)
            )
            pending += reversed([(under, one, depth + 1) for under, one in islice(inner, MAX_PROPERTIES)])
    return found


def _text(value: object) -> str:
    """A scalar on one line. TOML has typed ones, among them integers too long for Python to write."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return " ".join(str(value).split())
    except ValueError:
        return ""
