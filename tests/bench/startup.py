"""How long an editor, or a person at a shell, waits for the first answer."""

import os
import subprocess
import sys
import time

from tests.bench import peers, process
from tests.bench.built import index_of
from tests.bench.client import initialize_params, message_bytes
from tests.bench.daemon import Daemon
from tests.bench.options import Options
from tests.bench.prose import Prose
from tests.bench.table import TARGET, Row, Table, percentile, say, spread

ENTRIES = 10_000
_SHARES = (0.5, 0.95)


def tables(options: Options) -> list[Table]:
    built = index_of(options, options.pick(ENTRIES, 1_000))
    daemon = Daemon(built.index, (built.folder,))
    starts = _starts(daemon, options.pick(7, 3))
    say(f"daemon: {spread(starts, _SHARES)}")
    with daemon, daemon.start() as client:
        client.ask("khoj/index/update", {"embed": True})
        bridges = [_bridge(daemon) for _ in range(options.pick(30, 10))]
    times, sizes = [took for took, _ in bridges], [size for _, size in bridges]
    say(f"bridge: {spread(times, _SHARES)}, {max(sizes):.1f} MB")
    cold = [_cold_search(daemon, number) for number in range(options.pick(7, 3))]
    say(f"cold search: {' '.join(f'{took:.2f}' for took in cold)} s")
    rows = (
        Row("daemon: spawn to `initialize` reply", spread(starts, _SHARES)),
        Row("bridge, daemon running: spawn to `initialize` reply", spread(times, _SHARES), "120 ms", TARGET),
        Row("bridge: resident memory", f"{max(sizes):.1f} MB", "15 MB", TARGET),
        Row(
            f"cold `khojd search`, no daemon, {built.entries:,} entries: to the first hit",
            f"median {percentile(cold, 0.5):.2f} s, slowest {max(cold):.2f} s",
            "3 s",
            TARGET,
        ),
        *peers.STARTUP,
    )
    return [Table("Starting", rows, (f"An index of {built.entries:,} entries; programs and index are in the disk cache.",))]


def _starts(daemon: Daemon, rounds: int) -> list[float]:
    times = []
    for _ in range(rounds + 1):
        with daemon:
            daemon.start().close()
            times.append(daemon.started)
    return times[1:]  # the first one warms the disk cache


def _bridge(daemon: Daemon) -> tuple[float, float]:
    """Seconds to the reply, and resident MB then."""
    message = message_bytes({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params()})
    started = time.perf_counter()
    with subprocess.Popen(daemon.command("connect"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bridge:
        assert bridge.stdin is not None and bridge.stdout is not None
        bridge.stdin.write(message)
        bridge.stdin.flush()
        received = b""
        while b'"capabilities"' not in received:
            data = os.read(bridge.stdout.fileno(), 65536)
            if not data:
                raise RuntimeError(f"the bridge ended with {bridge.wait()}")
            received += data
        took = time.perf_counter() - started
        size = process.resident_mb(bridge.pid)
        bridge.stdin.close()
    return took, size


def _cold_search(daemon: Daemon, number: int) -> float:
    """Seconds from the spawn of `khojd search` to its first line, a hit; the daemon that it starts is then ended."""
    query = Prose(900 + number).query()
    environment = {**os.environ, "KHOJD_INDEX": str(daemon.index), "KHOJD_CONFIG": str(daemon.config)}
    started = time.perf_counter()
    command = [sys.executable, "-m", "khojd", "search", query]
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as search:
        assert search.stdout is not None
        line = search.stdout.readline()
        took = time.perf_counter() - started
        search.stdout.read()
    command[3:] = ["stop"]
    stopped = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ".md" not in line.decode():
        raise RuntimeError(f"`khojd search` did not begin with a hit but with {line!r} (status {search.returncode})")
    if stopped.returncode:
        raise RuntimeError(f"`khojd stop` failed: {stopped.stdout}{stopped.stderr}")
    return took
