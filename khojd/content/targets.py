"""What the target of a link says, before anything is looked up: a name, a path, an id, a place in the same note, an address."""

import html
import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from khojd.content import names
from khojd.content.model import Link, Span

Kind = Literal["name", "path", "id", "here", "attachment", "external", "empty"]
AnchorKind = Literal["", "heading", "block", "custom_id", "any", "line"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_MAIL = re.compile(r"[^\s<>:/@]+@[^\s<>:/@]+")  # in angle brackets
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"#(?:[0-9]{1,7}|[xX][0-9A-Fa-f]{1,6});")
_ORG_ESCAPED = re.compile(r"(\\+)([\[\]])|(\\+)$")
_LINE_END = re.compile(r"[ \t]*(?:\r\n?|\n)[ \t]*")
_ORG_FILE = re.compile(r"file(?:\+(?:emacs|sys))?:|docview:")
_FILE_PREFIX = re.compile(r"file:(?://)?(?=[^/]|/[^/])")
_DENDRON = re.compile(r"dendron://[^/]*/")
_RANGE = re.compile(r"(?:,[0-9]+)?:#.*$|,[0-9]+$")  # what Dendron adds to the anchor of an embed

# Org takes a word before a colon for a type only when the type is known; else the target is a text to look for.
_ORG_TYPES = frozenset(
    {
        *("http", "https", "ftp", "mailto", "news", "shell", "elisp", "doi", "info", "help", "man", "irc", "gnus", "rmail", "mhe"),
        *("bbdb", "w3m", "eww", "mu4e", "notmuch", "cite", "bibtex", "message", "treesit", "org-protocol", "zotero", "tel", "sms"),
        *("magnet", "obsidian", "logseq", "vscode", "git", "svn", "ssh", "sftp", "file-line", "x-devonthink-item", "things"),
    }
)


class Target(Struct, frozen=True):
    """One reading of a link. `path` is decoded; `anchor` is without its sign, and "" when there is none."""

    kind: Kind
    path: str = ""
    anchor: str = ""
    anchor_kind: AnchorKind = ""
    swapped: bool = False  # it stands in the link's text: Dendron's `[[alias|note]]`
    whole: bool = False  # a `#` is a part of the file's name


EMPTY = Target("empty")
BY_URL = ("markdown", "image", "reference", "definition", "html")  # kinds of links whose targets are written as URLs are


def read(link: Link, abbreviations: Mapping[str, str] | None = None) -> tuple[Target, ...]:
    """What `link` may mean, the likeliest first.

    More than one where writing is ambiguous: a `#` that may belong to a file's name, Dendron's `[[alias|note]]`.
    """
    target = link.target.strip()
    if link.kind in ("wiki", "embed"):
        if link.kind == "embed" and target.endswith(".*"):
            return (EMPTY,)  # Dendron: all notes below
        found = _wiki(target)
        swapped = _wiki(link.text.strip()) if link.text.strip() and target else ()
        return (*found, *(msgspec.structs.replace(reading, swapped=True) for reading in swapped))
    if link.kind == "block":
        return (Target("id", target),) if target else (EMPTY,)
    if link.kind == "plain" and link.start < link.target_start and _MAIL.fullmatch(target):
        return (Target("external", f"mailto:{target}"),)
    if link.kind == "org" or (link.kind == "plain" and not target.startswith(("http:", "https:"))):
        read_as = _org(_LINE_END.sub(" ", target), abbreviations or {})
        # Org's `#+INCLUDE` names a file without a type.
        return (_org_file(target),) if link.kind == "plain" and read_as.kind == "here" else (read_as,)
    return _url(target)


class Spans(Struct, frozen=True):
    """Where a reading of a link stands in the file: its path (or id), and the parts of its anchor without their signs."""

    path: Span | None  # None where nothing can be replaced
    anchor: tuple[Span, ...] = ()  # several for `#Heading#Subheading`


