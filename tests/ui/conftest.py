"""Fixtures of the window tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from tests.ui.driving import Drive, driver


@pytest.fixture
def drive(qtbot: QtBot, tmp_path: Path) -> Iterator[Drive]:
    """Run a coroutine against a started window on a fresh (or the same) data folder."""
    yield from driver(tmp_path)
    # What the settings of one test's window changed in the process ends with it.
    fmt.set_grouping("indian")
    look.use(look.Look())
