"""What every benchmark is given."""

from pathlib import Path

from msgspec import Struct


class Options(Struct, frozen=True):
    """`work` is a directory that is removed at the end; what one benchmark builds there another may use."""

    work: Path
    quick: bool = False  # smaller, for a look; the figures are not comparable
    shared: Path | None = None  # collections and corpora that lie beside the checkout

    def pick(self, full: int, quick: int) -> int:
        return quick if self.quick else full
