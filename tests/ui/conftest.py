"""Fixtures of the window tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.shell import layout_tree
from openalgo_desktop.ui.shell.workspaces import PRESETS
from tests.ui.driving import Drive, driver

#: The docks that the first workspace shows at once; those behind them cost a test's window as much.
_IN_FRONT = {"watchlist", "chart", "depth", "ticket", "positions", "orders"}


@pytest.fixture
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first workspace of a fresh window has only the docks that it shows at once, unless the
    test is one of the whole window (``tests/ui/shell``) or is marked ``whole_layout``."""
    of_the_window = Path(request.node.path).parent.name == "shell"
    if of_the_window or request.node.get_closest_marker("whole_layout") is not None:
        return
    shipped = layout_tree.load_preset

    def lean(name: str) -> layout_tree.Preset:
        preset = shipped(name)
        if name != PRESETS[0]:
            return preset
        trees = {"main": preset.main, "narrow": preset.narrow}
        cut = {
            part: layout_tree.prune(tree, lambda dock: dock if dock in _IN_FRONT else None)
            for part, tree in trees.items()
            if tree is not None
        }
        return replace(preset, **cut)

    monkeypatch.setattr(layout_tree, "load_preset", lean)


@pytest.fixture
def drive(qtbot: QtBot, tmp_path: Path, layout: None) -> Iterator[Drive]:
    """Run a coroutine against a started window on a fresh (or the same) data folder."""
    yield from driver(tmp_path)
    # What the settings of one test's window changed in the process ends with it.
    fmt.set_grouping("indian")
    look.use(look.Look())
