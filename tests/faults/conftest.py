"""Notes as the engine's tests have them, and a real daemon as the end-to-end tests have it."""

from tests.e2e.conftest import place
from tests.engine.conftest import notes, patient

__all__ = ["notes", "patient", "place"]
