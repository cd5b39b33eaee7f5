"""Globs over file paths, for `file:` filters and grep.

- A bare fragment (no `/`, no wildcard) matches a folder's name, or a part of the file's name: `work` finds `work/a.md` and
  `homework.md`.
- A glob without `/` matches the whole name of the file or of a folder above it: `*.org`, `draft*`.
- A glob with `/` is anchored at the configured folder: `journal/2024-*.md`; `*` stays within one name, `**` crosses folders.
  When its last part has no wildcard, or it ends in `/`, it also covers everything below: `journal/2024`.
- One that starts with `/` or `~/` is anchored at the root of the file system.

`?` is one character, `[a-z]` and `[!a-z]` are classes, `{org,md}` alternatives. A glob without a capital letter ignores case (as
editors' smart case does), or any when asked to. Matching takes linear time: each part uses atomic groups, `**` a two-pointer walk.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from khojd.errors import QueryError

_WILD = re.compile(r"[*?\[{}]")
_MOST_ALTERNATIVES = 64
_MOST_CHARACTERS = 1000
_ANY = None  # stands for `**` in a list of parts


class Glob:
    """A compiled glob. Raises QueryError when the pattern is malformed."""

    def __init__(self, pattern: str, *, ignore_case: bool = False) -> None:
        self.pattern = pattern
        text = _plain(pattern)
        if not text.strip("/") or len(text) > _MOST_CHARACTERS:
            raise _bad(pattern, "is empty" if len(text) <= _MOST_CHARACTERS else f"is longer than {_MOST_CHARACTERS} characters")
        self.ignore_case = ignore_case or not any(char.isupper() for char in text)
        self._absolute = text.startswith("/")
        self._fragment = "" if "/" in text or _WILD.search(text) else self._fold(text)
        self._literal_pattern = text
        self._alternatives = [] if self._fragment else [self._compiled(one) for one in _braces(pattern, text)]

    def matches(self, path: str, folder: str = "") -> bool:
        """Whether the file `path` (absolute) matches; `folder` is the configured one it was found under, or ""."""
        path = unicodedata.normalize("NFC", path)
        top = unicodedata.normalize("NFC", folder).rstrip("/")
        inside = bool(top) and path.startswith(top + "/")
        if self._absolute:
            parts = path.strip("/").split("/")
        elif inside:
            parts = path[len(top) + 1 :].split("/")
        else:
            parts = path.strip("/").split("/")
        if not self._absolute and not self._anchored:
            names = [*parts, top.rpartition("/")[2]] if inside else parts
            if self._fragment:
                return self._fragment in self._fold(parts[-1]) or any(self._fragment == self._fold(name) for name in names)
            return any(_same(one[0], name) for one in self._alternatives for name in names)
        return any(_walk(one, parts) for one in self._alternatives)

    @cached_property
    def literal(self) -> str:
        """The longest run of ASCII that each matching path contains, in some case, or "": for a quick first sieve."""
        if "{" in self._literal_pattern:
            return ""
        bare = re.sub(r"\[[!^]?\]?[^\]]*\]", "*", self._literal_pattern)
        # Names are looked at singly: `a/` and `a/**` need not be followed by more.
        runs = [run for run in re.findall(r"[^*?/\x80-\U0010ffff]+", bare) if run != "."]
        return max(runs, key=len, default="")

    @property
    def _anchored(self) -> bool:
        return "/" in self._literal_pattern

    def _fold(self, text: str) -> str:
        return text.casefold() if self.ignore_case else text

    def _compiled(self, glob: str) -> list[re.Pattern[str] | None]:
        names = glob.strip("/").split("/")
        if ".." in names:
            raise _bad(self.pattern, "has .., which no indexed path has")
        parts: list[re.Pattern[str] | None] = [
            _ANY if name == "**" else _part(name, self.pattern, self.ignore_case) for name in names if name not in ("", ".")
        ]
        if "/" in glob and (glob.endswith("/") or not _WILD.search(names[-1])):
            parts.append(_ANY)
        if glob.endswith("/") and parts[-2:] == [_ANY, _ANY]:
            parts.pop()
        return parts


class Globs:
    """Several globs: a path matches when it matches one of them and none of those that start with `!`."""

    def __init__(self, patterns: Sequence[str], *, ignore_case: bool = False) -> None:
        self._wanted = [Glob(text, ignore_case=ignore_case) for text in patterns if not text.startswith("!")]
        self._unwanted = [Glob(text[1:], ignore_case=ignore_case) for text in patterns if text.startswith("!")]

    def matches(self, path: str, folder: str = "") -> bool:
        """As `Glob.matches`."""
        if self._wanted and not any(glob.matches(path, folder) for glob in self._wanted):
            return False
        return not any(glob.matches(path, folder) for glob in self._unwanted)


def below(path: str, folders: Sequence[str]) -> bool:
    """Whether `path` is one of `folders` or lies under one; () holds everything."""
    return not folders or any((path + "/").startswith(top.rstrip("/") + "/") for top in folders)


def _plain(pattern: str) -> str:
    """Home directories and `file://` addresses written out; composed characters (macOS gives decomposed ones)."""
    if pattern.startswith("//"):  # file:///home/me/a.org, after the filter's own name
        pattern = unquote(pattern[2:])
    elif pattern == "~" or pattern.startswith("~/"):
        pattern = str(Path.home()) + pattern[1:]
    return unicodedata.normalize("NFC", pattern)


def _bad(pattern: str, why: str) -> QueryError:
    shown = pattern if len(pattern) <= 80 else pattern[:80] + "…"
    return QueryError(
        f"the file pattern “{shown}” {why}; write a part of a name, or a glob with * ** ? [a-z] {{org,md}}",
        part=shown,
        allowed=["part of a name", "*.org", "journal/2024-*.md", "**/drafts/*", "/absolute/path/*.md"],
    )


def _braces(pattern: str, text: str) -> list[str]:
    """Alternatives written out: a{b,c} -> ab, ac."""
    done: list[str] = []
    waiting = [text]
    while waiting:
        one = waiting.pop()
        start = one.find("{")
        if start < 0:
            if "}" in one:
                raise _bad(pattern, "has a } without {")
            done.append(one)
            continue
        end = one.find("}", start)
        inner = one[start + 1 : end]
        if end < 0 or "{" in inner:
            raise _bad(pattern, "has a { without its own }")
        waiting.extend(one[:start] + choice + one[end + 1 :] for choice in inner.split(","))
        if len(waiting) + len(done) > _MOST_ALTERNATIVES:
            raise _bad(pattern, f"has more than {_MOST_ALTERNATIVES} alternatives")
    return done


def _part(name: str, pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """One name of a glob. Each run between stars has a fixed length, so that its first place is as good as any (atomic groups)."""
    if "**" in name:
        raise _bad(pattern, "has ** beside other characters: it stands alone between slashes")
    runs: list[str] = [""]
    at = 0
    while at < len(name):
        char = name[at]
        at += 1
        if char == "*":
            runs.append("")
        elif char == "?":
            runs[-1] += "."
        elif char == "[":
            end = name.find("]", at + (2 if name[at : at + 1] in ("!", "^") else 1))
            if end < 0:
                raise _bad(pattern, "has a [ without ]; write [[] for the character itself")
            runs[-1] += _class(name[at:end], pattern)
            at = end + 1
        else:
            runs[-1] += re.escape(char)
    body = runs[0] if len(runs) == 1 else runs[0] + "".join(f"(?>.*?{run})" for run in runs[1:-1]) + ".*" + runs[-1]
    return re.compile(body, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _class(inside: str, pattern: str) -> str:
    negated = inside[0] in "!^"
    chars = inside[1:] if negated else inside
    out = ""
    at = 0
    while at < len(chars):
        if chars[at + 1 : at + 2] == "-" and at + 2 < len(chars):
            low, high = chars[at], chars[at + 2]
            if low > high:
                raise _bad(pattern, f"has the range {low}-{high} the wrong way round")
            out += f"{re.escape(low)}-{re.escape(high)}"
            at += 3
        else:
            out += re.escape(chars[at])
            at += 1
    return f"[{'^' if negated else ''}{out}]"


def _same(part: re.Pattern[str] | None, name: str) -> bool:
    return part is None or part.fullmatch(name) is not None


def _walk(parts: Sequence[re.Pattern[str] | None], names: Sequence[str]) -> bool:
    """Whether parts with `**` (None) match all of `names`; goes back to the last `**` only, so O(parts x names)."""
    at = seen = 0
    star = mark = -1
    while seen < len(names):
        if at < len(parts) and parts[at] is None:
            star, mark = at, seen
            at += 1
        elif at < len(parts) and _same(parts[at], names[seen]):
            at += 1
            seen += 1
        elif star >= 0:
            mark += 1
            at, seen = star + 1, mark
        else:
            return False
    return all(part is None for part in parts[at:])
