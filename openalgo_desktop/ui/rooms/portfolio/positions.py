"""The position book: live profit, exits that are watched, groups, and what leaves a position."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from openalgo_desktop.core.exits import AnyPlan
from openalgo_desktop.core.model import Key, Order, Position, Trade, closing_order
from openalgo_desktop.core.ticketing import TicketUse, TicketWish, of_position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import icons
from openalgo_desktop.ui.kit.foot import Foot
from openalgo_desktop.ui.kit.kinds import kinds
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.kit.widgets import Totals, label, named, plain_tip, push_button
from openalgo_desktop.ui.rooms.portfolio.exit_editor import Leg
from openalgo_desktop.ui.rooms.portfolio.position_closing import PositionClosing
from openalgo_desktop.ui.rooms.portfolio.position_columns import PositionColumns
from openalgo_desktop.ui.rooms.portfolio.position_converting import PositionConverting
from openalgo_desktop.ui.rooms.portfolio.position_exits import PositionExits
from openalgo_desktop.ui.rooms.portfolio.position_greeks import GreekWork
from openalgo_desktop.ui.rooms.portfolio.position_rows import (
    GROUPINGS,
    Line,
    LineId,
    lines,
)

PARTS = (25, 50, 75, 100)
LEGS = {"stop": Leg.STOP, "target": Leg.TARGET}


class PositionsDock(TableDock[Line]):
    """Net positions; prices are live, totals are at the bottom."""

    name = "positions"
    drags = True
    title = "Positions"
    linkable = True
    empty_text = "Flat. Nothing at risk."
    book = "positions"
    priority = 0

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.columns = PositionColumns(bridge, self._odd).all()
        super().__init__(bridge, name, parent)
        self.model.store.rank = lambda line: line.place
        self.closing = PositionClosing(self, self)
        self.converting = PositionConverting(self)
        self._odd_rows: dict[tuple[str, str, str], str] = {}
        self._grouping = GROUPINGS[0]
        self._folded: dict[str, bool] = {}
        self._lines_of: dict[Key, list[Line]] = {}
        self._priced: dict[Key, list[Line]] = {}  # of what is held: their prices matter
        self.exits = PositionExits(self)
        self.greeks = GreekWork(self)
        self._build_differs()
        self._build_foot()
        self._build_groups()
        self.listen(bridge.books.positions_changed, self.refresh)
        # The same moment as the toolbar: the two never show different amounts.
        self.listen(bridge.books.prices_moved, self._on_prices)
        self.listen(bridge.books.trades_changed, self._on_trades)
        self.listen(bridge.books.trades_added, self._on_added)
        self.listen(bridge.books.orders_updated, self._on_orders)
        self.listen(bridge.feed.aged, self._on_aged)
        self.listen(bridge.feed.changed, lambda _: self._on_prices())
        self.listen(bridge.watch.changed, self._on_plan)
        self.listen(bridge.safety.differ, self._on_differ)
        self.listen(bridge.mode_changed, lambda _: self.exits.leave())
        self.selection_changed.connect(self._on_selection)
        self._on_differ()

    # -- building ---------------------------------------------------------------------------
    def _build_foot(self) -> None:
        captions = ("Day P&L", "Realised", "Open", "After charges")
        self.total = Totals("positions-total", captions)
        policy = self.total.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.total.setSizePolicy(policy)
        self.half_button = sends(
            push_button(
                "Half", "positions-half", "Close half of the selected position", self._half_selected
            )
        )
        self.close_button = sends(
            push_button(
                "Close position",
                "positions-close",
                "Close the selected position",
                self._close_selected,
            )
        )
        self.close_all_button = push_button(
            "Close all  F6", "positions-close-all", "Close all positions", self._close_all
        )
        buttons = (self.half_button, self.close_button, self.close_all_button)
        for button in buttons:
            button.setEnabled(False)
        self.content.addWidget(Foot("positions-foot", self.total, buttons))

    def _build_differs(self) -> None:
        self.differs = named(QWidget(), "positions-differ", "Positions that differ")
        row = QHBoxLayout(self.differs)
        row.setContentsMargins(10, 3, 6, 3)
        self.differs_text = label("", "positions-differ-text", "warning")
        row.addWidget(self.differs_text, 1)
        row.addWidget(
            push_button(
                "Reconcile",
                "positions-reconcile",
                "Review where our own books and the account's differ",
                lambda: self.bridge.command_wanted.emit("review-books"),
            )
        )
        self.differs.hide()
        self.content.insertWidget(0, self.differs)

    def _build_groups(self) -> None:
        button = named(QToolButton(), f"{self.name}-group", "Group positions")
        button.setText("Group")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        icons.put(button, "down")
        button.setToolTip("Group positions by underlying, product or strategy")
        button.setProperty("role", "dock-button")
        button.setAutoRaise(True)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = named(QMenu(button), f"{self.name}-group-menu", "Group positions")
        choices = QActionGroup(menu)
        self._choices: dict[str, QAction] = {}
        for grouping in GROUPINGS:
            action = QAction(grouping, menu)
            action.setObjectName(f"{self.name}-group-{grouping.lower().replace(' ', '-')}")
            action.setCheckable(True)
            action.setChecked(grouping == self._grouping)
            action.triggered.connect(lambda _checked, to=grouping: self.group_by(to))
            choices.addAction(action)
            menu.addAction(action)
            self._choices[grouping] = action
        button.setMenu(menu)
        self.title_bar.extras.addWidget(button)

    # -- rows -------------------------------------------------------------------------------
    def key_of(self, row: Line) -> Key | None:
        return row.position.key if row.position is not None else None

    def row_id(self, row: Line) -> LineId:
        return row.identity

    def reload(self) -> None:
        """Show the book."""
        rows = self.bridge.books.positions
        self.set_rows(lines(self.bridge, rows, self._grouping, self._folded))
        self._lines_of, self._priced = {}, {}
        for line in self.rows:
            for key in {row.key for row in line.members}:
                self._lines_of.setdefault(key, []).append(line)
            for key in {row.key for row in line.members if row.quantity}:
                self._priced.setdefault(key, []).append(line)
        self._show_totals()
        self._on_selection()
        self.exits.check()
        self.greeks.look(now=True)

    def group_by(self, grouping: str) -> None:
        """Show the book in groups, or not (the first of the groupings)."""
        self._grouping = grouping
        self._choices[grouping].setChecked(True)
        self.refresh()

    def fold(self, title: str) -> None:
        """Fold a group, or unfold it."""
        self._folded[title] = not self._folded.get(title, False)
        self.refresh()

    def _on_prices(self) -> None:
        if not self.is_hidden():
            self._show_totals()
        self.greeks.look()

    def _on_trades(self) -> None:
        if self._grouping == GROUPINGS[-1]:
            self.refresh()
        self._touch_all()
        self._on_prices()

    def _on_added(self, trades: Sequence[Trade]) -> None:
        if self._grouping == GROUPINGS[-1]:
            self.refresh()
        self._touch(self._lines_of, {trade.key for trade in trades})
        self._on_prices()

    def _touch_all(self) -> None:
        if not self.is_hidden():
            for line in self.rows:
                self.row_changed(line)

    def _on_plan(self, plan: AnyPlan) -> None:
        self._touch(self._lines_of, (plan.key,))

    def _on_orders(self, orders: list[Order]) -> None:
        self._touch(self._lines_of, {order.key for order in orders})

    def _touch(self, lines_of: Mapping[Key, list[Line]], keys: Iterable[Key]) -> None:
        """Rows of these instruments, and the groups that they are in, say something else."""
        if self.is_hidden():
            return
        for key in keys:
            for line in lines_of.get(key, ()):
                self.row_changed(line)

    def _show_totals(self) -> None:
        books = self.bridge.books
        realised, unrealised = books.day_pnl
        open_rows = books.open_count
        self.set_subject(f"{open_rows} open" if books.positions else "")
        self.total.setVisible(bool(books.positions))
        missing = books.not_live
        charges = self.bridge.day_trades.charges
        day, done, opened = (
            (fmt.signed_money(amount), fmt.sign_role(amount))
            for amount in (realised + unrealised, realised, unrealised)
        )
        after = (fmt.MISSING, "")
        if charges is not None:
            net = realised + unrealised - charges
            after = (fmt.signed_money(net), fmt.sign_role(net))
        if missing:
            day, opened = (day[0], "stale"), (fmt.partly(opened[0], len(missing)), "stale")
            after = (after[0], "stale")
        self.total.show_numbers(day, done, opened, after)
        self.total.setToolTip(plain_tip(self.bridge.feed.tips([row.key for row in missing])))
        self.close_all_button.setEnabled(open_rows > 0)

    def row_stale(self, row: Line) -> bool:
        return not all(self.bridge.books.is_live(member) for member in row.members)

    def _on_aged(self) -> None:
        if not self.is_hidden():
            self.looks.start(self._aging())

    def _aging(self) -> Iterator[None]:
        if (yield from self.looks.ages()):
            self._show_totals()

    def take(self, ticks: Ticks) -> None:
        self._touch(self._priced, ticks.keys() & self._priced.keys())

    # -- our own books ----------------------------------------------------------------------
    def _odd(self, row: Position) -> str:
        return self._odd_rows.get((row.exchange, row.symbol, row.product.value), "")

    def _on_differ(self) -> None:
        found = self.bridge.safety.differences(self.bridge.mode)
        self._odd_rows = {}
        for row in found:
            if row.kind == "position":
                exchange, symbol, product = row.subject.split(":", 2)
                self._odd_rows[(exchange, symbol, product)] = (
                    f"Our own books have {row.ours}, the account {row.theirs}: reconcile"
                )
        count = len(self._odd_rows)
        what = "1 position differs" if count == 1 else f"{count} positions differ"
        self.differs_text.setText(f"⚠ {what} from our own books" if count else "")
        self.differs.setVisible(bool(count))
        self._touch_all()

    # -- interaction ------------------------------------------------------------------------
    def selected_position(self) -> Position | None:
        """The selected position; None on the head of a group."""
        line = self.selected_row()
        return None if line is None else line.position

    def _on_selection(self) -> None:
        row = self.selected_position()
        for button in (self.half_button, self.close_button):
            button.setEnabled(row is not None and row.quantity != 0)

    def activated(self, row: Line) -> None:
        if row.position is not None:
            self.pick(row.position.key)
        else:
            self.fold(row.title)

    def act(self, row: Line, name: str) -> None:
        position = row.position
        if position is None:
            return
        if name in LEGS:
            self.exits.edit(position, LEGS[name])
        elif name == "half":
            self.close_part(position, 50)
        elif name == "reverse":
            self.reverse_row(position)
        else:
            self.close_part(position, 100)

    def row_keys(self) -> Mapping[str, Callable[[Line], object]]:
        return {"close": self._close_by_key, "stop": self._edit_stop}

    def _edit_stop(self, row: Line) -> None:
        if row.position is not None and row.position.quantity:
            self.exits.edit(row.position, Leg.STOP)

    def _close_by_key(self, row: Line) -> None:
        if row.position is not None:
            self.close_part(row.position, 100, asked=True)

    def fill_menu(self, menu: QMenu, row: Line) -> None:
        position = row.position
        if position is None:
            self.add_item(menu, "Fold or unfold", lambda: self.fold(row.title))
            return
        if position.quantity:
            for percent in PARTS:
                text = "Close at market" if percent == 100 else f"Close {percent} %"
                self.add_item(menu, text, partial(self.close_part, position, percent))
            self.add_item(menu, "Reverse at market", lambda: self.reverse_row(position))
            self.converting.fill_menu(menu, position)
            menu.addSeparator()
            self.exits.fill_menu(menu, position)
            menu.addSeparator()
            self._fill_ticket(menu, position)
            menu.addSeparator()
        self.add_item(menu, "Show in linked docks", lambda: self.pick(position.key))
        for kind in ("chart", "ladder"):
            if kind in kinds():
                text = f"Show {kinds()[kind].title.lower()}"
                self.add_item(menu, text, partial(self._show_in, kind, position))

    def _fill_ticket(self, menu: QMenu, row: Position) -> None:
        instrument = self.bridge.instrument(row.key)
        if instrument is None:
            return
        for text, use in (("Add in the ticket…", TicketUse.ADD), ("Exit…", TicketUse.EXIT)):
            wish = of_position(row, use, instrument)
            self.add_item(menu, text, partial(self._show_ticket, wish))
        self.add_item(menu, "Add exit to basket", partial(self.to_basket, row))

    def to_basket(self, row: Position) -> None:
        """All of the position as a line of the basket, the other way; nothing is sent."""
        exit_ = closing_order(row, "")
        self.bridge.basket_wanted.emit(exit_)

    def _show_in(self, kind: str, row: Position) -> None:
        self.bridge.dock_wanted.emit(kind, row.key)

    def _show_ticket(self, wish: TicketWish) -> None:
        self.bridge.ticket_wanted.emit(wish)

    # -- leaving positions ------------------------------------------------------------------
    def _half_selected(self) -> None:
        if (row := self.selected_position()) is not None:
            self.close_part(row, 50)

    def _close_selected(self) -> None:
        if (row := self.selected_position()) is not None:
            self.close_part(row, 100)

    def _close_all(self) -> None:
        self.bridge.flatten_wanted.emit()

    def close_row(self, row: Position) -> None:
        """Close all of a position."""
        self.close_part(row, 100)

    def close_part(self, row: Position, percent: int, *, asked: bool = False) -> None:
        """Close so much of a position at market; see :class:`PositionClosing`."""
        self.closing.close(row, percent, asked=asked)

    def reverse_row(self, row: Position) -> None:
        """Turn one position to the other side at market."""
        self.closing.reverse(row)

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        folded = [title for title, on in self._folded.items() if on]
        return super().save_state() | {"grouping": self._grouping, "folded": folded}

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        folded, grouping = state.get("folded"), state.get("grouping")
        if isinstance(folded, list):
            self._folded = {str(title): True for title in folded}
        if isinstance(grouping, str) and grouping in GROUPINGS:
            self.group_by(grouping)
