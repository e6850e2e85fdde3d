"""The docks Performance and Risk: empty, live, saved; opened and closed without a rest."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.engine.risk import LimitRow
from openalgo_desktop.ui.rooms.safety.performance import PerformanceDock
from openalgo_desktop.ui.rooms.safety.risk import RiskDock, state
from openalgo_desktop.ui.rooms.safety.risk_scopes import RiskScopesDialog
from openalgo_desktop.ui.shell.main import Session
from tests.costs import living
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until


def performance(session: Session) -> PerformanceDock:
    dock = session.window.hands.show_kind("performance")
    assert isinstance(dock, PerformanceDock)
    return dock


def risk(session: Session) -> RiskDock:
    dock = session.window.hands.show_kind("risk")
    assert isinstance(dock, RiskDock)
    return dock


async def buy(session: Session, symbol: str, quantity: int) -> None:
    request = OrderRequest(symbol, "NSE", Action.BUY, quantity, PriceType.MARKET, Product.MIS)
    await session.bridge.desk.place(request, session.bridge.mode)


def test_performance_measures_only_while_it_is_open(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        door = session.bridge.performance
        assert not door._timer.isActive()
        await priced(session)
        dock = performance(session)
        assert door._timer.isActive()
        assert dock.values["lag"].text() == "–"  # not measured yet is a dash
        await until(lambda: dock.values["lag"].text() != "–", "the lag of the loop")
        await until(lambda: "/s" in dock.values["ticks"].text(), "prices a second")
        await until(
            lambda: any(r.name == "Order ticket" for r in door.figures().docks), "paint times"
        )
        await buy(session, "SBIN", 1)
        figures = door.figures()
        assert figures.order_last is not None and 0.0 < figures.order_last < 5000.0
        assert sum(count for _, count in figures.answers) == 1
        dock.show_figures()
        assert dock.values["answers"].text().endswith(": 1")
        assert figures.budget_left < 10 and figures.memory is not None and figures.memory > 20
        await until(lambda: dock.model.rowCount() > 0, "rows of docks")
        path = tmp_path / "performance.csv"
        dock.save_to(path)
        text = path.read_text(encoding="utf-8")
        assert text.startswith("what,value") and "Order ticket" in text and "Memory" in text
        dock.save_to(tmp_path / "no" / "where.csv")
        await until(
            lambda: any("cannot be written" in t for t in session.window.toasts.texts()), "why"
        )
        click(dock.reset_button)
        assert not door._lags
        dock.close()
        assert not door._timer.isActive()

    drive(scenario)


def test_risk_shows_what_is_used_of_each_limit(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge, dock = session.bridge, risk(session)
        dock.show_limits()
        assert "no limit is on" in dock.summary.text()
        bridge.set_setting("risk.orders_per_minute", 2)
        bridge.set_setting("risk.open_positions", 5)
        bridge.safety.set_risk_scope("symbol:NSE:SBIN", {"max_quantity": 50})
        await buy(session, "SBIN", 1)

        def row(name: str, scope: str = "") -> LimitRow:
            rows = bridge.risk.rows(dock.profit())
            return next(r for r in rows if r.name == name and r.scope == scope)

        assert row("Orders a minute").used == 1 and row("Orders a minute").part == 0.5
        await until(lambda: row("Open positions").used == 1, "the position")
        scoped = row("Units of an order", "symbol:NSE:SBIN")
        assert scoped.most == 50 and state(scoped)[0] == "Checked at each order"
        await buy(session, "SBIN", 1)
        assert state(row("Orders a minute")) == ("REACHED", "down")
        dock.show_limits()
        assert "orders a minute reached" in dock.summary.text()
        assert dock.summary.property("role") == "error"
        await bridge.safety.kill()
        dock.show_limits()
        assert "kill switch on" in dock.summary.text()
        bridge.command_wanted.emit("risk-limits")
        await until(lambda: session.window.findChildren(RiskScopesDialog), "the limits")
        session.window.findChildren(RiskScopesDialog)[0].accept()

    drive(scenario)


def test_states_of_limits() -> None:
    def limit(used: float | None, most: float) -> LimitRow:
        return LimitRow("", "Day's loss", used, most, "₹", "")

    assert state(limit(5.0, 0.0)) == ("Off", "muted")
    assert state(limit(50.0, 100.0)) == ("50%", "up")
    assert state(limit(85.0, 100.0)) == ("Near, 85%", "warning")
    assert state(limit(100.0, 100.0)) == ("REACHED", "down")
    assert state(limit(None, 100.0)) == ("Checked at each order", "")


def test_they_are_opened_and_closed_without_growth(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session, SBIN)
        frames = session.bridge.frames

        async def rounds(count: int) -> int:
            for _ in range(count):
                docks = [performance(session), risk(session)]
                for dock in docks:
                    dock.close()
                await until(
                    lambda: not {"performance", "risk"} & set(session.window.docks), "both closed"
                )
                QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # type: ignore[call-overload]
            return living(PerformanceDock, RiskDock)

        served = frames.served
        before = await rounds(2)
        handlers = session.terminal.bus.handler_count()
        assert await rounds(20) <= before  # those of the last round have a name here
        assert frames.served == served and session.terminal.bus.handler_count() == handlers

    drive(scenario)
