"""When a daemon leaves by itself. Time is a loop's own, moved by hand."""

import asyncio
from collections.abc import Iterator

import pytest

from khojd.daemon.retirement import FIRST_CLIENT_GRACE, Retirement


class _Clock(asyncio.SelectorEventLoop):
    """A loop whose time jumps to the next thing that is due."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        # With nothing ready, the time of the earliest timer has come.
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, min(timer.when() for timer in self._scheduled if not timer.cancelled()))  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


@pytest.fixture
def clock() -> Iterator[_Clock]:
    loop = _Clock()
    yield loop
    loop.close()


def leaves_after(clock: _Clock, retirement: Retirement) -> float:
    start = clock.now
    clock.run_until_complete(retirement.wait())
    return clock.now - start


def make(clock: _Clock, idle: float, busy: list[bool]) -> Retirement:
    async def new() -> Retirement:
        return Retirement(lambda: idle, lambda: busy.pop() if busy else False)

    return clock.run_until_complete(new())


def test_before_its_first_client_a_daemon_waits_at_least_the_grace(clock: _Clock) -> None:
    assert leaves_after(clock, make(clock, 3.0, [])) == pytest.approx(FIRST_CLIENT_GRACE, abs=0.1)
    assert leaves_after(clock, make(clock, 30.0, [])) == pytest.approx(30.0, abs=0.1)


def test_the_idle_time_counts_from_the_last_client(clock: _Clock) -> None:
    retirement = make(clock, 3.0, [])

    async def visits() -> None:
        retirement.entered()
        retirement.entered()
        await asyncio.sleep(100)
        retirement.left()
        await asyncio.sleep(100)
        retirement.left()

    async def both() -> None:
        await asyncio.gather(visits(), retirement.wait())

    start = clock.now
    clock.run_until_complete(both())
    assert clock.now - start == pytest.approx(203.0, abs=0.1)


def test_work_that_is_pending_holds_it(clock: _Clock) -> None:
    retirement = make(clock, 4.0, [True] * 10)
    retirement.entered()

    async def leave() -> None:
        retirement.left()

    clock.run_until_complete(leave())
    assert leaves_after(clock, retirement) > 4.0 + 9 * 1.0 - 0.1
