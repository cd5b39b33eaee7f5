"""An answer that was given before, shown as if it came now."""

from khojd.cli.answer import Answer
from khojd.server.types_chat import ChatCitation, ChatReferences, ChatResult, ChatText
from khojd.server.types_conversations import ConversationTurn


def replay(turn: ConversationTurn) -> None:
    """Show the answer of a turn and its sources."""
    shown = Answer()
    at = 0
    for citation in turn.citations:
        for marker in (f"[{citation.number}]", f"[^{citation.number}]"):
            if citation.at >= at and turn.answer.startswith(marker, citation.at):
                end = citation.at + len(marker)
                shown(ChatText(text=turn.answer[at:end]))
                shown(ChatCitation(citation=citation))
                at = end
                break
    shown(ChatText(text=turn.answer[at:]))
    shown(ChatReferences(references=turn.references))
    shown.end(
        ChatResult(
            conversation="",
            title="",
            turn=turn.id,
            state="complete" if turn.state == "running" else turn.state,
            reason=turn.reason,
            text="",
            extractive=turn.extractive,
            persona=turn.persona,
            provider=turn.provider,
            model=turn.model,
            citations=turn.citations,
            removed=turn.removed,
            references=turn.references,
            steps=(),
            proposals=(),
            usage=turn.usage,
        )
    )
