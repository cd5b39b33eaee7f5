"""Emacs with the package khoj connects, and searches as a person types."""

import pytest

from tests.clients.conftest import notes
from tests.e2e.conftest import Place, place
from tests.editors.emacs.conftest import Emacs

__all__ = ["notes", "place"]

pytestmark = pytest.mark.timeout(300)


def test_emacs_searches_while_it_is_typed_in(emacs: Emacs, notes: Place) -> None:
    emacs.test("search.el", notes)
