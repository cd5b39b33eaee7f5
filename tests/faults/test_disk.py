"""An index whose disk is full or read-only: errors that say so, and answers from what is there."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import missing, program
from tests.faults.scarce import SCENARIOS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def namespace(tmp_path: Path) -> list[str]:
    """A command before a command that gives it mounts of its own, as root or with user namespaces."""
    command = [program("unshare"), "--user", "--map-root-user", "--mount"]
    tried = subprocess.run([*command, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True)
    if tried.returncode:
        missing("the right to mount in a namespace of one's own")
    return command


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_index_that_cannot_be_written_still_answers_and_says_why(tmp_path: Path, namespace: list[str], scenario: str) -> None:
    command = [*namespace, sys.executable, "-m", "tests.faults.scarce", scenario, str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
