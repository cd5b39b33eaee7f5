"""Search over the socket: how long an answer takes."""

import random
import time

from tests.bench import peers, process
from tests.bench.built import Built, index_of
from tests.bench.client import Client
from tests.bench.daemon import Daemon
from tests.bench.options import Options
from tests.bench.prose import Prose
from tests.bench.table import TARGET, Row, Table, figure, say, spread

SIZES = (1_000, 10_000, 100_000)
QUERIES = 400
PAUSE = 0.002  # seconds between queries: a person's editor does not ask without a break
MODES = {"lexical": "words", "semantic": "meaning", "hybrid": "hybrid"}
_TARGETS = {"lexical": "p95 5 ms", "hybrid": "p50 10, p95 25 ms"}


def tables(options: Options) -> list[Table]:
    rows: list[Row] = []
    for size in SIZES[: 2 if options.quick else None]:
        rows += _rows(index_of(options, size), options.pick(QUERIES, 100), largest=size == SIZES[-1])
    notes = (
        f"{options.pick(QUERIES, 100)} different queries of 2 to 8 words from the notes' vocabulary, 10 hits each.",
        "The client is nothing but a socket; the reply is not decoded.",
        "Not cached: the query's vector is computed. Cached: the same queries again. Processor: the daemon's time per query.",
        "Entries of about 150 words, vectors random (not embedded, to save half an hour); the queries are embedded.",
    )
    return [Table("Search over the socket", (*rows, *peers.LATENCY), notes)]


def _rows(built: Built, number: int, *, largest: bool) -> list[Row]:
    say(f"searching {built.entries:,} entries")
    prose = Prose(built.entries)
    rows = []
    with Daemon(built.index, (built.folder,)) as daemon, daemon.start() as client:
        client.ask("khoj/index/update", {"embed": True})  # the look at the start is over
        for mode, name in MODES.items():
            queries = [prose.query() for _ in range(number)]
            measure(client, mode, [prose.query() for _ in range(20)])
            for how in ("not cached", "cached"):
                before = process.cpu_seconds(daemon.pid)
                times = measure(client, mode, queries)
                work = (process.cpu_seconds(daemon.pid) - before) / number * 1000
                result = f"{spread(times)}; processor {figure(work)} ms"
                say(f"  {name}, {how}: {result}")
                target = _TARGETS.get(mode, "") if largest and how == "not cached" else ""
                rows.append(Row(f"{built.entries:,} entries, {name}, {how}", result, target, TARGET if target else ""))
                random.Random(1).shuffle(queries)
    return rows


def measure(client: Client, mode: str, queries: list[str]) -> list[float]:
    """Seconds that each query took."""
    times = []
    for query in queries:
        times.append(client.timed("khoj/search", {"query": query, "mode": mode, "limit": 10})[0])
        time.sleep(PAUSE)
    return times
