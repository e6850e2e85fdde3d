"""What is below the table of strategies: legs, orders and events of the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from openalgo_desktop.core.strategies.rows import LegView, MadeStrategy, RunEvent, RunOrder
from openalgo_desktop.ui.kit.book_view import BookView
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.sending import trades_on_click
from openalgo_desktop.ui.kit.table_menu import TableMenu
from openalgo_desktop.ui.kit.tables import FastTableModel, FastTableView
from openalgo_desktop.ui.kit.tool_row import ToolRow
from openalgo_desktop.ui.kit.widgets import label, named
from openalgo_desktop.ui.rooms.automation.strategies.tables import (
    event_columns,
    leg_columns,
    order_columns,
)

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.automation.strategies.dock import StrategiesDock

LEGS, ORDERS, EVENTS = "Legs", "Orders", "Events"
NAME = "strategies-detail"


class MadeDetail(QWidget):
    """Of one made strategy at a time."""

    def __init__(self, dock: StrategiesDock) -> None:
        super().__init__()
        named(self, NAME, "The chosen strategy")
        self._dock, bridge = dock, dock.bridge
        self._strategy: MadeStrategy | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.page = Segments(f"{NAME}-page", "Show", (LEGS, ORDERS, EVENTS), compact=True)
        self.page.changed.connect(lambda _: self._turn())
        self.heading = label("", f"{NAME}-name", "caption")
        column.addWidget(ToolRow(f"{NAME}-tools", (self.page, self.heading), wide=self.heading))
        self.legs: FastTableModel[LegView] = FastTableModel(leg_columns(bridge))
        self.orders: FastTableModel[RunOrder] = FastTableModel(order_columns(bridge))
        self.events: FastTableModel[RunEvent] = FastTableModel(event_columns(bridge))
        self.leg_view = named(BookView(self.legs), f"{NAME}-legs", "Legs of the run")
        self.leg_view.empty_text = "It does not run."
        self.order_view = named(
            FastTableView(self.orders, "No orders yet."), f"{NAME}-orders", "Orders"
        )
        self.event_view = named(
            FastTableView(self.events, "Nothing happened yet."), f"{NAME}-events", "Events"
        )
        self.leg_view.action_clicked.connect(self._on_action)
        trades_on_click(self.leg_view.viewport())
        self._stack = named(QStackedWidget(), f"{NAME}-pages", "The chosen strategy")
        for view in (self.leg_view, self.order_view, self.event_view):
            self._stack.addWidget(view)
        column.addWidget(self._stack, 1)
        self._menus = (
            TableMenu(dock, self.leg_view, leg_columns(bridge), "Legs"),
            TableMenu(dock, self.order_view, order_columns(bridge), "Orders of the strategy"),
            TableMenu(dock, self.event_view, event_columns(bridge), "Events of the strategy"),
        )

    @property
    def strategy_id(self) -> int | None:
        """Whose it is."""
        return None if self._strategy is None else self._strategy.strategy_id

    def show_strategy(self, strategy: MadeStrategy) -> None:
        """Show another one, or the same anew."""
        other = self.strategy_id != strategy.strategy_id
        self._strategy = strategy
        self.heading.setText(strategy.definition.name)
        if other:
            self.orders.set_rows([])
            self.events.set_rows([])
        self.show_legs()
        self._turn()

    def show_legs(self) -> None:
        """The legs as they are now."""
        if self._strategy is None:
            return
        view = self._dock.bridge.strategies.view(self._strategy.strategy_id)
        self.legs.set_rows([] if view is None else list(view.legs))

    def _turn(self) -> None:
        names = (LEGS, ORDERS, EVENTS)
        self._stack.setCurrentIndex(names.index(self.page.value()))
        if self._strategy is not None and self.page.value() != LEGS:
            self._dock.spawn(self._read(self._strategy.strategy_id), "read a strategy's log")

    async def _read(self, strategy_id: int) -> None:
        door = self._dock.bridge.strategies
        if self.page.value() == ORDERS:
            orders = await door.orders(strategy_id)
            if strategy_id == self.strategy_id:
                self.orders.set_rows(list(orders))
        else:
            events = await door.events(strategy_id)
            if strategy_id == self.strategy_id:
                self.events.set_rows(list(events))

    def again(self) -> None:
        """Its run is another: what is in sight is read anew."""
        self.show_legs()
        if self.page.value() != LEGS:
            self._turn()

    def flush(self) -> None:
        """Paint what changed."""
        for view in (self.leg_view, self.order_view, self.event_view):
            view.flush()

    def _on_action(self, _name: str, view_row: int) -> None:
        """Close the leg whose link was pressed; rows may have come anew since."""
        pressed, self.leg_view.pressed_row = self.leg_view.pressed_row, None
        now = self.legs.row_at(view_row)
        same = pressed is not None and (pressed.leg_id, pressed.symbol) == (now.leg_id, now.symbol)
        if same and self._strategy is not None:
            self._dock.made.close_leg(self._strategy, now)
