"""Links in a paragraph of Markdown: CommonMark's own, wikilinks, block references, addresses.

The strategy is that of CommonMark's appendix (a stack of open brackets; code, HTML and autolinks bind tighter, whatever closes
first wins), which takes linear time. Wikilinks bind like autolinks. Emphasis means nothing to links and is left alone.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping

from msgspec import Struct

from khojd.content import markdown_references as references
from khojd.content.markdown_marks import is_tag

_TOKEN = re.compile(r"\\[!-/:-@\[-`{-~]|`+|!?\[|\]|<|%%|\$\$|\(\(|\{\{|://", re.DOTALL)
_BACKTICKS = re.compile(r"`+")
# The inside of a wikilink: one line, other brackets in pairs, or a single closing one.
_WIKI = re.compile(r"!?\[\[((?>(?:[^\[\]\r\n]|\[[^\[\]\r\n]*+\]|\](?![\](\[]))*))\]\]")
_ADDRESS = re.compile(r"\((?=[^\s()]*[/:.#])")  # what must follow `[[1]]` to make it a link's text in brackets
_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_BLOCK = re.compile(rf"\(\(({_UUID})\)\)")
_EMBED = re.compile(rf"\{{\{{embed[ \t]+(?:\[\[([^\[\]\r\n]*)\]\]|\(\(({_UUID})\)\))[ \t]*\}}\}}")
_AUTOLINK = re.compile(
    r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\x00-\x20]*+"
    r"|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)>"
)
_TAG = re.compile(
    r"<[A-Za-z][A-Za-z0-9-]*+"
    r"""(?>(?:\s++[A-Za-z_:][A-Za-z0-9_.:-]*+(?>(?:\s*+=\s*+(?:[^\s"'=<>`]++|'[^']*+'|"[^"]*+"))?))*)\s*+/?>"""
    r"|</[A-Za-z][A-Za-z0-9-]*+\s*+>|<!---?>"
)
_HTML = (("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>"))
_BULLET = re.compile(r"[ \t>]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
MAX_BULLET = 100  # columns up to which the bullet of a check box is looked for
_DECLARATION = re.compile(r"<![A-Za-z]")
_SCHEME = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,31}\Z")
# Up to what cannot be a part of an address in text: spaces, brackets of any kind, CJK punctuation.
_REST_OF_URL = re.compile(r"://[^\s<>\[\]`\"{}|\\^\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+")


class Found(Struct, array_like=True):
    """A link's kind and ranges; those of `model.Link` but for the section. A link without a text has (0, 0) for its range."""

    kind: str
    start: int
    end: int
    target_start: int
    target_end: int
    text_start: int = 0
    text_end: int = 0


class _Opener(Struct, array_like=True):
    start: int
    content: int  # after the bracket
    image: bool


def scan(text: str, start: int, end: int, definitions: Mapping[str, tuple[int, int]]) -> list[Found]:
    """The links in `text[start:end]`, one paragraph, by their start. `definitions` gives targets' ranges by the key of a label."""
    scan = _Scan(text, start, end, definitions)
    scan.run()
    scan.found.sort(key=lambda link: (link.start, -link.end))
    covered, links = start, []
    for link in scan.found:
        if link.kind != "plain":
            covered = max(covered, link.end)
        elif link.start < covered:
            continue  # an address as a link's text
        links.append(link)
    return links


def wiki(text: str, start: int, end: int, inner: int, close: int) -> Found:
    """The wikilink or embed in [start, end) whose brackets hold [inner, close)."""
    pipe = text.find("|", inner, close)
    stop = close if pipe < 0 else pipe
    low, high = trimmed(text, inner, stop - (pipe > inner and text[pipe - 1] == "\\"))
    kind = "wiki" if text[start] == "[" else "embed"
    return Found(kind, start, end, low, high) if pipe < 0 else Found(kind, start, end, low, high, pipe + 1, close)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without spaces and tabs at its ends."""
    while start < end and text[start] in " \t":
        start += 1
    while start < end and text[end - 1] in " \t":
        end -= 1
    return start, end


def url(text: str, low: int, colon: int, end: int) -> tuple[int, int] | None:
    """The range of the address in plain text whose `://` is at `colon`, without the punctuation of the sentence around it."""
    scheme = _SCHEME.search(text, max(low, colon - 33), colon)
    rest = _REST_OF_URL.match(text, colon, end)
    if scheme is None or rest is None:
        return None
    last = rest.end()
    opened = text.count("(", colon, last) - text.count(")", colon, last)
    while last > colon + 3:
        char = text[last - 1]
        if char == ")" and opened < 0:
            opened += 1
        elif char not in ".,:;!?*_~'":
            break
        last -= 1
    return (scheme.start(), last) if last > colon + 3 else None


class _Scan:
    def __init__(self, text: str, start: int, end: int, definitions: Mapping[str, tuple[int, int]]) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.definitions = definitions
        self.found: list[Found] = []
        self.openers: list[_Opener] = []
        self.inactive = 0  # openers below this index that are no images open nothing any more: links hold no links
        self.runs: dict[int, list[int]] | None = None  # starts of runs of backticks by their length
        self.unclosed: set[str] = set()  # closing marks that do not come any more

    def run(self) -> None:
        text, after = self.text, self.start
        for token in _TOKEN.finditer(text, self.start, self.end):
            at = token.start()
            if at < after:
                if token.end() <= after or text[at] != "`":
                    continue
                at = after
            char = text[at]
            if char == "\\":
                continue
            after = token.end()
            if char == "]":
                after = self._close(at)
            elif char in "[!":
                after = self._open(at, token.end())
            elif char == "`":
                after = self._code(at, token.end())
            elif char == "<":
                after = self._angle(at)
            elif char == ":":
                after = self._url(at)
            elif char == "(":
                if block := _BLOCK.match(text, at, self.end):
                    self._link(Found("block", at, block.end(), *block.span(1)))
                    after = block.end()
            elif char == "{":
                after = self._embed(at)
            else:
                after = self._skip(token[0], token.end()) or token.end()

    def _skip(self, closing: str, at: int) -> int:
        """The offset after `closing`, looked for from `at` on; 0 when it does not come."""
        if closing in self.unclosed:
            return 0
        found = self.text.find(closing, at, self.end)
        if found < 0:
            self.unclosed.add(closing)
            return 0
        return found + len(closing)

    def _code(self, at: int, after: int) -> int:
        if self.runs is None:
            self.runs = {}
            for run in _BACKTICKS.finditer(self.text, self.start, self.end):
                self.runs.setdefault(run.end() - run.start(), []).append(run.start())
        same = self.runs.get(after - at, [])
        index = bisect_left(same, after)
        return same[index] + after - at if index < len(same) else after

    def _angle(self, at: int) -> int:
        text, end = self.text, self.end
        if link := _AUTOLINK.match(text, at, end):
            self._link(Found("plain", at, link.end(), *link.span(1)), closes=False)
            return link.end()
        if tag := _TAG.match(text, at, end):
            return tag.end()
        for opening, closing in _HTML:
            if text.startswith(opening, at, end):
                return self._skip(closing, at + len(opening)) or at + 1
        return (self._skip(">", at + 2) if _DECLARATION.match(text, at, end) else 0) or at + 1

    def _url(self, colon: int) -> int:
        span = url(self.text, self.found[-1].end if self.found else self.start, colon, self.end)
        if span is None:
            return colon + 1
        self.found.append(Found("plain", *span, *span))
        return span[1]

    def _embed(self, at: int) -> int:
        found = _EMBED.match(self.text, at, self.end)
        if found is None:
            return at + 1
        if found[2]:
            self._link(Found("block", at, found.end(), *found.span(2)))
        else:
            link = wiki(self.text, at, found.end(), *found.span(1))
            self._link(Found("embed", at, found.end(), link.target_start, link.target_end, link.text_start, link.text_end))
        return found.end()

    def _open(self, at: int, after: int) -> int:
        text = self.text
        if text.startswith("[", after, self.end) and not text.startswith("[", after + 1, self.end):
            found = _WIKI.match(text, at, self.end)
            if found and not _ADDRESS.match(text, found.end(), self.end):
                if not is_tag(text, at - 1):
                    self._link(wiki(text, at, found.end(), *found.span(1)))
                return found.end()
        self.openers.append(_Opener(at, after, after - at == 2))
        return after

    def _close(self, at: int) -> int:
        if not self.openers:
            return at + 1
        opener = self.openers.pop()
        active = opener.image or len(self.openers) >= self.inactive
        self.inactive = min(self.inactive, len(self.openers))
        link = self._inline(opener, at) or self._reference(opener, at) if active else None
        if link is None:
            return at + 1
        self._link(link, image=opener.image)
        return link.end

    def _link(self, link: Found, *, image: bool = False, closes: bool = True) -> None:
        """Take a link: brackets that are still open around it cannot be links."""
        self.found.append(link)
        if closes and not image:
            self.inactive = len(self.openers)

    def _inline(self, opener: _Opener, at: int) -> Found | None:
        text, end = self.text, self.end
        if not text.startswith("(", at + 1, end):
            return None
        target = references.destination(text, references.space(text, at + 2, end), end)
        if target is None:
            return None
        after = references.space(text, target.after, end)
        if after > target.after and (closed := references.title(text, after, end)):
            after = references.space(text, closed, end)
        if not text.startswith(")", after, end):
            return None
        kind = "image" if opener.image else "markdown"
        if not opener.image and (block := _BLOCK.match(text, target.start, target.end)) and block.end() == target.end:
            return Found("block", opener.start, after + 1, *block.span(1), opener.content, at)
        return Found(kind, opener.start, after + 1, target.start, target.end, opener.content, at)

    def _reference(self, opener: _Opener, at: int) -> Found | None:
        if not self.definitions:
            return None
        text, after = self.text, at + 1
        named = references.label(text, at + 1, self.end)
        if named is not None:
            after = named[1] + 1
        else:
            named = references.label(text, opener.content - 1, at + 1)
            if named is None or named[1] != at:
                return None
            if text.startswith("[]", at + 1, self.end):
                after = at + 3
            elif at - opener.content == 1 and text[opener.content] in "xX" and self._is_task(opener.start):
                return None
        target = self.definitions.get(references.key(text[named[0] : named[1]]))
        return Found("reference", opener.start, after, *target, opener.content, at) if target else None

    def _is_task(self, at: int) -> bool:
        """Whether the bracket at `at` follows the bullet of a list item: a check box."""
        line = max(self.text.rfind("\n", 0, at), self.text.rfind("\r", 0, at)) + 1
        return _BULLET.fullmatch(self.text, max(line, at - MAX_BULLET), at) is not None
