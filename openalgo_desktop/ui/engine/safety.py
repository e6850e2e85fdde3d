"""The part of the bridge that guards orders: kill switch, action centre, webhook strategies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import (
    ApprovalChanged,
    BooksDiffer,
    KillSwitchChanged,
    SettingChanged,
    StorageChanged,
)
from openalgo_desktop.core.reports import AuditEntry, Difference, KillReport
from openalgo_desktop.runtime.strategy_names import check_webhook
from openalgo_desktop.trading.killswitch import WHAT_RESET_DOES
from openalgo_desktop.trading.limit_rows import Limits
from openalgo_desktop.trading.webhooks import WebhookStore, WebhookStrategy

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

WINDOW = "window"


class SafetyDoor(QObject):
    """Signals follow the bus; ``close`` with the bridge."""

    kill_changed = Signal(bool)  # whether new orders are blocked
    approvals_changed = Signal()
    storage_changed = Signal()  # nothing can be stored, or it can again
    differ = Signal()  # the differences of the books changed
    approval_queued = Signal(object)  # Approval, when one begins to wait

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._webhooks = WebhookStore(terminal.state)
        self._unsubscribe = [
            terminal.bus.subscribe(KillSwitchChanged, self._on_kill),
            terminal.bus.subscribe(ApprovalChanged, self._on_approval),
            terminal.bus.subscribe(BooksDiffer, lambda _: self.differ.emit()),
            terminal.bus.subscribe(StorageChanged, lambda _: self.storage_changed.emit()),
        ]

    def close(self) -> None:
        """Listen no more."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    def _on_kill(self, event: KillSwitchChanged) -> None:
        self.kill_changed.emit(event.tripped)

    def _on_approval(self, event: ApprovalChanged) -> None:
        self.approvals_changed.emit()
        if event.approval.decided_at is None:
            self.approval_queued.emit(event.approval)

    @property
    def storage_trouble(self) -> str:
        """Why nothing can be stored now, else empty."""
        return self._terminal.db.trouble

    @property
    def locked_vault(self) -> str:
        """Why live accounts are locked in this run (the keyring lost our key), else empty."""
        return self._terminal.vault.locked

    # -- kill switch ------------------------------------------------------------------------
    @property
    def killed(self) -> bool:
        """Whether the kill switch is on."""
        return self._terminal.kill_switch.tripped

    @property
    def what_reset_does(self) -> str:
        """The sentence that says what a reset does and does not do."""
        return WHAT_RESET_DOES

    async def kill(self) -> KillReport:
        """Block new orders, cancel, flatten, verify."""
        return await self._terminal.kill_switch.trip(WINDOW)

    async def reset_kill(self) -> None:
        """Accept new orders again."""
        await self._terminal.kill_switch.reset(WINDOW)

    # -- action centre ----------------------------------------------------------------------
    def waiting(self) -> list[Approval]:
        """Requests that wait for a decision, oldest first."""
        return self._terminal.approvals.pending()

    async def decided(self, limit: int) -> list[Approval]:
        """The newest requests of any state, newest first."""
        return await self._terminal.approvals.recent(limit)

    async def approve(self, approval_id: int, accept_drift: bool) -> None:
        """Send a waiting request; raises :class:`AppError` with the reason when it was not."""
        await self._terminal.approvals.approve(approval_id, WINDOW, accept_drift=accept_drift)

    async def reject(self, approval_id: int) -> None:
        """Drop a waiting request."""
        await self._terminal.approvals.reject(approval_id, "rejected in the window", WINDOW)

    # -- own books --------------------------------------------------------------------------
    def differences(self, mode: Mode) -> tuple[Difference, ...]:
        """Where our own books and the account's disagree."""
        return self._terminal.desk.books.differences(mode)

    async def compare(self, mode: Mode) -> tuple[Difference, ...]:
        """Compare now."""
        return await self._terminal.desk.books.compare(mode)

    async def take_books(self, mode: Mode) -> None:
        """Take the account's books as ours."""
        await self._terminal.desk.books.rebase(mode)

    # -- audit trail ------------------------------------------------------------------------
    async def audit(self, text: str, start: datetime | None, limit: int) -> list[AuditEntry]:
        """Entries since ``start`` that contain ``text``, newest first."""
        return await self._terminal.audit.search(text, start=start, limit=limit)

    async def export_audit(self, path: Path, text: str, start: datetime | None) -> int:
        """Write them to a CSV file; returns how many."""
        return await self._terminal.audit.export_csv(path, text, start=start)

    # -- risk -------------------------------------------------------------------------------
    def risk_scopes(self) -> Mapping[str, Limits]:
        """Limits of accounts, symbols and strategies."""
        return self._terminal.risk_rules.scopes

    def set_risk_scope(self, scope: str, limits: Mapping[str, float]) -> None:
        """Set or (empty) remove the limits of a scope; raises :class:`ConfigError`."""
        self._terminal.risk_rules.set_scope(scope, limits)

    # -- webhook strategies -----------------------------------------------------------------
    async def webhooks(self) -> list[WebhookStrategy]:
        """All webhook strategies, by name."""
        return await self._webhooks.all()

    def new_webhook_id(self) -> str:
        """A secret id for a new strategy."""
        return self._webhooks.new_id()

    async def save_webhook(self, strategy: WebhookStrategy) -> None:
        """Store a strategy; raises :class:`ConfigError` that names the field."""
        known = await self._webhooks.get(strategy.webhook_id)
        if known is None or known.name != strategy.name:
            await check_webhook(self._terminal, strategy.name)
        await self._webhooks.save(strategy)
        self._webhook_changed(strategy.name, "on" if strategy.active else "off")

    async def delete_webhook(self, webhook_id: str) -> None:
        """Forget a strategy."""
        known = await self._webhooks.get(webhook_id)
        await self._webhooks.delete(webhook_id)
        if known is not None:
            self._webhook_changed(known.name, "deleted")

    def _webhook_changed(self, name: str, value: str) -> None:
        """For the audit trail: by name, for the id is a secret."""
        self._terminal.bus.publish(SettingChanged(key=f"webhook.{name}", value=value))