def spans(link: Link, target: Target) -> Spans:
    """The ranges of `target`, one of the readings of `link`, in the file. For an expanded Org abbreviation there are none."""
    if target.swapped:
        written, base = link.text, link.text_start
    else:
        written, base = link.target, link.target_start
    start, end = 0, len(written)
    while start < end and written[start].isspace():
        start += 1
    while start < end and written[end - 1].isspace():
        end -= 1
    if link.kind == "block":
        return Spans(Span(base + start, base + end))
    if link.kind in ("org", "plain"):
        return _org_spans(written, base, Span(start, end), target, plain=link.kind == "plain")
    if link.kind not in ("wiki", "embed") and _is_page(written[start:end]):
        start, end = start + 2, end - 2
    for prefix in (_DENDRON, _FILE_PREFIX):
        if found := prefix.match(written, start):
            start = found.end()
    sign = -1 if target.whole else _sign(written, start, end)
    path = _trimmed(written, start, end if sign < 0 else sign)
    if sign < 0:
        return Spans(_moved(path, base))
    stop = found.start() if (found := _RANGE.search(written, sign + 1, end)) and link.kind in ("wiki", "embed") else end
    if target.anchor_kind == "block":
        at = written.find("^", sign) + 1
        return Spans(_moved(path, base), (_moved(_trimmed(written, at, stop), base),))
    parts = []
    at = sign + 1
    while at <= stop and target.anchor:
        following = written.find("#", at, stop)
        following = stop if following < 0 else following
        parts.append(_moved(_trimmed(written, at, following), base))
        at = following + 1
    return Spans(_moved(path, base), tuple(parts))


def _sign(written: str, start: int, end: int) -> int:
    """The first `#` that is not within an entity as `&#46;`, -1 where there is none."""
    at = written.find("#", start, end)
    while at > start and written[at - 1] == "&" and _ENTITY.match(written, at, end):
        at = written.find("#", at + 1, end)
    return at


def _org_spans(written: str, base: int, within: Span, target: Target, *, plain: bool) -> Spans:
    start, end = within.start, within.end
    if target.kind == "here":
        sign = start + (written[start] in "*#")
        return Spans(None, (_moved(_trimmed(written, sign, end), base),))
    kind, colon, _ = written[start:end].partition(":")
    if colon and (_ORG_FILE.match(written, start) or kind in ("id", "attachment", "roam", "denote")):
        start += len(kind) + 1
    elif written[start] not in "./~" and not plain:
        return Spans(None)
    middle = written.find("::", start, end)
    path = _moved(_trimmed(written, start, end if middle < 0 else middle), base)
    if middle < 0:
        return Spans(path)
    at = middle + 2
    while at < end and written[at].isspace():
        at += 1
    return Spans(path, (_moved(_trimmed(written, at + (written[at : at + 1] in ("*", "#")), end), base),))


def _trimmed(written: str, start: int, end: int) -> Span:
    while start < end and written[start].isspace():
        start += 1
    while start < end and written[end - 1].isspace():
        end -= 1
    return Span(start, end)


def _moved(span: Span, base: int) -> Span:
    return Span(base + span.start, base + span.end)


def keys(targets: Iterable[Target]) -> set[str]:
    """Under what a link is found when the links to a note are asked for; none for one within its note or out of the notes."""
    found = set()
    for target in targets:
        if target.kind == "id":
            found.add(id_key(target.path))
        elif target.kind in ("name", "path"):
            for spelling in names.spellings(target.path):
                found.add(names.key(spelling))
                if target.kind == "name":
                    found.add(names.fold(spelling))
    found.discard("")
    return found


def keys_of(links: Iterable[Link], abbreviations: Mapping[str, str]) -> set[str]:
    """The keys of all these links."""
    found: set[str] = set()
    for link in links:
        if not link.target.startswith(("http:", "https:")):
            found |= keys(read(link, abbreviations))
    return found


def id_key(value: str) -> str:
    """The key of links to an id."""
    return "id:" + names.fold(value)


def _wiki(target: str) -> tuple[Target, ...]:
    if not target:
        return (EMPTY,)
    target = _DENDRON.sub("", target)
    if _SCHEME.match(target) and "://" in target:
        return (Target("external", target),)
    path, sign, anchor = target.partition("#")
    if not sign:
        return (Target("name", path.strip()),)
    anchored = _anchored(path.strip(), _RANGE.sub("", anchor))
    # The whole may be the name of a file.
    return (anchored, Target("name", target, whole=True)) if path.strip() else (anchored,)


def _is_page(destination: str) -> bool:
    """Whether it is a wikilink: Logseq's `[text]([[page]])`."""
    return destination.startswith("[[") and destination.endswith("]]") and len(destination) > 4


