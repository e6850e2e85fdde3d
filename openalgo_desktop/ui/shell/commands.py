"""What toolbar, menus and shortcuts do, apart from moving the window's own parts and from ending
orders and positions (``ending.py``)."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.widgets import copy_text
from openalgo_desktop.ui.rooms.accounts.accounts import AccountsDialog
from openalgo_desktop.ui.rooms.accounts.login import LoginDialog
from openalgo_desktop.ui.rooms.api.api_keys import ApiKeysDialog
from openalgo_desktop.ui.rooms.automation.telegram import TelegramDialog
from openalgo_desktop.ui.rooms.automation.webhooks import WebhooksDialog
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
from openalgo_desktop.ui.shell.once import Once
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
        self._once = Once(bridge)
        bridge.mode_changed.connect(self._on_mode)

    # -- mode -------------------------------------------------------------------------------
    def toggle_mode(self) -> None:
        """LIVE after a question, SANDBOX after one only if something stays behind."""
        self._once("switch mode", self._switch_mode)

    def _staying(self, mode: Mode) -> str:
        """What leaving ``mode`` leaves behind; the books still show that mode."""
        books = self._bridge.books
        return what_stays(mode, books.working_count, books.open_count, self.account())

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
        await ask(dialog, modal=False)

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
        if "switch mode" in self._once:
            return
        left = Mode.LIVE if mode is Mode.SANDBOX else Mode.SANDBOX
        text = f"Switched to {mode.value.upper()}. {self._staying(left)}"
        self._toasts.show("warning", text.strip())

    # -- kill switch ------------------------------------------------------------------------
    def kill(self) -> None:
        """Block, cancel, flatten, verify; the button was held, so it does not ask."""
        self._once("kill switch", self._kill)

    async def _kill(self) -> None:
        self._toasts.show("warning", "Kill switch: blocking, cancelling, closing…")
        report = await self._bridge.safety.kill()
        # The report may stay open: the switch must work again below it.
        self._bridge.spawn(
            ask(KillReportDialog(self._window, report), modal=False), "kill switch report"
        )

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
        await ask(ReviewDialog(self._window, self._bridge), modal=False)

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

    def telegram(self) -> None:
        """Switch the Telegram bot, link and unlink chats."""
        self._once("telegram", self._show_telegram)

    async def _show_telegram(self) -> None:
        dialog = TelegramDialog(self._window, self._bridge)
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
        await ask(AboutDialog(self._window), modal=False)

    def toggle_theme(self) -> None:
        """Dark to light and back."""
        current = str(self._bridge.setting("ui.theme"))
        self._bridge.set_setting("ui.theme", "light" if current == "dark" else "dark")
