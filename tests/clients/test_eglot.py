"""Eglot, as Emacs 30 has it, with nothing of ours in Emacs: through the bridge, and over the socket."""

import json
import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import Place, alive

SCRIPT = Path(__file__).with_name("eglot.el")


def run(emacs: str, place: Place, scene: str, **reach: str) -> "subprocess.CompletedProcess[str]":
    """The tests of the script that are for these notes."""
    return subprocess.run(
        [emacs, "--batch", "-Q", "-l", str(SCRIPT), "--eval", f"(ert-run-tests-batch-and-exit '(tag {scene}))"],
        env=place.environment(KHOJD_NOTES=str(place.notes), LC_ALL="C.UTF-8", **reach),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=110,
    )


def work(emacs: str, place: Place, scene: str, **reach: str) -> None:
    daemon = place.pid
    ran = run(emacs, place, scene, **reach)
    print(ran.stdout)  # hovers, lists and diagnostics as a person sees them
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    written = len(re.findall(rf"^  :tags '\({scene}\)$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
    assert written, "the script has tests for these notes"
    assert f"Ran {written} tests, {written} results as expected, 0 unexpected" in said
    assert alive(daemon)


def bridge(place: Place) -> str:
    return json.dumps(place.command("connect", *place.places))


def test_eglot_works_with_notes_by_its_own_commands(emacs: str, vault: Place) -> None:
    work(emacs, vault, "examples", KHOJD_CONNECT=bridge(vault))


def test_eglot_works_with_notes_over_the_socket(emacs: str, vault: Place) -> None:
    work(emacs, vault, "examples", KHOJD_SOCKET=str(vault.address))


def test_eglot_works_with_the_notes_of_others(emacs: str, collections: Place) -> None:
    work(emacs, collections, "collections", KHOJD_CONNECT=bridge(collections))


def test_what_eglot_does_fails_where_khojd_does_not_answer(emacs: str, place: Place) -> None:
    """A script that could not fail would show nothing."""
    ran = run(emacs, place, "collections", KHOJD_CONNECT='["false"]')
    assert ran.returncode == 1, ran.stdout + ran.stderr
