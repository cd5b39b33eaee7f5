"""A vault for each test."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.graph.vault import Vault

MakeVault = Callable[[Mapping[str, str | bytes]], Vault]


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[MakeVault]:
    made: list[Vault] = []

    def make(files: Mapping[str, str | bytes]) -> Vault:
        made.append(Vault(tmp_path / str(len(made)), files))
        return made[-1]

    yield make
    for one in made:
        one.close()
