"""All standard features of LSP that are offered. A new one is a module beside this one, a line here, a switch in the settings."""

from khojd.server.feature import Feature
from khojd.server.features import (
    code_action,
    completion,
    counts,
    definition,
    diagnostics,
    document_highlight,
    document_link,
    document_symbol,
    folding_range,
    formatting,
    hover,
    references,
    rename,
    selection_range,
    semantic_tokens,
    workspace_symbol,
)

FEATURES: tuple[Feature, ...] = (
    code_action.FEATURE,
    completion.FEATURE,
    counts.CODE_LENS,
    counts.INLAY_HINT,
    definition.FEATURE,
    diagnostics.FEATURE,
    document_highlight.FEATURE,
    document_link.FEATURE,
    document_symbol.FEATURE,
    folding_range.FEATURE,
    formatting.FEATURE,
    hover.FEATURE,
    references.FEATURE,
    rename.FEATURE,
    selection_range.FEATURE,
    semantic_tokens.FEATURE,
    workspace_symbol.FEATURE,
)
