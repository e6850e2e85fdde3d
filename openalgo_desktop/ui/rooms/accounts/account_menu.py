"""The menu of the account chip: log in and out, and who gives prices and takes live orders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from openalgo_desktop.core.enums import AccountState, Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.widgets import named, plain_tip
from openalgo_desktop.ui.rooms.accounts.login import LoginDialog

NAME = "account-menu"


async def take_orders(parent: QWidget, bridge: Bridge, name: str) -> None:
    """Live orders go to another account; asks while the window is LIVE. Raises
    :class:`AppError`."""
    if bridge.mode is Mode.LIVE and not await confirm(
        parent,
        "Change the account of LIVE orders?",
        f"Orders go to {name} from now on. Orders and positions of the account before stay there.",
        "Change",
        danger=True,
    ):
        return
    await bridge.accounts.use_for_orders(name)


async def log_out(parent: QWidget, bridge: Bridge, name: str) -> None:
    """End the session of an account. Of the one that takes live orders that is asked about while
    something is left at the broker: nobody watches its stops then. Raises :class:`AppError`."""
    _, orders = bridge.accounts.roles(name)
    connected = bridge.accounts.status(name).state is AccountState.CONNECTED
    at = await bridge.work.at_work()
    plans = sum(plan.state.is_open for plan in bridge.watch.plans(Mode.LIVE))
    left = [
        f"{count} {what if count == 1 else more}"
        for count, what, more in (
            (at.live_positions, "open position", "open positions"),
            (at.live_orders, "working order", "working orders"),
            (plans, "watched exit or trigger", "watched exits and triggers"),
        )
        if count
    ]
    if (orders and connected and left) and not await confirm(
        parent,
        f"Log out {name}?",
        f"LIVE: {', '.join(left)}. Positions and orders stay at the broker; watched exits and "
        "triggers see nothing until you log in again.",
        "Log out",
        danger=True,
    ):
        return
    await bridge.accounts.logout(name)


class AccountMenu(QMenu):
    """Made anew each time it is opened: accounts come, go and end by themselves."""

    def __init__(self, parent: QWidget, bridge: Bridge, accounts: QAction) -> None:
        super().__init__(parent)
        self._window, self._bridge, self._accounts = parent, bridge, accounts
        named(self, NAME, "Accounts")
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """The accounts as they are now."""
        self.clear()
        door = self._bridge.accounts
        names = door.names()
        for name in names:
            status = door.status(name)
            title = f"{status.title or name}  {status.client_id}".strip().replace("&", "&&")
            if len(names) == 1:
                part: QMenu = self
                self.addSection(title)
            else:
                state = (
                    "" if status.state is AccountState.CONNECTED else f"  ({status.state.value})"
                )
                part = self.addMenu(f"{title}{state}")
                named(part, f"{NAME}-{name}", title)
            self._add(part, name)
        self.addSeparator()
        self.addAction(self._accounts)

    def _add(self, menu: QMenu, name: str) -> None:
        door = self._bridge.accounts
        status, (data, orders) = door.status(name), door.roles(name)
        connected = status.state is AccountState.CONNECTED
        if door.has_login(name):
            again = "Log in again…" if connected else "Log in…"
            self._act(menu, name, "log-in", again, lambda: self._log_in(name))
            out = self._act(menu, name, "log-out", "Log out", lambda: self._log_out(name))
            out.setEnabled(connected)
        prices = self._act(
            menu, name, "data", "Prices come from it", lambda: door.use_for_data(name)
        )
        live = self._act(
            menu,
            name,
            "orders",
            "Live orders go to it",
            lambda: take_orders(self._window, self._bridge, name),
        )
        for action, on in ((prices, data), (live, orders)):
            action.setCheckable(True)
            action.setChecked(on)
            action.setEnabled(not on)  # a role is taken over by another account, never given up
        live.setToolTip(plain_tip("Orders of the sandbox stay in the sandbox"))

    def _act(
        self, menu: QMenu, account: str, name: str, text: str, work: Callable[[], Awaitable[None]]
    ) -> QAction:
        async def run() -> None:
            await work()

        action = menu.addAction(text)
        action.setObjectName(f"{NAME}-{account}-{name}")
        action.triggered.connect(lambda _=False: self._bridge.spawn(run(), "accounts"))
        return action

    async def _log_out(self, name: str) -> None:
        await log_out(self._window, self._bridge, name)

    async def _log_in(self, name: str) -> None:
        await ask(LoginDialog(self._window, self._bridge, name))
