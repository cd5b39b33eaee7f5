"""The link graph: which note a link means, and what links to a place. Knows no LSP."""
