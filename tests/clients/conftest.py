"""Notes for the editors, and a daemon that already knows them."""

import pytest

from khojd.server.types import UpdateParams, UpdateResult
from tests.e2e.conftest import Place, place

__all__ = ["notes", "place"]

TEA = "# Tea\n\nGreen tea 🍵 is steamed, not roasted.\n\n## Oolong\n\nHalf oxidised, between green and black.\n"
TODO = "#+TITLE: Errands\n* TODO Buy a kettle :shopping:\nDEADLINE: <2024-05-01 Wed>\nA steel one.\n"


@pytest.fixture
def notes(place: Place) -> Place:
    """The place with two notes that can be found by words and by meaning."""
    place.configure(model="bundled")
    (place.notes / "tea.md").write_text(TEA, encoding="utf-8")
    (place.notes / "errands.org").write_text(TODO, encoding="utf-8")
    with place.client() as client:
        client.call("khoj/index/update", UpdateParams(embed=True), UpdateResult)
    return place
