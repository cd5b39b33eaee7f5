"""What all tests of the chat have."""

import pytest

from khojd.chat import rewrite


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits here: the queries of the small model are there however slow the machine is."""
    monkeypatch.setattr(rewrite, "PATIENCE", 60.0)
    monkeypatch.setattr(rewrite, "_DESCRIBED", 60.0)
