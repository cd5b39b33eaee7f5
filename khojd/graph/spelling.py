"""How an existing link is written anew when what it leads to was moved or renamed: in the way it was written before.

Pure: what a link must look like to stay a link of its kind is known here; whether it leads to the right place is asked elsewhere.
"""

import html
import os
import posixpath
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, unquote

from msgspec import Struct, structs

from khojd.content import names, targets

Way = Literal["name", "relative", "root", "absolute", "home"]

_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_NAMESPACE = re.compile(r"___|%2[Ff]")
_MARKDOWN_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"&#?\w+;")
_IN_WIKI = re.compile(r"[\[\]|#^\r\n]+")

_WIKI = frozenset("[]|#^\r\n")
_MARKDOWN = frozenset('()<>\\#?%"')
_ANGLE = frozenset("<>\\#?%")
_HTML = _MARKDOWN | {"'"}


class Path(Struct, frozen=True):
    """How a link names a file. `way`: the end of its path (from its name alone up to all of it), or one of the kinds of path."""

    way: Way
    written: str  # decoded
    parts: int  # of a name
    suffix: bool  # the file's suffix is written
    namespace: bool  # Logseq's `a/b` for `a___b.md`


class Dress(Struct, frozen=True):
    """What a link's kind makes of a name or heading: `kind` is the link's, `raw` what stands in the file, `angled` in `<>`."""

    kind: str
    raw: str
    angled: bool = False

    @property
    def markdown(self) -> bool:
        return self.kind in targets.BY_URL

    def undressed(self) -> Iterator[str]:
        """What `raw` says, without escapes, then with its percent-encoding undone, too."""
        raw = self.raw
        if self.markdown and ("\\" in raw or "&" in raw):
            raw = html.unescape(_MARKDOWN_ESCAPE.sub(r"\1", raw))
        elif self.kind in ("org", "plain"):
            raw = targets.org_unescaped(raw)
        return names.spellings(raw)

    def dressed(self, name: str) -> str | None:
        """`name` as it can stand in such a link, percent-encoded where it must be or was before; None where it cannot."""
        before = set(unquote("".join(_PERCENT.findall(self.raw)))) - {"%"} if "%" in self.raw else set()
        foreign = any(not char.isascii() for char in before)

        def encode(must: Callable[[str], bool]) -> str:
            return "".join(
                quote(char, safe="") if must(char) or char in before or (foreign and not char.isascii()) else char for char in name
            )

        if "\n" in name or "\r" in name:
            return None
        if self.kind in ("wiki", "embed"):
            return encode(lambda char: char in _WIKI or (char == "%" and _PERCENT.search(name) is not None))
        if self.markdown:
            forbidden = _ANGLE if self.angled else _HTML if self.kind == "html" else _MARKDOWN
            entity = _ENTITY.search(name) is not None
            return encode(
                lambda char: (
                    char in forbidden
                    or (entity and char == "&")
                    or ord(char) < 32
                    or (char.isspace() and not (self.angled and char == " "))
                )
            )
        if self.kind == "block":
            return None if any(char.isspace() or char in "()" for char in name) else name
        if self.kind == "plain":
            bare = not any(char.isspace() or char in "()[]<>" for char in name) and name[-1:].isalnum()
            return name if bare or (self.angled and not set("<>") & set(name)) else None
        written = encode(lambda char: char == "%" and _PERCENT.search(name) is not None)
        return re.sub(r"[\[\]]|\\+(?=[\[\]]|$)", lambda found: "\\" + found[0] if found[0] in "[]" else found[0] * 2, written)


def org_file(path: str, source: str, search: str) -> str:
    """The target of an Org link in the file `source` to a place in `path`, for one whose abbreviation does not fit any more."""
    found = posixpath.relpath(path, posixpath.dirname(source))
    written = Dress("org", "").dressed(f"file:{found}::{search}" if search else f"file:{found}")
    assert written is not None, "neither paths nor headings have line breaks"
    return written


# Paths


def read_path(dress: Dress, source: str, target: str, root: str, *, named: bool) -> Path | None:
    """How the link in the file `source` names the file `target`; None when by something else than its path, an alias say.

    `root` is the folder of `target`; `named`: names and ends of paths come before relative paths (wikilinks).
    """
    read = (_read(written, source, target, root, named=named) for written in dress.undressed())
    found = [path for path in read if path is not None]
    # An encoded `/` parts the name of a Logseq page, and a path: then it is the path that is meant.
    return next((path for path in found if path.way != "name"), found[0] if found else None)


def _read(written: str, source: str, target: str, root: str, *, named: bool) -> Path | None:
    suffix = _ends(written, _suffix(target))
    spellings, own = _called(target, root)
    if not written.strip("/"):
        return None

    def leads(path: str) -> bool:
        return names.fold(posixpath.normpath(path)) in spellings

    def made(way: Way) -> Path:
        return Path(way, written, 1 + written.strip("/").count("/"), suffix, namespace=False)

    if written.startswith("~"):
        return made("home") if leads(os.path.expanduser(written)) else None  # noqa: PTH111  a path as text
    if written.startswith("/"):
        if leads(written):
            return made("absolute")
        if root and leads(root + written):
            return made("root")
    relative = leads(posixpath.join(posixpath.dirname(source), written))
    if relative and (not named or written.startswith(("./", "../"))):
        return made("relative")
    wanted = names.components(written)
    if not wanted or own[-len(wanted) :] != wanted:
        return None
    namespace = "/" in written and "___" not in written and _NAMESPACE.search(posixpath.basename(target)) is not None
    return structs.replace(made("name"), namespace=namespace)


