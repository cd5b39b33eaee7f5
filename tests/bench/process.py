"""Memory and processor time of a process and its children, from /proc."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of one process."""
    return _field(pid, "status", "VmRSS:")


def shared_out_mb(pid: int) -> float:
    """Proportional memory of a process and all below it: pages that several share count once."""
    return sum(_field(each, "smaps_rollup", "Pss:") for each in family(pid))


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and all that live below it have used."""
    total = 0
    for each in family(pid):
        stat = _read(each, "stat").rpartition(")")[2].split()
        total += int(stat[11]) + int(stat[12]) if stat else 0
    return total / _TICKS


def family(pid: int) -> list[int]:
    """The process and its living descendants."""
    return [pid, *_below(pid)]


def _below(pid: int) -> Iterator[int]:
    for task in _listed(pid):
        for child in _read(pid, f"task/{task}/children").split():
            yield int(child)
            yield from _below(int(child))


def _listed(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")  # noqa: PTH208
    except OSError:
        return []


def _field(pid: int, file: str, name: str) -> float:
    for line in _read(pid, file).splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


def _read(pid: int, file: str) -> str:
    try:
        return Path(f"/proc/{pid}/{file}").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""  # it has ended
