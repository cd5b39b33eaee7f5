"""The open documents of one client, kept as the client has them.

pygls' own documents end lines at form feeds and U+2028 too, which would put an edit in the wrong place of an Org file with page
breaks; LSP ends them at LF, CRLF and CR only.
"""

from collections.abc import Iterator, Sequence

from lsprotocol import types as lsp

from khojd.content.model import ContentSettings
from khojd.errors import NotFound
from khojd.graph.sheet import Sheet
from khojd.server import ranges

Change = lsp.TextDocumentContentChangePartial | lsp.TextDocumentContentChangeWholeDocument


class Documents:
    """Texts by path, each with what is known of it as long as it does not change.

    The position encoding is the one negotiated in `initialize`.
    """

    def __init__(self) -> None:
        self.encoding = "utf-16"
        self._sheets: dict[str, Sheet] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._sheets

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._sheets))

    def open(self, path: str, text: str, version: int = 0) -> None:
        self._sheets[path] = Sheet(path, text, ContentSettings(), version=version)

    def text(self, path: str) -> str | None:
        """The text of an open document, else None."""
        sheet = self._sheets.get(path)
        return None if sheet is None else sheet.text

    def version(self, path: str) -> int | None:
        """The client's number of the text of an open document, else None."""
        sheet = self._sheets.get(path)
        return None if sheet is None else sheet.version

    def sheet(self, path: str, settings: ContentSettings) -> Sheet | None:
        """An open document as it is read with `settings`: the same object until it changes. None when it is not open."""
        sheet = self._sheets.get(path)
        if sheet is not None and sheet.settings != settings:
            sheet = self._sheets[path] = Sheet(path, sheet.text, settings, version=sheet.version)
        return sheet

    def sheets(self, settings: ContentSettings) -> dict[str, Sheet]:
        """All open documents by path, as `sheet` gives them."""
        found = {path: self.sheet(path, settings) for path in self}
        return {path: sheet for path, sheet in found.items() if sheet is not None}

    def change(self, path: str, changes: Sequence[Change], version: int = 0) -> str:
        """Apply `changes` in order and return the new text. Raises NotFound for a document that is not open."""
        before = self._sheets.get(path)
        if before is None:
            raise NotFound(f"{path} was changed but is not open: open it first", path=path)
        sheet = before
        for change in changes:
            if isinstance(change, lsp.TextDocumentContentChangePartial):
                start, end = ranges.to_span(sheet, change.range, self.encoding)
                text = sheet.text[:start] + change.text + sheet.text[end:]
            else:
                text = change.text
            sheet = Sheet(path, text, before.settings, version=version)
        if sheet is before:
            before.version = version
        self._sheets[path] = sheet
        return sheet.text

    def close(self, path: str) -> None:
        self._sheets.pop(path, None)
