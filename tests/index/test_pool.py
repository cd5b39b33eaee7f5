"""Worker processes that read files, and what happens when one dies."""

import multiprocessing
import os
import signal
from pathlib import Path

from khojd.content.model import ContentSettings
from khojd.index.pool import Pool
from khojd.index.reader import Job


async def names(pool: Pool, jobs: list[Job]) -> set[str]:
    found: set[str] = set()
    async for readings in pool.read([[job] for job in jobs], ContentSettings(), many=True):
        found |= {Path(reading.path).name for reading in readings if reading.document is not None}
    return found


async def test_workers_that_die_at_work_lose_no_file(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.md").write_text(f"# Note {number}\n" + "Words of it.\n" * 500, encoding="utf-8")
    jobs = [Job(str(path)) for path in sorted(tmp_path.iterdir())]
    pool = Pool(2)
    found: set[str] = set()
    try:
        async for readings in pool.read([[job] for job in jobs], ContentSettings(), many=True):
            found |= {Path(reading.path).name for reading in readings if reading.document is not None}
            if len(found) in (3, 9):
                for worker in multiprocessing.active_children():
                    worker.kill()
    finally:
        pool.close()
    assert len(found) == 40


async def test_workers_that_died_while_they_were_idle_are_replaced(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.md").write_text(f"# Note {number}\n", encoding="utf-8")
    jobs = [Job(str(path)) for path in sorted(tmp_path.iterdir())]
    pool = Pool(2)
    try:
        assert len(await names(pool, jobs)) == 4
        before = multiprocessing.active_children()
        for worker in before:
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
        for worker in before:
            worker.join()
        assert len(await names(pool, jobs)) == 4
    finally:
        pool.close()