@lru_cache(maxsize=64)
def _called(path: str, root: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The folded spellings of a path, and its folded parts below its folder. Many links lead to the few files that are moved."""
    spellings = frozenset((names.fold(path), names.fold(names.without_suffix(path))))
    return spellings, names.components(posixpath.relpath(path, root) if root else path)


def paths(path: Path, source: tuple[str, str], target: tuple[str, str], roots: tuple[str, str], *, named: bool) -> Iterator[str]:
    """Ways to write where `target` is now, as `path` was written before, the likeliest first.

    `source`, `target`: the path before and now of the file with the link, and of the one it leads to. `roots`: the folders in which
    they are now. `named` as in `read_path`.
    """
    name = posixpath.basename(target[1])
    short = names.without_suffix(name)
    base = [name] if path.suffix else [short, name]
    if path.namespace:
        base = [_NAMESPACE.sub("/", one) for one in base]
    for last in dict.fromkeys(base):
        if posixpath.dirname(source[0]) == posixpath.dirname(source[1]) and _same_directory(target) and not path.namespace:
            yield path.written.rstrip("/")[: -len(posixpath.basename(path.written.rstrip("/")))] + last + _slash(path.written)
        yield from _ways(path, last, source, target, roots, named=named)
    for dotted in (named, True):
        yield _relative(source[1], target[1], name, dotted=dotted)


def _ways(
    path: Path, last: str, source: tuple[str, str], target: tuple[str, str], roots: tuple[str, str], *, named: bool
) -> Iterator[str]:
    root = roots[1]
    below = posixpath.relpath(target[1], root) if root else target[1].lstrip("/")
    directory = posixpath.dirname(below)
    if path.way == "name":
        parts = [*(directory.split("/") if directory else ()), *last.split("/")]
        levels = last.count("/") + 1
        before = 1 + names.stem(target[0]).replace("%2f", "%2F").replace("%2F", "___").count("___") if path.namespace else 1
        count = max(path.parts - before, 0) + levels if path.parts >= before else min(path.parts, levels)
        lead = "/" if path.written.startswith("/") else ""
        for number in range(min(count, len(parts)), len(parts) + 1):
            yield lead + "/".join(parts[-number:])
    elif path.way == "relative":
        yield _relative(source[1], target[1], last, dotted=named or path.written.startswith("./")) + _slash(path.written)
    elif path.way == "root" and root and roots[0] == root:
        yield posixpath.join("/", directory, last) + _slash(path.written)
    elif path.way == "home" and (home := os.path.expanduser("~")) and target[1].startswith(home + "/"):  # noqa: PTH111
        yield posixpath.join("~", posixpath.dirname(posixpath.relpath(target[1], home)), last) + _slash(path.written)
    else:
        yield posixpath.join(posixpath.dirname(target[1]), last) + _slash(path.written)


def _relative(source: str, target: str, last: str, *, dotted: bool) -> str:
    directory = posixpath.relpath(posixpath.dirname(target), posixpath.dirname(source))
    found = last if directory == "." else posixpath.join(directory, last)
    return f"./{found}" if dotted and not found.startswith("../") else found


def _same_directory(target: tuple[str, str]) -> bool:
    return posixpath.dirname(target[0]) == posixpath.dirname(target[1])


def _slash(written: str) -> str:
    return "/" if written.endswith("/") else ""


def _suffix(path: str) -> str:
    return path[len(names.without_suffix(path)) :]


def _ends(written: str, suffix: str) -> bool:
    return bool(suffix) and written.lower().endswith(suffix.lower()) and len(posixpath.basename(written)) > len(suffix)


# Headings


def headings(dress: Dress, before: str, now: str, slug: str, *, fuzzy: bool = False) -> Iterator[str]:
    """Ways to write the heading `now` where a link says `before`, the likeliest first.

    `slug` is the fragment of the new heading, with its number where there are several of it; `fuzzy`: any text may be meant.
    """
    literal = " ".join(_IN_WIKI.sub(" ", now).split()) if dress.kind in ("wiki", "embed") else now
    if dress.kind in ("org", "plain"):
        ways = [now, "*" + now] if fuzzy else [now]
    elif _is_slug(dress, before):
        ways = [slug, literal]
    else:
        ways = [literal]
    for way in ways:
        if way and (written := dress.dressed(way)) is not None:
            yield written


def _is_slug(dress: Dress, before: str) -> bool:
    wanted = names.slug(before)
    for written in dress.undressed():
        if names.fold(written) == names.fold(before) and (not dress.markdown or written != wanted):
            return False
        if written == wanted or (written.startswith(wanted + "-") and written[len(wanted) + 1 :].isdigit()):
            return True
        if " " not in written and "-" in written and names.heading_key(written) == names.heading_key(before):
            return True
    return False
