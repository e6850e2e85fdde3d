"""What is below the table of strategies: pages of the chosen one, by its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategies.rows import LegView, RunEvent, RunOrder
from openalgo_desktop.core.webhook_log import WebhookEvent
from openalgo_desktop.ui.kit.book_view import BookView
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.sending import trades_on_click
from openalgo_desktop.ui.kit.table_menu import TableMenu
from openalgo_desktop.ui.kit.tables import FastTableModel, FastTableView
from openalgo_desktop.ui.kit.tool_row import ToolRow
from openalgo_desktop.ui.kit.widgets import label, named
from openalgo_desktop.ui.rooms.automation.strategies.book_page import BookPage, position_columns
from openalgo_desktop.ui.rooms.automation.strategies.hooks import event_columns as alert_columns
from openalgo_desktop.ui.rooms.automation.strategies.program_detail import ProgramDetail
from openalgo_desktop.ui.rooms.automation.strategies.rows import (
    MADE,
    PROGRAMS,
    SCRIPTS,
    WEBHOOKS,
    StrategyRow,
)
from openalgo_desktop.ui.rooms.automation.strategies.tables import (
    event_columns,
    leg_columns,
    order_columns,
)

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.automation.strategies.dock import StrategiesDock

LEGS, ORDERS, EVENTS = "Legs", "Orders", "Events"
OUTPUT, ALERTS, BOOK = "Output", "Alerts", "Book"
#: Pages of each kind; the first is shown first.
PAGES_OF = {
    MADE: (LEGS, ORDERS, EVENTS, ALERTS, BOOK),
    PROGRAMS: (OUTPUT, BOOK),
    WEBHOOKS: (ALERTS, BOOK),
    SCRIPTS: (BOOK,),
}
EVERY = (LEGS, ORDERS, EVENTS, OUTPUT, ALERTS, BOOK)
NAME = "strategies-detail"


class Detail(QWidget):
    """Of one row at a time; :meth:`leave` ends all reading."""

    def __init__(self, dock: StrategiesDock) -> None:
        super().__init__()
        named(self, NAME, "The chosen strategy")
        self._dock, bridge = dock, dock.bridge
        self.row: StrategyRow | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.page = Segments(f"{NAME}-page", "Show", EVERY, compact=True)
        self.heading = label("", f"{NAME}-name", "caption")
        column.addWidget(ToolRow(f"{NAME}-tools", (self.page, self.heading), wide=self.heading))
        self.legs: FastTableModel[LegView] = FastTableModel(leg_columns(bridge))
        self.orders: FastTableModel[RunOrder] = FastTableModel(order_columns(bridge))
        self.events: FastTableModel[RunEvent] = FastTableModel(event_columns(bridge))
        self.alerts: FastTableModel[WebhookEvent] = FastTableModel(alert_columns(bridge))
        self.leg_view = named(BookView(self.legs), f"{NAME}-legs", "Legs of the run")
        self.leg_view.empty_text = "It does not run."
        self.leg_view.action_clicked.connect(self._on_action)
        trades_on_click(self.leg_view.viewport())
        self.order_view = self._table(self.orders, ORDERS, "No orders yet.")
        self.event_view = self._table(self.events, EVENTS, "Nothing happened yet.")
        self.alert_view = self._table(self.alerts, ALERTS, "No alert has come.")
        self.output, self.book = ProgramDetail(dock), BookPage(bridge)
        self._menus = (
            TableMenu(dock, self.leg_view, leg_columns(bridge), "Legs"),
            TableMenu(dock, self.order_view, order_columns(bridge), "Orders of the strategy"),
            TableMenu(dock, self.event_view, event_columns(bridge), "Events of the strategy"),
            TableMenu(dock, self.alert_view, alert_columns(bridge), "Alerts to the strategy"),
            TableMenu(dock, self.book.view, position_columns(bridge), "Positions of the strategy"),
        )
        self._stack = named(QStackedWidget(), f"{NAME}-pages", "The chosen strategy")
        for view in (
            self.leg_view, self.order_view, self.event_view,
            self.output, self.alert_view, self.book,
        ):  # fmt: skip
            self._stack.addWidget(view)
        column.addWidget(self._stack, 1)
        self.page.changed.connect(lambda _: self._turn())

    @staticmethod
    def _table(model: FastTableModel, title: str, empty: str) -> FastTableView:  # type: ignore[type-arg]
        return named(FastTableView(model, empty), f"{NAME}-{title.lower()}", title)

    @property
    def ident(self) -> str:
        """Whose it is; empty for none."""
        return "" if self.row is None else self.row.ident

    # -- content ------------------------------------------------------------------------------
    def show_row(self, row: StrategyRow) -> None:
        """Show another row, or the same as it is now."""
        other = self.ident != row.ident
        self.row = row
        self.heading.setText(row.name)
        pages = PAGES_OF[row.page]
        if other:
            for model in (self.orders, self.events, self.alerts):
                model.set_rows([])
            self.page.allow(pages)
            self._turn()
        elif self.page.value() == OUTPUT and row.program is not None:
            self.output.show_program(row.program)
        self.show_legs()

    def leave(self) -> None:
        """Nobody looks any more."""
        self.row = None
        self.output.leave()

    def show_legs(self) -> None:
        """The legs as they are now."""
        made = None if self.row is None else self.row.made
        view = None if made is None else self._dock.bridge.strategies.view(made.strategy_id)
        self.legs.set_rows([] if view is None else list(view.legs))

    def _turn(self) -> None:
        page, row = self.page.value(), self.row
        self._stack.setCurrentIndex(EVERY.index(page))
        if row is None:
            return
        if page == OUTPUT and row.program is not None:
            self.output.show_program(row.program)
        else:
            self.output.leave()
        if page == BOOK:
            self.book.show_name(row.name, row.mode)
        elif page in (ORDERS, EVENTS, ALERTS):
            self._dock.spawn(self._read(row, page), "read a strategy's log")

    async def _read(self, row: StrategyRow, page: str) -> None:
        door, made = self._dock.bridge.strategies, row.made
        if page == ALERTS and row.webhook is not None:
            alerts = await door.came_to_hook(row.webhook.webhook_id)
            if row.ident == self.ident:
                self.alerts.set_rows(list(alerts))
        elif page == ALERTS and made is not None:
            alerts = await door.came_to_made(made.strategy_id)
            if row.ident == self.ident:
                self.alerts.set_rows(list(alerts))
        elif page == ORDERS and made is not None:
            orders = await door.orders(made.strategy_id)
            if row.ident == self.ident:
                self.orders.set_rows(list(orders))
        elif made is not None:
            events = await door.events(made.strategy_id)
            if row.ident == self.ident:
                self.events.set_rows(list(events))
        self._dock.dirty = True

    def again(self) -> None:
        """Its run is another: what is in sight is read anew."""
        self.show_legs()
        if self.page.value() in (ORDERS, EVENTS, ALERTS):
            self._turn()

    def booked(self, mode: Mode, names: frozenset[str]) -> None:
        """Books changed."""
        if self.isVisible() and self.page.value() == BOOK and self.book.is_of(mode, names):
            self.book.again()

    def flush(self) -> None:
        """Paint what changed."""
        for view in (self.leg_view, self.order_view, self.event_view, self.alert_view):
            view.flush()

    def _on_action(self, _name: str, view_row: int) -> None:
        """Close the leg whose link was pressed; rows may have come anew since."""
        pressed, self.leg_view.pressed_row = self.leg_view.pressed_row, None
        now = self.legs.row_at(view_row)
        same = pressed is not None and (pressed.leg_id, pressed.symbol) == (now.leg_id, now.symbol)
        if same and self.row is not None and self.row.made is not None:
            self._dock.made.close_leg(self.row.made, now)
