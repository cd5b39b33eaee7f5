"""The vault of the tests of features."""

from tests.server.features.conftest import make_vault

__all__ = ["make_vault"]
