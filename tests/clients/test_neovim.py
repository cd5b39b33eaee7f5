"""Neovim's built-in client, through the bridge."""

import json
import subprocess
from pathlib import Path

from tests.conftest import program
from tests.e2e.conftest import Place, alive

SCRIPT = Path(__file__).with_name("client.lua")
LANGUAGE = Path(__file__).with_name("language.lua")


def converse(place: Place, script: Path = SCRIPT, scene: str = "") -> "subprocess.CompletedProcess[str]":
    command = place.command("connect", *place.places)
    return subprocess.run(
        [program("nvim"), "--headless", "--clean", "-n", "-c", f"luafile {script}"],
        env=place.environment(KHOJD_CONNECT=json.dumps(command), KHOJD_NOTES=str(place.notes), KHOJD_SCENE=scene, LC_ALL="C.UTF-8"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
    )


def test_neovim_searches_types_and_leaves(notes: Place) -> None:
    daemon = notes.pid
    ran = converse(notes)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert alive(daemon)


def work(place: Place, scene: str) -> None:
    ran = converse(place, LANGUAGE, scene)
    print(ran.stdout)  # hovers, lists and diagnostics as a person sees them
    assert ran.returncode == 0, ran.stdout + ran.stderr
    # Neovim prints the errors in its callbacks and goes on.
    assert "Error" not in ran.stderr, ran.stderr


def test_neovim_works_with_notes_by_its_own_commands(vault: Place) -> None:
    work(vault, "examples")


def test_neovim_works_with_the_notes_of_others(collections: Place) -> None:
    work(collections, "collections")


def test_the_conversation_fails_where_khojd_does_not_answer(notes: Place) -> None:
    """A script that could not fail would show nothing."""
    notes.config.write_text("[daemon]\nidle_minute = 3\n", encoding="utf-8")
    notes.clear()
    ran = converse(notes)
    assert ran.returncode == 1, ran.stdout + ran.stderr
