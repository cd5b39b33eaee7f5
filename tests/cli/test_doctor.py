"""`khojd doctor` on installations that are well and that are not."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli.khojd import Khojd


def checks(khojd: Khojd, *, status: int = 0) -> dict[str, Any]:
    """The checks by name; of several with one name the worst."""
    answer = khojd.json("doctor", status=status)
    assert answer["ok"] is (status == 0)
    rank = {"ok": 0, "warn": 1, "fail": 2}
    found: dict[str, Any] = {}
    for check in answer["checks"]:
        if check["name"] not in found or rank[check["state"]] > rank[found[check["name"]]["state"]]:
            found[check["name"]] = check
        assert check["state"] == "ok" or check["fix"], f"{check['name']} says what to do"
    return found


@pytest.fixture
def stopped(newcomer: Khojd) -> Khojd:
    """A person with an index and no daemon."""
    newcomer.write("tea.md", "# Tea\n\nSteep for three minutes.\n")
    newcomer("index", "--add", "notes", "--wait")
    newcomer("stop", "--force")
    return newcomer


def test_a_newcomer_is_well_and_nothing_is_made_or_started(newcomer: Khojd) -> None:
    found = checks(newcomer)
    assert found["folders"]["fix"] == "khojd index --add FOLDER"
    assert found["daemon"]["message"].startswith("not running")
    assert found["embedding"]["state"] == "ok"
    assert not newcomer.index.exists()
    assert not newcomer.config.exists()


def test_a_running_daemon_is_asked_and_goes_on(khojd: Khojd) -> None:
    before = khojd.json("status")["daemon"]["pid"]
    result = khojd("doctor")
    assert "fail" not in result.stdout.lower().replace("0 failures", "")
    assert "not counted" in result.stdout
    assert f"process {before}" in result.stdout
    assert khojd.json("status")["daemon"]["pid"] == before


def test_without_a_daemon_the_stores_are_counted_against_the_catalog(stopped: Khojd) -> None:
    found = checks(stopped)
    assert "1 files, 1 entries, 1 vectors" in found["catalog"]["message"]
    assert found["words"]["message"] == "1 entries, as in the catalog"
    assert found["vectors"]["message"].endswith("as in the catalog")


def test_files_that_could_not_be_read_are_told_with_and_without_a_daemon(newcomer: Khojd) -> None:
    (newcomer.notes / "lost.md").symlink_to("nowhere")
    newcomer("index", "--add", "notes")
    for running in (True, False):
        files = checks(newcomer)["files"]
        assert files["message"] == "1 file could not be read"
        assert files["fix"] == "khojd status --files --state failed"
        if running:
            newcomer("stop")


def test_a_words_index_that_is_damaged_fails_and_the_daemon_rebuilds_it(stopped: Khojd) -> None:
    (stopped.index / "words" / "meta.json").write_text("{", encoding="utf-8")
    assert checks(stopped, status=1)["words"]["state"] == "fail"
    stopped("search", "--mode", "lexical", "steep")
    stopped("stop", "--force")
    assert checks(stopped)["words"]["state"] == "ok"


def test_a_catalog_that_is_no_database_fails(stopped: Khojd) -> None:
    (stopped.index / "catalog.db").write_bytes(b"not a database at all, and long enough to look at" * 100)
    found = checks(stopped, status=1)
    assert found["catalog"]["state"] == "fail"
    assert (stopped.index / "catalog.db").read_bytes().startswith(b"not a database"), "nothing is repaired by looking"


def test_an_index_that_cannot_be_written_is_not_taken_for_a_damaged_one(stopped: Khojd) -> None:
    with sqlite3.connect(stopped.index / "catalog.db") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (stopped.index / "catalog.db-shm").unlink(missing_ok=True)
    (stopped.index / "catalog.db-wal").write_bytes(b"what is left of a daemon that was killed")
    # SQLite cannot make its file, as on a disk that is read-only.
    (stopped.index / "catalog.db-shm").symlink_to(stopped.index / "none" / "shm")
    catalog = checks(stopped, status=1)["catalog"]
    assert "cannot be written" in catalog["message"]
    assert "can be written" in catalog["fix"]


@pytest.mark.parametrize("running", [False, True])
def test_a_catalog_with_damaged_pages_fails_whether_or_not_a_daemon_runs(newcomer: Khojd, running: bool) -> None:
    newcomer.write("tea.md", "# Tea\n\nSteep for three minutes.\n")
    newcomer("index", "--add", "notes", "--wait")
    newcomer("stop", "--force")
    if running:
        newcomer("status")
    with (newcomer.index / "catalog.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 20 * 4096)
    catalog = checks(newcomer, status=1)["catalog"]
    assert catalog["state"] == "fail"
    assert "reads the notes again" in catalog["fix"]


def test_an_index_of_a_newer_khojd_fails_and_stays(stopped: Khojd) -> None:
    with sqlite3.connect(stopped.index / "catalog.db") as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    found = checks(stopped, status=1)
    assert "update khojd" in found["catalog"]["fix"]
    assert "newer" in stopped.refused("search", "steep", status=4)


def test_vectors_that_are_gone_are_noticed(stopped: Khojd) -> None:
    shutil.rmtree(stopped.index / "vectors")
    assert checks(stopped)["vectors"]["message"] == "the store is not there, where the catalog has 1 vectors"


def test_wrong_settings_missing_folders_and_an_open_socket_directory(newcomer: Khojd, tmp_path: Path) -> None:
    (newcomer.home / "run" / "khojd").mkdir(mode=0o755)
    newcomer.config.write_text(f'[[folders]]\npath = "{tmp_path / "gone"}"\n[embedding]\nmodel = "off"\n', encoding="utf-8")
    found = checks(newcomer, status=1)
    assert "gone does not exist" in found["folders"]["message"]
    assert found["embedding"]["state"] == "warn"
    assert found["socket"]["state"] == "fail"
    assert "chmod 700" in found["socket"]["fix"]
    newcomer.config.write_text("[embedding]\nmodel = 3\n", encoding="utf-8")
    assert "embedding.model = 3 is not allowed" in checks(newcomer, status=1)["config"]["message"]
