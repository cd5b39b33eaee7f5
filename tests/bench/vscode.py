"""The packaged extension in the real VS Code: keystroke to painted hits, activation, sizes."""

import json
import os
import statistics
import sys
from pathlib import Path

from tests.bench.built import vault
from tests.bench.daemon import Daemon
from tests.bench.emacs import queries
from tests.bench.options import Options
from tests.bench.table import TARGET, Row, Table, figure, percentile, say
from tests.editors.vscode.server import EXTENSION, Server, bundles, lacking, packaged

QUERIES = 20
WINDOWS = 7
PACE = 0.12  # seconds between keys at least, as of one who types fast
KILO = 1000


def tables(options: Options) -> list[Table]:
    if what := lacking():
        raise RuntimeError(f"missing: {what}")
    built = vault(options)
    typed = queries(built.folder, options.pick(QUERIES, 4))
    vsix = packaged(options.work / "khoj.vsix", options.work / "home")
    report = options.work / "activation.jsonl"
    daemon = Daemon(built.index, (built.folder,))
    with daemon, daemon.start() as client:
        client.ask("khoj/index/update", {"embed": True})
        settings = {
            "khoj.command": [sys.executable, "-m", "khojd"],
            "khoj.config": str(daemon.config),
            "khoj.index": str(daemon.index),
        }
        with Server(options.work, vsix, settings, {**os.environ, "KHOJ_TEST_REPORT": str(report)}) as server:
            # A window on one note: what VS Code itself does with a large folder is not measured.
            alone = options.work / "alone"
            alone.mkdir()
            (alone / "note.md").write_text("# Note\n", encoding="utf-8")
            rows = [_searching(server, alone, typed), *_activation(server, alone, report, options.pick(WINDOWS, 2))]
    rows += _sizes(vsix)
    notes = (
        f"{built.files:,} notes; a window of 1280 by 800 in Chromium without a screen and without a graphics card, with previews; "
        f"{sum(map(len, typed))} keystrokes, one each {PACE * KILO:.0f} ms, or when all phases of the one before are there.",
        "From the key's event in the browser until the frame with other first hits was painted. Where they stayed the same nothing "
        "is painted, and nothing counted.",
        "Activation is what VS Code waits for: loading the code, and `activate`, in a window whose own start is over. The "
        "connection is made afterwards, which is the row of the first reply, with a daemon that runs.",
    )
    return [Table("VS Code", tuple(rows), notes)]


def _searching(server: Server, workspace: Path, typed: list[str]) -> Row:
    ran = server.window("bench", 600, workspace=str(workspace), queries=["warm up", *typed], pace=PACE * KILO)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    said = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    told = [one for one in said if not "warm up".startswith(one["text"])]
    took = [one["ms"] for one in told if one["ms"] is not None]
    whole = [one["busy"] for one in told]
    same = len(told) - len(took)
    say(f"    {len(told)} keystrokes, {same} of them without other hits; all phases p95 {figure(percentile(whole, 0.95))} ms")
    result = ", ".join(f"p{share * 100:.0f} {figure(percentile(took, share))}" for share in (0.5, 0.95))
    return _row("keystroke to painted hits", f"{result} ms ({len(took)} of {len(told)} keys)", "p95 120 ms")


def _activation(server: Server, workspace: Path, report: Path, windows: int) -> list[Row]:
    for _ in range(windows):
        ran = server.window("window", 90, workspace=str(workspace), tests=str(EXTENSION / "dist-tests" / "bench.cjs"), seconds=60)
        assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    said = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    took = [one["took"] for one in said]
    ready = [one["ready"] for one in said]
    return [
        _row("activation", f"{figure(statistics.median(took))} ms, at most {figure(max(took))} ms in {windows} windows", "150 ms"),
        _row("then, the first reply of khojd", f"{figure(statistics.median(ready))} ms, at most {figure(max(ready))} ms"),
    ]


def _sizes(vsix: Path) -> list[Row]:
    sizes = bundles(vsix)
    parts = ", ".join(f"{name} {size / KILO:.0f}" for name, size in sizes.items())
    return [
        _row("size of the .vsix", f"{vsix.stat().st_size / KILO:.0f} kB", "600 kB"),
        _row("scripts and styles in it, unpacked", f"{sum(sizes.values()) / KILO:.0f} kB ({parts})", "600 kB"),
    ]


def _row(name: str, result: str, target: str = "") -> Row:
    say(f"    {name}: {result}")
    return Row(name, result, target, TARGET if target else "")
