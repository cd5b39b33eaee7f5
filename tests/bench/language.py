"""The standard LSP features over many notes: how long an answer takes, and what the link graph costs in memory."""

import itertools
import shutil
import time
from pathlib import Path
from typing import Any

from tests.bench import notes, process
from tests.bench.built import build
from tests.bench.client import Client
from tests.bench.daemon import Daemon
from tests.bench.options import Options
from tests.bench.prose import Prose
from tests.bench.table import TARGET, Row, Table, figure, say, spread

COPIES = 13
NOTES = 13_000
BACKLINKS = 500
TYPINGS = 10  # of the words for workspace/symbol, 31 keystrokes each: a few slow ones after the start do not make the figure
LINES = 2_000
ROUNDS = 60
_SHARES = (0.5, 0.95)


def tables(options: Options) -> list[Table]:
    folder, index = options.work / "language", options.work / "language-index"
    count, what = _vault(folder, options)
    say(f"{count:,} notes: {what}; indexing, random vectors")
    build(folder, index)
    rounds = options.pick(ROUNDS, 15)
    rows: list[Row] = []
    daemon = Daemon(index, (folder,))
    started = time.perf_counter()
    with daemon, daemon.start() as client:
        long = _Open(client, folder / "bench" / "long.md")
        client.ask("textDocument/documentSymbol", long.document)
        rows.append(_row("daemon start to the first documentSymbol", [time.perf_counter() - started], "1 s", one=True))
        client.ask("khoj/index/update", {"embed": True})
        client.ask("khoj/search", {"query": "a letter from the garden"})
        before = process.resident_mb(daemon.pid)
        rows += _answers(client, folder, long, rounds)
        rows.append(_rename(client, folder, options.pick(10, 3)))
        grown = process.resident_mb(daemon.pid) - before
        rows.append(Row("memory of the daemon after these", f"{grown:+.0f} MB", "60 MB", TARGET))
        rows += _typing(client, long, rounds)
    about = f"{count:,} notes: {what}. An open note of {LINES:,} lines, a note with {BACKLINKS} backlinks."
    how = f"{rounds} requests each, 310 of symbols; median and 95th percentile; the client is a socket, the reply is not decoded."
    return [Table("Language features", tuple(rows), (about, how))]


class _Open:
    """A note that the client has open."""

    def __init__(self, client: Client, path: Path) -> None:
        self.client = client
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.version = 1
        item = {"uri": path.as_uri(), "languageId": "markdown", "version": 1, "text": self.text}
        client.tell("textDocument/didOpen", {"textDocument": item})

    @property
    def document(self) -> dict[str, Any]:
        return {"textDocument": {"uri": self.path.as_uri()}}

    def at(self, needle: str, *, skip: int = 0) -> dict[str, Any]:
        """The params of a request at the end of a text in the note."""
        offset = self.text.index(needle, skip) + len(needle)
        line = self.text.count("\n", 0, offset)
        column = offset - (self.text.rfind("\n", 0, offset) + 1)
        return {**self.document, "position": {"line": line, "character": column}}

    def insert(self, line: int, text: str) -> None:
        """Type at the start of a line."""
        self.version += 1
        place = {"line": line, "character": 0}
        lines = self.text.split("\n")
        lines[line] = text + lines[line]
        self.text = "\n".join(lines)
        document = {"uri": self.path.as_uri(), "version": self.version}
        change = {"range": {"start": place, "end": place}, "text": text}
        self.client.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})


def _vault(folder: Path, options: Options) -> tuple[int, str]:
    source = options.shared / "corpora" / "dendron-vault" if options.shared else None
    copies = options.pick(COPIES, 1)
    if source is not None and source.is_dir():
        for copy in range(copies):
            shutil.copytree(source, folder / f"copy-{copy}")
        what = f"dendron-vault, {copies} copies"
    else:
        notes.short(folder, range(options.pick(NOTES, 1_000)))
        what = "made-up notes of the sizes of dendron-vault"
    bench = folder / "bench"
    bench.mkdir()
    (bench / "hub.md").write_text("# Hub\n\n## Part of the hub\n\nText.\n", encoding="utf-8")
    prose = Prose(13)
    for number in range(BACKLINKS):
        (bench / f"spoke-{number}.md").write_text(f"# Spoke\n\n{prose.paragraph(60)}\n\nSee [[hub]].\n", encoding="utf-8")
    (bench / "long.md").write_text(_long(prose), encoding="utf-8")
    return sum(1 for _ in folder.rglob("*.md")), what


