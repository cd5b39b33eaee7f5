"""Eglot, as Emacs 30 has it, with nothing of ours in Emacs: through the bridge, and over the socket."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Place, alive

SCRIPT = Path(__file__).with_name("eglot.el")


@pytest.mark.parametrize("through", ["bridge", "socket"])
def test_eglot_works_with_notes_by_its_own_commands(emacs: str, vault: Place, through: str) -> None:
    daemon = vault.pid
    reach = {
        "bridge": {"KHOJD_CONNECT": json.dumps(vault.command("connect", *vault.places))},
        "socket": {"KHOJD_SOCKET": str(vault.address)},
    }[through]
    ran = subprocess.run(
        [emacs, "--batch", "-Q", "-l", str(SCRIPT), "-f", "ert-run-tests-batch-and-exit"],
        env=vault.environment(KHOJD_NOTES=str(vault.notes), LC_ALL="C.UTF-8", **reach),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=110,
    )
    print(ran.stdout)  # hovers, lists and diagnostics as a person sees them
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    written = len(re.findall(r"^\(ert-deftest ", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
    assert f"Ran {written} tests, {written} results as expected, 0 unexpected" in said
    assert alive(daemon)


def test_what_eglot_does_fails_where_khojd_does_not_answer(emacs: str, vault: Place) -> None:
    """A script that could not fail would show nothing."""
    ran = subprocess.run(
        [emacs, "--batch", "-Q", "-l", str(SCRIPT), "-f", "ert-run-tests-batch-and-exit"],
        env=vault.environment(KHOJD_NOTES=str(vault.notes), KHOJD_CONNECT='["false"]', LC_ALL="C.UTF-8"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=110,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
