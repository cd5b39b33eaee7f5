"""Keys and clicks, as a terminal sends them to Emacs."""

import pytest

from tests.clients.conftest import notes
from tests.e2e.conftest import Place, place
from tests.editors.emacs.conftest import Emacs

__all__ = ["notes", "place"]

pytestmark = pytest.mark.timeout(300)


def test_emacs_is_typed_in_and_clicked_at(emacs: Emacs, notes: Place) -> None:
    emacs.test("keys.el", notes)
