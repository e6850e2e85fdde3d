"""The option chain: calls and puts of an expiry with live prices, volatility and greeks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from openalgo_desktop.core.chain import ChainName, Family
from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.chain import ChainView
from openalgo_desktop.ui.kit import table_exports
from openalgo_desktop.ui.kit.day_facts import DayFacts
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.sending import trades_on_click
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.kit.widgets import named
from openalgo_desktop.ui.rooms.options import chain_menu
from openalgo_desktop.ui.rooms.options.chain_columns import ColumnPlan
from openalgo_desktop.ui.rooms.options.chain_days import lacking
from openalgo_desktop.ui.rooms.options.chain_head import (
    SPANS,
    ChainBar,
    explained,
    figures,
    fill_columns,
)
from openalgo_desktop.ui.rooms.options.chain_orders import ChainOrders, side_tip
from openalgo_desktop.ui.rooms.options.chain_rows import Line, Side, columns
from openalgo_desktop.ui.rooms.options.chain_table import ChainTable

#: What a chain shows that nobody has told an underlying.
FIRST: Key = ("NSE_INDEX", "NIFTY")
NOTHING = "No options for this underlying."


class ChainDock(Dock):
    """Follows its link group to the options on whatever is chosen there."""

    name = "chain"
    title = "Option chain"
    linkable = True
    empty_text = NOTHING
    min_interval = 0.05

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self._family: Family | None = None
        self._view: ChainView | None = None
        self._centred = False
        self._placed: float | None = None  # the strike that we made the current one
        self._symbol: Key | None = None
        self.span: int | None = 40
        self.by_future = False
        self.oi_in_lots = False
        self.model: FastTableModel[Line] = FastTableModel(columns(self._tip))
        self.table = trades_on_click(
            named(ChainTable(self.model, ColumnPlan()), f"{self.name}-table", f"{self.title} table")
        )
        search = SymbolSearch(bridge, f"{self.name}-underlying", "Symbol")
        search.chosen.connect(self.pick)
        self.bar = ChainBar(self.name, search)
        self.bar.expiry_chosen.connect(self._open)
        menu = named(QMenu(self), f"{self.name}-menu", f"{self.title}, columns and more")
        menu.aboutToShow.connect(lambda: chain_menu.fill_chain(self, menu))
        self.bar.menu_button.setMenu(menu)
        self._shown = QWidget()
        layout = QVBoxLayout(self._shown)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.table)
        self.content.addWidget(self.bar)
        self.content.addWidget(self._shown, 1)
        self.place_empty_over(self._shown)
        self.set_empty(True)
        self.setFocusProxy(self.table)
        self.orders = ChainOrders(bridge, self.spawn)
        seen = partial(lacking, self.table, self.model)
        self.days = DayFacts(bridge, self.name, self.table, seen)
        self._connect()

    def _connect(self) -> None:
        self.table.action_clicked.connect(self.table.on_action)
        self.table.asked.connect(self._on_asked)
        self.answer_keys(self.table, self.table.answers())
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._on_menu)
        header = self.table.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu)
        self.listen(self.bridge.books.positions_changed, self._show_positions)
        self.listen(self.bridge.feed.aged, self._on_aged)
        self.listen(self.bridge.feed.changed, self._on_aged)
        self.listen(self.bridge.feed.refused, self._on_aged)
        self.listen(self.bridge.instruments_loaded, self._reload)
        self.listen(self.bridge.day_facts.changed, self.days.soon)
        self.listen(self.bridge.setting_changed, self._on_setting)

    def release(self) -> None:
        self.days.stop()
        self._close()
        super().release()

    # -- which chain ------------------------------------------------------------------------
    @property
    def view(self) -> ChainView | None:
        """The chain that is followed."""
        return self._view

    def show_symbol(self, key: Key) -> None:
        """The options on ``key``, or on what it rests on; an option shows its own expiry."""
        self._symbol = key
        row = self.bridge.instrument(key)
        family = self.bridge.chains.family(row) if row is not None else None
        if row is None or family is None:
            self._show_nothing(key)
            return
        same = family == self._family and self._view is not None
        self._family = family
        if row.is_option and row.expiry is not None:
            if not same or self._expiry != row.expiry:
                self._open(row.expiry)
            self.table.set_current(row.strike, row.instrument_type == "CE")
        elif not same:
            days = self.bridge.chains.expiries(family)
            self._open(days[0]) if days else self._show_nothing(key)

    @property
    def _expiry(self) -> date | None:
        return self._view.name.expiry if self._view is not None else None

    def _show_nothing(self, key: Key) -> None:
        self._close()
        self._family = None
        self.set_subject(self.bridge.name(key))
        self.bar.show_expiries((), None, self.bridge.now().date())
        self.bar.show_figures("", "")
        self.set_empty(True, NOTHING)

    def _close(self) -> None:
        if self._view is not None:
            self._view.close()
            self._view = None
        self.model.set_rows([])

    def _open(self, expiry: date) -> None:
        """Follow an expiry of the family."""
        if self._family is None:
            return
        self._close()
        self._view = self.bridge.chains.open(
            ChainName(self._family, expiry),
            lambda: not self.is_hidden(),
            self._on_solved,
            span=self.span,
            by_future=self.by_future,
        )
        self._centred = False
        self._placed = None
        self.table.forward = None
        self.model.set_rows([Line(row) for row in self._view.rows])
        today = self.bridge.now().date()
        self.bar.show_expiries(self.bridge.chains.expiries(self._family), expiry, today)
        self.set_subject(f"{self._family.name}  {expiry:%d %b %Y}")
        self.set_empty(not self._view.rows)
        self._count_oi()
        self._show_positions()
        self._show_head()
        middle = self.model.store.rows[len(self._view.rows) // 2 :]
        if middle:
            self.table.set_current(middle[0].strike, True, scroll=False)
            self.table.centre_on(middle[0].strike)
        self.dirty = True

    def _reload(self) -> None:
        """Another symbol master: what was listed may not be any more."""
        if self._symbol is not None:
            expiry = self._expiry
            self._family = None
            self.show_symbol(self._symbol)
            self._open_again(expiry)

    # -- prices -----------------------------------------------------------------------------
    def wants_flush(self) -> bool:
        view = self._view
        news = self.dirty or bool(self.model.store.dirty) or (view is not None and view.stirred)
        return news and not self.is_hidden()

    def flush(self) -> None:
        super().flush()
        if self._view is None:
            return
        for place in self._view.take():
            line = self.model.store.rows[place]
            self._look(line.call)
            self._look(line.put)
            self.model.touch(place)
        self._view.look(*self.table.visible_rows())
        self.days.soon()
        self.table.flush()

    def _look(self, side: Side) -> bool:
        """Whether the price may be traded on; True when that is new."""
        key = side.key
        stale = key is not None and side.tick is not None and self.bridge.feed.is_stale(key)
        if stale == side.stale:
            return False
        side.stale = stale
        return True

    def _on_aged(self, *_: object) -> None:
        if self.is_hidden():
            return
        for place, line in enumerate(self.model.store.rows):
            call, put = self._look(line.call), self._look(line.put)
            if call or put:
                self.model.touch(place)
        self._show_head()

    def _on_solved(self, changed: set[int]) -> None:
        view = self._view
        if view is None:
            return
        for place in changed:
            self.model.touch(place)
        head = view.head
        if self.table.forward != head.forward:
            self.table.forward = head.forward
            self.table.viewport().update()
        rows = self.model.store.rows
        oi = [leg.tick.oi for row in view.rows for leg in (row.call, row.put) if leg and leg.tick]
        self.table.largest_oi = float(max(oi, default=0))
        for place, line in enumerate(rows):
            if line.atm != (line.strike == head.atm):
                line.atm = line.strike == head.atm
                self.model.touch(place)
        if not self._centred and head.atm is not None:
            # The spot price is a first guess; the money is where the options put the forward.
            self._centred = head.forward_from != "spot" or self._was_moved()
            self._go_to_money(head.atm)
        self._show_head()

    def _was_moved(self) -> bool:
        """Whether somebody chose a strike meanwhile, or has the pointer on the table."""
        line = self.table.current_line
        chosen = line is not None and self._placed is not None and line.strike != self._placed
        return chosen or self.table.underMouse()

    def _go_to_money(self, atm: float) -> None:
        """For the first time; an option that was asked for stays the current one, and nothing
        moves under a hand."""
        if self._was_moved() and self._placed is not None:
            return
        row = self.bridge.instrument(self._symbol) if self._symbol is not None else None
        if row is not None and row.is_option and row.expiry == self._expiry:
            self.table.centre_on(row.strike)
            return
        self._placed = atm
        self.table.set_current(atm, self.table.call_side, scroll=False)
        self.table.centre_on(atm)

    def _show_head(self) -> None:
        view = self._view
        if view is None or self._family is None:
            return
        text = figures(view.head, view.seconds, self.bridge.places(self._family.quoted))
        if self.bridge.feed.stale:
            age = self.bridge.feed.age()
            text += "  ·  prices are old" if age is None else f"  ·  prices are {age:.0f} s old"
        if view.problem:
            text += f"  ·  {self.bridge.clean(view.problem)}"
        self.bar.show_figures(text, explained(view.head))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.dirty = True

    # -- positions --------------------------------------------------------------------------
    def _show_positions(self) -> None:
        held = self.bridge.books.positions_of
        for place, line in enumerate(self.model.store.rows):
            for side in (line.call, line.put):
                rows = held(side.key) if side.key is not None else ()
                units = sum(row.quantity for row in rows)
                if units != side.held:
                    side.held = units
                    self.model.touch(place)
                    self.table.viewport().update()

    def _tip(self, line: Line, is_call: bool) -> str:
        head = self._view.head if self._view is not None else None
        return side_tip(self.bridge, line.side(is_call), head)

    # -- what is asked for ------------------------------------------------------------------
    def _leg(self, strike: float, is_call: bool) -> Side | None:
        row = self.table.row_of(strike)
        if row < 0:
            return None
        side = self.model.row_at(row).side(is_call)
        return side if side.leg is not None else None

    def _on_asked(self, word: str, strike: float, is_call: bool) -> None:
        side = self._leg(strike, is_call)
        if side is None or side.leg is None:
            return
        key = side.leg.key
        if word == "choose":
            self.pick(key)
        elif word == "basket":
            self.orders.to_basket(side.leg.row, Action.BUY)
        elif word in ("hit", "lift"):
            self.orders.trade_at(side, Action.SELL if word == "hit" else Action.BUY)
        else:
            self.orders.ticket(key, Action.BUY if word == "buy" else Action.SELL)

    # -- menus ------------------------------------------------------------------------------
    def _on_menu(self, position: QPoint) -> None:
        line = self.table.line_at(self.table.rowAt(position.y()))
        is_call = self.table.is_call_at(position.x())
        if line is None or line.side(is_call).leg is None:
            return
        self.table.set_current(line.strike, is_call, scroll=False)
        menu = self.menu()
        chain_menu.fill_side(self, menu, line.side(is_call))
        menu.popup(self.table.viewport().mapToGlobal(position))

    def _on_header_menu(self, position: QPoint) -> None:
        menu = self.menu()
        fill_columns(menu, self.table.plan, self.name, self.arrange)
        menu.popup(self.table.horizontalHeader().mapToGlobal(position))

    def exports(self) -> list[tuple[str, Callable[[], object]]]:
        words = self.title_bar.subject.text() or self.title
        return table_exports.offers(self, self.table, words)

    def arrange(self) -> None:
        """The plan of the columns is another one."""
        self.table.arrange()
        self.table.viewport().update()

    def toggle_lots(self) -> None:
        """Open interest in lots, or in units."""
        self.oi_in_lots = not self.oi_in_lots
        self._count_oi()

    def _count_oi(self) -> None:
        for line in self.model.store.rows:
            for side in (line.call, line.put):
                side.unit = side.lot if self.oi_in_lots else 1
        self.model.refresh_all()
        self.table.viewport().update()

    def toggle_future(self) -> None:
        """Volatilities on the future of the expiry, or on the synthetic one."""
        self.by_future = not self.by_future
        self._again()

    def set_span(self, span: int | None) -> None:
        """So many strikes on each side are streamed; None: all."""
        self.span = span
        self._again()

    def _again(self) -> None:
        if self._expiry is not None:
            self._open(self._expiry)

    def _on_setting(self, key: str, _value: object) -> None:
        if key == "ui.grouping":
            self.model.refresh_all()

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, Any]:
        expiry = self._expiry
        return super().save_state() | {
            "columns": self.table.plan.save(),
            "span": self.span,
            "future": self.by_future,
            "lots": self.oi_in_lots,
            "symbol": list(self._symbol) if self._symbol is not None else None,
            "expiry": expiry.isoformat() if expiry is not None else None,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        super().restore_state(state)
        self.table.plan.restore(state.get("columns"))
        self.table.arrange()
        span = state.get("span", self.span)
        if span in [known for known, _ in SPANS]:
            self.span = span
        self.by_future = state.get("future") is True
        self.oi_in_lots = state.get("lots") is True
        stored = state.get("symbol")
        keys = self.bridge.watch_list_keys([stored]) if isinstance(stored, list) else []
        if keys or self.bridge.instrument(FIRST) is not None:
            self.show_symbol(keys[0] if keys else FIRST)
        with contextlib.suppress(ValueError):
            self._open_again(date.fromisoformat(str(state.get("expiry"))))

    def _open_again(self, day: date | None) -> None:
        """Show an expiry of before, where it is still listed."""
        if self._family is None or day is None or day == self._expiry:
            return
        if day in self.bridge.chains.expiries(self._family):
            self._open(day)


__all__ = ["ChainDock"]
