"""How soon a folder of notes is searchable by words."""

import asyncio
import time
from pathlib import Path

from khojd.config import Folder
from khojd.engine import Engine
from tests.bench import notes, peers
from tests.bench.built import settled, words_only
from tests.bench.daemon import Daemon
from tests.bench.options import Options
from tests.bench.table import TARGET, Row, Table, figure, say

COPIES = 10
_GOAL = "1,000 files/s"


def tables(options: Options) -> list[Table]:
    folder = options.work / "corpus"
    files, size, what = notes.corpus(folder, options.shared, options.pick(COPIES, 1))
    say(f"{files:,} files, {size / 1e6:.0f} MB: {what}")
    alone = asyncio.run(_engine(folder, options.work / "corpus-index"))
    say(f"  words alone: {files / alone:,.0f} files/s")
    beside, embedded = _daemon(folder, options.work / "corpus-daemon")
    say(f"  with embedding beside it: {files / beside:,.0f} files/s")

    def rate(seconds: float) -> str:
        return f"{files / seconds:,.0f} files/s ({figure(size / seconds / 1e6)} MB/s)"

    rows = (
        Row("files to words-searchable, embedding off", rate(alone), _GOAL, TARGET),
        Row("the same in the daemon as it comes, embedding beside it", rate(beside), _GOAL, TARGET),
        *peers.INDEXING,
    )
    return [
        Table(
            "Indexing",
            rows,
            (
                f"{files:,} files, {size / 1e6:.0f} MB: {what}; they are in the disk cache.",
                f"In the daemon {embedded:,} entries were embedded meanwhile.",
            ),
        )
    ]


async def _engine(folder: Path, index: Path) -> float:
    """Seconds from adding the folder to its last word."""
    engine = await Engine.open(words_only(), index_dir=index)
    try:
        await settled(engine)
        started = time.perf_counter()
        await engine.add_folder(Folder(path=str(folder)))
        await settled(engine)
        return time.perf_counter() - started
    finally:
        await engine.close()


def _daemon(folder: Path, index: Path) -> tuple[float, int]:
    """The same by request, and the entries embedded until then."""
    with Daemon(index, ()) as daemon, daemon.start() as client:
        while not client.ask("khoj/index/status", {})["model"]:
            time.sleep(0.05)
        started = time.perf_counter()
        client.ask("khoj/index/add", {"path": str(folder)})
        while True:
            status = client.ask("khoj/index/status", {})
            if status["indexed"] and not status["pending"] and not status["wordsPending"] and not status["queue"]:
                return time.perf_counter() - started, status["entries"] - status["vectorsPending"]
            time.sleep(0.05)
