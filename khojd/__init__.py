"""khojd, the language server for a person's notes.

This module imports nothing: `khojd connect` must start in tens of milliseconds.
"""

__version__ = "0.1.0"
