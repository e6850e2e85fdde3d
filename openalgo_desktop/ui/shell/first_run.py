"""The first steps: five pages, then a live sandbox chart. Skippable; Help has them again."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.enums import AccountState
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import ask, is_open
from openalgo_desktop.ui.kit.widgets import label, named, push_button
from openalgo_desktop.ui.rooms.accounts.login import LoginDialog
from openalgo_desktop.ui.shell import workspace
from openalgo_desktop.ui.shell.first_run_pages import (
    NAME,
    BrokerPage,
    LoginPage,
    LookPage,
    Page,
    SafetyPage,
    SymbolsPage,
    Workplaces,
)

SCOPE, DONE = "first-run", "done"
#: What every run keeps of its workspaces, now and before version 4.
USED = ("index", "last")


class FirstRunDialog(QDialog):
    """Enter goes on, Escape leaves; what was chosen until then holds."""

    def __init__(self, parent: QWidget, bridge: Bridge, places: Workplaces) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._busy = False
        self.setWindowTitle("First steps")
        self.resize(look.px(620), look.px(520))
        named(self, NAME, "First steps")
        self.look = LookPage(bridge)
        self.broker = BrokerPage(bridge)
        self.login = LoginPage(bridge)
        self.symbols = SymbolsPage(bridge, places)
        self.safety = SafetyPage(bridge)
        self.pages: list[Page] = [self.look, self.broker, self.login, self.symbols, self.safety]
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(12)
        self.step = label("", f"{NAME}-step", "caption")
        self.heading = label("", f"{NAME}-title", "heading")
        column.addWidget(self.step)
        column.addWidget(self.heading)
        self.stack = named(QStackedWidget(), f"{NAME}-pages", "Steps")
        for page in self.pages:
            self.stack.addWidget(page)
        column.addWidget(self.stack, 1)
        self.message = label("", f"{NAME}-message", "error")
        self.message.setWordWrap(True)
        column.addWidget(self.message)
        column.addLayout(self._build_buttons())
        self.login.login_wanted.connect(lambda: bridge.spawn(self._log_in(), "first log-in"))
        for keys, call in (("Alt+Right", self.go_on), ("Alt+Left", self.go_back)):
            QShortcut(QKeySequence(keys), self).activated.connect(call)
        self.show_step(0)

    def _build_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.skip = push_button("Skip", f"{NAME}-skip", "Skip the first steps", self.reject)
        self.back = push_button("Back", f"{NAME}-back", "Back", self.go_back)
        self.next: QPushButton = push_button("Next", f"{NAME}-next", "Next", self.go_on)
        for button in (self.skip, self.back):
            button.setAutoDefault(False)
        self.next.setProperty("role", "primary")
        self.next.setDefault(True)
        row.addWidget(self.skip)
        row.addStretch(1)
        row.addWidget(self.back)
        row.addWidget(self.next)
        return row

    # -- steps ------------------------------------------------------------------------------
    @property
    def index(self) -> int:
        """The step that is shown, from 0."""
        return self.stack.currentIndex()

    def show_step(self, index: int) -> None:
        """One step, from 0."""
        page = self.pages[index]
        self.stack.setCurrentIndex(index)
        self.step.setText(f"Step {index + 1} of {len(self.pages)}")
        self.heading.setText(page.title)
        self.back.setEnabled(index > 0)
        last = index == len(self.pages) - 1
        self.next.setText("Start trading" if last else "Next")
        self.next.setAccessibleName(self.next.text())
        self.message.clear()
        page.entered()
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)

    def go_back(self) -> None:
        """The step before."""
        if self.index > 0 and not self._busy:
            self.show_step(self.index - 1)

    def go_on(self) -> None:
        """The next step, or the end."""
        if self._busy:
            return
        if why := self.pages[self.index].problem():
            self.message.setText(why)
            return
        if self.pages[self.index] is self.broker:
            self._busy = True
            self._bridge.spawn(self._choose_broker(), "first account")
        elif self.index + 1 < len(self.pages):
            self.show_step(self.index + 1)
        else:
            self.accept()

    async def _choose_broker(self) -> None:
        """Open the account that was chosen; the sandbox has one already."""
        broker = self.broker.broker
        try:
            account = await self._account_of(broker) if broker else ""
        except AppError as error:
            if not is_open(self):
                raise
            self.message.setText(error.message)
            return
        finally:
            self._busy = False
        if not is_open(self):  # skipped meanwhile: the account is in File, Accounts
            return
        self.login.show_account(account)
        self.show_step(self.index + 1)

    async def _account_of(self, broker: str) -> str:
        door = self._bridge.accounts
        for name in door.names():
            if door.status(name).broker == broker:
                return name
        return await door.add(broker)

    async def _log_in(self) -> None:
        account = self.login.account
        if await ask(LoginDialog(self, self._bridge, account)):
            door = self._bridge.accounts
            if door.status(account).state is AccountState.CONNECTED:
                try:
                    await door.use_for_data(account)
                    await door.use_for_orders(account)
                except AppError as error:
                    if not is_open(self):
                        raise
                    self.message.setText(error.message)
        if not is_open(self):
            return
        self.login.show_account(account)


async def first_run(parent: QWidget, bridge: Bridge, places: Workplaces) -> bool:
    """Show the steps; they do not come again by themselves. Whether they were seen to the end."""
    dialog = FirstRunDialog(parent, bridge, places)
    await bridge.save_state(SCOPE, DONE, True)
    return await ask(dialog)


async def is_due(bridge: Bridge) -> bool:
    """Whether they are to be shown: wanted by the settings, never seen, and no workspace is kept
    from an earlier run."""
    if not bridge.setting("ui.first_run") or await bridge.load_state(SCOPE, DONE) is not None:
        return False
    kept = [await bridge.load_state(workspace.SCOPE, key) for key in USED]
    return all(value is None for value in kept)
