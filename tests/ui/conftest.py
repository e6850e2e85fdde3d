"""Fixtures of the window tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.driving import Drive, driver


@pytest.fixture
def drive(qtbot: QtBot, tmp_path: Path) -> Iterator[Drive]:
    """Run a coroutine against a started window on a fresh (or the same) data folder."""
    yield from driver(tmp_path)
