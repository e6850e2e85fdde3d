"""Delivered shares with live value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QWidget

from openalgo_desktop.core.enums import Action, FeedMode
from openalgo_desktop.core.model import Holding, Key
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.names import symbol_column
from openalgo_desktop.ui.kit.table_dock import Col, TableDock
from openalgo_desktop.ui.kit.widgets import Totals, plain_tip
from openalgo_desktop.ui.rooms.portfolio.holding_sums import HoldingSums

Amount = Col[Holding]
Text = Callable[[float], str]
Tone = Callable[[Holding], str]
_FIGURES: dict[str, Callable[[Holding], float]] = {
    "value": lambda h: h.ltp * h.quantity,
    "pnl": lambda h: h.pnl,
    "percent": lambda h: h.pnl_percent,
}


def _tone(row: Holding) -> str:
    return fmt.sign_role(row.pnl)


def _day(bridge: Bridge, row: Holding) -> float | None:
    change = quote.change(bridge.latest(row.key))
    return None if change is None else change * row.quantity


def _columns(bridge: Bridge, worth_of_all: Callable[[], float]) -> tuple[Col[Holding], ...]:
    feed, books = bridge.feed, bridge.books

    def price_text(row: Holding, value: float) -> str:
        return fmt.exact(value, bridge.places(row.key)) if value else fmt.MISSING

    def badge(row: Holding) -> str:
        return "" if books.is_live(row) else feed.note(row.key) or "no price"

    def tip(row: Holding) -> str:
        return "" if books.is_live(row) else feed.tip(row.key)

    def worth(key: str, title: str, width: int, text: Text, tone: Tone | None = None) -> Amount:
        """A figure that comes from the last price: a dash without one."""
        value = _FIGURES[key]
        return Col(
            key,
            title,
            width,
            lambda h: value(h) if h.ltp else None,
            lambda h: text(value(h)) if h.ltp else fmt.MISSING,
            tone,
            live=True,
        )

    day = partial(_day, bridge)

    def weight(row: Holding) -> float | None:
        whole = worth_of_all()
        return 100.0 * row.ltp * row.quantity / whole if row.ltp and whole else None

    return (
        symbol_column(bridge, lambda h: h.key, tip=tip),
        Col("exchange", "Exch", 52, lambda h: h.exchange, numeric=False),
        Col("quantity", "Qty", 80, lambda h: h.quantity, lambda h: fmt.quantity(h.quantity)),
        Col("t1", "T1", 64, lambda h: h.t1_quantity, lambda h: fmt.quantity(h.t1_quantity)),
        Col(
            "pledged",
            "Pledged",
            72,
            lambda h: h.pledged,
            lambda h: fmt.MISSING if h.pledged is None else fmt.quantity(h.pledged),
            tooltip="Given as collateral, where the account tells it",
        ),
        Col(
            "average",
            "Avg",
            92,
            lambda h: h.average_price,
            lambda h: price_text(h, h.average_price),
        ),
        Col(
            "ltp",
            "LTP",
            96,
            lambda h: h.ltp or None,
            lambda h: price_text(h, h.ltp),
            live=True,
            badge=badge,
            tip=tip,
        ),
        worth("value", "Value", 120, fmt.money),
        Col(
            "day",
            "Day P&L",
            100,
            day,
            lambda h: fmt.MISSING if day(h) is None else fmt.signed_money(day(h) or 0.0),
            lambda h: fmt.sign_role(day(h) or 0.0),
            live=True,
            tooltip="Since the previous close",
        ),
        Col(
            "day_percent",
            "Day %",
            70,
            lambda h: quote.percent(bridge.latest(h.key)),
            lambda h: quote.percent_text(bridge.latest(h.key)),
            lambda h: quote.tone(bridge.latest(h.key)),
            live=True,
        ),
        worth("pnl", "P&L", 110, fmt.signed_money, _tone),
        worth("percent", "P&L %", 76, fmt.signed_percent, _tone),
        Col(
            "weight",
            "Weight",
            70,
            weight,
            lambda h: fmt.MISSING if weight(h) is None else fmt.percent(weight(h) or 0.0, 1),
            live=True,
            tooltip="Share of the value of all holdings that have a price",
        ),
    )


class HoldingsDock(TableDock[Holding]):
    """What lies in the depository."""

    name = "holdings"
    drags = True
    title = "Holdings"
    linkable = True
    empty_text = "No holdings.\nShares bought with CNC arrive here after settlement."
    book = "holdings"

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.sums = HoldingSums(lambda row: _day(bridge, row), bridge.books.is_live)
        self._unsure = False  # prices came, or were lost, that the sums do not have
        self.columns = _columns(bridge, lambda: self.sums.value)
        super().__init__(bridge, name, parent)
        self.total = Totals("holdings-total", ("Invested", "Value", "Day P&L", "P&L"))
        self.total.setContentsMargins(10, 5, 6, 5)
        self.content.addWidget(self.total)
        self.listen(bridge.books.holdings_changed, self.refresh)
        self.listen(bridge.feed.aged, self._on_aged)

    def key_of(self, row: Holding) -> Key | None:
        return row.key

    def row_id(self, row: Holding) -> str:
        return f"{row.exchange}:{row.symbol}"

    def reload(self) -> None:
        """Show the book."""
        rows = sorted(self.bridge.books.holdings, key=lambda h: h.symbol)
        self.sums.show(rows)
        self._unsure = False
        self.set_rows(rows)
        self._want_days()
        self._show_totals()

    def _want_days(self) -> None:
        """The previous close comes with quotes; only while somebody looks."""
        seen = not self.is_hidden()
        self.want({row.key: FeedMode.QUOTE for row in self.rows if row.quantity} if seen else {})

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self._want_days)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.want({})

    def _show_totals(self) -> None:
        """Invested counts all rows; value and profit those with a price."""
        sums, (made, unknown) = self.sums, self.sums.day
        day = (fmt.MISSING, "")
        if unknown < len(self.rows):
            day = (fmt.signed_money(made), fmt.sign_role(made))
        if 0 < unknown < len(self.rows):
            day = (fmt.partly(day[0], unknown), "stale")
        profit, missing = sums.profit, sums.not_live
        self.total.setVisible(bool(self.rows))
        self.total.show_numbers(
            (f"₹ {fmt.money(sums.invested)}", ""),
            (fmt.partly(f"₹ {fmt.money(sums.value)}", len(missing)), "stale" if missing else ""),
            day,
            (fmt.signed_money(profit), "stale" if missing else fmt.sign_role(profit)),
        )
        self.total.setToolTip(plain_tip(self.bridge.feed.tips(missing)))

    def row_stale(self, row: Holding) -> bool:
        return not self.bridge.books.is_live(row)

    def _on_aged(self) -> None:
        if not self.is_hidden():
            self.looks.start(self._aging())

    def _aging(self) -> Iterator[None]:
        for row in list(self.rows):
            self.sums.renew(row)
            yield
        if (yield from self.looks.ages()):
            self._show_totals()

    def _on_feed(self, stale: bool) -> None:
        self._unsure = True
        super()._on_feed(stale)

    def take(self, ticks: Ticks) -> None:
        if self.is_hidden():
            self._unsure = True
            return
        for row in self.looks.at(ticks.keys()):
            self.sums.renew(row)
            self.row_changed(row)

    def flush(self) -> None:
        super().flush()
        if self._unsure:
            self._unsure = False
            self.sums.show(self.rows)
        self._show_totals()

    def activated(self, row: Holding) -> None:
        self.pick(row.key)

    def fill_menu(self, menu: QMenu, row: Holding) -> None:
        self.add_item(menu, "Sell…", lambda: self._sell(row))
        menu.addSeparator()
        self.add_item(menu, "Show in linked docks", lambda: self.pick(row.key))
        self.add_item(menu, "Show chart", lambda: self.bridge.dock_wanted.emit("chart", row.key))

    def row_keys(self) -> Mapping[str, Callable[[Holding], object]]:
        return {"sell-all": self._sell}

    def _sell(self, row: Holding) -> None:
        """The ticket, filled with what can be sold; nothing is sent."""
        self.bridge.ticket_wanted.emit(
            TicketWish(key=row.key, action=Action.SELL, quantity=row.quantity, product=row.product)
        )
