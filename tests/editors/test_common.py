"""What the front-ends in TypeScript share: the tests of editor/common/test."""

import subprocess

import pytest

from tests.conftest import missing, program
from tests.e2e.conftest import ROOT

pytestmark = pytest.mark.timeout(330)

COMMON = ROOT / "editor" / "common"


def test_what_the_typescript_front_ends_share() -> None:
    vitest = ROOT / "editor" / "node_modules" / "vitest" / "vitest.mjs"
    if not vitest.exists():
        missing("editor/node_modules (npm ci in editor/)")
    ran = subprocess.run(
        [program("node"), str(vitest), "run"],
        cwd=COMMON,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout
