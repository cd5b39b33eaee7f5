"""Where clients and daemon meet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from khojd.daemon import address
from khojd.daemon.listener import Listener
from khojd.daemon.lock import Lock
from khojd.errors import DaemonError, StoreError


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


def test_the_index_is_the_environments_the_configurations_or_the_default(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    default = own_home / ".local" / "share" / "khojd" / "index"
    assert address.index_dir(config) == default
    for text in ('[index]\npath = "~/mine"\n', '"index".path = "~/mine"', 'index = { path = "~/mine" }'):
        config.write_text(text, encoding="utf-8")
        assert address.index_dir(config) == own_home / "mine"
    for text in ("[index]\nworkers = 1\n", "index = 3", "[index]\npath = 3\n", "[index\npath", '[other]\npath = "~/x"\n'):
        config.write_text(text, encoding="utf-8")
        assert address.index_dir(config) == default
    monkeypatch.setenv("KHOJD_INDEX", str(tmp_path / "env"))
    assert address.index_dir(config) == tmp_path / "env"


def test_two_names_of_one_index_are_one_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("KHOJD_INDEX", str(tmp_path / "link"))
    assert address.index_dir(tmp_path / "none.toml") == tmp_path / "real"


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


def test_an_index_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first = Lock.take(tmp_path / "index")
    assert first is not None
    assert Lock.take(tmp_path / "index") is None
    first.release()
    second = Lock.take(tmp_path / "index")
    assert second is not None
    second.release()


def test_an_index_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index").touch()
    with pytest.raises(StoreError, match="not a directory"):
        Lock.take(tmp_path / "index")
    with pytest.raises(StoreError, match="not a directory"):
        Lock.take(tmp_path / "index" / "below")


def test_the_record_of_a_running_daemon_reads_back(tmp_path: Path) -> None:
    assert address.Record.read(tmp_path) is None
    address.Record(pid=7, address="/run/a b/k.sock", protocol=(1, 3), version="0.9").write(tmp_path)
    record = address.Record.read(tmp_path)
    assert record is not None
    assert (record.pid, record.address, record.protocol, record.version) == (7, "/run/a b/k.sock", (1, 3), "0.9")
    (tmp_path / "daemon").write_text("half", encoding="utf-8")
    assert address.Record.read(tmp_path) is None


def test_the_bridge_imports_nothing_heavy() -> None:
    """What an editor waits for: modules, not milliseconds, as those depend on the machine."""
    code = "import sys, khojd.__main__, khojd.daemon.bridge; print(' '.join(sys.modules))"
    root = Path(__file__).resolve().parents[2]
    loaded = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    heavy = {"asyncio", "pygls", "lsprotocol", "msgspec", "json", "hashlib", "subprocess", "tomllib", "logging", "ssl", "cattrs"}
    assert heavy.isdisjoint(loaded)
    assert {name for name in loaded if name.startswith("khojd.")} == {
        "khojd.__main__",
        "khojd.daemon",
        "khojd.daemon.address",
        "khojd.daemon.bridge",
        "khojd.daemon.spawn",
        "khojd.errors",
        "khojd.paths",
    }
