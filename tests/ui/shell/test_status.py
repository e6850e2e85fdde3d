"""The status bar and the alert strip: markets, pace, unanswered orders, sessions that are over."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import AccountState, Action, Mode, PriceType, Product
from openalgo_desktop.core.events import AccountChanged
from openalgo_desktop.core.model import AccountStatus, OrderAck, OrderRequest
from openalgo_desktop.ui.engine.work import PATIENCE
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("orders")


def test_every_segment_says_what_it_does_and_what_comes(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        markets, bar = session.bridge.markets, session.window.status_bar
        assert "always open" in markets.brief()
        session.terminal.account._always_open = False  # type: ignore[attr-defined]
        session.terminal.clock.jump(datetime(2026, 12, 1, 9, 5, tzinfo=IST))
        heads = {line.split(":")[0]: line for line in markets.lines().splitlines()}
        assert heads["NSE"].startswith("NSE: pre-open, opens in 00:")
        assert heads["F&O"].startswith("F&O: closed, opens in")
        assert "open" in heads["MCX"]
        session.terminal.clock.jump(datetime(2026, 12, 1, 14, 0, tzinfo=IST))
        assert "NSE: open, MIS square-off in 01:1" in markets.lines()
        await session.bridge.set_mode(Mode.LIVE)  # a broker's own time is not known here
        assert "NSE: open, closes in 01:29:5" in markets.lines()
        bar.refresh()
        assert bar.market.text() and "Markets:" in bar.market.accessibleName()

    drive(scenario)


def test_pace_is_shown_and_an_order_without_an_answer_is_told_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge, window = session.bridge, session.window
        bar = window.status_bar
        assert "10/10" in bar._parts["pace"].text()
        answer: asyncio.Future[OrderAck] = asyncio.get_running_loop().create_future()
        pace = session.terminal.desk.sender.pace
        now = [session.terminal.clock.monotonic()]
        pace._monotonic = lambda: now[0]
        pace.follow("sandbox", "place", answer)
        bridge.work.look()
        assert bridge.work.waiting == 0
        now[0] += PATIENCE + 0.5
        bridge.work.look()
        bridge.work.look()
        told = [text for text in window.toasts.texts() if "No answer yet" in text]
        assert len(told) == 1 and "not sent again" in told[0]
        assert "1 without an answer yet" in bar._parts["orders"].text()
        answer.set_result(OrderAck("1"))
        await asyncio.sleep(0)
        bridge.work.look()
        assert bridge.work.waiting == 0 and "without" not in bar._parts["orders"].text()
        request = OrderRequest("SBIN", "NSE", Action.BUY, 1, PriceType.MARKET, Product.MIS)
        await bridge.desk.place(request, bridge.mode)
        bar.refresh()
        assert "ms" in bar._parts["pace"].text()

    drive(scenario)


def test_a_click_on_the_paint_time_opens_performance(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        click(session.window.status_bar.frame)
        await until(lambda: "performance" in session.window.docks, "the dock")

    drive(scenario)


def test_a_session_that_is_over_says_what_is_missing_and_reconnects(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge, strip = session.bridge, session.window.alert_banner
        await bridge.accounts.add("zerodha")
        asked: list[str] = []
        strip.login_wanted.connect(asked.append)
        real = bridge.accounts.roles
        bridge.accounts.roles = lambda name: (name == "zerodha", False)  # type: ignore[method-assign]
        status = AccountStatus(
            "AB1234",
            "zerodha",
            "AB1234",
            "Zerodha",
            AccountState.LOGIN_NEEDED,
            "the session ended at 06:00",
        )
        bridge.accounts.status = lambda name: status  # type: ignore[method-assign]
        session.terminal.bus.publish(AccountChanged(status=status))
        assert strip.text().startswith("NO PRICES from Zerodha: the session ended at 06:00")
        assert strip.log_in.isVisible() and strip.log_in.text() == "Reconnect"
        strip.log_in.click()
        assert asked == ["zerodha"]
        bridge.accounts.roles = real  # type: ignore[method-assign]

    drive(scenario)


def test_the_badge_of_errors_says_which_it_was(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bar = session.window.status_bar
        bar.show_errors()
        assert not bar.errors.isVisible() and bar.errors.toolTip() == ""
        logging.getLogger("openalgo_desktop.test").error("the lamp is out\nwhere it hangs")
        bar.show_errors()
        assert bar.errors.isVisible() and "1 error" in bar.errors.text()
        assert "the lamp is out" in bar.errors.toolTip()
        assert "where it hangs" not in bar.errors.toolTip()
        bar.errors.click()
        assert not bar.errors.isVisible()

    drive(scenario)
