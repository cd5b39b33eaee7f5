"""What is remembered of turns that no longer fit: a summary that a model made of them, kept with a later turn."""

from collections.abc import Sequence

from khojd.chat.model import Turn


def summary(history: Sequence[Turn]) -> tuple[str, tuple[Turn, ...]]:
    """The newest summary among the turns, and the turns that it does not hold; "" and all of them where there is none."""
    for turn in reversed(history):
        for step in turn.steps:
            if step.kind == "notice" and "summary" in step.data:
                until = next((at for at, one in enumerate(history) if one.id == step.data.get("until")), None)
                if until is not None:
                    return str(step.data["summary"]), tuple(history[until + 1 :])
    return "", tuple(history)
