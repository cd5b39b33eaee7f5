"""Chat over the notes: conversations, retrieval for a turn, prompts, citations, personas, tools. Knows nothing of LSP."""
