"""Changes on disk are noticed, whatever happens to the folder."""

import asyncio
import contextlib
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from khojd.sources import inotify, watch
from khojd.sources.watch import FolderWatch
from tests.conftest import missing, program

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class Seen:
    """Collects what a watch tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[frozenset[str] | None] = asyncio.Queue()
        self.looks = 0

    async def __call__(self, paths: frozenset[str] | None) -> None:
        self.looks += paths is None
        await self.told.put(paths)

    async def until(self, path: Path) -> None:
        """Wait until `path`, or the whole folder, was told of."""
        async with asyncio.timeout(60):
            while (told := await self.told.get()) is not None and str(path) not in told:
                pass

    async def collect(self, path: Path) -> set[str]:
        """All that is told before `path` is."""
        told: set[str] = set()
        async with asyncio.timeout(60):
            while str(path) not in told:
                told |= await self.told.get() or set()
        return told

    async def look(self) -> None:
        async with asyncio.timeout(60):
            while await self.told.get() is not None:
                pass


@asynccontextmanager
async def watched(
    root: Path, *, poll: bool = False, enter: Callable[[str], bool] = lambda path: True
) -> AsyncIterator[tuple[FolderWatch, Seen]]:
    seen = Seen()
    status = FolderWatch(root, seen, poll=poll, debounce_ms=20, status=lambda: None, entering=lambda: enter)
    task = asyncio.create_task(status.run())
    try:
        await seen.look()  # the first look: from here on nothing is missed
        yield status, seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(params=["inotify", "watchfiles"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux's own events, and those that watchfiles gives elsewhere."""
    if request.param == "watchfiles":
        monkeypatch.setattr(inotify, "available", lambda: False)
    elif not inotify.available():
        pytest.skip("inotify is Linux's")


@pytest.mark.usefixtures("system")
async def test_new_changed_renamed_and_deleted_files_are_told(tmp_path: Path) -> None:
    async with watched(tmp_path) as (status, seen):
        note = tmp_path / "a.md"
        note.write_text("one", encoding="utf-8")
        await seen.until(note)
        other = tmp_path / "other.tmp"
        other.write_text("two", encoding="utf-8")
        other.replace(note)  # how editors save
        await seen.until(note)
        note.unlink()
        await seen.until(note)
        assert status.mode == "events"
        assert status.problem == ""


@pytest.mark.usefixtures("system")
async def test_a_directory_that_is_moved_in_is_told(tmp_path: Path) -> None:
    root = tmp_path / "notes"
    root.mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new/a.md").write_text("one", encoding="utf-8")
    async with watched(root) as (_, seen):
        (tmp_path / "new").rename(root / "new")
        await seen.until(root / "new")


async def test_very_many_changes_at_once_call_for_a_look_at_everything(tmp_path: Path) -> None:
    async with watched(tmp_path) as (_, seen):
        for number in range(watch.MANY_CHANGES + 500):
            (tmp_path / f"{number}.md").touch()
        last = tmp_path / "last.md"
        last.touch()
        await seen.until(last)


@pytest.mark.usefixtures("system")
async def test_a_folder_that_vanishes_is_waited_for_and_looked_at_when_it_is_back(tmp_path: Path) -> None:
    root = tmp_path / "notes"
    root.mkdir()
    async with watched(root) as (status, seen):
        away = root.rename(tmp_path / "away")
        await seen.look()
        assert "is not there" in status.problem
        away.rename(root)
        await seen.look()
        async with asyncio.timeout(60):
            while status.problem:
                await asyncio.sleep(0.01)
        note = root / "a.md"
        note.write_text("one", encoding="utf-8")
        await seen.until(note)


async def test_polling_looks_at_everything_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.01)
    async with watched(tmp_path, poll=True) as (status, seen):
        await seen.look()
        await seen.look()
        assert status.mode == "polling"


@linux
async def test_what_is_not_entered_is_not_watched(tmp_path: Path) -> None:
    (tmp_path / "node_modules/deep").mkdir(parents=True)
    async with watched(tmp_path, enter=lambda path: not path.endswith("node_modules")) as (_, seen):
        (tmp_path / "new").mkdir()
        (tmp_path / "new/node_modules").mkdir()
        await seen.until(tmp_path / "new")
        (tmp_path / "node_modules/deep/a.md").touch()
        (tmp_path / "new/node_modules/b.md").touch()
        (tmp_path / "new/c.md").touch()
        told = await seen.collect(tmp_path / "new/c.md")
        assert {path for path in told if path.endswith(("a.md", "b.md"))} == set()


@linux
async def test_a_watch_that_is_cancelled_while_it_ends_leaves_nothing_open(tmp_path: Path) -> None:
    busy, done = threading.Event(), threading.Event()

    def enter(path: str) -> bool:
        busy.set()
        done.wait(60)
        return True

    before = _open_files()
    seen = Seen()
    task = asyncio.create_task(
        FolderWatch(tmp_path, seen, poll=False, debounce_ms=20, status=lambda: None, entering=lambda: enter).run()
    )
    await seen.look()
    (tmp_path / "new").mkdir()
    assert await asyncio.to_thread(busy.wait, 60)
    for _ in range(2):  # the second time it waits for the thread that collects the events
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
    done.set()
    async with asyncio.timeout(60):
        while _open_files() - before:
            await asyncio.sleep(0.01)


