"""The Risk dock: each limit with what is used of it, and what happens when it is reached."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.risk import LimitRow
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.table_menu import TableMenu
from openalgo_desktop.ui.kit.tables import Column, FastTableModel, FastTableView
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

#: From this part of a limit on it is shown as a warning.
NEAR = 0.8


def amount(value: float | None, unit: str) -> str:
    """A number in its unit."""
    if value is None:
        return fmt.MISSING
    if unit == "₹":
        return fmt.rupees(value)
    text = fmt.quantity(value)
    return f"{text} %" if unit == "%" else text


def state(row: LimitRow) -> tuple[str, str]:
    """Word and tone of a limit's state."""
    if not row.most:
        return "Off", "muted"
    part = row.part
    if part is None:
        return "Checked at each order", ""
    if part >= 1.0:
        return "REACHED", "down"
    return (f"Near, {part:.0%}", "warning") if part >= NEAR else (f"{part:.0%}", "up")


COLUMNS: tuple[Column[LimitRow], ...] = (
    Column("scope", "Of", 150, lambda r: r.scope or "Everything", numeric=False),
    Column("name", "Limit", 136, lambda r: r.name, numeric=False),
    Column("used", "Now", 104, lambda r: r.used, lambda r: amount(r.used, r.unit)),
    Column(
        "most",
        "Limit at",
        104,
        lambda r: r.most or None,
        lambda r: amount(r.most, r.unit) if r.most else fmt.MISSING,
        tone=lambda r: "" if r.most else "muted",
    ),
    Column(
        "state",
        "State",
        150,
        lambda r: r.part,
        lambda r: state(r)[0],
        lambda r: state(r)[1],
        numeric=False,
    ),
    Column("action", "When reached", 220, lambda r: r.action, numeric=False),
)


class RiskDock(Dock):
    """Follows the books; limits are changed in Settings and in *Risk limits*."""

    name = "risk"
    title = "Risk"
    priority = 2
    min_interval = 0.5

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        head = QHBoxLayout()
        head.setContentsMargins(10, 5, 6, 5)
        head.setSpacing(10)
        self.summary = label("", f"{self.name}-summary")
        self.summary.setWordWrap(True)
        head.addWidget(self.summary, 1)
        head.addWidget(
            push_button(
                "Change limits…",
                f"{self.name}-change",
                "Change limits",
                lambda: bridge.command_wanted.emit("risk-limits"),
            )
        )
        self.content.addLayout(head)
        self.model: FastTableModel[LimitRow] = FastTableModel(COLUMNS)
        self.view = named(
            FastTableView(self.model, "No limits."), f"{self.name}-limits", "Risk limits"
        )
        self.table_menu = TableMenu(self, self.view, COLUMNS, self.title)
        self.content.addWidget(self.view, 1)
        for signal in (
            bridge.books.positions_changed,
            bridge.books.prices_moved,
            bridge.books.orders_updated,
            bridge.books.orders_changed,
            bridge.safety.kill_changed,
            bridge.mode_changed,
            bridge.feed.changed,
            bridge.feed.aged,
        ):
            self.listen(signal, self._mark)
        self.listen(bridge.setting_changed, self._on_setting)
        self.show_limits()

    def exports(self) -> list[tuple[str, Callable[[], object]]]:
        return self.table_menu.exports()

    def _mark(self, *_: object) -> None:
        self.dirty = True

    def _on_setting(self, key: str, _: object) -> None:
        if key.startswith("risk."):
            self.dirty = True

    def flush(self) -> None:
        self.dirty = False
        self.show_limits()

    def profit(self) -> float | None:
        """The day's result; None while a position has no price that may be trusted."""
        books = self.bridge.books
        if books.not_live or "positions" in books.gaps:
            return None
        return sum(books.day_pnl)

    def show_limits(self) -> None:
        """Show the limits as they are now."""
        profit = self.profit()
        rows = self.bridge.risk.rows(profit)
        self.model.set_rows(rows)
        self.view.viewport().update()
        text, role = self._said(rows, profit)
        self.summary.setText(text)
        self.summary.setAccessibleName(text)
        set_role(self.summary, role)

    def _said(self, rows: list[LimitRow], profit: float | None) -> tuple[str, str]:
        where = "SANDBOX" if self.bridge.mode is Mode.SANDBOX else "LIVE"
        if self.bridge.safety.killed:
            return f"{where}: kill switch on, no new orders until it is reset.", "error"
        reached = [row.name.lower() for row in rows if row.part is not None and row.part >= 1.0]
        if reached:
            return f"{where}: {', '.join(reached)} reached; exits still pass.", "error"
        more = []
        if self.bridge.risk.hours_only:
            more.append("orders only in market hours")
        if lock := self.bridge.risk.square_off_lock:
            more.append(f"no new intraday positions from {lock}")
        day = "not known" if profit is None else fmt.rupees(profit, signed=True)
        on = sum(1 for row in rows if row.most)
        limits = "1 limit is on" if on == 1 else f"{on} limits are on" if on else "no limit is on"
        text = f"{where}: day's result {day}, {limits}"
        return ", ".join([text, *more]) + ".", "" if on else "warning"
