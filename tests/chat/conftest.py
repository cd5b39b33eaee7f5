"""What all tests of the chat have."""

import pytest

from khojd.chat import rewrite
from khojd.llm.providers import openai


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits here: queries of the small model and counts of tokens are there however slow the machine is."""
    monkeypatch.setattr(openai, "REST_SECONDS", 30.0)
    monkeypatch.setattr(rewrite, "PATIENCE", 60.0)
    monkeypatch.setattr(rewrite, "_DESCRIBED", 60.0)
