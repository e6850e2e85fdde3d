"""The action centre: orders of scripts that wait for a yes or a no."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMenu, QWidget

from openalgo_desktop.core.api_rows import NEVER, QUEUED_KEY, QUEUED_MODE, Approval
from openalgo_desktop.core.clock import age_text
from openalgo_desktop.core.enums import ApprovalStatus, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.table_dock import Col, TableDock
from openalgo_desktop.ui.kit.tables import RowAction
from openalgo_desktop.ui.kit.trader_words import order_text, request_text, source_text
from openalgo_desktop.ui.kit.widgets import push_button

KEPT = 200
#: A request that has waited so long is shown as old, seconds: the market has moved on.
OLD = 60.0
AGE_EVERY_MS = 1000
PAGES = ("Waiting", "Decided")
STATUS_TONE = {
    ApprovalStatus.PENDING: "warning",
    ApprovalStatus.APPROVED: "up",
    ApprovalStatus.REJECTED: "down",
    ApprovalStatus.EXPIRED: "muted",
}
DECIDE = (RowAction("approve", "Approve", "up"), RowAction("reject", "Reject", "down"))


def summary(row: Approval, bridge: Bridge) -> str:
    """What a request would do, in one line."""
    body = row.payload
    several = body.get("orders") or body.get("legs")
    if isinstance(several, list) and several:
        first = order_text(several[0], bridge.name) if isinstance(several[0], dict) else ""
        more = f" and {len(several) - 1} more" if len(several) > 1 else ""
        return f"{first}{more}"
    return order_text(body, bridge.name) or request_text(row.kind)


def mode_of(row: Approval) -> Mode | None:
    """Where a request was sent to; None where it does not say."""
    told = str(row.payload.get(QUEUED_MODE) or row.payload.get("mode") or "")
    return Mode(told) if told in tuple(Mode) else None


def elsewhere(row: Approval, switch: Mode) -> Mode | None:
    """The mode in which a request will run although the switch stands at another: it is of a key
    or an alert whose mode is fixed. None where the switch decides."""
    fixed = QUEUED_KEY in row.payload or QUEUED_MODE not in row.payload
    mode = mode_of(row)
    return mode if fixed and mode is not switch else None


def _expires(row: Approval) -> str:
    return "never" if row.expires_at >= NEVER else fmt.clock_text(row.expires_at)


def _prices_column(bridge: Bridge) -> Col[Approval]:
    def text(row: Approval) -> str:
        shown = [
            fmt.exact(price, bridge.places(_key(name))) if price else "unknown"
            for name, price in row.prices.items()
        ]
        return ", ".join(shown[:3])

    return Col("prices", "Price then", 92, lambda a: next(iter(a.prices.values()), None), text)


def _key(name: str) -> Key:
    exchange, _, symbol = name.partition(":")
    return exchange, symbol


def _seconds(row: Approval, now: datetime) -> float:
    """How long a request has waited; one that was decided waits no more."""
    return max(0.0, ((row.decided_at or now) - row.created_at).total_seconds())


def _age_column(now: Callable[[], datetime]) -> Col[Approval]:
    return Col(
        "age",
        "Age",
        74,
        lambda a: _seconds(a, now()),
        lambda a: age_text(_seconds(a, now())),
        tone=lambda a: "warning" if _seconds(a, now()) >= OLD and a.decided_at is None else "",
    )


COLUMNS: tuple[Col[Approval], ...] = (
    Col(
        "time",
        "Time",
        66,
        lambda a: a.created_at.timestamp(),
        lambda a: fmt.clock_text(a.created_at),
        numeric=False,
    ),
    Col(
        "source",
        "From",
        160,
        lambda a: source_text(a.source),
        tip=lambda a: a.source,
        numeric=False,
    ),
    Col(
        "mode",
        "Mode",
        70,
        lambda a: (mode_of(a) or "").upper(),
        tone=lambda a: "warning" if mode_of(a) is Mode.LIVE else "",
        numeric=False,
    ),
    Col("kind", "Request", 96, lambda a: request_text(a.kind), tip=lambda a: a.kind, numeric=False),
    Col(
        "status",
        "Status",
        80,
        lambda a: a.status.value,
        tone=lambda a: STATUS_TONE[a.status],
        numeric=False,
    ),
    Col(
        "action",
        "",
        124,
        lambda a: a.status.value,
        numeric=False,
        actions=lambda a: DECIDE if a.status is ApprovalStatus.PENDING else (),
    ),
    Col("expires", "Expires", 74, _expires, numeric=False),
    Col("by", "Decided by", 90, lambda a: a.decided_by, numeric=False),
    Col("result", "Result", 320, lambda a: a.reason or a.result, numeric=False),
)


class ApprovalsDock(TableDock[Approval]):
    """Approve sends the order as it was asked for; a price that moved away asks once more."""

    name = "approvals"
    title = "Action centre"
    empty_text = (
        "Nothing waits for you.\nSettings, Safety: choose whose orders need your approval "
        "(for example api:* or webhook:*)."
    )
    columns = COLUMNS

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        age, prices = _age_column(bridge.now), _prices_column(bridge)
        order: Col[Approval] = Col(
            "summary",
            "Order",
            260,
            lambda a: summary(a, bridge),
            tip=lambda a: json.dumps(a.payload, indent=1),
            numeric=False,
        )
        self.columns = (COLUMNS[0], age, *COLUMNS[1:4], order, prices, *COLUMNS[4:])
        super().__init__(bridge, name, parent)
        self._busy: set[int] = set()
        self._decided: list[Approval] = []
        self._asked = 0  # how often it was asked for those
        self.page = Segments("approvals-page", "Which requests", PAGES, compact=True)
        self.page.changed.connect(lambda _: self.reload())
        self.approve_button = push_button(
            "Approve", "approvals-approve", "Approve the selected request", self._approve_selected
        )
        self.approve_button.setProperty("role", "primary")
        self.reject_button = push_button(
            "Reject", "approvals-reject", "Reject the selected request", self._reject_selected
        )
        sends(self.approve_button)
        self.add_head((self.page,), self.approve_button, self.reject_button)
        self.selection_changed.connect(self._on_selection)
        self.listen(bridge.safety.approvals_changed, self.reload)
        self._soon = QTimer(self)  # several changes are answered by one reload
        self._soon.setSingleShot(True)
        self._soon.setInterval(30)
        self._soon.timeout.connect(lambda: self.spawn(self._load(), "action centre"))
        self._aging = QTimer(self)
        self._aging.setInterval(AGE_EVERY_MS)
        self._aging.timeout.connect(self._age)
        self._aging.start()
        self.reload()

    def _age(self) -> None:
        """Ages go on while somebody looks."""
        if self.isVisible() and self.page.value() == PAGES[0]:
            for row in self.rows:
                self.row_changed(row)

    def row_id(self, row: Approval) -> int:
        return row.approval_id

    def reload(self) -> None:
        """Show the chosen page as it is now."""
        waiting = self.bridge.safety.waiting()
        self.set_subject(f"{len(waiting)} waiting" if waiting else "")
        if self.page.value() == PAGES[0]:
            self._show(waiting)
        else:
            self._show(self._decided)
            self._soon.start()

    async def _load(self) -> None:
        self._asked += 1
        asked, rows = self._asked, await self.bridge.safety.decided(KEPT)
        if asked != self._asked:
            return  # asked again meanwhile; that answer may have come already
        self._decided = [row for row in rows if row.status is not ApprovalStatus.PENDING]
        if self.page.value() == PAGES[1]:
            self._show(self._decided)

    def _show(self, rows: list[Approval]) -> None:
        self.set_rows(rows)
        self._on_selection()

    # -- deciding ---------------------------------------------------------------------------
    def _on_selection(self) -> None:
        row = self.selected_row()
        waits = row is not None and row.status is ApprovalStatus.PENDING
        self.approve_button.setEnabled(waits)
        self.reject_button.setEnabled(waits)

    def act(self, row: Approval, name: str) -> None:
        self.decide(row, name)

    def fill_menu(self, menu: QMenu, row: Approval) -> None:
        if row.status is ApprovalStatus.PENDING:
            self.add_item(menu, "Approve", lambda: self.decide(row, "approve"))
            self.add_item(menu, "Reject", lambda: self.decide(row, "reject"))

    def _approve_selected(self) -> None:
        if (row := self.selected_row()) is not None:
            self.decide(row, "approve")

    def _reject_selected(self) -> None:
        if (row := self.selected_row()) is not None:
            self.decide(row, "reject")

    def decide(self, row: Approval, name: str) -> None:
        """Approve or reject once; a second click while it is under way does nothing."""
        if row.approval_id in self._busy:
            return
        self._busy.add(row.approval_id)
        work = self._approve(row) if name == "approve" else self._reject(row)
        task = self.spawn(work, f"{name} request", sends=True)
        task.add_done_callback(lambda _: self._busy.discard(row.approval_id))

    async def _approve(self, row: Approval) -> None:
        if (mode := elsewhere(row, self.bridge.mode)) is not None and not await confirm(
            self,
            f"Send to {mode.upper()}?",
            f"The switch stands at {self.bridge.mode.upper()}, and this request goes to "
            f"{mode.upper()}.\n\n{summary(row, self.bridge)}",
            "Send",
            danger=mode is Mode.LIVE,
        ):
            return
        try:
            await self.bridge.safety.approve(row.approval_id, False)
        except asyncio.CancelledError:
            raise
        except AppError as error:
            still_waits = any(
                other.approval_id == row.approval_id for other in self.bridge.safety.waiting()
            )
            if not still_waits:
                raise
            if await confirm(
                self,
                "Send all the same?",
                f"{error.message}\n\n{summary(row, self.bridge)}",
                "Send",
                danger=True,
            ):
                await self.bridge.safety.approve(row.approval_id, True)

    async def _reject(self, row: Approval) -> None:
        await self.bridge.safety.reject(row.approval_id)
