"""All standard features of LSP that are offered. A new one is a module beside this, a line here, and a switch in config.Features."""

from khojd.server.feature import Feature
from khojd.server.features import document_symbol

FEATURES: tuple[Feature, ...] = (document_symbol.FEATURE,)
