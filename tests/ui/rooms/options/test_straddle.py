"""The straddle chart: call and put of a strike as one price."""

from __future__ import annotations

from math import nan
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.rooms.options.straddle import LOADING, NOTHING, StraddleDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import until

NIFTY = ("NSE_INDEX", "NIFTY")


async def opened(session: Session) -> StraddleDock:
    session.window.showNormal()
    session.window.resize(1600, 1000)
    await priced(session, ("NSE", "SBIN"))
    session.bridge.select(NIFTY)
    await until(lambda: session.bridge.latest(NIFTY), "the index")
    dock = session.window.docking.show("straddle")
    assert isinstance(dock, StraddleDock)
    await until(lambda: dock.pair is not None, "the money")
    return dock


def test_it_shows_what_call_and_put_at_the_money_cost_together(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock, bridge = await opened(session), session.bridge
        pair = dock.pair
        assert pair is not None
        spot = bridge.latest(NIFTY)
        assert spot is not None and abs(pair.strike - spot.ltp) <= 50
        await until(lambda: dock._ticks() is not None and len(dock.view.canvas.series), "prices")
        dock.flush()
        both = dock._ticks()
        assert both is not None
        price = both[0].ltp + both[1].ltp
        assert dock._words(pair, both).split()[0] == f"{price:,.2f}"
        low, high = dock._words(pair, both).split()[-3], dock._words(pair, both).split()[-1]
        assert (low, high) == (f"{pair.strike - price:,.2f}", f"{pair.strike + price:,.2f}")
        canvas = dock.view.canvas
        edge = canvas.scale_x.left
        QTest.keyClick(canvas, Qt.Key.Key_Left)
        assert canvas.scale_x.left < edge
        # Every tick counts, also between two paints, and a bar that begins.
        last = int(canvas.series.time[-1])
        assert dock._last == last
        for time, close in ((last, 1e4), (last, 50.0), (last + 300, 60.0), (last - 300, 1.0)):
            high = 1e4 if time == last else close
            dock._hear(LiveBar(time, 50.0, high, 40.0, close, nan, nan, began=False))
        dock.flush()
        assert canvas.series.bar(len(canvas.series) - 2)[1:4] == (1e4, 40.0, 50.0)
        assert canvas.series.time[-1] == last + 300
        # An option chooses its own strike; what has no options says so.
        bridge.select(pair.put.key)
        assert dock.pair == pair
        bridge.select(("NSE_INDEX", "INDIAVIX"))
        assert dock.pair is None and dock._empty.text() == NOTHING and dock._empty.isVisible()
        assert bridge.prices._wanted.get(dock.objectName(), {}) == {}
        bridge.select(pair.call.key)
        assert dock.pair == pair and dock._empty.text() == LOADING and dock._empty.isVisible()
        dock.interval.choose(Interval.M15.value)
        state = dock.save_state()
        dock.close()
        assert dock._stop is None
        again = session.window.docking.show("straddle")
        assert again.save_state() == state

    drive(scenario)


def test_a_history_that_does_not_come_is_told_and_tried_again(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge: Any = session.bridge
        real = bridge.bars.of_days

        async def of_days(key: Key, span: Span, *_: object) -> Bars:
            raise AppError("The broker gave no candles.")

        bridge.bars.of_days = of_days
        dock = await opened(session)
        await until(lambda: not dock.history.retry.isHidden(), "the error")
        assert "no candles" in dock.history.message.text()
        bridge.bars.of_days = real
        dock.history.retry.click()
        await until(lambda: dock.history.message.text() == "", "bars")
        assert dock.history.retry.isHidden() and len(dock.view.canvas.series) > 10

    drive(scenario)
