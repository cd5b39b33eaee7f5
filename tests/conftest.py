"""Fixtures that every test may use."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from khojd.sources.buffers import viewer

TEST_ALL = os.environ.get("KHOJD_TEST_ALL") == "1"
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell begins what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)

# On top of the profile in force: where CI is set, the same examples every time. How long one takes is the machine's affair.
settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def missing(what: str) -> None:
    """Leave the test out because `what` is not here; under KHOJD_TEST_ALL=1 that is a failure."""
    if TEST_ALL:
        pytest.fail(f"{what} is missing, and KHOJD_TEST_ALL=1 says that everything must be here")
    pytest.skip(f"{what} is not here")


def program(name: str) -> str:
    """The path of an installed program the test needs."""
    found = shutil.which(name)
    if found is None:
        missing(name)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, so that no test sees or touches a person's configuration or index."""
    home = tmp_path_factory.mktemp("home")
    for variable in (
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_RUNTIME_DIR",
        "KHOJD_CONFIG",
        "KHOJD_INDEX",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))  # Windows
    return home


@pytest.fixture
def shared_data() -> Path:
    """The collections and corpora that lie beside a developer's checkout."""
    if not SHARED_DATA.is_dir():
        missing("../shared/data")
    return SHARED_DATA


@pytest.fixture
def as_editor() -> Iterator[None]:
    """What the test asks of an engine counts as asked by the owner of the buffers named "editor"."""
    before = viewer.set("editor")
    yield
    viewer.reset(before)
