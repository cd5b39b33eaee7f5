"""What a Markdown heading says: its display text, and the keyword, priority, tags and ids written in its line."""

import html
import re

from msgspec import Struct

from khojd.content.markdown_marks import block_id, find_tags

# Upper case only, and only before further text: `# TODO call Bob` is a task, `# Todo list` and `# TODO` are headings.
_KEYWORD = re.compile(r"(?:\*\*|__)?([^\W\d_][\w-]*):?(?:\*\*|__)?:?[ \t]+(?=\S)")
_CHECKBOX = re.compile(r"\[([ xX])\][ \t]+(?=\S)")
_MARKER = re.compile(r"[ \t]*(?:-[ \t]+)?(?:#{1,6}[ \t]+)?")
_PRIORITY = re.compile(r"\[#([A-Za-z0-9])\][ \t]*")

_MARKUP = re.compile(r"[\[\]*_`~=<>\\&!]")
_ATTRIBUTES = re.compile(r"\{:?[ \t]*([#.][^{}]*)\}$")
_ATTRIBUTE_ID = re.compile(r"#([^\s{}#.]+)")
_HTML_ID = re.compile(r"""<[A-Za-z][^<>]*?\b(?:id|name)[ \t]*=[ \t]*["']?([^"'<>\s]+)""")
_HTML_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->")
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]*:[^<>\s]*)>")
_WIKILINK = re.compile(r"!?\[\[([^\[\]|]*)(?:\|([^\[\]]*))?\]\]")
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)?\)|\[[^\[\]]*\])")
_EMPHASIS = re.compile(r"(?<![\w\\])[*_]{1,3}(?=\S)|(?<=\S)(?<!\\)[*_]{1,3}(?!\w)|(?<!\w)(?:~~|==)(?=\S)|(?<=\S)(?:~~|==)(?!\w)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)([^`]+)\1(?!`)")
_TAGS_BACKWARDS = re.compile(r"(?:[^\s#]+#[ \t]+)+")  # from the end: looking for them forwards takes quadratic time


class Heading(Struct, frozen=True):
    """A heading's line, taken apart. `tags` are all tags in it; trailing ones are not part of `text`."""

    text: str
    todo: str = ""
    priority: str = ""
    tags: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


def read(content: str, keywords: frozenset[str]) -> Heading:
    """Take apart a heading's content (no hashes or underline). `keywords` are the TODO keywords known."""
    return _read(content, keywords)[0]


def bounds(content: str, keywords: frozenset[str]) -> tuple[int, int]:
    """Where the text of a heading stands in its content, without keyword, priority, ids and trailing tags."""
    _, start, end = _read(content, keywords)
    return start, end


def _read(content: str, keywords: frozenset[str]) -> tuple[Heading, int, int]:
    text = content.strip()
    end = content.find(text) + len(text)
    ids: list[str] = []
    if text.endswith("}") and (found := _ATTRIBUTES.match(text, max(text.rfind("{"), 0))):
        ids += _ATTRIBUTE_ID.findall(found[1])
        text, end = _cut(text, found.start(), end)
    if "^" in text and (block := block_id(text)):
        ids.append(block)
        text, end = _cut(text, text.rindex("^"), end)
    todo, priority, text = _task(text, keywords)
    tags: tuple[str, ...] = ()
    if "#" in text:
        bare = _CODE.sub(lambda found: " " * len(found[0]), text)
        tags = tuple(dict.fromkeys(name for _, name in find_tags(bare)))
        if tags and (found := _TAGS_BACKWARDS.match(text[::-1])) and found.end() < len(text):
            end -= found.end()
            text = text[: -found.end()]
    if "<" in text:
        ids += _HTML_ID.findall(text)
    return Heading(plain(text), todo, priority, tags, tuple(ids)), end - len(text), end


def _cut(text: str, at: int, end: int) -> tuple[str, int]:
    """The text before `at`, without white space at its end, and where it ends when all of it ended at `end`."""
    kept = text[:at].rstrip()
    return kept, end - len(text) + len(kept)


def task(text: str, start: int, end: int, keywords: frozenset[str]) -> tuple[int, int] | None:
    """The range of the keyword or check box of the heading in `text[start:end]`."""
    at = found.end() if (found := _MARKER.match(text, start, end)) else start
    if box := _CHECKBOX.match(text, at, end):
        return at, box.end(1) + 1
    word = _KEYWORD.match(text, at, end)
    return word.span(1) if word and word[1] in keywords else None


def anchors(text: str, start: int, end: int, ids: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Where the `ids` of a heading stand in `text[start:end]`, its lines: ranges of the bare names, and their kinds."""
    found = []
    for name in ids:
        for place in re.finditer(rf"""(?:[#"'=]|(\^)){re.escape(name)}(?=[\s{{}}.#"'>]|\Z)""", text[start:end]):
            found.append((start + place.end() - len(name), start + place.end(), "block" if place[1] else "custom_id"))
            break
    return found


def plain(text: str) -> str:
    """Inline Markdown as a reader sees it: links show their text, emphasis and code marks are gone, escapes are undone."""
    if not _MARKUP.search(text):
        return " ".join(text.split())
    parts = []
    at = 0
    for found in _CODE.finditer(text):
        parts += [_inline(text[at : found.start()]), found[2].strip()]
        at = found.end()
    parts.append(_inline(text[at:]))
    shown = " ".join("".join(parts).split())
    return shown or " ".join(text.split())


def _inline(text: str) -> str:
    if "[" in text:
        text = _WIKILINK.sub(lambda found: found[2] or found[1], text)
        text = _LINK.sub(r"\1", text)
        text = _LINK.sub(r"\1", text)  # an image inside a link
    if "<" in text:
        text = _HTML_TAG.sub("", _AUTOLINK.sub(r"\1", text))
    text = _EMPHASIS.sub("", text)
    if "\\" in text:
        text = _ESCAPE.sub(r"\1", text)
    return html.unescape(text) if "&" in text else text


def _task(text: str, keywords: frozenset[str]) -> tuple[str, str, str]:
    todo = priority = ""
    if text.startswith("[") and (found := _CHECKBOX.match(text)):
        todo = "TODO" if found[1] == " " else "DONE"
        text = text[found.end() :]
    elif (found := _KEYWORD.match(text)) and found[1] in keywords:
        todo = found[1]
        text = text[found.end() :]
    if text.startswith("[#") and (found := _PRIORITY.match(text)):
        priority = found[1].upper()
        text = text[found.end() :]
    return todo, priority, text
