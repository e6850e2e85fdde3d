"""The watchlist: an editable list of instruments with live prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtWidgets import QHBoxLayout, QMenu

from openalgo_desktop.core.enums import Action, FeedMode
from openalgo_desktop.core.model import Instrument, Key, Tick
from openalgo_desktop.core.money import decimals
from openalgo_desktop.ui import format as fmt
from openalgo_desktop.ui.bridge import Bridge
from openalgo_desktop.ui.docks.table_dock import Col, TableDock
from openalgo_desktop.ui.frames import Ticks
from openalgo_desktop.ui.search import SymbolSearch

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


Value = Callable[["WatchRow"], float | None]
Text = Callable[["WatchRow"], str]


@dataclass(slots=True)
class WatchRow:
    """One line; ``tick`` is None until the first price."""

    instrument: Instrument
    places: int
    tick: Tick | None = None


def _price(name: str) -> tuple[Value, Text]:
    def value(row: WatchRow) -> float | None:
        number = float(getattr(row.tick, name)) if row.tick else 0.0
        return number or None

    def text(row: WatchRow) -> str:
        number = value(row)
        return fmt.MISSING if number is None else fmt.price(number, row.places)

    return value, text


def _change_text(row: WatchRow) -> str:
    tick = row.tick
    return fmt.signed(tick.change, row.places) if tick and tick.close else fmt.MISSING


def _percent_text(row: WatchRow) -> str:
    tick = row.tick
    return fmt.signed_percent(tick.change_percent) if tick and tick.close else fmt.MISSING


def _tone(row: WatchRow) -> str:
    return fmt.sign_role(row.tick.change) if row.tick and row.tick.close else ""


def _volume_text(row: WatchRow) -> str:
    index = row.instrument.is_index
    return fmt.MISSING if index or row.tick is None else fmt.quantity(row.tick.volume)


def _oi_text(row: WatchRow) -> str:
    has = row.tick is not None and Bridge.is_derivative(row.instrument.exchange)
    return fmt.quantity(row.tick.oi) if has and row.tick is not None else fmt.MISSING


def _column(key: str, title: str, width: int) -> Col[WatchRow]:
    return Col(key, title, width, *_price(key), live=True)


COLUMNS: tuple[Col[WatchRow], ...] = (
    Col("symbol", "Symbol", 168, lambda r: r.instrument.symbol, numeric=False),
    Col("ltp", "LTP", 78, *_price("ltp"), tone=_tone, flash=True, live=True),
    Col(
        "change",
        "Chg",
        68,
        lambda r: r.tick.change if r.tick else None,
        _change_text,
        _tone,
        live=True,
    ),
    Col(
        "percent",
        "Chg %",
        60,
        lambda r: r.tick.change_percent if r.tick else None,
        _percent_text,
        _tone,
        live=True,
    ),
    _column("bid", "Bid", 78),
    _column("ask", "Ask", 78),
    Col(
        "volume", "Volume", 96, lambda r: r.tick.volume if r.tick else None, _volume_text, live=True
    ),
    Col("oi", "OI", 92, lambda r: r.tick.oi if r.tick else None, _oi_text, live=True),
    _column("high", "High", 84),
    _column("low", "Low", 84),
)


class WatchlistDock(TableDock[WatchRow]):
    """Add by search, remove with Delete, persisted with the workspace."""

    name = "watchlist"
    title = "Watchlist"
    empty_text = "The list is empty.\nType a symbol above to add one."
    columns = COLUMNS
    follows_click = True
    priority = 0

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.add_field = SymbolSearch(bridge, "watchlist-add", "Add symbol")
        self.add_field.chosen.connect(self.add)
        head = QHBoxLayout()
        head.setContentsMargins(6, 4, 6, 4)
        head.setSpacing(6)
        head.addWidget(self.add_field)
        self.content.insertLayout(0, head)
        bridge.symbol_selected.connect(self._mark_selected)

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
                places = decimals(instrument.tick_size)
                rows.append(WatchRow(instrument, places, self.bridge.latest(key)))
        self.set_rows(rows)
        self.want({row.instrument.key: FeedMode.QUOTE for row in rows})

    def add(self, key: Key) -> None:
        """Append an instrument and select it."""
        self.set_keys([*self.keys(), key])
        self.bridge.select(key)

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
        for row in self.rows:
            tick = ticks.get(row.instrument.key)
            if tick is not None:
                row.tick = tick
                self.row_changed(row)

    # -- interaction ------------------------------------------------------------------------
    def _mark_selected(self, key: Key) -> None:
        self.select_row(key)

    def activated(self, row: WatchRow) -> None:
        self.bridge.select(row.instrument.key)

    def delete_pressed(self, row: WatchRow) -> None:
        self.remove(row.instrument.key)

    def fill_menu(self, menu: QMenu, row: WatchRow) -> None:
        key = row.instrument.key
        if not row.instrument.is_index:
            self.add_item(menu, "Buy", lambda: self._trade(key, Action.BUY))
            self.add_item(menu, "Sell", lambda: self._trade(key, Action.SELL))
            menu.addSeparator()
        self.add_item(menu, "Show in linked docks", lambda: self.bridge.select(key))
        self.add_item(menu, "Remove", lambda: self.remove(key))

    def _trade(self, key: Key, side: Action) -> None:
        self.bridge.select(key)
        self.bridge.trade_wanted.emit(side)

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
