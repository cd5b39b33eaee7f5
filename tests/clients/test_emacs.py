"""Emacs, with its own jsonrpc.el, over the daemon's socket."""

import re
import subprocess
from pathlib import Path

from tests.conftest import program
from tests.e2e.conftest import Place, alive

SCRIPT = Path(__file__).with_name("client.el")


def test_emacs_searches_types_and_leaves(notes: Place) -> None:
    daemon = notes.pid
    ran = subprocess.run(
        [program("emacs"), "--batch", "-Q", "-l", str(SCRIPT), "-f", "ert-run-tests-batch-and-exit"],
        env=notes.environment(KHOJD_SOCKET=str(notes.address), KHOJD_NOTES=str(notes.notes), LC_ALL="C.UTF-8"),
        capture_output=True,
        text=True,
        timeout=110,
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    written = len(re.findall(r"^\(ert-deftest ", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
    assert f"Ran {written} tests, {written} results as expected, 0 unexpected" in said
    assert alive(daemon)
