"""Where the keys, tags and days of a front matter block stand. What they mean is read by `frontmatter`."""

import re
from collections.abc import Iterator

import yaml

from khojd.content import frontmatter
from khojd.content.dates import parse_day
from khojd.content.model import Mark

_TOML_KEY = re.compile(
    r"""(?:^|(?<=[\r\n]))[ \t]*(?:\[+[ \t]*)?["']?([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)["']?[ \t]*(?:=[ \t]*([^\r\n]*)|\]+)"""
)
_TOML_STRING = re.compile(r"""["']([^"'\\\r\n]+)["']""")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PART = re.compile(r"[^,]+")
_WORD = re.compile(r"[^\s,]+")


def read(text: str, end: int) -> Iterator[Mark]:
    """Marks (`property`, `tag`, `date`) of the valid block that ends at offset `end`; none for a value with escapes."""
    start, stop = frontmatter.inside(text, end)
    if text.startswith("+++"):
        yield from _toml(text, start, stop)
        return
    try:
        node = yaml.compose(text[start:stop], Loader=frontmatter.LOADER)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    if isinstance(node, yaml.MappingNode):
        yield from _mapping(text, start, node)


def tags(text: str, start: int, end: int) -> Iterator[Mark]:
    """The tags of a string, parted by commas, else by spaces, without a leading # and the brackets of a wikilink."""
    parts = _PART if text.find(",", start, end) >= 0 else _WORD
    if text.find("[[", start, end) >= 0:
        parts = _PART
    for part in parts.finditer(text, start, end):
        name = part[0].strip().removeprefix("#").removeprefix("[[").removesuffix("]]").strip()
        if name:
            at = text.index(name, part.start())
            yield Mark("tag", at, at + len(name), name)


def _mapping(text: str, offset: int, root: yaml.MappingNode) -> Iterator[Mark]:
    pending = [(root, 0)]
    while pending:
        node, depth = pending.pop()
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if (place := _scalar(text, offset, key)) is None:
                continue
            yield Mark("property", *place, text[slice(*place)])
            if depth == 0:
                yield from _value(text, offset, text[slice(*place)].casefold(), value)
            if isinstance(value, yaml.MappingNode) and depth < frontmatter.MAX_DEPTH:
                pending.append((value, depth + 1))


def _value(text: str, offset: int, key: str, value: yaml.Node) -> Iterator[Mark]:
    if key in frontmatter.TAG_KEYS:
        for item in value.value if isinstance(value, yaml.SequenceNode) else ():
            if place := _scalar(text, offset, item):
                sharp = text[place[0]] == "#"
                yield Mark("tag", place[0] + sharp, place[1], text[place[0] + sharp : place[1]])
        if isinstance(value, yaml.ScalarNode) and (place := _scalar(text, offset, value)):
            yield from tags(text, *place)
    elif frontmatter.is_date(key) and isinstance(value, yaml.ScalarNode) and (place := _scalar(text, offset, value)):
        yield from _date(text, *place)


def _date(text: str, start: int, end: int) -> Iterator[Mark]:
    if day := parse_day(text[start:end]):
        written = _DAY.search(text, start, end)
        yield Mark("date", *(written.span() if written else (start, end)), day.isoformat())


def _scalar(text: str, offset: int, node: yaml.Node) -> tuple[int, int] | None:
    """The range of a scalar without quotes; None when it is written in several lines or with escapes."""
    if not isinstance(node, yaml.ScalarNode) or not node.value:
        return None
    start, end = offset + node.start_mark.index, offset + node.end_mark.index
    if text[start : start + 1] in ('"', "'"):
        start, end = start + 1, end - 1
    return (start, end) if text[start:end] == node.value else None


def _toml(text: str, start: int, end: int) -> Iterator[Mark]:
    for found in _TOML_KEY.finditer(text, start, end):
        yield Mark("property", *found.span(1), found[1])
        if not found[2]:
            continue
        key, (low, high) = found[1].casefold(), found.span(2)
        if key in frontmatter.TAG_KEYS:
            close = text.find("]", low, end)
            for name in _TOML_STRING.finditer(text, low, close if text[low] == "[" and close >= 0 else high):
                yield from tags(text, *name.span(1)) if text[low] != "[" else (Mark("tag", *name.span(1), name[1]),)
        elif frontmatter.is_date(key) and (day := _DAY.search(text, low, high)):
            yield from _date(text, *day.span())