def _anchored(path: str, anchor: str) -> Target:
    kind: Kind = "name" if path else "here"
    if anchor.startswith("^"):
        return Target(kind, path, anchor[1:].strip(), "block")
    if anchor.startswith("*") and anchor.strip("*") == "":
        anchor = ""  # Dendron: all of the note
    # Of `#Heading#Subheading` the last one is meant; the others narrow it down.
    return Target(kind, path, anchor.strip(), "heading" if anchor.strip() else "")


def _url(target: str) -> tuple[Target, ...]:
    if not target:
        return (EMPTY,)
    if _is_page(target):
        return _wiki(target[2:-2].strip())
    target = html.unescape(_ESCAPED.sub(r"\1", target)) if "\\" in target or "&" in target else target
    if _ORG_FILE.match(target):
        return (_file(target[target.index(":") + 1 :].removeprefix("//")),)
    if target.startswith("//") or _SCHEME.match(target):
        return (Target("external", target),)
    path, sign, anchor = target.partition("#")
    if path and not path.strip("/"):
        return (EMPTY,)  # the folder itself
    if not path:
        return (Target("here", "", _decoded(anchor), _fragment(anchor)),)
    if not sign:
        return (Target("path", path),)
    return Target("path", path, _decoded(anchor), _fragment(anchor)), Target("path", target, whole=True)


def _file(path: str) -> Target:
    path, sign, anchor = path.partition("#")
    return Target("path", path, _decoded(anchor), _fragment(anchor) if sign else "")


def _fragment(anchor: str) -> AnchorKind:
    if not anchor:
        return ""
    return "block" if anchor.startswith("^") else "heading"


def _decoded(anchor: str) -> str:
    return list(names.spellings(anchor.removeprefix("^")))[-1]


def _org(target: str, abbreviations: Mapping[str, str], depth: int = 0) -> Target:
    target = org_unescaped(target)
    if not target:
        return EMPTY
    kind, colon, rest = target.partition(":")
    if target[0] in "./~" and (target[0] != "." or target.startswith(("./", "../"))):
        return _org_file(target)
    if target[0] == "#":
        return Target("here", "", target[1:], "custom_id")
    if target[0] == "*":
        return Target("here", "", target[1:].strip(), "heading")
    if target[0] == "(" and target[-1] == ")":
        return Target("here", "", target, "any")
    if colon:
        if kind in abbreviations and depth < 3:
            return _org(_expanded(abbreviations[kind], rest), abbreviations, depth + 1)
        if _ORG_FILE.match(target):
            return _org_file(rest)
        if kind == "id":
            path, _, search = rest.partition("::")
            return _searched(Target("id", path.strip()), search)
        if kind == "attachment":
            path, _, search = rest.partition("::")
            return _searched(Target("attachment", path.strip()), search)
        if kind in ("roam", "denote"):
            path, _, search = rest.partition("::")
            return _searched(Target("name", path.strip()), search)
        if kind.lower() in _ORG_TYPES or target.startswith("//", len(kind) + 1):
            return Target("external", target)
    return Target("here", "", target, "any")


def org_unescaped(target: str) -> str:
    """The target of an Org link without the backslashes that org-link-escape puts before brackets and other backslashes."""
    if "\\" not in target:
        return target
    return _ORG_ESCAPED.sub(
        lambda found: found[1][: len(found[1]) // 2] + found[2] if found[2] else found[3][: (len(found[3]) + 1) // 2], target
    )


def _expanded(replacement: str, tag: str) -> str:
    for sign in ("%s", "%h"):
        if sign in replacement:
            return replacement.replace(sign, tag)
    return replacement + tag


def _org_file(path: str) -> Target:
    path, _, search = path.partition("::")
    return _searched(Target("path", path.strip()), search.strip())


def _searched(target: Target, search: str) -> Target:
    anchor, kind = search, "any"
    if search.startswith("*"):
        anchor, kind = search[1:].strip(), "heading"
    elif search.startswith("#"):
        anchor, kind = search[1:], "custom_id"
    elif search.isdigit():
        kind = "line"
    return Target(target.kind, target.path, anchor, kind) if anchor else target  # type: ignore[arg-type]
