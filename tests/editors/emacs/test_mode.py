"""Notes that are open in Emacs: unsaved text, links, similar notes, and a daemon that goes and comes."""

import pytest

from khojd.server.types import UpdateParams, UpdateResult
from tests.clients.conftest import notes
from tests.e2e.conftest import Place, place
from tests.editors.emacs.conftest import Emacs

__all__ = ["notes", "place"]

pytestmark = pytest.mark.timeout(300)

LINKS = "# Ways of drinking\n\nFor the tea ceremony see [[tea]].\n\n"
CUPS = "#+TITLE: Dishes\n* Cups\n:PROPERTIES:\n:ID: 5f3c0f9e-cups\n:END:\nOf porcelain, thin and white.\n"


@pytest.fixture
def linked(notes: Place) -> Place:
    (notes.notes / "links.md").write_text(LINKS, encoding="utf-8")
    (notes.notes / "dishes.org").write_text(CUPS, encoding="utf-8")
    with notes.client() as client:
        client.call("khoj/index/update", UpdateParams(embed=True), UpdateResult)
    return notes


def test_emacs_works_with_notes_that_are_open(emacs: Emacs, linked: Place) -> None:
    emacs.test("mode.el", linked)
