"""Looking again at a tree in which nothing has changed."""

import asyncio
import time
from pathlib import Path

from khojd.engine import Engine
from tests.bench import notes, peers
from tests.bench.built import settled, words_only
from tests.bench.options import Options
from tests.bench.table import TARGET, Row, Table, percentile, say

FILES = 50_000
ROUNDS = 5


def tables(options: Options) -> list[Table]:
    files = options.pick(FILES, 5_000)
    folder = options.work / "small"
    say(f"writing and indexing {files:,} small files")
    notes.small(folder, files)
    times = asyncio.run(_measure(folder, options.work / "small-index", files))
    say("  " + " ".join(f"{seconds:.2f}" for seconds in times) + " s")
    khojd = f"median {percentile(times, 0.5):.2f} s, slowest {max(times):.2f} s"
    rows = (Row(f"re-scan of {files:,} unchanged files", khojd, "3 s", TARGET), *peers.RESCAN)
    return [Table("Re-scan of an unchanged tree", rows, (f"{ROUNDS} rounds; 500 files in a directory, in the disk cache.",))]


async def _measure(folder: Path, index: Path, files: int) -> list[float]:
    engine = await Engine.open(words_only(folder), index_dir=index)
    try:
        await settled(engine)
        await engine.update()  # it tells what the first look did
        times = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            report = await engine.update()
            times.append(time.perf_counter() - started)
            if report.unchanged != files:
                raise RuntimeError(f"{report.unchanged} of {files} files were found unchanged")
        return times
    finally:
        await engine.close()
