"""Chat in the real VS Code, with a model that says what it is told to say, and its page in a real browser."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.clients.conftest import TEA, TODO
from tests.conftest import program
from tests.e2e.conftest import Place
from tests.editors.vscode.conftest import Code
from tests.editors.vscode.model import FOR_EVER, Model
from tests.editors.vscode.server import run

pytestmark = pytest.mark.timeout(600)  # a window needs 20 seconds on a machine that does nothing else
ANSWER = "Green tea 🍵 is **steamed** [1]. That is all."
EDIT = {
    "action": "replace",
    "note": "tea",
    "old": "between green and black",
    "new": "between green 🍃 and black",
    "why": "a leaf was missing",
}


class Script:
    """What the model says: FOR_EVER when asked to, once when asked to, a change when asked to, else ANSWER."""

    def __init__(self) -> None:
        self._hung = False

    def __call__(self, messages: list[str]) -> str:
        if "Talk for ever" in messages[-1]:
            return FOR_EVER
        if "Hang once" in messages[-1] and not self._hung:
            self._hung = True
            return FOR_EVER
        if "Please edit" in "".join(messages):
            done = any("🍃" in text for text in messages)
            return "I propose it." if done else json.dumps({"tool": "propose_edit", "arguments": EDIT})
        return ANSWER


def test_notes_are_asked_in_the_extension_host(code: Code, place: Place) -> None:
    (place.notes / "tea.md").write_text(TEA, encoding="utf-8")
    (place.notes / "errands.org").write_text(TODO, encoding="utf-8")
    with Model(Script()) as model:
        place.configure(more=model.lines)
        code.test("chat")
        model.left()


def test_two_windows_talk_in_one_conversation(code: Code, place: Place) -> None:
    (place.notes / "tea.md").write_text(TEA, encoding="utf-8")
    with Model(Script()) as model, ThreadPoolExecutor() as windows:
        place.configure(more=model.lines)
        for window in [windows.submit(code.test, "chat-first"), windows.submit(code.test, "chat-second")]:
            window.result()


@pytest.mark.usefixtures("package")
def test_the_page_of_the_view_works_and_runs_nothing_of_a_note() -> None:
    run(["npx", "vitest", "run"], seconds=300, KHOJ_TEST_CHROMIUM=program("chromium"))