def _open_files() -> set[tuple[str, str]]:
    """The descriptors of inotify and of the table of mounts."""
    links = set()
    for number in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since
            links.add((number.name, str(number.readlink())))
    return {(number, link) for number, link in links if "inotify" in link or link.endswith("/mountinfo")}


@linux
async def test_directories_made_moved_linked_and_replaced_are_watched_where_they_end(tmp_path: Path) -> None:
    root, outside = tmp_path / "notes", tmp_path / "outside"
    (root / "a/b/c").mkdir(parents=True)
    (outside / "far").mkdir(parents=True)
    async with watched(root) as (_, seen):
        (root / "new/one/two").mkdir(parents=True)
        (root / "a/b").rename(root / "new/b")  # into one that may not be watched yet
        (root / "link").symlink_to(outside)
        (root / "loop").symlink_to(root)
        shutil.rmtree(root / "a")
        (root / "a/b/c").mkdir(parents=True)  # the same names, other directories
        for place in ("", "a", "a/b", "a/b/c", "new", "new/one", "new/one/two", "new/b", "new/b/c", "link", "link/far"):
            note = root / place / "note.md"
            note.touch()
            await seen.until(note)


@linux
async def test_a_link_that_is_removed_or_leads_elsewhere_is_followed_no_longer(tmp_path: Path) -> None:
    root, one, two = (tmp_path / name for name in ("notes", "one", "two"))
    for directory in (root, one, two):
        directory.mkdir()
    (root / "link").symlink_to(one)
    async with watched(root) as (_, seen):
        (root / "link").unlink()
        (root / "link").symlink_to(two)
        await seen.until(root / "link")
        (one / "a.md").touch()
        (two / "b.md").touch()
        assert str(root / "link/a.md") not in await seen.collect(root / "link/b.md")


@linux
@pytest.mark.parametrize("linked", [False, True], ids=["a directory above is moved", "a link above leads elsewhere"])
async def test_another_folder_put_in_the_place_of_the_first_is_noticed_at_once(tmp_path: Path, linked: bool) -> None:
    above = tmp_path / "above"
    for place in ("first", "second"):
        (tmp_path / place / "notes").mkdir(parents=True)
    above.symlink_to(tmp_path / "first") if linked else (tmp_path / "first").rename(above)
    async with watched(above / "notes") as (_, seen):
        if linked:
            (tmp_path / "new").symlink_to(tmp_path / "second")
            (tmp_path / "new").rename(above)
        else:
            above.rename(tmp_path / "gone")
            (tmp_path / "second").rename(above)
        await seen.look()
        note = above / "notes/a.md"
        note.touch()
        await seen.until(note)


@linux
async def test_a_name_that_is_no_text_is_told_as_its_directory(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    async with watched(tmp_path) as (_, seen):
        with open(bytes(tmp_path / "sub") + b"/\xff.md", "wb"):  # noqa: PTH123
            pass
        await seen.until(tmp_path / "sub")


SCARCE = """
import asyncio, pathlib, sys
from khojd.sources.watch import FolderWatch
root = pathlib.Path(sys.argv[1])

async def main():
    told = asyncio.Queue()
    watch = FolderWatch(root, told.put, poll=False, debounce_ms=20, status=lambda: None)
    task = asyncio.create_task(watch.run())
    await told.get()
    if watch.mode == "events":
        for number in range(20):
            (root / str(number)).mkdir()
        while watch.mode == "events":
            await told.get()
    print(watch.mode, watch.problem)

asyncio.run(main())
"""


@linux
@pytest.mark.parametrize(
    ("setting", "most", "hint"),
    [("watches", 3, "max_user_watches"), ("watches", 10, "max_user_watches"), ("instances", 0, "max_user_instances")],
    ids=["too few watches for the folder", "too few for what is made in it", "too few queues"],
)
def test_where_the_system_has_too_few_watches_the_folder_is_looked_at_instead(
    tmp_path: Path, setting: str, most: int, hint: str
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "notes" / name).mkdir(parents=True)
    unshare = [program("unshare"), "--user", "--map-root-user"]
    limited = f'echo {most} > /proc/sys/user/max_inotify_{setting} && exec "$@"'
    if subprocess.run([*unshare, "sh", "-c", limited, "sh", "true"], capture_output=True).returncode:
        missing("the right to limit inotify in a namespace of one's own")
    command = [*unshare, "sh", "-c", limited, "sh", sys.executable, "-c", SCARCE, str(tmp_path / "notes")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stdout.startswith("polling "), ran.stderr
    assert f"raise fs.inotify.{hint}" in ran.stdout


@linux
async def test_a_file_that_is_written_without_a_pause_does_not_keep_the_other_changes_from_being_told(tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        with (tmp_path / "log.txt").open("w", encoding="utf-8", buffering=1) as file:
            while not done.is_set():
                file.write("on and on\n")

    async with watched(tmp_path) as (_, seen):
        writer = threading.Thread(target=write)
        writer.start()
        try:
            (tmp_path / "a.md").write_text("A heron.\n", encoding="utf-8")
            await seen.until(tmp_path / "a.md")
        finally:
            done.set()
            writer.join()
