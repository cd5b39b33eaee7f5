"""Emacs shows how the index is, and what can be done about it."""

import pytest

from khojd.server.types import UpdateParams, UpdateResult
from tests.clients.conftest import notes
from tests.e2e.conftest import Place, place
from tests.editors.emacs.conftest import Emacs

__all__ = ["notes", "place"]

pytestmark = pytest.mark.timeout(300)


def test_emacs_shows_how_the_index_is(emacs: Emacs, notes: Place) -> None:
    (notes.notes / "broken.md").write_bytes(b"\xff\xfe\x00\xd8\x00")  # starts as UTF-16, and is not
    with notes.client() as client:
        client.call("khoj/index/update", UpdateParams(), UpdateResult)
    emacs.test("index.el", notes)
