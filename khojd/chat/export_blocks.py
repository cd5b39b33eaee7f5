"""Markdown as Org: paragraphs, headings, lists, code, quotes, tables, emphasis and links. The rest stays as it is written."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from khojd.chat import export_parts as parts
from khojd.chat.export_orgtext import SPACE, described, headline, literal, plain, started
from khojd.content import markdown_outline
from khojd.graph.compose import escaped

FIRST = 2  # level of an answer's highest headings

# Stand for the markers while Markdown is read; taken out of the text before.
_OPEN, _CLOSE = "\ue000", "\ue001"
_HELD = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_HELD_ENCODED = re.compile(f"{quote(_OPEN)}([0-9]+){quote(_CLOSE)}")
_OURS = re.compile(f"[{_OPEN}{_CLOSE}]")
_SCHEME = re.compile(r"(?:https?|ftp|mailto|file):", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z0-9][\w+#.-]*")
_MARKS = {"strong": "*", "em": "/", "s": "+"}
_BEFORE = re.compile(r"[\s\-('\"{\u200b]\Z")  # Org's emphasis stands between these
_AFTER = re.compile(r"[\s\-.,;:!?'\")}\[\u200b]")


class Blocks:
    """Writes one answer. `link` gives the Org text of a citation's marker."""

    def __init__(self, link: Callable[[parts.Marker], str]) -> None:
        self._link = link
        self._markers: list[parts.Marker] = []
        self._top = FIRST

    def written(self, pieces: Iterable[str | parts.Marker]) -> str:
        """The answer as Org; "" for one without text. What is too much for the Markdown parser becomes an example block."""
        text = "".join(self._held(piece) for piece in pieces).strip("\n")
        if not text.strip():
            return ""
        if markdown_outline.tokens(text) is None:
            return "\n".join(_block("example", self._raw(text)))
        root = SyntaxTreeNode(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text))
        levels = [int(node.tag[1]) for node in root.children if node.type == "heading"]
        self._top = FIRST - min(levels, default=1)
        return "\n".join(self._blocks(root.children))

    def _held(self, piece: str | parts.Marker) -> str:
        if isinstance(piece, str):
            return _OURS.sub("", parts.tidy(piece))
        self._markers.append(piece)
        return f"{_OPEN}{len(self._markers) - 1}{_CLOSE}"

    # --- blocks -------------------------------------------------------------------------------------------------------------

    def _blocks(self, nodes: Sequence[SyntaxTreeNode], *, nested: bool = False, quoted: bool = False) -> list[str]:
        out: list[str] = []
        for node in nodes:
            lines = self._lines(node, nested=nested, quoted=quoted)
            out += ["", *lines] if out and lines else lines
        return out

    def _lines(self, node: SyntaxTreeNode, *, nested: bool, quoted: bool) -> list[str]:
        kind = node.type
        if kind == "heading":
            text = " ".join(self._inline(node.children).split())
            if nested:
                return [started(text)]
            return ["*" * (int(node.tag[1]) + self._top) + " " + (headline(text) or SPACE)]
        if kind == "paragraph":
            return [started(line.strip()) for line in self._inline(node.children).split("\n")]
        if kind in ("bullet_list", "ordered_list"):
            return self._list(node, quoted=quoted)
        if kind == "blockquote":
            inner = self._blocks(node.children, nested=True, quoted=True)
            return inner if quoted else ["#+begin_quote", *inner, "#+end_quote"]
        if kind in ("fence", "code_block"):
            language = _LANGUAGE.match(node.info.strip()) if kind == "fence" else None
            return _block(f"src {language[0]}" if language else "example", self._raw(node.content))
        if kind == "table":
            return self._table(node)
        if kind == "hr":
            return ["-----"]
        return [started(plain(self._raw(line))) for line in node.content.rstrip("\n").split("\n")]

    def _list(self, node: SyntaxTreeNode, *, quoted: bool) -> list[str]:
        out: list[str] = []
        number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
        for item in node.children:
            marker = f"{number}. " if node.type == "ordered_list" else "- "
            number += 1
            first = item.children[0] if item.children else None
            own = self._lines(first, nested=True, quoted=quoted) if first is not None and first.type == "paragraph" else []
            rest = self._blocks(item.children[1:] if own else item.children, nested=True, quoted=quoted)
            if own and rest and not item.children[1].type.endswith("_list"):
                rest.insert(0, "")
            out.append((marker + (own[0] if own else "")).rstrip())
            out += [" " * len(marker) + line if line else "" for line in (*own[1:], *rest)]
        return out

    def _table(self, node: SyntaxTreeNode) -> list[str]:
        rows = [row for part in node.children for row in part.children]
        out = []
        for number, row in enumerate(rows):
            cells = [" ".join(self._inline(cell.children).split()).replace("|", "\\vert{}") for cell in row.children]
            out.append(f"| {' | '.join(cells)} |")
            if number == 0:
                out.append("|" + "+".join("---" for _ in cells) + "|")
        return out

    # --- text ---------------------------------------------------------------------------------------------------------------

    def _inline(self, nodes: Sequence[SyntaxTreeNode], within: str = "") -> str:
        """`within`: the marks of the emphasis around."""
        if len(nodes) == 1 and nodes[0].type == "inline":
            nodes = nodes[0].children
        out = ""
        apart = False  # what comes next must stand apart from the mark before it
        for node in _joined(nodes):
            mark = _MARKS.get(node.type, "") if not isinstance(node, str) else ""
            verbatim = ""
            if isinstance(node, str):
                text = self._cited(node)
            elif mark:
                text = self._inline(node.children, within + mark)
                if text == text.strip() and text and mark not in within:
                    verbatim = f"{mark}{text}{mark}"
            else:
                text = self._text(node, within)
                if node.type == "code_inline":
                    verbatim = _code(text)
            if verbatim:
                out += SPACE if out and not _BEFORE.search(out) else ""
                text = verbatim
            elif (apart and text and not _AFTER.match(text)) or (out.endswith("[") and text.startswith("[")):
                text = SPACE + text
            apart = bool(verbatim)
            out += text
        return out

    def _text(self, node: SyntaxTreeNode, within: str) -> str:
        kind = node.type
        if kind == "softbreak":
            return "\n"
        if kind == "hardbreak":
            return "\\\\\n"
        if kind == "code_inline":
            return self._raw(node.content)
        if kind == "link":
            return self._linked(node, within)
        if kind == "image":
            return plain(f"![{self._raw(node.content)}]({self._address(node, 'src')})")
        return plain(self._raw(node.content))

    def _linked(self, node: SyntaxTreeNode, within: str) -> str:
        target = self._address(node, "href")
        if not _SCHEME.match(target):
            # Relative to what nobody knows: left as Markdown has it.
            return f"[{self._inline(node.children, within)}]({plain(target)})"
        shown = self._raw("".join(_words(node.children)))
        return f"[[{escaped(target)}]]" if shown == target else f"[[{escaped(target)}][{described(shown)}]]"

    def _address(self, node: SyntaxTreeNode, name: str) -> str:
        """Where a link or an image leads to, on one line."""
        encoded = _HELD_ENCODED.sub(lambda held: quote(self._markers[int(held[1])].written), str(node.attrs[name]))
        return "".join(encoded.split())

    def _cited(self, text: str) -> str:
        """Text with the links of the citations in it."""
        out, at = [], 0
        for held in _HELD.finditer(text):
            out += [plain(text[at : held.start()]), self._link(self._markers[int(held[1])])]
            at = held.end()
        return "".join([*out, plain(text[at:])])

    def _raw(self, text: str) -> str:
        """Text with the markers as they were written."""
        return _HELD.sub(lambda held: self._markers[int(held[1])].written, text)


def _joined(nodes: Iterable[SyntaxTreeNode]) -> Iterator[SyntaxTreeNode | str]:
    """The nodes, with text and HTML that stand side by side as one text."""
    text = ""
    for node in nodes:
        if node.type in ("text", "text_special", "html_inline"):
            text += node.content
            continue
        if text:
            yield text
        text = ""
        yield node
    if text:
        yield text


def _words(nodes: Iterable[SyntaxTreeNode]) -> Iterator[str]:
    for node in nodes:
        yield from _words(node.children) if node.children else (node.content or " ",)


def _code(text: str) -> str:
    """`text` as code; "" where Org has no way to say so."""
    mark = next((mark for mark in "~=" if mark not in text), "")
    return f"{mark}{text}{mark}" if mark and text and text == text.strip() else ""


def _block(kind: str, text: str) -> list[str]:
    return [f"#+begin_{kind}", *literal(text.rstrip("\n")).split("\n"), f"#+end_{kind.split(maxsplit=1)[0]}"]
