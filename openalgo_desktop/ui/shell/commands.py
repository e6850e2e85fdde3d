"""What toolbar, menus and shortcuts do, apart from moving the window's own parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.confirming import ConfirmFacts
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key, Position, closing_order
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import ConfirmDialog, confirm
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.sending import each
from openalgo_desktop.ui.kit.widgets import copy_text
from openalgo_desktop.ui.rooms.accounts.accounts import AccountsDialog
from openalgo_desktop.ui.rooms.accounts.login import LoginDialog
from openalgo_desktop.ui.rooms.api.api_keys import ApiKeysDialog
from openalgo_desktop.ui.rooms.automation.webhooks import WebhooksDialog
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.safety.app_lock import LockSetupDialog, PasswordDialog
from openalgo_desktop.ui.rooms.safety.audit_dialog import AuditDialog
from openalgo_desktop.ui.rooms.safety.kill_report import KillReportDialog
from openalgo_desktop.ui.rooms.safety.review import ReviewDialog
from openalgo_desktop.ui.rooms.safety.risk_scopes import RiskScopesDialog
from openalgo_desktop.ui.shell.about import AboutDialog
from openalgo_desktop.ui.shell.crash_report import offer_crash_report, show_last_report
from openalgo_desktop.ui.shell.diagnostics import show_diagnostics
from openalgo_desktop.ui.shell.first_run import first_run
from openalgo_desktop.ui.shell.first_run_pages import Workplaces
from openalgo_desktop.ui.shell.leaving import QUIT, TRAY, ask_to_leave, what_is_left
from openalgo_desktop.ui.shell.settings import SettingsDialog
from openalgo_desktop.ui.shell.staying import what_stays
from openalgo_desktop.ui.shell.toasts import Toasts


class Commands:
    """Each public method starts a task of the bridge and returns at once. A command that is
    still running (its dialog may be open) is not started twice."""

    def __init__(self, window: QWidget, bridge: Bridge, toasts: Toasts) -> None:
        self._window = window
        self._bridge = bridge
        self._toasts = toasts
        self._running: set[str] = set()
        bridge.mode_changed.connect(self._on_mode)

    def _once(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if name in self._running:
            return
        self._running.add(name)
        task = self._bridge.spawn(work(), name)
        task.add_done_callback(lambda _: self._running.discard(name))

    # -- mode -------------------------------------------------------------------------------
    def toggle_mode(self) -> None:
        """LIVE after a question, SANDBOX after one only if something stays behind."""
        self._once("switch mode", self._switch_mode)

    def _staying(self, mode: Mode) -> str:
        """What leaving ``mode`` leaves behind; the books still show that mode."""
        books = self._bridge.books
        open_rows = sum(1 for position in books.positions if position.quantity)
        return what_stays(mode, len(books.working()), open_rows, self.account())

    def account(self) -> str:
        """Who takes live orders, in words."""
        status = self._bridge.accounts.orders_status()
        return f"{status.title or status.broker} ({status.client_id})"

    async def _switch_mode(self) -> None:
        mode = self._bridge.mode
        staying = self._staying(mode)
        if mode is Mode.LIVE:
            if not staying or await confirm(
                self._window, "Switch to SANDBOX?", staying, "Go to the sandbox"
            ):
                await self._bridge.set_mode(Mode.SANDBOX)
            return
        text = (
            f"From now on orders go to {self.account()} with real money, from this window and "
            "from scripts."
        )
        if staying:
            text += f"\n\n{staying}"
        if not await confirm(self._window, "Switch to LIVE?", text, "Go LIVE", danger=True):
            return
        lock = self._bridge.lock
        question = "Going live needs the password of the app lock."
        if lock.enabled and not await ask(
            PasswordDialog(self._window, self._bridge, question, lock.require)
        ):
            return
        await self._bridge.set_mode(Mode.LIVE)

    def audit(self) -> None:
        """Show the audit trail."""
        self._once("audit", self._audit)

    async def _audit(self) -> None:
        dialog = AuditDialog(self._window, self._bridge)
        dialog.reload()
        await ask(dialog)

    # -- app lock ---------------------------------------------------------------------------
    def app_lock(self) -> None:
        """Set the lock up."""
        self._once("app lock", self._app_lock)

    async def _app_lock(self) -> None:
        await ask(LockSetupDialog(self._window, self._bridge))

    def lock_now(self) -> None:
        """Lock; without a password, offer to set one."""
        if self._bridge.lock.enabled:
            self._bridge.lock.lock()
        else:
            self.app_lock()

    def _on_mode(self, mode: Mode) -> None:
        # A script moved the switch; who used the window was told before.
        if "switch mode" in self._running:
            return
        left = Mode.LIVE if mode is Mode.SANDBOX else Mode.SANDBOX
        text = f"Switched to {mode.value.upper()}. {self._staying(left)}"
        self._toasts.show("warning", text.strip())

    # -- orders and positions ---------------------------------------------------------------
    def cancel_all(self) -> None:
        """Cancel all working orders; risk-reducing, so it asks only where the settings want it."""
        self._once("cancel all", self._cancel_all)

    async def _may_cancel(self, what: str) -> bool:
        """Whether cancelling many may go on: asked where the settings say *always*."""
        why = self._bridge.orders.why_ask_of(Act.CANCEL_ALL, ConfirmFacts())
        return not why or await confirm(self._window, "Cancel orders?", what, "Cancel orders", why)

    async def _cancel_all(self) -> None:
        mode, count = self._bridge.mode, self._bridge.books.working_count
        if not await self._may_cancel(f"All working orders ({count}) will be cancelled."):
            return
        result = await self._bridge.cancel_all(mode)
        if not result.cancelled and not result.failed:
            self._toasts.show("info", "No working orders.")
            return
        text = f"{len(result.cancelled)} cancelled"
        if result.failed:
            why = "; ".join(f"{order_id}: {reason}" for order_id, reason in result.failed[:3])
            self._toasts.show("error", f"{text}, {len(result.failed)} failed. {why}")
        else:
            self._toasts.show("info", f"{text}.")

    def flatten(self) -> None:
        """Close all positions at market, after a review."""
        self._once("flatten", self._flatten)

    async def _flatten(self) -> None:
        mode = self._bridge.mode
        rows = [position for position in self._bridge.books.positions if position.quantity]
        gaps = self._bridge.books.gaps.get("positions")
        if not rows:
            if gaps is None:
                self._toasts.show("info", "Flat: no open positions.")
            else:
                self._toasts.show("warning", f"No open position is seen. {gaps.text}.")
            return
        lines, cancelled = closing.lines(self._bridge, rows), closing.count(self._bridge, rows)
        where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
        count = "1 position" if len(rows) == 1 else f"{len(rows)} positions"
        others = self._bridge.books.working_count - cancelled
        orders = "1 other working order" if others == 1 else f"{others} other working orders"
        dialog = ConfirmDialog(
            self._window,
            "Close all positions?",
            f"{count} will be closed at market {where}. {closing.words(cancelled)}"
            + (f"\n\n{gaps.text}." if gaps is not None else ""),
            "Close all",
            lines,
            danger=True,
            option=f"Cancel {orders} first: what fills later would open a position again"
            if others > 0
            else "",
        )
        if self._unasked(rows, mode):
            dialog.deleteLater()
        elif not await ask(dialog):
            return
        result = await self._bridge.close_all(mode, cancel_orders=dialog.option.isChecked())
        if result.failed:
            self._toasts.show(
                "error",
                f"{result.closed} closed, {result.failed} failed. {'; '.join(result.errors[:3])}",
            )
        else:
            self._toasts.show("info", f"{result.closed} positions closed.")

    def _unasked(self, rows: Sequence[Position], mode: Mode) -> bool:
        """Whether everything may be closed without the review: where the settings say *never*, or
        no limit is passed; never while the window does not see all that is held."""
        if self._bridge.books.gaps.get("positions") is not None:
            return False
        exits = [closing_order(row) for row in rows]
        try:
            return not self._bridge.orders.why_ask(Act.FLATTEN, exits, mode)
        except AppError:  # the master does not have one of them any more
            return False

    # -- the linked symbol ------------------------------------------------------------------
    def _symbol(self) -> Key | None:
        if self._bridge.selected is None:
            self._toasts.show("warning", "No symbol is chosen.")
        return self._bridge.selected

    def cancel_symbol(self) -> None:
        """Cancel the working orders of the linked symbol; like cancel all it does not ask."""
        if (key := self._symbol()) is not None:
            self._once("cancel symbol", lambda: self._cancel_symbol(key))

    async def _cancel_symbol(self, key: Key) -> None:
        mode, name = self._bridge.mode, self._bridge.name(key)
        orders = self._bridge.books.working_of(key)
        if not orders:
            self._toasts.show("info", f"No working orders of {name}.")
            return
        if not await self._may_cancel(f"{len(orders)} orders of {name} will be cancelled."):
            return
        answers = await asyncio.gather(
            *(self._bridge.cancel(order.order_id, mode) for order in orders),
            return_exceptions=True,
        )
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        text = f"{name}: {len(orders) - len(failed)} cancelled"
        if failed:
            self._toasts.show("error", f"{text}, {len(failed)} failed. {failed[0]}")
        else:
            self._toasts.show("info", f"{text}.")

    def flatten_symbol(self) -> None:
        """Close the positions of the linked symbol, after a review."""
        if (key := self._symbol()) is not None:
            self._once("flatten symbol", lambda: self._flatten_symbol(key))

    def _held(self, key: Key) -> list[Position]:
        return [row for row in self._bridge.books.positions if row.key == key and row.quantity]

    async def _flatten_symbol(self, key: Key) -> None:
        mode, name = self._bridge.mode, self._bridge.name(key)
        rows = self._held(key)
        if not rows:
            self._toasts.show("info", f"Flat: no open position of {name}.")
            return
        lines, cancelled = closing.lines(self._bridge, rows), closing.count(self._bridge, rows)
        where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
        if not await confirm(
            self._window,
            f"Close {name}?",
            f"{name} will be closed at market {where}. {closing.words(cancelled)}",
            "Close it",
            lines,
            danger=True,
        ):
            return

        async def close(row: Position) -> None:
            placed = await self._bridge.close_position(row.symbol, row.exchange, row.product, mode)
            if placed is not None and placed.message:
                self._toasts.show("info", f"{name}: {placed.message}")

        await each(partial(close, row) for row in rows)

    def reverse_symbol(self) -> None:
        """Turn the position of the linked symbol to the other side, after a question."""
        if (key := self._symbol()) is not None:
            self._once("reverse symbol", lambda: self._reverse_symbol(key))

    async def _reverse_symbol(self, key: Key) -> None:
        mode, name = self._bridge.mode, self._bridge.name(key)
        rows = self._held(key)
        if len(rows) != 1:
            text = (
                f"{name} is held in {len(rows)} products: reverse one of them in the positions."
                if rows
                else f"Flat: no open position of {name}."
            )
            self._toasts.show("warning" if rows else "info", text)
            return
        row = rows[0]
        side = "short" if row.quantity > 0 else "long"
        where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
        text = (
            f"{name} {row.product.value} becomes {side} {fmt.quantity(abs(row.quantity))} at "
            f"market {where}. {closing.words(closing.count(self._bridge, rows))}"
        )
        exits = closing.exits(self._bridge, row)
        why = closing.asks(self._bridge, Act.REVERSE, row, 2 * abs(row.quantity), mode)
        words = "\n".join((text, *why))
        if not (why or exits) or await confirm(
            self._window, "Reverse the position?", words, "Reverse", exits, True
        ):
            said = await self._bridge.reverse(row.symbol, row.exchange, row.product, mode)
            self._toasts.show("info", said)

    # -- kill switch ------------------------------------------------------------------------
    def kill(self) -> None:
        """Block, cancel, flatten, verify; the button was held, so it does not ask."""
        self._once("kill switch", self._kill)

    async def _kill(self) -> None:
        self._toasts.show("warning", "Kill switch: blocking, cancelling, closing ...")
        await ask(KillReportDialog(self._window, await self._bridge.safety.kill()))

    def reset_kill(self) -> None:
        """Accept new orders again, after a question."""
        self._once("reset kill switch", self._reset_kill)

    async def _reset_kill(self) -> None:
        safety = self._bridge.safety
        if safety.killed and await confirm(
            self._window, "Reset the kill switch?", safety.what_reset_does, "Reset"
        ):
            await safety.reset_kill()

    def review_books(self) -> None:
        """Differences between our own books and the account's."""
        self._once("review books", self._review_books)

    async def _review_books(self) -> None:
        await ask(ReviewDialog(self._window, self._bridge))

    def risk_limits(self) -> None:
        """Limits of single symbols, strategies and accounts."""
        self._once("risk limits", self._risk_limits)

    async def _risk_limits(self) -> None:
        await ask(RiskScopesDialog(self._window, self._bridge))

    # -- dialogs ----------------------------------------------------------------------------
    def api_keys(self) -> None:
        """Show, create and revoke API keys."""
        self._once("API keys", self._show_api_keys)

    async def _show_api_keys(self) -> None:
        dialog = ApiKeysDialog(self._window, self._bridge, await self._bridge.api.default_key())
        await dialog.load()
        await ask(dialog)

    def webhooks(self) -> None:
        """Make, change and delete webhook strategies."""
        self._once("webhook strategies", self._show_webhooks)

    async def _show_webhooks(self) -> None:
        dialog = WebhooksDialog(self._window, self._bridge)
        await dialog.load()
        await ask(dialog)

    def copy_api_key(self) -> None:
        """Put the default API key on the clipboard."""
        self._once("copy API key", self._copy_api_key)

    async def _copy_api_key(self) -> None:
        key = await self._bridge.api.default_key()
        if key is None:
            raise AppError("There is no API key yet; restart the program to create one.")
        copy_text(key.reveal())
        self._toasts.show("info", "API key copied to the clipboard.")

    def accounts(self) -> None:
        """Broker accounts: log in, log out, roles."""
        self._once("accounts", self._show_accounts)

    async def _show_accounts(self) -> None:
        await ask(AccountsDialog(self._window, self._bridge))

    def log_in(self, account: str) -> None:
        """Log an account in again, in place."""
        self._once("log in", lambda: self._log_in(account))

    async def _log_in(self, account: str) -> None:
        await ask(LoginDialog(self._window, self._bridge, account))

    def settings(self, words: str = "") -> None:
        """The settings dialog, searched for ``words``."""
        self._once("settings", lambda: self._show_settings(words))

    async def _show_settings(self, words: str) -> None:
        dialog = SettingsDialog(self._window, self._bridge)
        if words:
            dialog.search.setText(words)
            dialog.show_found()
        await ask(dialog)

    def first_run(self, places: Workplaces, after: Callable[[], None]) -> None:
        """The first steps; ``after`` is called when they were seen to the end."""
        self._once("first steps", lambda: self._first_run(places, after))

    async def _first_run(self, places: Workplaces, after: Callable[[], None]) -> None:
        if await first_run(self._window, self._bridge, places):
            after()

    def leave(self, tray: bool, go: Callable[[], None], keep_in_tray: Callable[[], None]) -> None:
        """Leave the program; asks while something is at work."""
        self._once("leave", lambda: self._leave(tray, go, keep_in_tray))

    async def _leave(
        self, tray: bool, go: Callable[[], None], keep_in_tray: Callable[[], None]
    ) -> None:
        at = await self._bridge.work.at_work()
        if not at.asks:
            go()
            return
        choice = await ask_to_leave(self._window, what_is_left(at, self.account()), tray)
        if choice == QUIT:
            go()
        elif choice == TRAY:
            keep_in_tray()

    def diagnostics(self) -> None:
        """What the program knows of itself, as one file."""
        self._once("diagnostics", lambda: show_diagnostics(self._window, self._bridge))

    def crash_report(self) -> None:
        """What the last run left that did not end properly."""
        self._once("crash report", lambda: show_last_report(self._window, self._bridge))

    def offer_crash_report(self) -> None:
        """The same after a start, where nobody has seen it yet."""
        self._once("crash report", lambda: offer_crash_report(self._window, self._bridge))

    def about(self) -> None:
        """Version, licence, source, libraries."""
        self._once("about", self._show_about)

    async def _show_about(self) -> None:
        await ask(AboutDialog(self._window))

    def toggle_theme(self) -> None:
        """Dark to light and back."""
        current = str(self._bridge.setting("ui.theme"))
        self._bridge.set_setting("ui.theme", "light" if current == "dark" else "dark")
