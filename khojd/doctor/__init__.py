"""Examining an installation: each check is a line with what was seen and, where it is wrong, how to mend it.

A running daemon owns the index, so it is asked; the catalog may be read beside it. Without one the index is locked for the time of
the examination, and opened for reading.
"""

from collections.abc import Iterator

from khojd.doctor import daemon, environment, index, model, notes, servers, settings
from khojd.doctor.check import Check

__all__ = ["Check", "examine"]


def examine() -> Iterator[Check]:
    """All checks, each when it is done. Never raises a KhojdError: that is what is examined."""
    yield from environment.examine()
    config, checks = settings.examine()
    yield from checks
    yield from model.examine(config)
    session, checks = daemon.examine()
    yield from checks
    try:
        yield from index.examine(config, session)
        yield from notes.examine(config)
        yield from servers.examine(config, session)
    finally:
        if session is not None:
            session.close()
