"""What was told to leave is what was seen: a position that turned meanwhile is left alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.rooms.portfolio.position_closing import PositionClosing


def held(units: int) -> Position:
    return Position("SBIN", "NSE", Product.MIS, units, 800.0)


class Dock:
    """What closing needs of a window; ``names`` are of what was spawned."""

    def __init__(self, *now: Position) -> None:
        signal = SimpleNamespace(connect=lambda _: None, emit=self._tell)
        self.books = SimpleNamespace(positions_of=lambda key: now)
        self.leaving = SimpleNamespace(why_not=lambda row, **_: "")
        self.bridge: Any = self
        self.notice = signal
        self.mode = Mode.LIVE
        self.names: list[str] = []
        self.told: list[str] = []

    def _tell(self, _level: str, text: str) -> None:
        self.told.append(text)

    def lot(self, key: object) -> int:
        return 1

    def name(self, key: object) -> str:
        return "SBIN"

    def spawn(self, work: Any, name: str, *, sends: bool = False) -> None:
        work.close()
        self.names.append(name)


@pytest.mark.parametrize(
    ("now", "reversed_", "half", "whole"),
    [
        (20, True, True, True),
        (30, False, False, True),  # more of it: all of it may go out, no other part
        (-20, False, False, False),
        (0, True, True, True),  # flat: the desk says so
    ],
)
def test_what_changed_since_it_was_seen(now: int, reversed_: bool, half: bool, whole: bool) -> None:
    def goes(way: str) -> bool:
        dock = Dock(held(now))
        closes = PositionClosing(dock, None)  # type: ignore[arg-type]
        if way == "reverse":
            closes.reverse(held(20), asked=True)
        else:
            closes.close(held(20), int(way), asked=True)
        assert bool(dock.names) is not bool(dock.told)
        return bool(dock.names)

    assert (goes("reverse"), goes("50"), goes("100")) == (reversed_, half, whole)
