"""khojd, the language server for a person's notes.

This module imports nothing that Python has not loaded: `khojd connect` must start in tens of milliseconds.
"""

import os

__version__ = "0.1.0"

# Builds of onnxruntime collect events for Microsoft from their import on (1.31: a database in ~/.cache/Microsoft, to be uploaded).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
