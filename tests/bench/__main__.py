"""`make bench`: measure khojd, and print it beside its targets and its peers.

    python -m tests.bench [--quick] [--markdown] [NAME…]

Names: indexing, embedding, rescan, latency, language, chat, freshness, startup, memory, ranking, emacs, vscode, obsidian.
docs/benchmarks.md says how to read the tables.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.bench import (
    chat,
    emacs,
    embedding,
    freshness,
    indexing,
    language,
    latency,
    memory,
    obsidian,
    ranking,
    rescan,
    startup,
    vscode,
)
from tests.bench.daemon import isolate
from tests.bench.options import Options
from tests.bench.table import Table, machine, markdown, plain, say

BENCHMARKS: dict[str, Callable[[Options], list[Table]]] = {
    "indexing": indexing.tables,
    "embedding": embedding.tables,
    "rescan": rescan.tables,
    "latency": latency.tables,
    "language": language.tables,
    "chat": chat.tables,
    "freshness": freshness.tables,
    "startup": startup.tables,
    "memory": memory.tables,
    "ranking": ranking.tables,
    "emacs": emacs.tables,
    "vscode": vscode.tables,
    "obsidian": obsidian.tables,
}
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def main() -> int:
    """0, or 1 when a benchmark could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="measure khojd")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all when none is given")
    parser.add_argument("--quick", action="store_true", help="smaller inputs, for a look; the figures are not comparable")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    asked = parser.parse_args()
    for name in asked.names:
        if name not in BENCHMARKS:
            parser.error(f"{name}: not one of {', '.join(BENCHMARKS)}")
    work = Path(tempfile.mkdtemp(prefix="khojd-bench-"))
    failed = False
    render = markdown if asked.markdown else plain
    # Ended from outside, daemons must end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        isolate(work)
        options = Options(work, quick=asked.quick, shared=SHARED if SHARED.is_dir() else None)
        print(machine(), end="\n\n", flush=True)
        for name in asked.names or BENCHMARKS:
            say(f"== {name}")
            try:
                for table in BENCHMARKS[name](options):
                    print(render(table), end="\n\n", flush=True)
            except Exception:
                failed = True
                traceback.print_exc()
                say(f"== {name} could not be run")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
