"""Notes, folders and indexes that may not be read or written. For root, in a process without the right to pass over modes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import missing, program
from tests.faults.denied import SCENARIOS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bound(tmp_path: Path) -> list[str]:
    """A command before a command that runs it as someone whom the modes of files bind."""
    command = []
    if os.getuid() == 0:
        rights = "-dac_override,-dac_read_search"
        command = [program("setpriv"), f"--bounding-set={rights}", f"--inh-caps={rights}"]
    closed = tmp_path / "closed"
    closed.touch(mode=0)
    if subprocess.run([*command, "cat", str(closed)], capture_output=True).returncode == 0:
        missing("a way to be bound by the modes of files")
    return command


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_may_not_be_read_is_said_and_comes_back(tmp_path: Path, bound: list[str], scenario: str) -> None:
    command = [*bound, sys.executable, "-m", "tests.faults.denied", scenario, str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    for directory in tmp_path.iterdir():
        directory.chmod(0o700)  # for the cleaning
    assert ran.returncode == 0, ran.stderr
