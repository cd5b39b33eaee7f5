"""The links of a Markdown text.

Most links stand in paragraphs without code, HTML, backslashes and the like; there one expression finds and takes apart all simple
ones, and whatever has a bracket too many is looked at again. Those paragraphs, and all of a text with link reference definitions,
are read by `markdown_inline`. Both find the same.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable

from khojd.content import markdown_html, markdown_inline, markdown_paragraphs, markdown_references
from khojd.content.markdown_inline import Found
from khojd.content.markdown_marks import Source, is_tag
from khojd.content.markdown_outline import OPAQUE
from khojd.content.markdown_references import Definition
from khojd.content.model import Link


# A wikilink (target, alias), an inline link (text, destination), brackets that are no link (the text's group alone); else something
# to look at closely.
def _brackets(text: str, other: str) -> re.Pattern[str]:
    wiki = rf"\[([^\[\]|\r\n{other}]*+)(?:\|([^\[\]\r\n{other}]*+))?\]\](?![(}}])"
    inline = rf"\(([^\s()\x00-\x1f\x7f{other}]*+)(?:[ \t]+\"[^\"\r\n{other}]*+\")?\)"
    return re.compile(rf"\[(?:{wiki}|((?>{text}*))\](?:{inline}|(?![\[(:]))|())" + (other and rf"|{_CODE}|(`)"))


_CODE = r"`[^`\[\]\r\n]++`(?!`)"
_SIMPLE = _brackets(r"[^\[\]\r\n]", "")
_CODED = _brackets(rf"(?:[^\[\]\r\n`]|{_CODE})", "`")
_TARGET, _ALIAS, _NO_LINK, _INLINE = 1, 2, 3, 4  # the last group that matched; none in code
_HARD = ("\\", "<", "((", "%%", "$$")
_AUTOLINK = re.compile(r"<(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:(?!//)|[^\s<>@]+@)")
_SHOWN = re.compile(rb"[^\x02]+")
_MATH = re.compile(r"(?:\A|(?<=[\r\n]))[ \t>]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*\$\$")


def read(source: Source, front: int, first: int, heads: list[int]) -> tuple[Link, ...]:
    """The links of a text in file order.

    `front` is the offset after the front matter, `first` the line there; at the offsets `heads` the sections after the root start.
    """
    text = source.text
    tagged = markdown_html.links(source, front, heads) if "<" in text else []
    if "[" not in text and "://" not in text and "((" not in text and not ("<" in text and _AUTOLINK.search(text)):
        return tuple(tagged)
    found = _Reader(source, heads).read(front, first)
    return tuple(sorted((*found, *tagged), key=lambda link: (link.start, -link.end)) if tagged else found)


class _Reader:
    def __init__(self, source: Source, heads: list[int]) -> None:
        self.source = source
        self.text = source.text
        self.heads = heads
        self.links: list[Link] = []
        self.definitions: dict[str, tuple[int, int]] = {}
        self.defined: dict[int, Definition] = {}  # by the offset of the piece's text they stand at
        text = self.text
        self.blank = "\n\n" if "\r" not in text else "\r\n\r\n" if "\n" in text else "\r\r"
        self.hard = tuple([mark for mark in _HARD if mark[0] in text and mark in text])
        self.address = -1  # the next `://`
        self.wanted = ("[", "://", "((", "<") if "<" in text and _AUTOLINK.search(text) else ("[", "://", "((")

    def read(self, front: int, first: int) -> list[Link]:
        text, starts = self.text, self.source.lines.starts
        if front and (text.find("[", 0, front) >= 0 or text.find("://", 0, front) >= 0):
            self._metadata(front)
        kinds = self.source.kinds
        if "$$" in self.hard:
            kinds = _without_math(self.source, first)
        count = len(starts)
        shown = [
            (starts[run.start()], starts[run.end()] if run.end() < count else len(text)) for run in _SHOWN.finditer(kinds, first)
        ]
        if "]:" in text:
            self._define(shown)
        for start, end in shown:
            if self.definitions:
                self._closely(start, end)
            else:
                self._run(start, end)
        return self.links

    def _metadata(self, front: int) -> None:
        """Wikilinks, links and addresses in front matter, line by line."""
        lines = self.source.lines
        for number in range(lines.line(front - 1) + 1):
            start, end = lines.starts[number], lines.end(number)
            if "[" in (line := self.text[start:end]) or "://" in line:
                self._add(markdown_inline.scan(self.text, start, end, {}))

    def _define(self, shown: list[tuple[int, int]]) -> None:
        """Find the link reference definitions, which start paragraphs; the first one of a label counts."""
        text = self.text
        for start, end in shown:
            high = start
            while (at := text.find("]:", high, end)) >= 0:
                low = self._paragraph(high, at)
                high = text.find(self.blank, at, end)
                high = end if high < 0 else high
                for piece, after in markdown_paragraphs.pieces(text, low, high):
                    place = markdown_paragraphs.content(text, piece, after)
                    while one := markdown_references.definition(text, place, after):
                        key = markdown_references.key(text[one.label_start : one.label_end])
                        self.definitions.setdefault(key, (one.target_start, one.target_end))
                        self.defined[place] = one
                        place = markdown_paragraphs.content(text, one.after, after)

    def _run(self, at: int, end: int) -> None:
        """The links in lines that are no code: alternately those of easy paragraphs and of one that is not."""
        text, blank, width = self.text, self.blank, len(self.blank)
        wanted, hard, coded = dict.fromkeys(self.wanted, -1), dict.fromkeys(self.hard, -1), {"`": -1}
        while at < end:
            candidate = _next(text, wanted, at, end)
            if candidate == end:
                return
            low = self._paragraph(at, candidate)
            obstacle = _next(text, hard, low, end) if hard else end
            code = _next(text, coded, low, end)
            brackets, stop = _SIMPLE, obstacle
            if code < obstacle:
                stop = code
            easy = end if stop == end else text.rfind(blank, candidate, stop)
            if easy < 0 and code < obstacle:
                brackets = _CODED
                easy = text.find(blank, code, obstacle)
                if easy < 0 and obstacle == end:
                    easy = end
            if easy >= 0:
                easy = min(easy + width, end)
                at = self._simply(low, easy, brackets)
                if at == easy:
                    continue
                low = self._paragraph(low, at)
                obstacle = at
            after = text.find(blank, obstacle, end)
            at = end if after < 0 else after + width
            self._closely(low, at)

    def _paragraph(self, low: int, at: int) -> int:
        """Where the paragraph that holds `at` starts, not before `low`."""
        start = self.text.rfind(self.blank, low, at)
        return low if start < 0 else start + len(self.blank)

    def _closely(self, start: int, end: int) -> None:
        """The links in [start, end), whole paragraphs: those pieces bracket by bracket that need it."""
        text = self.text
        self._rewind(start, end)
        pieces = list(markdown_paragraphs.pieces(text, start, end))
        if self.definitions:
            for piece, after in pieces:
                self._exactly(piece, after)
            return
        starts = [piece for piece, _ in pieces]
        brackets = _CODED if text.find("`", start, end) >= 0 else _SIMPLE
        hard = dict.fromkeys(self.hard, -1)
        index, count = 0, len(pieces)
        while index < count:
            obstacle = _next(text, hard, starts[index], end)
            following = count if obstacle == end else bisect_right(starts, obstacle) - 1
            stop = end if following == count else starts[following]
            while index < following and (trouble := self._simply(starts[index], stop, brackets)) < stop:
                index = bisect_right(starts, trouble)
                self._exactly(*pieces[index - 1])
            index = following + 1
            if following < count:
                self._exactly(*pieces[following])

    def _exactly(self, piece: int, after: int) -> None:
        """The links in a piece of text, with the definitions at its head."""
        text = self.text
        if not any(text.find(mark, piece, after) >= 0 for mark in self.wanted):
            return
        self._rewind(piece, after)
        place = piece
        if self.defined:
            place = markdown_paragraphs.content(text, piece, after)
            while one := self.defined.get(place):
                label = one.label_start, one.label_end
                self._add((Found("definition", one.start, one.end, one.target_start, one.target_end, *label),))
                place = markdown_paragraphs.content(text, one.after, after)
        self._add(markdown_inline.scan(text, place, after, self.definitions))

    def _simply(self, start: int, end: int, brackets: re.Pattern[str]) -> int:
        """The links in [start, end), where nothing but brackets, addresses and, for `_CODED`, code can make any.

        Gives the offset of what is not simple, else `end`.
        """
        text, links = self.text, self.links
        section, limit = self._section(start)
        address = self._address(start)
        for found in brackets.finditer(text, start, end):
            kind = found.lastindex
            if kind == _NO_LINK:
                continue
            at, after = found.span()
            if address < at:
                address = self._addresses(address, start, at)
            if kind is None:
                if address < after:
                    address = self._address(after)
                continue
            if kind > _INLINE:
                return at
            if at >= limit:
                section, limit = self._section(at)
            low, high = found.span(kind)
            name = found[kind]
            embeds = at > start and text[at - 1] == "!"
            if kind == _INLINE:
                shown = found.span(_NO_LINK)
                sort = "image" if embeds else "markdown"
                links.append(Link(sort, at - embeds, after, name, low, high, section, found[3], *shown))
            elif kind == _ALIAS or name[:1] in " \t" or name[-1:] in " \t" or (at > start and text[at - 1] == "#"):
                if not is_tag(text, at - 1):
                    self._add((markdown_inline.wiki(text, at - embeds, after, at + 2, after - 2),))
            else:
                links.append(Link("embed" if embeds else "wiki", at - embeds, after, name, low, high, section))
            if address < after:
                address = self._address(after)
        self._addresses(address, start, end)
        return end

    def _address(self, at: int) -> int:
        """The first `://` from `at` on; the text's length when there is none."""
        if self.address < at:
            self.address = self.text.find("://", at)
            if self.address < 0:
                self.address = len(self.text)
        return self.address

    def _rewind(self, start: int, end: int) -> None:
        """Forget what was found in [start, end) and after it."""
        while self.links and self.links[-1].start >= start:
            self.links.pop()
        found = self.text.find("://", start, end)
        if found >= 0:
            self.address = found

    def _addresses(self, address: int, low: int, end: int) -> int:
        """Take the addresses in plain text from the `://` at `address` on up to `end`; gives the first one after that."""
        links = self.links
        while address < end:
            span = markdown_inline.url(self.text, max(low, links[-1].end if links else 0), address, end)
            if span is not None:
                self._add((Found("plain", *span, *span),))
            address = self._address(span[1] if span else address + 1)
        return address

    def _section(self, at: int) -> tuple[int, int]:
        """Index of the section that holds `at`, and where the next one starts."""
        index = bisect_right(self.heads, at)
        return index, self.heads[index] if index < len(self.heads) else len(self.text) + 1

    def _add(self, found: Iterable[Found]) -> None:
        text = self.text
        for kind, start, end, target, target_end, low, high in map(_ranges, found):
            section = bisect_right(self.heads, start)
            self.links.append(
                Link(kind, start, end, text[target:target_end], target, target_end, section, text[low:high], low, high)
            )


def _ranges(found: Found) -> tuple[str, int, int, int, int, int, int]:
    return found.kind, found.start, found.end, found.target_start, found.target_end, found.text_start, found.text_end


def _next(text: str, places: dict[str, int], at: int, end: int) -> int:
    """The first place of any of the marks from `at` on, else `end`. `places` keeps each one's next place."""
    nearest = end
    for mark, place in places.items():
        found = place
        if place < at:
            found = text.find(mark, at, end)
            found = places[mark] = end if found < 0 else found
        nearest = min(nearest, found)
    return nearest


def _without_math(source: Source, first: int) -> bytearray:
    """The kinds of the lines, those of `$$` blocks opaque."""
    text, lines = source.text, source.lines
    kinds = bytearray(source.kinds)
    number, count = first, len(lines)
    for found in _MATH.finditer(text, lines.starts[first] if first < count else len(text)):
        start = lines.line(found.end())
        if start < number or kinds[start] == OPAQUE:
            continue
        close = text.find("$$", found.end())
        if close < 0:
            break
        number = lines.line(close) + 1
        kinds[start:number] = bytes((OPAQUE,)) * (number - start)
    return kinds
