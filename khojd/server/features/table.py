"""All standard features of LSP that are offered. A new one is a module beside this one, a line here, a switch in the settings."""

from khojd.server.feature import Feature
from khojd.server.features import document_symbol, workspace_symbol

FEATURES: tuple[Feature, ...] = (
    document_symbol.FEATURE,
    workspace_symbol.FEATURE,
)
