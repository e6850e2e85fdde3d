"""What a trader with a laptop sees: at 1366x768 nothing that matters is scrolled out of sight, and
nothing runs into what stands beside it."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QTabBar, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import InsufficientFunds
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.names import exchange_text
from openalgo_desktop.ui.kit.refusals import told
from openalgo_desktop.ui.kit.search import describe
from openalgo_desktop.ui.kit.tool_row import ToolRow
from openalgo_desktop.ui.rooms.market.depth import DepthDock
from openalgo_desktop.ui.rooms.market.ladder import LadderDock
from openalgo_desktop.ui.rooms.orders.ticket import TicketDock
from openalgo_desktop.ui.rooms.safety.performance import PerformanceDock
from openalgo_desktop.ui.shell.camera import settle
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.scene import place_some
from tests.ui.driving import Drive, priced
from tests.waiting import until


async def laptop(session: Session) -> None:
    """The scene of the pictures in a small window."""
    session.window.showNormal()
    session.window.resize(1366, 768)
    await priced(session)
    await place_some(session)
    session.window.default_layout()


def shown(session: Session, name: str) -> Dock:
    dock = session.window.docking.show(name)
    assert isinstance(dock, Dock)
    return dock


def seen(part: QWidget) -> bool:
    """Whether all of it can be seen."""
    return part.isVisible() and part.visibleRegion().boundingRect() == part.rect()


def test_the_margin_is_beside_the_send_button_and_never_scrolled_away(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await laptop(session)
        ticket = shown(session, "ticket")
        assert isinstance(ticket, TicketDock)
        ticket.form.set_action(None)
        ticket.form.changed.emit()
        rows = ticket.facts._rows
        await until(lambda: rows["margin-buy"][1].text().startswith("₹"), "the margin")
        for width, height in ((1366, 768), (800, 600)):
            session.window.resize(width, height)
            for part in (*rows["margin-buy"], *rows["margin-sell"], ticket.send):
                what = f"{part.objectName()} in sight at {width} x {height}"
                await until(lambda p=part: seen(p), what)

    drive(scenario)


@pytest.mark.docks("watchlist", "orders", "positions")
def test_only_the_result_of_what_is_held_is_coloured(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await laptop(session)
        future = next(p for p in session.bridge.books.positions if p.symbol.startswith("NIFTY"))
        session.bridge.select(future.key)
        ticket = shown(session, "ticket")
        assert isinstance(ticket, TicketDock)
        line = ticket.position_bar.lines[Product.NRML]
        await until(lambda: line.isVisibleTo(ticket), "what is held")
        await until(lambda: line.won.property("tone") in ("up", "down"), "a result")
        assert "NRML @" in line.text.text() and not line.text.property("tone")
        assert line.won.text() not in line.text.text()
        ladder = shown(session, "ladder")
        assert isinstance(ladder, LadderDock)
        foot = ladder.foot
        await until(lambda: foot.won.property("tone") in ("up", "down"), "a result")
        assert "ticks" in foot.won.text() and "@" in foot.held.text()
        assert not foot.held.property("tone")

    drive(scenario)


@pytest.mark.docks("watchlist", "orders", "positions")
@pytest.mark.parametrize("name", ["alerts", "triggers", "journal", "risk"])
def test_a_table_scrolls_by_itself_and_its_panel_does_not(drive: Drive, name: str) -> None:
    """A text that wraps made its panel as high as it likes best: two scroll bars side by side."""

    async def scenario(session: Session) -> None:
        await laptop(session)
        dock = shown(session, name)
        area = dock.findChild(QScrollArea, f"dock-{dock.name}-area")
        assert area is not None
        bar = area.verticalScrollBar()
        await until(
            lambda: area.viewport().height() >= 180 and bar.maximum() == 0, "all of the panel"
        )

    drive(scenario)


@pytest.mark.docks("watchlist", "orders", "positions")
def test_the_last_price_and_its_change_stand_apart(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await laptop(session)
        depth = shown(session, "depth")
        assert isinstance(depth, DepthDock)
        await until(lambda: depth.change.text() not in ("", fmt.MISSING), "a change")

        def apart() -> bool:
            last, change = depth.last.geometry(), depth.change.geometry()
            widest = depth.last.fontMetrics().horizontalAdvance(depth.last.text())
            clear = change.left() - last.right() >= 6 and not last.intersects(change)
            return depth.change.isVisible() and clear and widest <= last.width()

        await until(apart, "price and change apart")

    drive(scenario)


def test_rupees_in_a_refusal_are_grouped() -> None:
    error = InsufficientFunds(
        "Insufficient funds. Required: ₹160000.0, Available: ₹9840.00, Shortage: ₹150160.0"
    )
    assert told(error) == (
        "Insufficient funds. Required: ₹ 1,60,000.00, Available: ₹ 9,840.00, "
        "Shortage: ₹ 1,50,160.00"
    )
    assert fmt.amounts("order 26112442121668 at ₹ 1,60,000.00") == (
        "order 26112442121668 at ₹ 1,60,000.00"
    )
    fmt.set_grouping("western")
    try:
        assert fmt.amounts("₹160000.5") == "₹ 160,000.50"
    finally:
        fmt.set_grouping("indian")


def test_lots_come_first_in_a_sentence() -> None:
    assert fmt.lots_text(130, 65) == "2 lots (130)"
    assert fmt.lots_text(65, 65) == "1 lot (65)"
    assert fmt.lots_text(1500, 1) == "1,500"
    assert fmt.lots_text(100, 65) == "100"


@pytest.mark.parametrize("scale", [100, 160])
def test_what_sends_is_in_sight_in_a_small_window_and_with_large_letters(
    drive: Drive, scale: int
) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("ui.text_scale", scale)
        await laptop(session)
        if scale == 100:
            session.window.resize(800, 600)
        for name in ("orders", "alerts", "triggers", "approvals", "positions", "log", "ladder"):
            dock = shown(session, name)
            area = dock.findChild(QScrollArea, f"dock-{dock.name}-area")
            assert area is not None
            width = area.horizontalScrollBar()
            await until(lambda bar=width: not bar.maximum(), f"{name} in its width")
            buttons = [b for b in dock.body.findChildren(QPushButton) if b.isVisible()]
            assert buttons
            await until(lambda b=buttons: all(map(seen, b)), f"the buttons of {name}")

    drive(scenario)


def test_tools_go_on_in_the_next_line_and_one_takes_the_room_that_is_left(qtbot: QtBot) -> None:
    parts = [QPushButton(text) for text in ("Buy", "Sell", "Search", "Save")]
    row = ToolRow("tools", parts[:3], parts[3:], wide=parts[2])
    qtbot.addWidget(row)
    row.resize(900, 40)
    row.show()
    first, second, wide, right = parts
    assert {part.y() for part in parts} == {first.y()}
    assert right.geometry().right() == 900 - 1 - 6 and wide.width() > 400
    one = row.sizeHint().height()
    row.resize(first.width() + second.width() + 24, one)
    assert first.y() == second.y() < wide.y()
    assert row.sizeHint().height() > one
    assert all(part.geometry().right() < row.width() for part in parts)
    second.hide()
    row.resize(900, 40)
    assert row.sizeHint().height() == one and wide.x() == first.width() + 12


@pytest.mark.docks("watchlist", "orders", "positions")
def test_a_tab_shows_an_ampersand_and_underlines_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await laptop(session)
        shown(session, "pnl-calendar")

        def texts() -> list[str]:
            bars = session.window.findChildren(QTabBar)
            return [bar.tabText(n) for bar in bars for n in range(bar.count())]

        await until(lambda: "P&&L calendar" in texts(), "its tab")

    drive(scenario)


def test_an_index_has_an_exchange_that_people_can_read() -> None:
    row = Instrument("NIFTY", "NSE_INDEX", name="Nifty 50")
    assert describe(row, "NIFTY") == "NIFTY   NSE index   Nifty 50"
    assert exchange_text("NFO") == "NFO"


@pytest.mark.docks("watchlist", "orders", "positions")
def test_figures_of_the_performance_find_their_place_whatever_they_say(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await laptop(session)
        dock = shown(session, "performance")
        assert isinstance(dock, PerformanceDock)
        long = "≤ 50: 12 · ≤ 100: 31 · ≤ 250: 4 · later: 3"
        dock.values["answers"].setText(long)
        dock.values["lag"].setText("1,234.5 / 2,345.6 / 3,456.7 ms")
        dock._fit()
        area = dock.findChild(QScrollArea, f"dock-{dock.name}-area")
        assert area is not None
        width = area.horizontalScrollBar()
        await until(lambda: not width.maximum(), "all in its width")
        places = {(value.x(), value.y()) for value in dock.values.values()}
        assert len(places) == len(dock.values) and dock._across == 2

    drive(scenario)


def test_a_picture_waits_for_the_layouts_that_a_text_asks_for(qtbot: QtBot) -> None:
    """A text that changed just before is not cut: it has no place yet."""
    root, text = QWidget(), QLabel("one line")
    text.setWordWrap(True)
    qtbot.addWidget(root)
    inner, outer = QVBoxLayout(), QVBoxLayout(root)
    inner.addWidget(text)
    outer.addLayout(inner)
    outer.addStretch(1)
    root.resize(200, 300)
    root.show()
    settle()
    before = text.height()
    text.setText("many words that need more than one line " * 3)
    assert text.height() == before
    settle()
    assert text.height() >= text.heightForWidth(text.width()) > before


@pytest.mark.docks("watchlist", "orders", "positions")
@pytest.mark.parametrize(("width", "height", "scale"), [(1366, 768, 130), (800, 600, 100)])
def test_the_sandbox_fits_a_narrow_panel(drive: Drive, width: int, height: int, scale: int) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("ui.text_scale", scale)
        session.window.showNormal()
        session.window.resize(width, height)
        await priced(session)
        session.window.default_layout()
        dock = shown(session, "sandbox")
        area = dock.findChild(QScrollArea, f"dock-{dock.name}-area")
        assert area is not None and area.isVisible()
        bar = area.horizontalScrollBar()
        await until(lambda: not bar.maximum(), "the sandbox in its width")

    drive(scenario)
