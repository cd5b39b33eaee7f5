"""The shipped plugin for Obsidian in a real browser, in place of the app: keystroke to painted hits, size."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.bench.built import vault
from tests.bench.daemon import Daemon
from tests.bench.emacs import queries
from tests.bench.options import Options
from tests.bench.table import TARGET, Row, Table, figure, percentile, say

PLUGIN = Path(__file__).resolve().parents[2] / "editor" / "obsidian"
QUERIES = 20
PACE = 0.12  # seconds between keys at least, as of one who types fast
KILO = 1000


def tables(options: Options) -> list[Table]:
    if what := _lacking():
        raise RuntimeError(f"missing: {what}")
    built = vault(options)
    typed = queries(built.folder, options.pick(QUERIES, 4))
    _run(["npm", "run", "--silent", "build"])
    report = options.work / "obsidian-keys.jsonl"
    daemon = Daemon(built.index, (built.folder,))
    with daemon, daemon.start() as client:
        client.ask("khoj/index/update", {"embed": True})
        asked = {
            "vault": str(built.folder),
            "socket": str(daemon.address),
            "queries": ["warm up", *typed],
            "pace": PACE * KILO,
            "report": str(report),
        }
        _run(["npx", "vitest", "run", "--config", "vitest.measure.mjs"], KHOJD_MEASURE=json.dumps(asked))
    told = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()][len("warm up") :]
    took = [one["ms"] for one in told if one["ms"] is not None]
    result = ", ".join(f"p{share * 100:.0f} {figure(percentile(took, share))}" for share in (0.5, 0.95))
    rows = (
        _row("keystroke to painted hits", f"{result} ms ({len(took)} of {len(told)} keys)", "p95 120 ms"),
        _row("size of main.js", f"{(PLUGIN / 'main.js').stat().st_size / KILO:.0f} kB", "300 kB"),
    )
    notes = (
        f"{built.files:,} notes. The app itself was not run: the shipped main.js runs in Chromium without a screen and without a "
        "graphics card, with mocks of the app; what comes over the socket goes through one more process.",
        "One key each 120 ms, or when all phases of the one before are there; after such a rest a key is searched for at once. "
        "From the key's event until the frame with other rows was painted; where the hits stayed the same nothing is counted.",
    )
    return [Table("Obsidian", rows, notes)]


def _lacking() -> str:
    """What is needed and not here, or nothing."""
    if shutil.which("npm") is None:
        return "npm"
    if shutil.which("chromium") is None:
        return "chromium"
    return "" if (PLUGIN.parent / "node_modules" / "vitest").is_dir() else "editor/node_modules (npm ci in editor/)"


def _run(command: list[str], **environment: str) -> None:
    chromium = shutil.which("chromium") or ""
    ran = subprocess.run(
        command,
        cwd=PLUGIN,
        env={**os.environ, "KHOJD_TEST_CHROMIUM": chromium, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]


def _row(name: str, result: str, target: str) -> Row:
    say(f"    {name}: {result}")
    return Row(name, result, target, TARGET)
