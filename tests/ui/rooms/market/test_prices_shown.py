"""What is not known of a price is a dash, what is old says so, what is not streamed has a badge."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import AccountState, FeedMode
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import FIELDS_OF, Depth, Level, Part, Tick
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.tables import Column, FastTableModel, FastTableView
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.market.depth import DepthDock
from openalgo_desktop.ui.rooms.market.watchlist import WatchlistDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist", "chart", "depth")

DASH = fmt.MISSING
BOOK = Depth((Level(799.9, 40, 2),), (Level(800.1, 60, 3),))
RICH = Tick(
    "SBIN", "NSE", 800.0, FeedMode.DEPTH, close=790.0, high=805.0, low=788.0, volume=500,
    bid=799.9, ask=800.1, bid_quantity=40, ask_quantity=60, depth=BOOK,
)  # fmt: skip
REFUSAL = "the broker does not stream this instrument"


def quiet(session: Session) -> Callable[[Tick], None]:
    """Nothing comes from the simulator any more; what the test publishes does."""
    hub = session.terminal.hub
    assert hub._source is not None
    hub._source.set_sink(lambda tick: None)
    return hub.publish


def refuse(session: Session, key: Key) -> None:
    session.terminal.hub.refused(key, DataError(REFUSAL))


async def docks(session: Session) -> tuple[WatchlistDock, DepthDock, ChartDock]:
    """The three, in sight, with the subscriptions settled."""
    session.window.showNormal()
    session.window.resize(1600, 900)
    session.window.default_layout()
    await priced(session)
    hub = session.terminal.hub
    await until(lambda: hub._upstream.get(SBIN) is FeedMode.DEPTH, "the book of SBIN")
    found = session.window.docks
    watchlist, depth, chart = found["watchlist"], found["depth"], found["chart"]
    assert isinstance(watchlist, WatchlistDock)
    assert isinstance(depth, DepthDock)
    assert isinstance(chart, ChartDock)
    return watchlist, depth, chart


def cells(dock: WatchlistDock, key: Key) -> dict[str, str]:
    """What the row of ``key`` shows, by column."""
    view = dock.model.view_row(dock.keys().index(key))
    texts = dock.model.store.cells(view).texts
    return {column.key: text for column, text in zip(dock.columns, texts, strict=True)}


@pytest.mark.parametrize("name", ["volume", "oi", "bid", "high", "total_buy_quantity"])
def test_a_field_of_an_unknown_part_is_not_known(name: str) -> None:
    assert quote.known(Tick("A", "NFO", 5.0), name) is None
    rich = Tick("A", "NFO", 5.0, FeedMode.DEPTH)
    assert quote.known(rich, name) == 0.0
    part = next(part for part, names in FIELDS_OF.items() if name in names)
    assert quote.known(Tick("A", "NFO", 5.0, FeedMode.DEPTH, unknown=part), name) is None


def test_a_change_needs_price_and_previous_close() -> None:
    known = Tick("A", "NSE", 101.0, FeedMode.QUOTE, close=100.0)
    assert (quote.change_text(known, 2), quote.percent_text(known)) == ("+1.00", "+1.00%")
    for blind in (
        None,
        Tick("A", "NSE", 101.0),
        Tick("A", "NSE", 101.0, FeedMode.QUOTE),
        Tick("A", "NSE", 0.0, FeedMode.QUOTE, close=100.0, unknown=Part.LTP),
    ):
        assert (quote.change_text(blind, 2), quote.percent_text(blind)) == (DASH, DASH)
        assert quote.tone(blind) == ""


def test_totals_of_a_book_are_told_or_counted_or_not_known() -> None:
    assert quote.totals(RICH) == (40, 60)
    told = msgspec.structs.replace(RICH, total_buy_quantity=7, total_sell_quantity=9)
    assert quote.totals(told) == (7, 9)
    without = msgspec.structs.replace(RICH, depth=None, unknown=Part.BOOK)
    assert quote.totals(without) == (None, None)
    empty = msgspec.structs.replace(RICH, depth=Depth((), BOOK.sell))
    assert quote.totals(empty) == (0, 60)  # nobody bids: a fact


def test_a_refused_row_has_a_badge_until_it_is_streamed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        watchlist, depth, chart = await docks(session)
        publish = quiet(session)
        refuse(session, SBIN)
        view = watchlist.model.view_row(watchlist.keys().index(SBIN))
        index = watchlist.model.index(view, 1)
        assert watchlist.model.store.cells(view).badges == {1: "no feed"}
        assert REFUSAL in index.data(Qt.ItemDataRole.ToolTipRole)
        assert "no feed" in index.data(Qt.ItemDataRole.AccessibleTextRole)
        assert cells(watchlist, SBIN)["ltp"] == DASH
        shown = (session.window.ticket.ltp, depth.spread, chart.cell.quote)
        await until(lambda: all("no feed" in part.text() for part in shown), "the refusal")
        assert all(REFUSAL in part.toolTip() for part in shown)
        publish(RICH)
        await until(lambda: cells(watchlist, SBIN)["ltp"] == "800.00", "a price")
        assert not watchlist.model.store.cells(view).badges
        await until(lambda: all("no feed" not in part.text() for part in shown), "its end")

    drive(scenario)


def test_what_is_not_known_is_a_dash_in_every_dock(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        watchlist, depth, chart = await docks(session)
        ticket = session.window.ticket
        publish = quiet(session)
        publish(RICH)
        await until(lambda: depth.spread.text() == "spread 0.20", "the spread")
        await until(lambda: depth.imbalance.text() == "40% : 60%", "the totals of the levels")
        refuse(session, SBIN)  # forgets what was known
        publish(Tick("SBIN", "NSE", 801.0))
        await until(lambda: depth.last.text() == "801.00", "the poor tick")
        assert depth.spread.text() == f"spread {DASH}"
        assert depth.change.text() == f"{DASH}  {DASH}"
        assert (depth.total_buy.text(), depth.total_sell.text()) == (f"{DASH} bid", f"ask {DASH}")
        assert depth.imbalance.text() == DASH
        assert depth.view.summary() == "no depth"
        assert {value.text() for value in depth._range.values()} == {DASH}
        row = cells(watchlist, SBIN)
        assert row.pop("ltp") == "801.00"
        assert row.pop("symbol") == "SBIN"
        assert set(row.values()) == {DASH}
        await until(lambda: ticket.ltp.text() == f"801.00  {DASH}", "the ticket")
        facts = ticket.facts._rows
        assert [facts[name][1].text() for name in ("bid", "ask", "range")] == [DASH] * 3
        await until(lambda: chart.cell.quote.text() == f"801.00   {DASH}  {DASH}", "the chart")

    drive(scenario)


def test_an_old_price_says_so_and_is_not_offered_as_a_limit(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        watchlist, depth, chart = await docks(session)
        ticket = session.window.ticket
        ticket.price_type.choose("LIMIT")
        publish = quiet(session)
        publish(RICH)
        await until(lambda: depth.last.text() == "800.00", "a price")
        # The feed was lost and is back; of this instrument nothing came since.
        session.terminal.hub._spoil()
        shown = (ticket.ltp, depth.spread, chart.cell.quote)
        await until(lambda: all(" s old" in part.text() for part in shown), "the age")
        assert ticket.ltp.property("tone") == chart.cell.quote.property("tone") == "stale"
        await until(lambda: depth.view._stale, "a grey book")
        row = watchlist.row_of(SBIN)
        assert row is not None
        await until(lambda: watchlist.row_stale(row), "a grey row")
        await until(lambda: ticket.price.value() == 0.0, "no limit at an old price")
        ticket.price_type.choose("MARKET")
        assert ticket.estimate.text().startswith(f"Value ≈ {DASH}")
        ticket.price_type.choose("LIMIT")
        publish(RICH)
        await until(lambda: ticket.price.value() == RICH.bid, "a limit at the fresh bid")
        await until(lambda: not watchlist.row_stale(row), "a fresh row")

    drive(scenario)


def test_only_the_hub_judges_the_feed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        feed, hub = session.bridge.feed, session.terminal.hub
        heard: list[bool] = []
        feed.changed.connect(heard.append)
        hub.muted("The feed is silent.")
        assert feed.stale and heard == [True]
        assert "silent" in session.window.alert_banner.text()
        session.window.statusBar().refresh()  # type: ignore[attr-defined]
        hub.muted("")
        assert not feed.stale and heard == [True, False]
        assert session.window.alert_banner.text() == ""

    drive(scenario)


def test_alerts_never_make_the_window_wider_than_a_small_screen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await docks(session)
        window, strip = session.window, session.window.alert_banner
        window.resize(1366, 768)
        strip._alerts = [
            "THE TRADING API IS OPEN ON EVERY NETWORK " * 4,
            "Market data is lost " * 8,
        ]
        strip._lay_out()
        strip.changed.emit(True)
        metrics, bar = strip._label.fontMetrics(), strip.parentWidget()
        assert bar is not None and strip.text().count("\n") == 1
        await until(lambda: strip.height() >= 2 * metrics.height(), "room for both lines")
        await until(lambda: bar.height() == strip.height(), "as much in the window")
        assert window.width() == 1366
        strip._alerts = ["short", "too"]
        strip._lay_out()
        assert "\n" not in strip.text()
        assert strip.height() < 2 * metrics.height()

    drive(scenario)


@pytest.mark.parametrize(
    ("width", "drawn"), [(200, "12 s old"), (96, "⚠"), (80, "")], ids=["wide", "narrow", "none"]
)
def test_a_badge_never_cuts_the_number_short(qtbot: QtBot, width: int, drawn: str) -> None:
    column = Column[float](
        "ltp", "LTP", width, lambda row: row, lambda row: "54,776.00", badge=lambda row: "12 s old"
    )
    model: FastTableModel[float] = FastTableModel((column,))
    model.set_rows([1.0])
    view = FastTableView(model)
    qtbot.addWidget(view)
    texts: list[str] = []
    known = view.ink.text
    view.ink.text = lambda text: texts.append(text) or known(text)  # type: ignore
    view.resize(400, 100)
    view.show()
    view.viewport().grab()
    assert "54,776.00" in texts
    room = width - 2 * 6 - known("54,776.00")[1]
    fitting = [text for text in ("12 s old", "⚠") if known(text)[1] + 6 <= room]
    assert fitting[:1] == ([drawn] if drawn else [])
    assert [text for text in texts if "…" in text] == []


def test_the_switches_stay_in_sight_on_a_small_screen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await docks(session)
        window, bar = session.window, session.window.top_bar
        status = msgspec.structs.replace(
            session.bridge.account_status(), title="A broker of a long name", client_id="AB123456",
            state=AccountState.DISCONNECTED,
        )  # fmt: skip
        session.bridge.accounts.orders_status = lambda: status  # type: ignore[method-assign]
        window.resize(1366, 768)
        bar.show_account()
        bar.show_killed(True)
        bar.pnl.setText("+12,34,56,789.00 ⚠")
        assert "A broker of a long name" in bar.account.toolTip()
        for button in (bar.kill, bar.reset_kill, bar.mode):
            await until(
                lambda b=button: b.isVisible() and b.mapTo(window, b.rect().topRight()).x() < 1366,
                f"{button.objectName()} in sight",
            )
        assert window.width() == 1366

    drive(scenario)


def test_the_ticket_of_a_currency_fits_a_small_screen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await docks(session)
        window, ticket = session.window, session.window.ticket
        window.resize(1366, 768)
        window.default_layout()
        rupee = next(row for row in session.bridge.search("USDINR", 50) if row.exchange == "CDS")
        session.bridge.select(rupee.key)
        ticket.price_type.choose("SL")
        area = ticket.frame.parentWidget()
        assert area is not None
        text = ticket.price.fontMetrics().horizontalAdvance("1,23,456.70")
        await until(
            lambda: (
                ticket.frame.width() <= area.width() and ticket.price.lineEdit().width() >= text
            ),
            "the ticket in its width, and the price not cut short",
        )

    drive(scenario)
