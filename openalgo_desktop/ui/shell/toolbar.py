"""The toolbar: workspace, search, account, SANDBOX/LIVE, arm, what a ticket begins with, day P&L,
margin, and the buttons that end things."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QToolBar, QToolButton, QWidget

from openalgo_desktop.core.enums import AccountState, Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import icons, look
from openalgo_desktop.ui.kit.clips import may_elide
from openalgo_desktop.ui.kit.hold_button import HoldButton
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import (
    label,
    named,
    plain_tip,
    push_button,
    set_role,
    shortcut_text,
    tool_button,
)
from openalgo_desktop.ui.rooms.accounts.account_menu import AccountMenu
from openalgo_desktop.ui.shell.toolbar_cells import DayCell, DefaultsChip, MarginCell

#: Room for the words of the account chip, pixels; all of them are in its tooltip.
CHIP_WIDTH, CHIP_NARROW = 220, 96
#: More room than was saved before something comes back: texts have changed meanwhile, pixels.
SPARE = 12

#: How to give something up, and how to have it back.
Level = tuple[Callable[[], object], Callable[[], object]]


class TopBar(QToolBar):
    """Not movable: the way to cancel and flatten is always in the same place."""

    mode_clicked = Signal()
    kill_held = Signal()
    kind_wanted = Signal(str)  # a dock to show
    setting_wanted = Signal(str)  # words to look for in the settings

    def __init__(self, bridge: Bridge, actions: Mapping[str, QAction]) -> None:
        super().__init__("Toolbar")
        self._bridge = bridge
        self._chip_width = CHIP_WIDTH
        self._fitting = True  # until it is built
        self._given = 0  # how much is given up
        self._saved: list[int] = []  # by each of them, pixels
        self._workspace_name, self._workspace_short = "", False
        named(self, "toolbar", "Main toolbar")
        self.setMovable(False)
        self.setFloatable(False)
        self.toggleViewAction().setEnabled(False)
        self._size_icons()
        self._build_left(actions)
        self._build_pnl()
        self._build_buttons(actions)
        self._build_levels(actions)
        self._fitting = False
        bridge.account_changed.connect(lambda _: self.show_account())
        bridge.mode_changed.connect(self.show_mode)
        bridge.books.positions_changed.connect(self.show_pnl)
        bridge.books.prices_moved.connect(self.show_pnl)
        bridge.books.gaps_changed.connect(lambda _: self.show_pnl())
        bridge.books.funds_changed.connect(self.margin.refresh)
        for changed in (bridge.feed.changed, bridge.feed.refused):
            changed.connect(lambda _: self.show_pnl())
        bridge.safety.kill_changed.connect(self.show_killed)
        bridge.arm.changed.connect(lambda armed, _why: self.show_armed(armed))
        self.show_killed(bridge.safety.killed)
        self.show_armed(bridge.arm.armed)
        self.show_account()
        self.show_mode(bridge.mode)

    def _build_left(self, actions: Mapping[str, QAction]) -> None:
        self.workspace = named(QToolButton(), "toolbar-workspace", "Workspaces")
        self.workspace.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.workspace.setToolTip("Workspaces: switch, save, reset, new window")
        self.workspace.setProperty("role", "plain")
        self.addWidget(self.workspace)
        self.search = SymbolSearch(self._bridge, "toolbar-search", "Search symbol")
        self.search.setMinimumWidth(look.px(126))  # it gives way first: the switches stay in sight
        self.search.setMaximumWidth(380)
        self.search.chosen.connect(self._bridge.select)
        self.addWidget(self.search)
        self._gap(10)
        self.account = push_button("", "toolbar-account", "Accounts", self._open_accounts)
        self.account.setProperty("role", "chip")
        may_elide(self.account)
        self._accounts = actions["accounts"]
        self.addWidget(self.account)
        self._gap(10)
        self.mode = named(QPushButton(), "toolbar-mode", "Sandbox or live")
        self.mode.setToolTip(plain_tip(actions["toggle-mode"].toolTip()))
        self.mode.clicked.connect(lambda _checked: self.mode_clicked.emit())
        self.addWidget(self.mode)
        self.arm = push_button("", "toolbar-arm", "One-click trading", actions["arm"].trigger)
        self.arm.setToolTip(plain_tip(actions["arm"].toolTip()))
        self._arm_action = self.addWidget(self.arm)
        self.defaults = DefaultsChip(self._bridge)
        self.defaults.more_wanted.connect(lambda: self.setting_wanted.emit("new ticket"))
        self.addWidget(self.defaults)

    def _open_accounts(self) -> None:
        """Log in and out, roles; the menu hangs from its chip."""
        menu = AccountMenu(self.window(), self._bridge, self._accounts)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.account.mapToGlobal(QPoint(0, self.account.height())))

    def _build_pnl(self) -> None:
        spacer = self._spacer = QWidget()
        spacer.setObjectName("toolbar-spacer")
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)
        self.addWidget(label("Day P&L", "toolbar-pnl-caption", "muted"))
        self._gap(6)
        self.day = DayCell(self._bridge)
        self.pnl = self.day.total
        self.addWidget(self.day)
        self._gap(14)
        self.margin = MarginCell(self._bridge)
        self.margin.clicked.connect(lambda: self.kind_wanted.emit("funds"))
        self.addWidget(self.margin)
        self._gap(14)

    def _build_buttons(self, actions: Mapping[str, QAction]) -> None:
        self._buttons: dict[str, QToolButton] = {}
        self._fixed_texts: list[tuple[QToolButton, str]] = []
        for name in ("cancel-all", "flatten"):
            button = self._buttons[name] = tool_button(actions[name], f"toolbar-{name}")
            button.setText(f"{actions[name].iconText()}  {actions[name].shortcut().toString()}")
            button.setProperty("role", "danger-outline" if name == "flatten" else "plain")
            sends(button)
            self.addWidget(button)
        self._gap(10)
        self.kill = sends(
            named(HoldButton("KILL"), "toolbar-kill", "Kill switch: hold for one second")
        )
        self.kill.held.connect(self.kill_held)
        self.addWidget(self.kill)
        self.reset_kill = tool_button(actions["reset-kill"], "toolbar-reset-kill")
        self.reset_kill.setProperty("role", "danger-outline")
        self._reset_action = self.addWidget(self.reset_kill)
        self._gap(10)
        for name, text in (("toggle-theme", ""), ("api-keys", "API keys")):
            button = tool_button(actions[name], f"toolbar-{name}")
            if not text:
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setText(text)
            self._fixed_texts.append((button, text))
            button.setProperty("role", "plain")
            self.addWidget(button)

    def relabel(self) -> None:
        """An action changed (its key did), and with it Qt's text of its button."""
        for button, text in self._fixed_texts:
            button.setText(text)
        self.fit()

    def add_workspaces(self, menu: QMenu) -> None:
        """What the workspace picker opens."""
        self.workspace.setMenu(menu)

    def show_workspace(self, name: str) -> None:
        """The picker says which one is shown."""
        icons.put(self.workspace, "workspace")
        self.workspace.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._workspace_name = name
        self._show_workspace_name()
        self.workspace.setAccessibleName(f"Workspace {name}")
        self.fit()

    def _gap(self, width: int) -> None:
        gap = QWidget()
        gap.setFixedWidth(width)
        self.addWidget(gap)

    # -- room -------------------------------------------------------------------------------
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def _size_icons(self) -> None:
        side = look.px(icons.SIDE)
        self.setIconSize(QSize(side, side))

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.StyleChange:
            self._size_icons()
        # A text or a font has changed: what fitted may not fit any more, or there is room again.
        # What fitting itself asked for arrives here, too, and finds everything as it was left.
        if event.type() == QEvent.Type.LayoutRequest and not self._fitting:
            self.adjust()
        return done

    def fit(self) -> None:
        """Give up what is elsewhere, too, one after another, until the switches are in sight: a
        button of Qt's "more" menu is not where a hand looks for it. This begins with everything, so
        for a moment Qt may put the switches away: never while KILL is held, nor at each price."""
        if self.kill.holding:
            self.adjust()
            return
        self._fitting = True
        try:
            for _, back in self._levels:
                back()
            self._given, self._saved = 0, []
            self._give_up_more()
        finally:
            self._fitting = False

    def adjust(self) -> None:
        """The same from where it stands: what is in sight stays there. Something comes back only
        where it is sure to have room."""
        if self._fitting:
            return
        self._fitting = True
        try:
            self._give_up_more()
            while self._given and self._needed() + self._saved[-1] + SPARE <= self.width():
                self._given -= 1
                self._saved.pop()
                self._levels[self._given][1]()
        finally:
            self._fitting = False

    def _give_up_more(self) -> None:
        needed = self._needed()
        while needed > self.width() and self._given < len(self._levels):
            self._levels[self._given][0]()
            before, needed = needed, self._needed()
            self._given += 1
            self._saved.append(max(0, before - needed))

    def _needed(self) -> int:
        layout = self.layout()
        assert layout is not None
        # By the actions: what Qt has put behind its button is hidden, too, and still wanted.
        wanted = [self.widgetForAction(row) for row in self.actions() if row.isVisible()]
        shown = [widget for widget in wanted if widget is not None]
        fixed = sum(
            w.minimumWidth() if w is self.search else max(w.minimumWidth(), w.sizeHint().width())
            for w in shown
            if w is not self._spacer
        )
        return fixed + layout.spacing() * len(shown) + 16

    def _by_name(self, name: str) -> QAction:
        """The toolbar's entry of one widget: that is what is shown and hidden."""
        return next(
            action
            for action in self.actions()
            if (widget := self.widgetForAction(action)) is not None and widget.objectName() == name
        )

    def _build_levels(self, actions: Mapping[str, QAction]) -> None:
        def hide(*names: str) -> Level:
            rows = [self._by_name(name) for name in names]

            def show(shown: bool) -> None:
                for row in rows:
                    row.setVisible(shown)

            return lambda: show(False), lambda: show(True)

        def hint(shown: bool) -> None:
            for name in ("cancel-all", "flatten"):
                key = f"  {actions[name].shortcut().toString()}" if shown else ""
                self._buttons[name].setText(f"{actions[name].iconText()}{key}")

        def chip(width: int) -> None:
            if self._chip_width != width:
                self._chip_width = width
                self.show_account()

        self._levels: list[Level] = [
            hide("toolbar-toggle-theme", "toolbar-api-keys"),
            (self.day.parts.hide, self.day.parts.show),
            (lambda: hint(False), lambda: hint(True)),
            (lambda: chip(CHIP_NARROW), lambda: chip(CHIP_WIDTH)),
            hide("toolbar-margin-cell"),
            hide("toolbar-pnl-caption"),
            hide("toolbar-defaults"),
            (lambda: self._show_arm(False), lambda: self._show_arm(True)),
            hide("toolbar-account"),
            (lambda: self._shorten(True), lambda: self._shorten(False)),
        ]

    def _shorten(self, short: bool) -> None:
        """The workspace by its symbol alone."""
        self._workspace_short = short
        self._show_workspace_name()

    def _show_workspace_name(self) -> None:
        name = "" if self._workspace_short else self._workspace_name
        self.workspace.setText(name.replace("&", "&&"))

    def _show_arm(self, shown: bool) -> None:
        self._arm_action.setVisible(shown or self._bridge.arm.armed)

    def show_account(self) -> None:
        """Account chip: who takes live orders, its state in words and colour, and who gives the
        data when that is another."""
        status, data = self._bridge.accounts.orders_status(), self._bridge.account_status()
        connected = status.state is AccountState.CONNECTED
        tail = status.client_id[-4:] if len(status.client_id) > 6 else status.client_id
        text = f"{'●' if connected else '○'} {status.title or status.broker}  {tail}".rstrip()
        if not connected:
            text += f"  {status.state.value}"
        if data.account_id != status.account_id:
            text += f"   data: {data.title or data.broker}"
        self.account.ensurePolished()
        metrics = self.account.fontMetrics()
        self.account.setText(
            metrics.elidedText(text, Qt.TextElideMode.ElideRight, look.px(self._chip_width))
        )
        self.account.setAccessibleName(f"Accounts: {text}")
        tip = status.message or "Accounts: log in, log out, roles"
        self.account.setToolTip(plain_tip(f"{text}\n{tip}"))
        set_role(self.account, "chip" if connected else "chip-warning")

    def show_mode(self, mode: Mode) -> None:
        """The switch says where orders go."""
        self.mode.setText("SANDBOX" if mode is Mode.SANDBOX else "● LIVE")
        self.mode.setAccessibleName(f"Mode {mode.value}; press to switch")
        set_role(self.mode, f"mode-{mode.value}")

    def show_armed(self, armed: bool) -> None:
        """Whether a click sends is said in words, and never out of sight while it does."""
        self.arm.setText("ARMED" if armed else "Arm")
        self.arm.setAccessibleName(
            "One-click trading is armed; press to disarm" if armed else "Arm one-click trading"
        )
        set_role(self.arm, "arm-on" if armed else "plain")
        self.fit()

    def show_killed(self, killed: bool) -> None:
        """Held again, the switch tries once more what is left; reset is a button of its own."""
        self.kill.setToolTip(
            plain_tip(
                "Hold for one second: block new orders, cancel working ones, close all positions "
                f"({shortcut_text('Ctrl+F12')}, held)"
            )
        )
        set_role(self.kill, "kill-on" if killed else "kill")
        self._reset_action.setVisible(killed)

    def show_pnl(self) -> None:
        """Day P&L from the positions with live prices."""
        if self.day.refresh():
            self.adjust()
