"""The socket's place, which is nobody else's."""

import os
import sys
from pathlib import Path

import pytest

from khojd.daemon import address
from khojd.daemon.listener import Listener
from khojd.errors import DaemonError

if sys.platform == "win32":
    pytest.skip("the daemon serves a named pipe here", allow_module_level=True)


def test_the_address_depends_on_the_index_and_the_runtime_directory_only(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    without = address.socket_path(index)
    assert without.parent == own_home / ".local" / "state" / "khojd"
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    assert address.socket_path(index) == without
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/77")
    assert address.socket_path(index) == Path("/run/user/77/khojd") / without.name
    assert address.socket_path(tmp_path / "other").name != without.name


def test_an_address_too_long_for_a_socket_moves_to_a_short_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/r" * 50)
    monkeypatch.setenv("XDG_STATE_HOME", "/s" * 50)
    path = address.socket_path(tmp_path)
    assert path.parent == Path(f"/tmp/khojd-{os.getuid()}")
    assert len(os.fsencode(path)) <= address.MAX_SOCKET_PATH


def test_the_socket_and_its_directory_are_private(tmp_path: Path) -> None:
    old = os.umask(0o000)
    try:
        listener = Listener(tmp_path / "run" / "k.sock")
    finally:
        os.umask(old)
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    assert listener.path.stat().st_mode & 0o777 == 0o600
    listener.close()
    assert not listener.path.exists()


def test_a_directory_of_our_own_that_is_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    Listener(tmp_path / "run" / "k.sock").close()
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_a_link_or_a_file_in_the_directorys_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(DaemonError, match="symbolic link"):
        Listener(tmp_path / "link" / "k.sock")
    with pytest.raises(DaemonError, match="does not exist"):
        address.check_private(tmp_path / "none")


def test_a_directory_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    with pytest.raises(DaemonError, match="another user"):
        address.check_private(tmp_path)


def test_a_socket_that_a_killed_daemon_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run" / "k.sock"
    dead = Listener(path)
    dead.socket.close()
    (tmp_path / "run" / "k.new").touch()
    alive = Listener(path)
    dead.hide()  # no longer its own: it must not take the new one away
    assert path.exists()
    alive.close()
