"""`make demo` as it runs after the installation."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cli.khojd import ROOT


def test_the_demo_finds_its_notes_and_leaves_nothing_behind() -> None:
    environment = {**os.environ, "FORCE_COLOR": "1"}
    result = subprocess.run(
        [sys.executable, "scripts/demo.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    assert result.returncode == 0, result.stderr
    plain = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)
    first_hits = re.findall(r"\$ khojd search .*\n\n(examples/notes/[^:]+):(\d+)  .* (\d\.\d{3})\n", plain)
    assert [name.rpartition("/")[2] for name, _, _ in first_hits] == ["Running plan.md", "river-gauge.org", "龙井茶.md"]
    assert "$ khojd chat" in plain
    answer = re.sub(r"\x1b\]8;;[^\x1b]*\x1b\\", "", plain.rpartition("$ khojd chat")[2])
    assert "The physiotherapist says the band along" in answer
    assert re.search(r"^\[1\] examples/notes/notes/Running plan\.md:\d+", answer, re.MULTILINE)
    assert "\x1b[1;31m" in result.stdout, "found words are highlighted"
    assert "31 notes" in plain
    assert "s in all" in plain
    home = re.search(r"a new index in (\S+)", plain)
    assert home is not None
    assert not Path(home[1]).exists()
