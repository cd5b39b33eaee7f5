"""Conversations are deleted and renamed in a window of the real VS Code, with its own dialogs."""

import json
import subprocess

import pytest

from tests.e2e.conftest import Place
from tests.editors.vscode.conftest import PATIENCE, Code

pytestmark = pytest.mark.timeout(600)  # a window needs 20 seconds on a machine that does nothing else
TEA = "# Tea\n\nGreen tea is steamed. Oolong is half oxidised. Black tea is oxidised.\n"
QUESTIONS = {"kept": "How is green tea made?", "gone": "How is oolong made?", "shown": "How is black tea made?"}


def test_a_conversation_is_deleted_after_a_yes_only_and_renamed(asking: Code, place: Place) -> None:
    (place.notes / "tea.md").write_text(TEA, encoding="utf-8")
    for question in QUESTIONS.values():
        khojd(place, "chat", question)
    before = conversations(place)
    assert set(before) == set(QUESTIONS.values())

    ran = asking.window(
        "conversations",
        PATIENCE,
        workspace=str(place.notes),
        picture=str(asking.picture),
        **QUESTIONS,
        renamed="Green tea",
        extension="",
    )
    assert ran.returncode == 0, f"{ran.stdout}{ran.stderr}\npicture: {asking.picture}"
    assert conversations(place) == {"Green tea": before[QUESTIONS["kept"]]}


def conversations(place: Place) -> dict[str, str]:
    """The ids of all conversations that khojd keeps, by their titles."""
    return {one["title"]: one["id"] for one in json.loads(khojd(place, "conversations", "list", "--json"))["conversations"]}


def khojd(place: Place, *arguments: str) -> str:
    command = place.command(*place.places, *arguments)
    ran = subprocess.run(command, env=place.environment(), capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
