"""The tables that the benchmarks print: what was measured, what khojd does, what it is held against, where that is from."""

import os
import platform
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from unicodedata import east_asian_width

from msgspec import Struct

HEADER = ("what", "khojd", "target or peer", "where that figure is from")
TARGET = "target"
SAME_RUN = "measured in this run"
_PACKAGES = ("khojd", "tantivy", "chromadb", "onnxruntime", "sentence-transformers", "torch")


class Row(Struct, frozen=True):
    """One line. `against` and `source` are empty where there is nothing to compare with."""

    what: str
    khojd: str
    against: str = ""
    source: str = ""


class Table(Struct, frozen=True):
    """`notes` say what a reader must know to judge the figures."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def plain(table: Table) -> str:
    """Columns aligned for a terminal."""
    lines = [HEADER, *_cells(table)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(HEADER))]
    body = ["  ".join(_pad(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([table.title, "", body[0], rule, *body[1:], *(f"* {note}" for note in table.notes)])


def markdown(table: Table) -> str:
    """The same as a Markdown section."""
    lines = [HEADER, *_cells(table)]
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    rule = "|" + "---|" * len(HEADER)
    notes = [f"- {note}" for note in table.notes]
    return "\n".join([f"### {table.title}", "", body[0], rule, *body[1:], *(["", *notes] if notes else [])])


def machine() -> str:
    """One line: processor, cores, load, day, versions."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    parts = [
        f"{_processor()}, {os.cpu_count()} cores",
        f"load {load}",
        date.today().isoformat(),
        f"Python {platform.python_version()}",
    ]
    for name in _PACKAGES:
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return " · ".join(parts)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lies, interpolated between neighbours."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(seconds: Sequence[float], shares: Sequence[float] = (0.5, 0.95, 0.99)) -> str:
    """Percentiles of times as text: `p50 1.2, p95 3.4, p99 5.6 ms`."""
    return ", ".join(f"p{share * 100:.0f} {figure(percentile(seconds, share) * 1000)}" for share in shares) + " ms"


def figure(value: float) -> str:
    """A number with about three significant digits."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def say(message: str) -> None:
    """Progress, on stderr."""
    print(message, file=sys.stderr, flush=True)


def _cells(table: Table) -> list[tuple[str, str, str, str]]:
    return [(row.what, row.khojd, row.against, row.source) for row in table.rows]


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
