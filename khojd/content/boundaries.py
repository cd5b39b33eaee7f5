"""Where a text may be cut: before paragraphs, sentences, lines and words, and never inside what a reader sees as one character.

Approximations of Unicode's text segmentation (UAX #29), made for cutting text that is too long for a model: a cut that is missed
here only costs a slightly worse chunk.
"""

import re
import unicodedata

# Strength of a cut; 0 is anywhere. A cut at the edge of a code block is better than one at a blank line within it.
HEADING, PARAGRAPH, BLOCK, SENTENCE, BLANK_IN_BLOCK, LINE, WORD = 8, 6, 5, 4, 3, 2, 1

_BLANK_LINES = re.compile(r"(?:\r\n?|\n)(?:[ \t\u3000]*(?:\r\n?|\n))+")
_HEADING_LINE = re.compile(r"^(?:\*+[ \t]|#{1,6}[ \t])", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:(`{3,}|~{3,})|#\+(begin|end)_\w+)", re.MULTILINE | re.IGNORECASE)

# The end of a sentence: in CJK right after its mark (and closing quotes), elsewhere at the space that follows. Thai and Lao put
# spaces between clauses only.
_SENTENCE = re.compile(
    r"""(?:
      (?P<cjk>[。！？｡．]+[」』）”’》】\]]*)
    | (?<![.!?…؟۔।॥։])(?P<mark>[.!?…؟۔।॥։]++["'”’»)\]*_]*+)(?=\s)
    | (?<=[\u0e00-\u0eff])(?P<thai>[ ]+)(?=[\u0e00-\u0eff])
    | (?P<line>\r\n?|\n)
    )\s*""",
    re.VERBOSE,
)
# Where one may begin: found many times as fast as by trying the pattern everywhere.
_SENTENCE_MARK = re.compile("[。！？｡．.!?…؟۔।॥։\r\n]")
_SENTENCE_MARK_OR_SPACE = re.compile("[。！？｡．.!?…؟۔।॥։\r\n ]")
_THAI = re.compile("[\u0e00-\u0eff]")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[^\W\d_]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|etc|cf|al|No|Nr|Fig|Vol|pp|ed|approx|Inc|Ltd|bzw|usw|ca|evtl|vgl|Abb|Bd|Hr|Fr"
    r"|M|Mme|Mlle|art|Sra|Dra|Ud|pág|sig|dott|p\.ej|e\.g|i\.e|z\.B|d\.h|u\.a)|\b\d{1,3})\.$"
)
_LOWER_NEXT = re.compile(r"\s*[a-zà-öø-ÿ,;:]")

# Han, kana, Hangul: a word may end after any of them.
_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
)
_WORD_EDGE = re.compile(rf"(?:[{_UNSPACED}]|[^\w\s\u200d'’.-])")

_JOINING_CATEGORIES = frozenset({"Mn", "Me", "Mc"})
_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA = 9  # canonical combining class: the next consonant forms a cluster with it


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Paragraphs of `text` as (start, strength of the cut before it), the first at 0. Heading lines start one too."""
    starts: dict[int, int] = {0: HEADING}
    for match in _BLANK_LINES.finditer(text):
        if match.end() < len(text):
            starts[match.end()] = PARAGRAPH
    blocks = _blocks(text)
    for start, end in blocks:
        starts.setdefault(start, BLOCK)
        if end < len(text):
            starts.setdefault(end, BLOCK)
    if blocks:
        for offset in _inside(sorted(starts), blocks):
            starts[offset] = BLANK_IN_BLOCK
    headings = [match.start() for match in _HEADING_LINE.finditer(text)]
    in_code = set(_inside(headings, blocks))
    starts.update((offset, HEADING) for offset in headings if offset not in in_code)
    return sorted(starts.items())


def sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Sentences and lines of `text[start:end]` as (start, strength of the cut before it); the first has strength 0."""
    starts = [(start, 0)]
    marks = _SENTENCE_MARK if text.isascii() or not _THAI.search(text, start, end) else _SENTENCE_MARK_OR_SPACE
    at = start
    while mark := marks.search(text, at, end):
        match = _SENTENCE.match(text, mark.start(), end)
        if match is None:
            at = mark.end()
            continue
        at = match.end()
        if at >= end:
            break
        if match["line"] is None and not _goes_on(text, match):
            starts.append((match.end(), SENTENCE))
        elif match["line"] is not None or "\n" in match[0] or "\r" in match[0]:
            starts.append((match.end(), LINE))
    return starts


def cut_before(text: str, low: int, high: int) -> tuple[int, int]:
    """The best cut in (low, high] as (offset, strength): the last space or word edge, else between characters, else `high`."""
    for offset in range(high, low, -1):
        if text[offset - 1].isspace() and not text[offset : offset + 1].isspace():
            return offset, WORD
    for offset in range(high, low, -1):
        if _is_word_edge(text, offset):
            return offset, WORD
    for offset in range(high, low, -1):
        if is_character_edge(text, offset):
            return offset, 0
    return high, 0


def is_character_edge(text: str, offset: int) -> bool:
    """Whether a cut at `offset` leaves every user-perceived character whole (extended grapheme clusters, approximately)."""
    if offset <= 0 or offset >= len(text):
        return True
    before, after = text[offset - 1], text[offset]
    if before < "\u0300" and after < "\u0300":
        return not (before == "\r" and after == "\n")
    if _ZERO_WIDTH_JOINER in (after, before) or _extends(after):
        return False
    if "\u1100" <= before <= "\ud7fb" and "\u1160" <= after <= "\u11ff":
        return False  # Hangul syllables written in letters
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _flag_letters_before(text, offset) % 2 == 0
    return not (unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo")


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in _JOINING_CATEGORIES
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags, as in the flags of Scotland and Wales
        or character in "\u0e33\u0eb3\u200c"  # Thai and Lao AM, zero-width non-joiner
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, offset: int) -> int:
    start = offset
    while start > 0 and _is_flag_letter(text[start - 1]):
        start -= 1
    return offset - start


def _is_word_edge(text: str, offset: int) -> bool:
    if not is_character_edge(text, offset):
        return False
    edge = _WORD_EDGE.match(text, offset - 1) or _WORD_EDGE.match(text, offset)
    # No cut before closing marks, nor after opening ones.
    after = text[offset : offset + 1]
    return (
        edge is not None
        and unicodedata.category(text[offset - 1]) != "Ps"
        and (not after or after not in ".,;:!?)]}。、，！？」』）")
    )


def _goes_on(text: str, match: re.Match[str]) -> bool:
    """Whether a full stop ends no sentence: an abbreviation, an initial, or a small letter after it."""
    if match["mark"] != ".":
        return False
    head = text[max(match.start() - 8, 0) : match.start() + 1]
    return bool(_ABBREVIATION.search(head) or _LOWER_NEXT.match(text, match.end()))


def _blocks(text: str) -> list[tuple[int, int]]:
    """Fenced code and Org blocks as ranges of whole lines; one that is not closed goes on to the end."""
    if "```" not in text and "~~~" not in text and "#+" not in text:
        return []
    blocks: list[tuple[int, int]] = []
    opened: tuple[int, str] | None = None
    for match in _FENCE.finditer(text):
        mark = match[1] or ("#+" if match[2] else "")
        if opened is None:
            if match[1] or match[2].lower() == "begin":
                opened = (match.start(), mark)
        elif (match[1] and opened[1][0] == mark[0] and len(mark) >= len(opened[1])) or (
            match[2] and match[2].lower() == "end" and opened[1] == "#+"
        ):
            end = text.find("\n", match.end())
            blocks.append((opened[0], len(text) if end < 0 else end + 1))
            opened = None
    if opened is not None:
        blocks.append((opened[0], len(text)))
    return blocks


def _inside(offsets: list[int], blocks: list[tuple[int, int]]) -> list[int]:
    """Those of the sorted `offsets` that lie within a block, not at its edges."""
    found, position = [], 0
    for offset in offsets:
        while position < len(blocks) and blocks[position][1] <= offset:
            position += 1
        if position < len(blocks) and blocks[position][0] < offset:
            found.append(offset)
    return found
