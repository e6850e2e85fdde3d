"""The watchlist: an editable list of instruments with live prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu

from openalgo_desktop.core.enums import Action, FeedMode
from openalgo_desktop.core.model import Instrument, Key, Tick
from openalgo_desktop.core.money import decimals
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.names import symbol_column
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.table_dock import Col, TableDock

#: What a first start shows, as far as the symbol master has it.
SAMPLE: tuple[Key, ...] = (
    ("NSE_INDEX", "NIFTY"),
    ("NSE_INDEX", "BANKNIFTY"),
    ("NSE_INDEX", "INDIAVIX"),
    *(
        ("NSE", symbol)
        for symbol in (
            "RELIANCE",
            "HDFCBANK",
            "ICICIBANK",
            "INFY",
            "TCS",
            "SBIN",
            "ITC",
            "LT",
            "BHARTIARTL",
            "AXISBANK",
            "TATASTEEL",
            "MARUTI",
        )
    ),
)
#: Underlyings whose nearest future joins the sample.
SAMPLE_FUTURES = ("NIFTY", "BANKNIFTY")


@dataclass(slots=True)
class WatchRow:
    """One line; ``tick`` is None until the first price. ``refusal`` says why it is not streamed,
    ``stale`` that its prices must not be traded on."""

    instrument: Instrument
    places: int
    tick: Tick | None = None
    refusal: str = ""
    stale: bool = False


def _price(name: str, title: str, width: int) -> Col[WatchRow]:
    return Col(
        name,
        title,
        width,
        lambda row: quote.price(row.tick, name),
        lambda row: quote.price_text(row.tick, name, row.places),
        live=True,
        by_value=True,
    )


def _count(
    name: str, title: str, width: int, applies: Callable[[Instrument], bool]
) -> Col[WatchRow]:
    def tick(row: WatchRow) -> Tick | None:
        return row.tick if applies(row.instrument) else None

    return Col(
        name,
        title,
        width,
        lambda row: quote.known(tick(row), name),
        lambda row: quote.count_text(tick(row), name),
        live=True,
        by_value=True,
    )


def _tone(row: WatchRow) -> str:
    return quote.tone(row.tick)


def _tip(row: WatchRow) -> str:
    return f"Not streamed: {row.refusal}" if row.refusal else ""


COLUMNS: tuple[Col[WatchRow], ...] = (
    Col(
        "ltp",
        "LTP",
        74,
        lambda r: quote.price(r.tick),
        lambda r: quote.price_text(r.tick, "ltp", r.places),
        tone=_tone,
        flash=True,
        live=True,
        by_value=True,
        badge=lambda r: "no feed" if r.refusal else "",
        tip=_tip,
    ),
    Col(
        "change",
        "Chg",
        64,
        lambda r: quote.change(r.tick),
        lambda r: quote.change_text(r.tick, r.places),
        _tone,
        live=True,
        by_value=True,
    ),
    Col(
        "percent",
        "Chg %",
        58,
        lambda r: quote.percent(r.tick),
        lambda r: quote.percent_text(r.tick),
        _tone,
        live=True,
        by_value=True,
    ),
    _price("bid", "Bid", 78),
    _price("ask", "Ask", 78),
    _count("volume", "Volume", 96, lambda i: not i.is_index),
    _count("oi", "OI", 92, lambda i: Bridge.is_derivative(i.exchange)),
    _price("high", "High", 84),
    _price("low", "Low", 84),
)


class WatchlistDock(TableDock[WatchRow]):
    """Add by search, remove with Delete, persisted with the workspace."""

    name = "watchlist"
    title = "Watchlist"
    empty_text = "The list is empty.\nType a symbol above to add one."
    linkable = True
    follows_click = True
    priority = 0
    min_interval = 0.1  # a lone tick is shown at once, ten looks a second of a busy list

    def __init__(self, bridge: Bridge, name: str = "") -> None:
        symbol = symbol_column(bridge, lambda row: row.instrument.key, 160, tip=_tip)
        self.columns = (symbol, *COLUMNS)
        super().__init__(bridge, name)
        self.add_field = SymbolSearch(bridge, "watchlist-add", "Add symbol")
        self.add_field.chosen.connect(self.add)
        head = QHBoxLayout()
        head.setContentsMargins(6, 4, 6, 4)
        head.setSpacing(6)
        head.addWidget(self.add_field)
        self.content.insertLayout(0, head)
        self.listen(bridge.feed.refused, self._on_refused)
        self.listen(bridge.feed.aged, self._on_aged)

    # -- rows -------------------------------------------------------------------------------
    def row_id(self, row: WatchRow) -> Key:
        return row.instrument.key

    def keys(self) -> list[Key]:
        """Instruments in order."""
        return [row.instrument.key for row in self.rows]

    def first_key(self) -> Key | None:
        """The first instrument that can be traded, else the first of all."""
        tradable = [row for row in self.rows if not row.instrument.is_index]
        return next((row.instrument.key for row in (*tradable, *self.rows)), None)

    def set_keys(self, keys: list[Key]) -> None:
        """Replace the list."""
        rows = []
        for key in dict.fromkeys(keys):
            instrument = self.bridge.instrument(key)
            if instrument is not None:
                row = WatchRow(instrument, decimals(instrument.tick_size))
                self._look(row)
                rows.append(row)
        self.set_rows(rows)
        self.want({row.instrument.key: FeedMode.QUOTE for row in rows})

    def add(self, key: Key) -> None:
        """Append an instrument and select it."""
        self.set_keys([*self.keys(), key])
        self.pick(key)

    def remove(self, key: Key) -> None:
        """Take an instrument from the list."""
        self.set_keys([other for other in self.keys() if other != key])

    def sample(self) -> list[Key]:
        """Indices, near futures and large shares that the master has."""
        keys = [key for key in SAMPLE if self.bridge.instrument(key) is not None]
        place = sum(1 for exchange, _ in keys if exchange.endswith("_INDEX"))
        for name in reversed(SAMPLE_FUTURES):
            near = self.bridge.near_future(name, "NFO")
            if near is not None:
                keys.insert(place, near)
        return keys

    # -- prices -----------------------------------------------------------------------------
    def take(self, ticks: Ticks) -> None:
        if self.is_hidden():  # shown anew by the next look
            return
        for row in self.rows:
            tick = ticks.get(row.instrument.key)
            if tick is not None:
                row.tick, row.stale = tick, False
                self.row_changed(row)

    def _look(self, row: WatchRow) -> bool:
        """Take what is known of the row now; True when that is something else than before."""
        key = row.instrument.key
        feed = self.bridge.feed
        now = (self.bridge.latest(key), feed.refusal(key), feed.is_stale(key))
        if now[0] is row.tick and now[1:] == (row.refusal, row.stale):
            return False
        row.tick, row.refusal, row.stale = now
        return True

    def _on_aged(self) -> None:
        """Parts that no longer come grow old without a tick that says so."""
        if not self.is_hidden():
            self._look_all()

    def _look_all(self) -> None:
        for row in self.rows:
            if self._look(row):
                self.row_changed(row)

    def showEvent(self, event: QShowEvent) -> None:
        self._look_all()
        super().showEvent(event)

    def _on_refused(self, key: Key) -> None:
        if (row := self.row_of(key)) is not None and self._look(row):
            self.row_changed(row)

    def _on_feed(self, stale: bool) -> None:
        self._look_all()
        super()._on_feed(stale)

    def row_stale(self, row: WatchRow) -> bool:
        return row.stale

    # -- interaction ------------------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        self.select_row(key)

    def activated(self, row: WatchRow) -> None:
        self.pick(row.instrument.key)

    def delete_pressed(self, row: WatchRow) -> None:
        self.remove(row.instrument.key)

    def fill_menu(self, menu: QMenu, row: WatchRow) -> None:
        key = row.instrument.key
        if not row.instrument.is_index:
            self.add_item(menu, "Buy", lambda: self._trade(key, Action.BUY))
            self.add_item(menu, "Sell", lambda: self._trade(key, Action.SELL))
            menu.addSeparator()
        self.add_item(menu, "Show in linked docks", lambda: self.pick(key))
        self.add_item(menu, "Remove", lambda: self.remove(key))

    def _trade(self, key: Key, side: Action) -> None:
        self.pick(key)
        self.bridge.trade_wanted.emit(key, side)

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        return super().save_state() | {"symbols": [list(key) for key in self.keys()]}

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        stored = state.get("symbols")
        if isinstance(stored, list):
            self.set_keys(self.bridge.watch_list_keys(stored))
        else:
            self.set_keys(self.sample())
