"""Fixtures of the window tests."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from pytestqt.qtbot import QtBot

from openalgo_desktop.storage import vault
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.shell import layout_tree
from openalgo_desktop.ui.shell.workspaces import PRESETS
from tests import worlds
from tests.ui.driving import Drive, driver


@pytest.fixture
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first workspace of a fresh window has only the ticket and the docks of the mark
    ``docks``: the others cost a test's window as much again. Tests of the whole window
    (``tests/ui/shell``, where no such mark is) and those marked ``whole_layout`` have all."""
    marks = list(request.node.iter_markers("docks"))
    of_the_window = Path(request.node.path).parent.name == "shell" and not marks
    if of_the_window or request.node.get_closest_marker("whole_layout") is not None:
        return
    wanted = {"ticket"}.union(*(mark.args for mark in marks))
    shipped = layout_tree.load_preset

    def lean(name: str) -> layout_tree.Preset:
        preset = shipped(name)
        if name != PRESETS[0]:
            return preset
        trees = {"main": preset.main, "narrow": preset.narrow}
        cut = {
            part: layout_tree.prune(tree, lambda dock: dock if dock in wanted else None)
            for part, tree in trees.items()
            if tree is not None
        }
        return replace(preset, **cut)

    monkeypatch.setattr(layout_tree, "load_preset", lean)


#: All folders of a process were begun with one key: it is stretched once.
_derived = functools.cache(vault._derive)


@pytest.fixture
def drive(
    qtbot: QtBot, tmp_path: Path, layout: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Drive]:
    """Run a coroutine against a started window on a fresh (or the same) data folder."""
    monkeypatch.setattr(vault, "_derive", _derived)
    worlds.keep(monkeypatch)
    yield from driver(tmp_path)
    # What the settings of one test's window changed in the process ends with it.
    fmt.set_grouping("indian")
    look.use(look.Look())
