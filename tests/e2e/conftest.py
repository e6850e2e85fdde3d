"""Programs that tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.driver import ROOT, Program

FIXTURE = ROOT / "tests" / "data" / "fixture_symbols.json"
#: The moment at which the golden transcripts were recorded.
CLOCK = "2026-11-22T21:00:00+05:30"


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A market of the recorded fixture whose prices move only when told."""
    folder = tmp_path_factory.mktemp("frozen") / "data"
    options = ("--sim-universe", str(FIXTURE), "--sim-frozen", "--sim-control", "--clock", CLOCK)
    with Program(folder, *options) as program:
        yield program


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The whole simulated market, ticking."""
    with Program(tmp_path_factory.mktemp("market") / "data", "--sim-rate", "2000") as program:
        yield program
