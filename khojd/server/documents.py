"""The open documents of one client, kept as the client has them.

pygls' own documents end lines at form feeds and U+2028 too, which would put an edit in the wrong place of an Org file with page
breaks; LSP ends them at LF, CRLF and CR only.
"""

from collections.abc import Sequence

from lsprotocol import types as lsp

from khojd.content.lines import LineIndex
from khojd.errors import NotFound
from khojd.server import encoding

Change = lsp.TextDocumentContentChangePartial | lsp.TextDocumentContentChangeWholeDocument


class Documents:
    """Texts by path. The position encoding is the one negotiated in `initialize`."""

    def __init__(self) -> None:
        self.encoding = "utf-16"
        self._texts: dict[str, str] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._texts

    def open(self, path: str, text: str) -> None:
        self._texts[path] = text

    def text(self, path: str) -> str | None:
        """The text of an open document, else None."""
        return self._texts.get(path)

    def change(self, path: str, changes: Sequence[Change]) -> str:
        """Apply `changes` in order and return the new text. Raises NotFound for a document that is not open."""
        text = self._texts.get(path)
        if text is None:
            raise NotFound(f"{path} was changed but is not open: open it first", path=path)
        for change in changes:
            if isinstance(change, lsp.TextDocumentContentChangePartial):
                lines = LineIndex(text)
                start = self._offset(text, lines, change.range.start)
                end = max(start, self._offset(text, lines, change.range.end))
                text = text[:start] + change.text + text[end:]
            else:
                text = change.text
        self._texts[path] = text
        return text

    def close(self, path: str) -> None:
        self._texts.pop(path, None)

    def _offset(self, text: str, lines: LineIndex, position: lsp.Position) -> int:
        if position.line >= len(lines):
            return len(text)
        start = lines.starts[position.line]
        return start + encoding.column(text[start : lines.end(position.line)], position.character, self.encoding)
