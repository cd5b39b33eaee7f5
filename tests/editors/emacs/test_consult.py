"""The package beside consult, vertico and Embark."""

import os

import pytest

from tests.clients.conftest import notes
from tests.conftest import missing
from tests.e2e.conftest import Place, place
from tests.editors.emacs.conftest import Emacs, elpa

__all__ = ["notes", "place"]

pytestmark = pytest.mark.timeout(300)
NEEDED = ("compat", "consult", "embark", "vertico")


def others() -> list[str]:
    """Where the packages are: KHOJD_TEST_CONSULT, directories with colons between, or where Debian's elpa-… put them."""
    named = os.environ.get("KHOJD_TEST_CONSULT", "")
    found = named.split(":") if named else elpa(*NEEDED)
    if len(found) < len(NEEDED):
        missing("consult, embark and vertico (apt install elpa-consult elpa-embark elpa-vertico)")
    return found


def test_emacs_searches_through_consult_vertico_and_embark(emacs: Emacs, notes: Place) -> None:
    emacs.test("consult.el", notes, libraries=others())
