"""Where clients and daemon meet, on any platform. A socket's place is in test_socket.py, a pipe's in test_pipe.py."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from khojd.daemon import address
from khojd.daemon.lock import Lock
from khojd.errors import StoreError


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


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_two_names_of_one_index_are_one_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("KHOJD_INDEX", str(tmp_path / "link"))
    assert address.index_dir(tmp_path / "none.toml") == tmp_path / "real"


def test_an_index_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first = Lock.take(tmp_path / "index")
    assert first is not None
    assert Lock.take(tmp_path / "index") is None
    first.release()
    assert Lock.held(tmp_path / "index") is False
    second = Lock.take(tmp_path / "index")
    assert second is not None
    assert Lock.held(tmp_path / "index") is True
    second.release()


def test_asking_who_has_an_index_makes_none(tmp_path: Path) -> None:
    assert Lock.held(tmp_path / "index") is False
    assert not (tmp_path / "index").exists()


def test_an_index_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index").touch()
    with pytest.raises(StoreError, match="not a directory"):
        Lock.take(tmp_path / "index")
    with pytest.raises(StoreError, match="not a directory"):
        Lock.take(tmp_path / "index" / "below")


def test_a_directory_of_other_files_is_no_index_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    tmp_path.chmod(0o755)
    with pytest.raises(StoreError, match=r"holds files that are not khojd's \(letters\): name a directory of its own"):
        Lock.take(tmp_path)
    assert Lock.held(tmp_path) is False
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("lost+found",),
        ("conversations.db", "mine.txt"),
        ("catalog.db.corrupt-1", "x"),
        ("words", "daemon.7"),
        ("conversations.suspect", "suspect"),
    ],
)
def test_an_index_whatever_is_left_of_it_is_taken(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).touch()
    lock = Lock.take(tmp_path)
    assert lock is not None
    lock.release()


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
    transport = {"khojd.daemon.pipe", "khojd.daemon.token"} if sys.platform == "win32" else set()
    assert {name for name in loaded if name.startswith("khojd.")} - transport == {
        "khojd.__main__",
        "khojd.daemon",
        "khojd.daemon.address",
        "khojd.daemon.bridge",
        "khojd.daemon.spawn",
        "khojd.errors",
        "khojd.paths",
    }
