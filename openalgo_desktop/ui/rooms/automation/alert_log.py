"""What alerts told within ninety days, newest first, and who took it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openalgo_desktop.core.alerts import ToldAlert
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.table_menu import TableMenu
from openalgo_desktop.ui.kit.tables import Column, FastTableModel
from openalgo_desktop.ui.kit.tables.fastview import FastTableView
from openalgo_desktop.ui.kit.widgets import named

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.automation.alerts import AlertsDock

EMPTY = "No alert has told anything within 90 days."


class AlertLog:
    """The page of the alerts dock."""

    def __init__(self, dock: AlertsDock) -> None:
        self._bridge = dock.bridge
        columns = log_columns(dock.bridge)
        self.model: FastTableModel[ToldAlert] = FastTableModel(columns)
        self.view = named(FastTableView(self.model, EMPTY), "alerts-log", "What alerts told")
        self._menu = TableMenu(dock, self.view, columns, "Alert log")

    def show(self) -> None:
        """The rows as they are now."""
        self.model.set_rows(self._bridge.alerts.log())
        self.view.flush()


def log_columns(bridge: Bridge) -> tuple[Column[ToldAlert], ...]:
    """The columns of the log."""

    def accepted(row: ToldAlert) -> str:
        titles = dict(bridge.alerts.channels())
        names = [titles.get(name, name) for name in row.accepted]
        return ", ".join(names) if names else "nobody" if row.refused else "…"

    def refused(row: ToldAlert) -> str:
        return "\n".join(f"{name}: {reason}" for name, reason in row.refused.items())

    return (
        Column("at", "Time", 140, lambda r: r.at, lambda r: fmt.date_time_text(r.at),
               numeric=False),
        Column("symbol", "Symbol", 110, lambda r: bridge.name(r.key), numeric=False,
               tip=lambda r: contract_tip(r.key), copied=lambda r: r.key[1]),
        Column("text", "Told", 420, lambda r: bridge.names.spoken(r.text),
               numeric=False, elides=True),
        Column("accepted", "Taken by", 150, accepted, numeric=False, tip=refused,
               tone=lambda r: "warning" if r.refused and not r.accepted else ""),
        Column("note", "Note", 160, lambda r: r.note, numeric=False, elides=True),
    )  # fmt: skip
