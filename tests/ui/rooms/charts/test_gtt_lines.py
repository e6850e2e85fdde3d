"""Lines of GTTs: a trigger is known by its side, whatever order it is read in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openalgo_desktop.core.enums import Action, GttStatus, GttType, Mode, PriceType, Product
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.ui.rooms.charts.gtt_lines import GttLines

LOW, HIGH = GttLeg(700.0, True, 699.0), GttLeg(900.0, False, 901.0)
ROW: Any = SimpleNamespace(key=("NSE", "SBIN"), lot_size=1, tick_size=0.05)


def pair(*legs: GttLeg) -> Gtt:
    return Gtt(
        "7", GttType.OCO, "SBIN", "NSE", Action.SELL, 10, Product.CNC, PriceType.LIMIT, list(legs)
    )


class Terminal:
    """A broker's book, and what is asked of it."""

    def __init__(self) -> None:
        self.rows = [pair(LOW, HIGH)]
        self.sent: list[GttRequest] = []
        self.gtts, self.arm, self.watch = self, self, self
        self.lines = GttLines(self, SimpleNamespace(why_not=lambda *_, **__: ""), self.run, None)  # type: ignore[arg-type]

    def of(self, key: object) -> list[Gtt]:
        return self.rows

    def touch(self) -> None:
        pass

    def instrument(self, key: object) -> Any:
        return ROW

    async def modify_gtt(self, seen: Gtt, request: GttRequest, mode: Mode) -> None:
        self.sent.append(request)

    def run(self, work: Any, name: str, *, sends: bool = False) -> None:
        with pytest.raises(StopIteration):
            work.send(None)


def test_a_drag_moves_the_trigger_that_was_dragged_though_they_are_read_in_another_order() -> None:
    terminal = Terminal()
    stop = next(line for line in terminal.lines.of(ROW) if line.price == 700.0)
    terminal.rows = [pair(HIGH, LOW)]
    assert terminal.lines.move(stop.line_id, 710.0, Mode.LIVE, asked=True)
    (request,) = terminal.sent
    assert (request.trigger_below, request.trigger_above) == (710.0, 900.0)
    assert (request.stoploss, request.target) == (709.0, 901.0)


@pytest.mark.parametrize("left", [[], [HIGH], [GttLeg(700.0, True, 0, GttStatus.TRIGGERED), HIGH]])
def test_a_trigger_that_waits_no_more_is_not_moved(left: list[GttLeg]) -> None:
    terminal = Terminal()
    stop = next(line for line in terminal.lines.of(ROW) if line.price == 700.0)
    terminal.rows = [pair(*left)]
    assert not terminal.lines.move(stop.line_id, 710.0, Mode.LIVE, asked=True)
    assert terminal.sent == []
