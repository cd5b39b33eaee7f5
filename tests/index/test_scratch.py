"""Temporary directories of processes that are gone."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from khojd.index.scratch import clear, scratch


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is cleared there")
def test_what_a_killed_process_left_behind_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    left = tmp_path / f"khojd-eval-{ended.pid}-abc"
    kept = [
        tmp_path / name for name in (f"khojd-eval-{os.getpid()}-abc", f"khojd-{ended.pid}", "khojd-demo-abc", f"x-{ended.pid}-a")
    ]
    for directory in (left, *kept):
        (directory / "words").mkdir(parents=True)
    clear(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_a_new_one_is_cleared_by_the_next_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "import os; from khojd.index.scratch import scratch; place = scratch('eval'); os._exit(0)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, check=True)
    (left,) = tmp_path.iterdir()
    with scratch("words") as place:
        assert sys.platform == "win32" or not left.exists()
        assert Path(place).parent == tmp_path
