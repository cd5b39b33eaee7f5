"""What the status tells of the stores."""

import shutil
import threading
from pathlib import Path

from khojd.index.overview import size_of


def test_the_size_is_that_of_all_files_below(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b").write_bytes(b"123")
    assert size_of(tmp_path) == 8
    assert size_of(tmp_path / "nowhere") == 0


def test_directories_that_a_store_removes_meanwhile_are_no_error(tmp_path: Path) -> None:
    over = threading.Event()

    def churn() -> None:
        while not over.is_set():
            (tmp_path / "segment" / "deep").mkdir(parents=True)
            shutil.rmtree(tmp_path / "segment")

    store = threading.Thread(target=churn)
    store.start()
    try:
        assert all(size_of(tmp_path) == 0 for _ in range(2000))
    finally:
        over.set()
        store.join()
