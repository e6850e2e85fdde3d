"""The search field: what is meant comes first, Enter only selects, old answers are dropped."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.widgets import plain_tip
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist", "orders")


def field(session: Session) -> SymbolSearch:
    found = session.window.findChild(SymbolSearch, "toolbar-search")
    assert found is not None
    return found


def lines(search: SymbolSearch) -> list[str]:
    return [search.results.item(row).text() for row in range(search.results.count())]


def test_enter_selects_what_is_meant_and_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        search = field(session)
        before = await session.terminal.desk.read.orders()
        for query, wanted in (("bnf fut", "BANKNIFTY"), ("infosys", "INFY")):
            search.setFocus()
            QTest.keyClicks(search, query)
            QTest.keyClick(search, Qt.Key.Key_Return)  # at once, before the list is there
            assert session.bridge.selected is not None
            assert session.bridge.selected[1].startswith(wanted)
            assert not search.results.isVisible()
            for _ in range(3):  # Enter again: nothing more happens
                QTest.keyClick(search, Qt.Key.Key_Return)
            await asyncio.sleep(0)
        assert await session.terminal.desk.read.orders() == before

    drive(scenario)


def test_the_list_shows_nearest_expiry_and_the_money_first(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        nifty = ("NSE_INDEX", "NIFTY")
        await priced(session, nifty)
        search = field(session)
        QTest.keyClicks(search, "nifty ce")
        await until(search.results.isVisible, "the list of results")
        hits = session.bridge.search("nifty ce")
        assert lines(search)[0].startswith(session.bridge.name(hits[0].key))
        item = search.results.item(0)
        assert item is not None
        assert item.toolTip() == plain_tip(hits[0].symbol)
        tick = session.bridge.latest(nifty)
        assert tick is not None
        expiries = session.terminal.instruments.expiries(
            "NIFTY", "NFO", False, session.bridge.now().date()
        )
        assert hits[0].expiry == expiries[0]
        assert abs(hits[0].strike - tick.ltp) <= 50

    drive(scenario)


def test_a_late_answer_does_not_replace_a_newer_one(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        search, asked = field(session), asyncio.Event()
        release = asyncio.Event()
        late = Instrument("LATE", "NSE")

        async def slow(query: str, limit: int) -> list[Instrument]:
            asked.set()
            await release.wait()
            return [late]

        session.bridge.search_texts = slow  # type: ignore[method-assign]
        QTest.keyClicks(search, "qqqq")
        await asyncio.wait_for(asked.wait(), 30)
        assert lines(search) == ["Searching for “qqqq”"]
        search.clear()
        QTest.keyClicks(search, "sbin")
        await until(lambda: "SBIN" in lines(search)[0], "the newer answer")
        shown = lines(search)
        release.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert lines(search) == shown

        release.clear()
        asked.clear()
        search.clear()
        QTest.keyClicks(search, "qqqq")
        await asyncio.wait_for(asked.wait(), 30)
        chosen: list[Key] = []
        search.chosen.connect(chosen.append)
        QTest.keyClick(search, Qt.Key.Key_Return)  # nothing to choose yet
        QTest.keyClick(search, Qt.Key.Key_Escape)
        release.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not search.results.isVisible()
        assert chosen == []

    drive(scenario)


def test_broker_symbols_are_found_too(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        row = session.bridge.instrument(("NSE", "SBIN"))
        assert row is not None
        search = field(session)
        QTest.keyClicks(search, row.brsymbol.lower())
        await until(lambda: search.results.isVisible() and "SBIN" in lines(search)[0], "SBIN-EQ")

    drive(scenario)


def test_a_window_that_grows_while_the_list_opens_leaves_no_list_behind(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        search, window = field(session), session.window
        search.setText("infosys")
        search.results.hide()
        # What the window shows needs more room: it grows when its layout is asked, as it is when
        # the list is shown.
        window.docks["watchlist"].setMinimumWidth(window.width() + 100)
        search._search()
        assert search.results.isVisible() and not search.results.isHidden()
        await asyncio.sleep(0.1)
        assert search.results.isVisible()
        QTest.keyClick(search, Qt.Key.Key_Escape)
        assert not search.results.isVisible()

    drive(scenario)
