"""Asking about what is selected."""

from __future__ import annotations

from typing import Any

from khojd.server.actions.inquiry import ASK, Inquiry, Offer

_ABOUT = "What do my notes say about the selected text? Answer in its language."
_LONGEST = 500  # characters of a selection that is a question itself
_SHOWN = 60


def offers(asked: Inquiry) -> list[Offer]:
    """Questions about the selection, for a person who opens the list; none with each move of a cursor."""
    selected = asked.sheet.text[asked.start : asked.end].strip()
    if not selected or asked.automatic or not asked.wants(ASK):
        return []
    found = []
    if selected.endswith(("?", "？")) and len(selected) <= _LONGEST:
        question = " ".join(selected.split())
        shown = question if len(question) <= _SHOWN else question[: _SHOWN - 1] + "…"
        found.append(_offer(f"Ask your notes: {shown}", {"message": question}))
    range = asked.session.range(asked.sheet, asked.start, asked.end)
    place = {
        "textDocument": {"uri": asked.session.uri(asked.sheet.path)},
        "range": {
            "start": {"line": range.start.line, "character": range.start.character},
            "end": {"line": range.end.line, "character": range.end.character},
        },
    }
    found.append(_offer("Ask what your notes say about the selection", {"message": _ABOUT, "context": [place]}))
    return found


def _offer(title: str, question: dict[str, Any]) -> Offer:
    return Offer(title, ASK, None, question=question)
