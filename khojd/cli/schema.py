"""`khojd schema`."""

from khojd.cli import output


def schema() -> None:
    """Print the khoj/* protocol as JSON Schema (2020-12)."""
    from khojd.server.schema import schema as of_protocol

    output.json(of_protocol())
