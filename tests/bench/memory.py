"""What the daemon costs when nobody asks it anything: memory, processor, disk."""

import time
from pathlib import Path

from khojd.index.pool import IDLE_SECONDS
from tests.bench import notes, peers, process
from tests.bench.built import build
from tests.bench.daemon import Daemon
from tests.bench.options import Options
from tests.bench.table import TARGET, Row, Table, figure, say

NOTES = 10_000
IDLE = 20.0  # seconds over which the idle processor time is taken
_GOAL = "450 MB"


def tables(options: Options) -> list[Table]:
    files = options.pick(NOTES, 1_000)
    folder, index = options.work / "many", options.work / "many-index"
    notes.short(folder, range(files * 9 // 10))
    say(f"writing and indexing {files * 9 // 10:,} notes, random vectors")
    build(folder, index)
    notes.short(folder, range(files * 9 // 10, files))
    size = sum(path.stat().st_size for path in folder.rglob("*.md"))
    with Daemon(index, (folder,)) as daemon:
        say("indexing and embedding the others")
        with daemon.start() as client:
            client.ask("khoj/index/update", {"embed": True})
            status = client.ask("khoj/index/status", {})
        after = _memory(daemon)
        say(f"  {after}, workers leaving")
        time.sleep(IDLE_SECONDS + 2)
        idle, busy = _memory(daemon), _idle_cpu(daemon)
        say(f"  {idle}, {busy}")
    with daemon:
        with daemon.start() as client:
            client.ask("khoj/index/update", {"embed": True})
            client.ask("khoj/search", {"query": "a letter from the garden"})
        time.sleep(IDLE_SECONDS + 2)
        again, busy_again = _memory(daemon), _idle_cpu(daemon)
    sizes = _sizes(index)
    rows = (
        Row(f"{files:,} notes, after indexing", after),
        Row("idle, after the workers left", idle, _GOAL, TARGET),
        Row("idle, after a restart and a search", again, _GOAL, TARGET),
        Row(f"processor over {IDLE:.0f} s idle", f"{busy}; after a restart {busy_again}", "0 %", TARGET),
        *(Row(f"index on disk: {name}", f"{figure(value / 1e6)} MB") for name, value in sizes.items()),
        *peers.MEMORY,
    )
    about = f"{files:,} notes, {figure(size / 1e6)} MB of text, {status['entries']:,} entries."
    how = "The daemon read and embedded a tenth of them; the others it found indexed, with random vectors."
    both = "Resident memory of the daemon; in brackets with its child processes, shared pages counted once."
    return [Table("Memory and disk", rows, (about, how, both))]


def _memory(daemon: Daemon) -> str:
    return f"{process.resident_mb(daemon.pid):.0f} MB ({process.shared_out_mb(daemon.pid):.0f} MB)"


def _idle_cpu(daemon: Daemon) -> str:
    before = process.cpu_seconds(daemon.pid)
    time.sleep(IDLE)
    return f"{(process.cpu_seconds(daemon.pid) - before) / IDLE * 100:.1f} %"


def _sizes(index: Path) -> dict[str, int]:
    """Bytes by store."""
    found = {"catalog": 0, "words": 0, "vectors": 0}
    for path in index.rglob("*"):
        if path.is_file():
            top = path.relative_to(index).parts[0]
            found["catalog" if top.startswith("catalog") else "words" if top == "words" else "vectors"] += path.stat().st_size
    return found
