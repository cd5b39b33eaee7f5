"""kill -9 of an indexing process at any moment, then a start as if nothing had happened."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TEST_ALL
from tests.faults.corpus import rework_notes, snapshot, write_notes

ROOT = Path(__file__).resolve().parents[2]
# A kill and the start after it take some seconds: all 50 moments are tried under KHOJD_TEST_ALL=1, five of them otherwise.
MOMENTS = 50 if TEST_ALL else 5


class Nursery:
    """Runs the indexing processes (tests/faults/nursery.py)."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.faults.nursery import main; main()"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, notes: Path, index: Path, *, seconds: float | None = None) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"notes": str(notes), "index": str(index), "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert not answer["failed"]
        return answer

    def close(self) -> None:
        """Wait until it has ended, and whoever holds its output: every process that a child of it started."""
        self._process.communicate(timeout=110)


@pytest.fixture
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("temporary"))
    yield made
    made.close()


def test_no_process_and_no_temporary_directory_outlives_the_one_that_was_killed(tmp_path: Path, nursery: Nursery) -> None:
    """Its parsing workers wait for work that nobody sends any more."""
    write_notes(tmp_path / "notes", 160)
    undisturbed = nursery.run(tmp_path / "notes", tmp_path / "one")
    nursery.run(tmp_path / "notes", tmp_path / "two", seconds=undisturbed["seconds"] * 0.6)
    nursery.close()
    assert [path for path in nursery.temporary.iterdir() if path.is_dir()] == []


@pytest.mark.timeout(120 + 60 * MOMENTS)
@pytest.mark.parametrize("what", ["first", "change"])
def test_an_index_run_killed_at_any_moment_ends_as_if_it_had_not_been(tmp_path: Path, nursery: Nursery, what: str) -> None:
    """`first`: a new index. `change`: an index whose notes were edited, renamed, moved, deleted and copied meanwhile."""
    notes, before = tmp_path / "notes", tmp_path / "before"
    write_notes(notes, 160)
    kept: set[bytes] = set()
    if what == "change":
        nursery.run(notes, before)
        kept = set(snapshot(before)["vectors"])
        rework_notes(notes)
    nursery.run(notes, _copy(before, tmp_path / "warm"))  # the first child pays for what is read from disk
    undisturbed = nursery.run(notes, _copy(before, tmp_path / "undisturbed"))
    expected = snapshot(tmp_path / "undisturbed")
    assert expected["words"]["note"] != set()
    assert expected.pop("orphans") <= kept
    moments = random.Random(42)
    killed = 0
    for number in range(MOMENTS // (1 if what == "first" else 2) or 1):
        index = _copy(before, tmp_path / f"index {number}")
        seconds = moments.uniform(0, undisturbed["seconds"])
        killed += nursery.run(notes, index, seconds=seconds)["killed"]
        nursery.run(notes, index)
        found = snapshot(index)
        assert found.pop("orphans") <= kept, f"killed after {seconds:.3f} s"
        assert found == expected, f"killed after {seconds:.3f} s"
        shutil.rmtree(index)
    assert killed


def _copy(before: Path, index: Path) -> Path:
    if before.exists():
        shutil.copytree(before, index)
    return index
