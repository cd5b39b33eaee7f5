"""Notes, a daemon over them, and an editor that has them open: what the tests of features are written with."""

import asyncio
from pathlib import Path
from typing import Any

from khojd.content.lines import LineIndex
from khojd.engine import Engine
from khojd.server import uris
from tests.server.editor import Editor, address_in

WIDTHS = {
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "utf-32": len,
}
Position = dict[str, int]


class Vault:
    """A folder of notes as an editor sees it. Positions are LSP's, in the editor's encoding."""

    def __init__(self, root: Path, engine: Engine, editor: Editor, encoding: str) -> None:
        self.root = root
        self.engine = engine
        self.editor = editor
        self.encoding = encoding
        self.socket = address_in(root.parent)
        self.others: list[Editor] = []
        self.texts: dict[str, str] = {}  # of the open notes
        self._versions: dict[str, int] = {}

    async def attach(self, capabilities: dict[str, Any] | None = None, **initialize: Any) -> Editor:
        """Another editor at the same daemon; it leaves with the vault."""
        editor = await Editor.attach(self.socket)
        self.others.append(editor)
        await editor.initialize(capabilities=capabilities, **initialize)
        return editor

    # --- notes --------------------------------------------------------------------------------------------------------------

    def path(self, name: str) -> str:
        return str(self.root / name)

    def uri(self, name: str) -> str:
        return uris.from_path(self.path(name))

    def name(self, uri: str) -> str:
        """The name of the note of a `file:` URI, relative to the vault."""
        path = uris.to_path(uri)
        assert path is not None, uri
        return str(Path(path).relative_to(self.root))

    def write(self, name: str, text: str) -> None:
        """Put a file on disk; `indexed` takes it in."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def text(self, name: str) -> str:
        """What the editor shows, else what is on disk."""
        return self.texts[name] if name in self.texts else Path(self.path(name)).read_bytes().decode()

    # --- the editor ---------------------------------------------------------------------------------------------------------

    def open(self, name: str, text: str | None = None) -> Position:
        """Open a note, by default with the text on disk, and say where the cursor is: at `<|>`, else at `|`, else at the start."""
        shown, cursor = cut_cursor(self.text(name) if text is None else text) if text is not None else (self.text(name), 0)
        self.texts[name] = shown
        self._versions[name] = 1
        language = "org" if name.endswith(".org") else "markdown"
        item = {"uri": self.uri(name), "languageId": language, "version": 1, "text": shown}
        self.editor.notify("textDocument/didOpen", {"textDocument": item})
        return self.position(name, cursor)

    def edit(self, name: str, text: str) -> Position:
        """Replace the whole text of an open note; the cursor is where `open` would have it."""
        shown, cursor = cut_cursor(text)
        self.texts[name] = shown
        self._versions[name] += 1
        document = {"uri": self.uri(name), "version": self._versions[name]}
        self.editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": shown}]})
        return self.position(name, cursor)

    def close(self, name: str) -> None:
        del self.texts[name]
        self.editor.notify("textDocument/didClose", {"textDocument": {"uri": self.uri(name)}})

    async def ask(self, method: str, name: str = "", position: Position | None = None, **more: Any) -> Any:
        """A request about a note: `await vault.ask("textDocument/hover", "tea.md", cursor)`."""
        params = dict(more)
        if name:
            params["textDocument"] = {"uri": self.uri(name)}
        if position is not None:
            params["position"] = position
        return await self.editor.request(method, params)

    async def indexed(self) -> None:
        """Wait until files and open notes are in the catalog and the words index (and embedded, where that is on)."""
        # The server handles messages in order: once it answers this, it has taken in what was opened and changed before.
        await self.editor.request("khoj/index/status")
        await self.engine.update()
        changed = asyncio.Event()
        end = self.engine.subscribe(changed.set)
        try:
            async with asyncio.timeout(60):
                while self.engine.busy:
                    try:
                        async with asyncio.timeout(0.05):  # not every end of work is told
                            await changed.wait()
                    except TimeoutError:
                        continue
                    changed.clear()
        finally:
            end()

    # --- places -------------------------------------------------------------------------------------------------------------

    def position(self, name: str, offset: int) -> Position:
        """Of a code-point offset in a note."""
        text = self.text(name)
        lines = LineIndex(text)
        line, column = lines.place(offset)
        start = lines.starts[line]
        return {"line": line, "character": WIDTHS[self.encoding](text[start : start + column])}

    def at(self, name: str, needle: str, *, after: bool = False) -> Position:
        """Where `needle` first stands in a note, or where it ends."""
        offset = self.text(name).index(needle)
        return self.position(name, offset + len(needle) if after else offset)

    def range(self, name: str, needle: str) -> dict[str, Position]:
        """The range of the first `needle` in a note."""
        return {"start": self.at(name, needle), "end": self.at(name, needle, after=True)}

    def offset(self, name: str, position: Position) -> int:
        """The code-point offset of a position, which must be within the note and at the edge of a character."""
        text = self.text(name)
        lines = LineIndex(text)
        assert 0 <= position["line"] < len(lines), f"{position} is past the last line of {name}"
        start, end = lines.starts[position["line"]], lines.end(position["line"])
        width = WIDTHS[self.encoding]
        for offset in range(start, end + 1):
            if width(text[start:offset]) == position["character"]:
                return offset
        raise AssertionError(f"{position} is past the end of its line of {name}, or inside a character")

    def cut(self, name: str, range: dict[str, Position]) -> str:
        """The text of a range, which must lie within the note."""
        start, end = self.offset(name, range["start"]), self.offset(name, range["end"])
        assert start <= end, f"{range} ends before it starts"
        return self.text(name)[start:end]


def cut_cursor(text: str) -> tuple[str, int]:
    """The text without its cursor mark `<|>` or, when there is none, its first `|`; and the offset of it, 0 without one."""
    for mark in ("<|>", "|"):
        if mark in text:
            before, after = text.split(mark, 1)
            return before + after, len(before)
    return text, 0
