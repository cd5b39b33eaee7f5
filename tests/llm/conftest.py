"""What all tests of model servers have."""

import pytest

from khojd.llm.providers import anthropic, google, openai


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what a server sends after the last words is heard, and its connection used again."""
    monkeypatch.setattr(openai, "DONE_SECONDS", 30.0)
    for provider in (openai, anthropic, google):
        monkeypatch.setattr(provider, "REST_SECONDS", 30.0)
