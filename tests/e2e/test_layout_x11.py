"""Everything is where it was: from start to start, at every scale, and after a day on a small
screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.screen import Window, real_window, x_display

pytestmark = pytest.mark.xvfb

#: Longer than the longest pause between two turns in which docks take their sizes, seconds.
LAST_TURN = 0.4
PLACES = (
    "{name: [d.x(), d.y(), d.width(), d.height()] for name, d in docks().items()"
    " if not d.visibleRegion().isEmpty()}"
)


def places(window: Window) -> dict[str, Any]:
    """Where the docks are that can be seen, once they have come to rest."""
    window.find(f"list({PLACES}.values())", "docks at rest", LAST_TURN)
    found: dict[str, Any] = window.ask(PLACES)
    return found


def look(folder: Path, screen: str, scale: float) -> dict[str, Any]:
    with (
        x_display(screen) as display,
        real_window(folder, display, env={"QT_SCALE_FACTOR": str(scale)}) as window,
    ):
        found = places(window)
        for name in ("mode", "cancel-all", "flatten", "kill"):  # never out of sight
            shown = window.find(f"rect('toolbar-{name}')")
            assert shown[2] >= window.ask(f"seen('toolbar-{name}').sizeHint().width()") * 0.95
        wide = window.ask("docks()['ticket'].window().width()")
        assert wide * scale == int(screen.partition("x")[0])
        return found


@pytest.mark.parametrize("scale", [pytest.param(1.0, marks=pytest.mark.long), 1.5])
def test_nothing_creeps_and_a_small_screen_spoils_nothing(tmp_path: Path, scale: float) -> None:
    first = look(tmp_path, "1920x1080", scale)
    assert look(tmp_path, "1920x1080", scale) == first
    small = look(tmp_path, f"{int(800 * scale)}x{int(600 * scale)}", scale)
    assert "chart" in small and "ticket" in small and "watchlist" not in small  # stacked
    assert look(tmp_path, "1920x1080", scale) == first


@pytest.mark.parametrize("starts", [2, pytest.param(5, marks=pytest.mark.long)])
def test_no_shipped_workspace_creeps(tmp_path: Path, starts: int) -> None:
    seen = []
    with x_display() as display:
        for _ in range(starts):
            with real_window(tmp_path, display) as window:
                found = {}
                for number in range(1, 6):
                    window.switch(number)
                    found[number] = places(window)
                seen.append(found)
    for number in range(1, 6):
        assert len(seen[0][number]) > 1
        assert all(found[number] == seen[0][number] for found in seen[1:])
