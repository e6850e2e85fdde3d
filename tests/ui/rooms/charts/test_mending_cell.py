"""A chart in the window mends itself: after a lost feed or load, and with another account."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.rooms.charts.bars.arrays import bars_of, cut
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart")


def test_a_chart_mends_itself(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock, bridge = session.window.docks["chart"], session.bridge
        assert isinstance(dock, ChartDock)
        dock.raise_()
        cell = dock.cell
        data: Any = cell.data
        await until(lambda: data.loaded and len(data.market) > 50, "bars")
        whole = bars_of(data.market)

        # As after a feed that was lost for three bars.
        at = len(whole) - 5
        gap = Bars(*(np.delete(column, [at, at + 1, at + 2]) for column in columns(whole)))
        cell.view.splice(0, gap)
        data._sure = int(gap.time[-8])
        left = cell.view.canvas.scale_x.left
        cell.view.canvas.scale_x.pan(-30.0)
        left = cell.view.canvas.scale_x.left
        bridge.feed.changed.emit(True)
        bridge.feed.changed.emit(False)
        cell.flush()
        await until(lambda: len(data.market) >= len(whole), "the bars that were missed")
        count = len(whole)
        assert data.market.time[:count].tolist() == whole.time.tolist()
        assert cell.view.canvas.scale_x.left == left

        # Nobody can be asked: what is kept, its reason, and all of it when the feed is back.
        source: Any = bridge.bars
        of_days = source.of_days

        async def nobody(*_: object) -> Bars:
            raise NetError("No data account is connected.")

        async def kept(*_: object) -> Bars:
            return cut(whole, 10)

        monkeypatch.setattr(source, "of_days", nobody)
        monkeypatch.setattr(source, "kept", kept)
        cell.load()
        await until(lambda: data.loaded, "what is kept")
        assert len(data.market) == len(whole) - 10 and not cell.view.isHidden()
        assert cell.history.message.text() == "No data account is connected."
        monkeypatch.setattr(source, "of_days", of_days)
        bridge.feed.changed.emit(False)
        await until(lambda: data.loaded and len(data.market) >= len(whole), "the history")
        assert cell.history.message.text() == ""

        # Bars of another source are other ones.
        loads: list[Span] = []
        load = cell.history.load

        def spied(span: Span, *rest: Any) -> None:
            loads.append(span)
            load(span, *rest)

        monkeypatch.setattr(cell.history, "load", spied)
        bridge.account_changed.emit(bridge.account_status())
        assert not loads
        cell.asking.source = ("another", ())
        bridge.account_changed.emit(bridge.account_status())
        assert loads == [cell.span]
        await until(lambda: data.loaded, "its bars")

    drive(scenario)


def columns(bars: Bars) -> list[np.ndarray]:
    return [bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.oi]
