"""From a save, and from a keystroke, to the first search that finds it."""

import json
import os
import time
from pathlib import Path

from tests.bench import notes, peers
from tests.bench.client import Client
from tests.bench.daemon import Daemon
from tests.bench.options import Options
from tests.bench.prose import Prose
from tests.bench.table import TARGET, Row, Table, say, spread

NOTES = 1_000
ROUNDS = 60
LINES = 2_000
POLL = 0.003
PATIENCE = 20.0
_SHARES = (0.5, 0.95)


def tables(options: Options) -> list[Table]:
    folder = options.work / "fresh"
    notes.short(folder, range(NOTES))
    rounds = options.pick(ROUNDS, 20)
    with Daemon(options.work / "fresh-index", (folder,)) as daemon, daemon.start() as client:
        say(f"indexing {NOTES:,} notes")
        client.ask("khoj/index/update", {"embed": True})
        say("saving")
        saves = _saves(client, folder, rounds)
        say(f"  {spread(saves, _SHARES)}; typing")
        keystrokes = _keystrokes(client, folder, rounds)
        say(f"  {spread(keystrokes, _SHARES)}")
    rows = (
        Row("save to searchable", spread(saves, _SHARES), "p95 500 ms", TARGET),
        Row(f"keystroke to searchable, note of {LINES:,} lines", spread(keystrokes, _SHARES), "p95 300 ms", TARGET),
        *peers.FRESHNESS,
    )
    note = f"{NOTES:,} watched notes, {rounds} rounds each; a search by words every {POLL * 1000:.0f} ms until it finds the change."
    saved = "A save writes a new file, or replaces a note as editors do (a file beside it, renamed over it), in turn."
    return [Table("Changes", rows, (note, saved))]


def _saves(client: Client, folder: Path, rounds: int) -> list[float]:
    times = []
    for number in range(rounds):
        word = _word("saved", number)
        old = folder / f"{number % 10:03d}" / f"note-{number % 10 * 100 + number}.md"
        path = old if number % 2 else old.with_name(f"new-{number}.md")
        text = (old.read_text(encoding="utf-8") if number % 2 else "# A new note\n") + f"\nThis is the {word}.\n"
        beside = path.with_name(f".#{path.name}")
        started = time.perf_counter()
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)  # noqa: PTH105 - what an editor does
        times.append(_found(client, word, path, started))
        time.sleep(0.1)
    return times


def _keystrokes(client: Client, folder: Path, rounds: int) -> list[float]:
    """Each round types a word into a note that is open and not saved, as one change."""
    path = folder / "long.md"
    path.write_text(_long_note(), encoding="utf-8")
    uri = path.as_uri()
    client.ask("khoj/index/update", {"paths": [str(path)], "embed": True})
    document = {"uri": uri, "languageId": "markdown", "version": 0, "text": path.read_text(encoding="utf-8")}
    client.tell("textDocument/didOpen", {"textDocument": document})
    times = []
    for number in range(rounds):
        word = _word("typed", number)
        place = {"line": 20 + number * (LINES - 100) // rounds // 3 * 3, "character": 0}
        change = {"range": {"start": place, "end": place}, "text": f"{word} "}
        started = time.perf_counter()
        client.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": number + 1}, "contentChanges": [change]})
        times.append(_found(client, word, path, started))
        time.sleep(0.1)
    client.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
    return times


def _found(client: Client, word: str, path: Path, started: float) -> float:
    """Search until the word is found in the note; seconds since `started`."""
    while time.perf_counter() - started < PATIENCE:
        _, body = client.timed("khoj/search", {"query": word, "mode": "lexical", "limit": 3})
        now = time.perf_counter()
        if any(hit["path"] == str(path) for hit in json.loads(body)["result"]["hits"]):
            return now - started
        time.sleep(POLL)
    raise RuntimeError(f"{path} was not found by its new word in {PATIENCE:.0f} s")


def _word(kind: str, number: int) -> str:
    """A word that stands nowhere else."""
    return f"zq{kind}{number}x"


def _long_note() -> str:
    """A heading and a section of prose in every 20 of LINES lines."""
    prose = Prose(23)
    lines = [f"## {prose.heading()}" if number % 20 == 0 else prose.paragraph(12) for number in range(LINES)]
    return "\n".join(lines) + "\n"