def _long(prose: Prose) -> str:
    lines = ["# A long note", ""]
    spokes = itertools.cycle(range(BACKLINKS))
    while len(lines) < LINES - 4:
        lines += [
            f"## {prose.heading()} {len(lines)}",
            "",
            f"{prose.paragraph(20)} [[spoke-{next(spokes)}]] #tag{len(lines) % 40}",
            "",
        ]
    return "\n".join([*lines, "", "See [[hub#Part of the hub]] and [[", ""])


def _answers(client: Client, folder: Path, long: _Open, rounds: int) -> list[Row]:
    rows = []
    paths = [path for path in sorted(folder.rglob("*.md")) if path != long.path]
    others = [{"textDocument": {"uri": path.as_uri()}} for path in paths[:: max(1, len(paths) // rounds)][:rounds]]
    rows.append(_row("documentSymbol", [client.timed("textDocument/documentSymbol", one)[0] for one in others], "p95 30 ms"))
    spokes = [f"[[spoke-{number}" for number in range(rounds)]
    rows.append(_row("hover on a link", [client.timed("textDocument/hover", long.at(one))[0] for one in spokes], "p95 30 ms"))
    headings = [line for line in long.text.split("\n") if line.startswith("## ")][:rounds]
    rows.append(_row("hover on a heading", [client.timed("textDocument/hover", long.at(one))[0] for one in headings], "p95 30 ms"))
    times = [client.timed("textDocument/definition", long.at(one))[0] for one in spokes]
    rows.append(_row("definition", times, "p95 30 ms"))
    copied = next(iter(sorted((folder / "copy-0").rglob("*.md"))), None) if (folder / "copy-0").is_dir() else None
    if copied is not None:
        other = _Open(
            client, max((folder / "copy-0").rglob("*.md"), key=lambda path: path.read_text("utf-8", "ignore").count("[["))
        )
        places = [found for found in range(len(other.text)) if other.text.startswith("[[", found)][:rounds]
        times = [client.timed("textDocument/definition", other.at("[[", skip=place))[0] for place in places]
        rows.append(_row("definition of a name that 13 notes have", times, "p95 30 ms"))
    hub = _Open(client, folder / "bench" / "hub.md")
    times = [client.timed("textDocument/references", {**hub.at("# H"), "context": _CONTEXT})[0] for _ in range(10)]
    rows.append(_row(f"references, {BACKLINKS} backlinks and the mentions", times))
    queries = [word[:size] for word in ("garden", "letter", "configuration", "river") for size in range(1, len(word) + 1)] * TYPINGS
    times = [client.timed("workspace/symbol", {"query": query})[0] for query in queries]
    rows.append(_row("workspace/symbol, each keystroke", times, "p95 40 ms"))
    return rows


_CONTEXT = {"includeDeclaration": True}


def _typing(client: Client, long: _Open, rounds: int) -> list[Row]:
    """After each keystroke: the outline, a completion, the diagnostics."""
    symbols, completions, diagnostics = [], [], []
    for number in range(rounds):
        time.sleep(0.2)  # as fast as a person types
        long.insert(20 + number * 20, f"word{number} ")
        symbols.append(client.timed("textDocument/documentSymbol", long.document)[0])
    last = long.text.count("\n") - 1
    for number in range(rounds):
        time.sleep(0.2)
        started = time.perf_counter()
        long.insert(20 + number * 20, "x")
        at = {**long.document, "position": {"line": last, "character": len("See [[hub#Part of the hub]] and [[")}}
        completions.append(client.timed("textDocument/completion", at)[0])
        client.hear("textDocument/publishDiagnostics", lambda params: params.get("version") == long.version)
        diagnostics.append(time.perf_counter() - started)
    return [
        _row(f"documentSymbol after a keystroke in {LINES:,} lines", symbols),
        _row("completion after a keystroke, diagnostics under way", completions, "p95 30 ms"),
        _row("keystroke to its diagnostics", diagnostics, "400 ms"),
    ]


def _rename(client: Client, folder: Path, rounds: int) -> Row:
    spoke = _Open(client, folder / "bench" / "spoke-0.md")
    times = []
    for number in range(rounds):
        took, body = client.timed("textDocument/rename", {**spoke.at("[[hu"), "newName": f"wheel-{number}"})
        assert body.count(b'"textDocument"') >= BACKLINKS, "a rename that leaves links behind"
        times.append(took)
    return _row(f"rename of a note with {BACKLINKS} backlinks", times, "300 ms")


def _row(name: str, times: list[float], target: str = "", *, one: bool = False) -> Row:
    result = f"{figure(times[0] * 1000)} ms" if one else spread(times, _SHARES)
    say(f"  {name}: {result}")
    return Row(name, result, target, TARGET if target else "")
