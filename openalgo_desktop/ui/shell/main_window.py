"""The main window: toolbar, banners, docks, menus, status bar."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QChildEvent, QEvent, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QSizePolicy,
    QTabBar,
    QToolBar,
    QWidget,
)

from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.dialogs import keep_key
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.dressing import KEYS, dress
from openalgo_desktop.ui.kit.fitting_tabs import keep_fitting
from openalgo_desktop.ui.kit.kinds import kind_of
from openalgo_desktop.ui.kit.sending import trades_on_click
from openalgo_desktop.ui.kit.widgets import label, name_inner_controls, named, set_role
from openalgo_desktop.ui.rooms.automation.alert_dialog import show_form
from openalgo_desktop.ui.rooms.market.watchlist import WatchlistDock
from openalgo_desktop.ui.rooms.orders.orders import OrdersDock
from openalgo_desktop.ui.rooms.orders.ticket import TicketDock
from openalgo_desktop.ui.rooms.safety.log import LogDock
from openalgo_desktop.ui.shell import symbols, workspace
from openalgo_desktop.ui.shell.actions import build_actions
from openalgo_desktop.ui.shell.alert_strip import AlertStrip
from openalgo_desktop.ui.shell.commands import Commands
from openalgo_desktop.ui.shell.docking import Docking
from openalgo_desktop.ui.shell.ending import Ending
from openalgo_desktop.ui.shell.feedback import Feedback
from openalgo_desktop.ui.shell.first_run_pages import Workplaces
from openalgo_desktop.ui.shell.hands import Hands
from openalgo_desktop.ui.shell.lock_screen import LockScreen
from openalgo_desktop.ui.shell.menu_bar import fill_menu_bar
from openalgo_desktop.ui.shell.mode_marks import SANDBOX_TEXT, ModeMarks, live_text, titled
from openalgo_desktop.ui.shell.questions import Questions
from openalgo_desktop.ui.shell.remote_questions import RemoteQuestions
from openalgo_desktop.ui.shell.side_window import TITLE, prepare
from openalgo_desktop.ui.shell.sounds import Sounds
from openalgo_desktop.ui.shell.statusbar import StatusBar
from openalgo_desktop.ui.shell.toasts import Toasts
from openalgo_desktop.ui.shell.toolbar import TopBar
from openalgo_desktop.ui.shell.tour import Tour
from openalgo_desktop.ui.shell.tray import Tray, there_is_one
from openalgo_desktop.ui.shell.workspace_menu import WorkspaceMenu
from openalgo_desktop.ui.shell.workspaces import Workspaces

KILL_KEY = "Ctrl+F12"
BANNER_HEIGHT = 28
#: Kinds of docks over which no toast appears, buttons or not.
NEVER_COVERED = frozenset({"ticket", "ladder"})


class MainWindow(QMainWindow):
    """Build it, then ``await restore()`` once it is shown; ``on_close`` is called to leave."""

    def __init__(self, bridge: Bridge, on_close: Callable[[], None]) -> None:
        super().__init__()
        self.bridge = bridge
        self._on_close = on_close
        named(self, "main-window", TITLE)
        self.resize(1600, 960)
        prepare(self)
        self.toasts = Toasts(self)
        self.commands = Commands(self, bridge, self.toasts)
        self.ending = Ending(self, bridge, self.toasts)
        self._questions = Questions(bridge, self)
        self.remote_questions = RemoteQuestions(self, bridge)
        self.docking = Docking(bridge, self)
        self.tour = Tour(self, bridge, self.docking)
        self.workspaces = Workspaces(bridge, self, self.docking)
        self.hands = Hands(self, bridge, self.docking, self.workspaces, self.commands.settings)
        self.actions_by_name = build_actions(self, self._handlers())
        symbols.dress(self.actions_by_name)
        self.hands.take_actions(self.actions_by_name)
        self.marks = ModeMarks(bridge, self)
        self.lock_screen = LockScreen(self, bridge)
        self._build_bars()
        self.toasts.overflow.connect(self.status_bar.tell)
        self.docking.opened.connect(self._on_opened)
        self.top_bar.add_workspaces(WorkspaceMenu(self, bridge, self.workspaces))
        fill_menu_bar(self.menuBar(), self.docking, self.actions_by_name)
        self.sounds = Sounds(bridge, self)
        self.tray: Tray | None = None
        self.feedback = Feedback(self, bridge, self.toasts, self.sounds, self._notify)
        bridge.command_wanted.connect(lambda name: self.actions_by_name[name].trigger())
        bridge.order_wanted.connect(self._show_order)
        bridge.mode_changed.connect(self._on_mode)
        bridge.setting_changed.connect(self._on_setting)
        bridge.trade_wanted.connect(self._open_ticket_of)
        bridge.ticket_wanted.connect(self._open_ticket_wish)
        bridge.basket_wanted.connect(self._add_to_basket)
        bridge.dock_wanted.connect(self._show_dock)
        bridge.alerts.wanted.connect(lambda key, price: show_form(self, bridge, key, price))
        bridge.alerts.draft_wanted.connect(lambda draft: show_form(self, bridge, draft=draft))
        bridge.flatten_wanted.connect(self.actions_by_name["flatten"].trigger)
        self._on_mode(bridge.mode)
        self.alert_banner.refresh()

    # -- building ---------------------------------------------------------------------------
    def _build_bars(self) -> None:
        """Toolbar, strips, status bar, and what their parts call for."""
        top = self.top_bar = TopBar(self.bridge, self.actions_by_name)
        self.hands.hotkeys.changed.connect(lambda _: top.relabel())
        top.kill_held.connect(self.commands.kill)
        kill_key = keep_key(QAction("Kill switch", self))  # it repeats: it has to be held
        kill_key.setShortcut(KILL_KEY)
        kill_key.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
        kill_key.triggered.connect(lambda _checked: self.top_bar.kill.key_pulse())
        self.addAction(kill_key)
        top.mode_clicked.connect(self.commands.toggle_mode)
        top.kind_wanted.connect(self.hands.show_kind)
        top.setting_wanted.connect(self.commands.settings)
        self.workspaces.changed.connect(lambda: top.show_workspace(self.workspaces.current))
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, top)
        self._build_banners()
        status = self.status_bar = StatusBar(self.bridge)
        self.setStatusBar(status)
        status.review_wanted.connect(self.commands.review_books)
        status.log_wanted.connect(self._show_errors)
        status.performance_wanted.connect(lambda: self.hands.show_kind("performance"))

    def _build_banners(self) -> None:
        self.sandbox_banner = label(SANDBOX_TEXT, "banner-sandbox", "banner-sandbox")
        self.sandbox_banner.setAccessibleName(SANDBOX_TEXT)
        self.sandbox_banner.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sandbox_bar = self._strip(self.sandbox_banner)
        self.live_banner = label("", "banner-live", "banner-live")
        self.live_banner.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._live_bar = self._strip(self.live_banner)
        self.alert_banner = AlertStrip(self.bridge)
        self.alert_banner.login_wanted.connect(self.commands.log_in)
        strip = self._strip(self.alert_banner)
        self.alert_banner.changed.connect(strip.setVisible)
        self.alert_banner.resized.connect(strip.setFixedHeight)

    def _handlers(self) -> dict[str, Callable[[], object]]:
        commands = self.commands
        return {
            **self.hands.handlers(),
            "first-run": self.first_run,
            "tour": self.tour.start,
            "cancel-symbol": self.ending.cancel_symbol,
            "flatten-symbol": self.ending.flatten_symbol,
            "reverse-symbol": self.ending.reverse_symbol,
            "cancel-all": self.ending.cancel_all,
            "flatten": self.ending.flatten,
            "review-books": commands.review_books,
            "risk-limits": commands.risk_limits,
            "reset-kill": commands.reset_kill,
            "toggle-mode": commands.toggle_mode,
            "buy": lambda: self._open_ticket(Action.BUY),
            "sell": lambda: self._open_ticket(Action.SELL),
            "toggle-theme": commands.toggle_theme,
            "reset-layout": self.default_layout,
            "full-screen": self._full_screen,
            "api-keys": commands.api_keys,
            "webhooks": commands.webhooks,
            "telegram": commands.telegram,
            "copy-api-key": commands.copy_api_key,
            "accounts": commands.accounts,
            "audit": commands.audit,
            "diagnostics": commands.diagnostics,
            "crash-report": commands.crash_report,
            "about": commands.about,
            "app-lock": commands.app_lock,
            "lock-now": commands.lock_now,
            "settings": commands.settings,
            "quit": self.close,
        }

    def _strip(self, content: QWidget) -> QToolBar:
        """A strip over the whole width, as a toolbar row of its own."""
        self.addToolBarBreak()
        name = content.objectName()
        bar = named(QToolBar(name), f"{name}-bar", content.accessibleName())
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.toggleViewAction().setEnabled(False)
        bar.ensurePolished()  # it took its margins from the style when it was made: take new ones
        set_role(bar, name)
        content.setFixedHeight(BANNER_HEIGHT)
        bar.setFixedHeight(BANNER_HEIGHT)
        bar.addWidget(content)
        content.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
        return bar

    @property
    def docks(self) -> dict[str, Dock]:
        """The open docks by name."""
        return self.docking.docks

    @property
    def ticket(self) -> TicketDock:
        """The order ticket; opened when there is none."""
        dock = self.docking.of_kind("ticket")
        ticket = dock[0] if dock else self.docking.open("ticket")
        assert isinstance(ticket, TicketDock)
        return ticket

    # -- layout -----------------------------------------------------------------------------
    def default_layout(self) -> None:
        """The workspace as it was shipped."""
        self.workspaces.reset()
        self.name_tab_bars()

    def name_tab_bars(self) -> None:
        """Qt makes tab bars of docks as it needs them; they get their names here."""
        for index, bar in enumerate(
            self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        ):
            named(bar, f"dock-tabs-{index}", "Docks in one place")
            keep_fitting(bar)
            name_inner_controls(bar)

    async def restore(self) -> None:
        """Bring back windows and docks and what they show; select a symbol."""
        await self.workspaces.start()
        await self.hands.restore()
        await self._take_imported()
        if self.bridge.selected is None:
            watchlist = self._watchlist()
            first = watchlist.first_key() if watchlist is not None else None
            if first is not None:
                self.bridge.select(first)
        self._on_mode(self.bridge.mode)  # the stored layout knows nothing of today's banners
        self.alert_banner.refresh()
        self.name_tab_bars()
        name_inner_controls(self)

    def _watchlist(self) -> WatchlistDock | None:
        found = self.docking.of_kind("watchlist")
        dock = found[0] if found else None
        return dock if isinstance(dock, WatchlistDock) else None

    async def _take_imported(self) -> None:
        """Symbols that ``openalgo-desktop import`` left for the watch list, once."""
        imported = await self.bridge.load_state(workspace.SCOPE, workspace.IMPORTED)
        if isinstance(imported, list) and imported:
            watchlist = self._watchlist() or self.docking.open("watchlist")
            assert isinstance(watchlist, WatchlistDock)
            new = self.bridge.watch_list_keys(imported)
            known = set(watchlist.keys())
            watchlist.add_all([key for key in new if key not in known])
            await self.bridge.save_state(workspace.SCOPE, workspace.IMPORTED, [])

    async def save(self) -> None:
        """Remember windows, docks and symbols."""
        await self.workspaces.save()

    # -- events -----------------------------------------------------------------------------
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest:
            with self.bridge.frames.painting():
                return super().event(event)
        if isinstance(event, QChildEvent) and isinstance(event.child(), QTabBar):
            QTimer.singleShot(0, self, self.name_tab_bars)
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        # Leaving takes time (orders under way, database): the owner ends the program later.
        event.ignore()
        self.commands.leave(self.tray is not None, self._on_close, self.keep_in_tray)

    def _on_mode(self, mode: Mode) -> None:
        sandbox = mode is Mode.SANDBOX
        text = live_text(self.commands.account())
        self.live_banner.setText(text)
        self.live_banner.setAccessibleName(text)
        # First the one that goes: both at once would move all docks down and up again.
        bars = (self._live_bar, self._sandbox_bar)
        for bar, shown in zip(bars if sandbox else bars[::-1], (False, True), strict=True):
            bar.setVisible(shown)
        self.setWindowTitle(titled(mode, TITLE))

    def _on_setting(self, key: str, value: object) -> None:
        if key in KEYS:
            app = QApplication.instance()
            assert isinstance(app, QApplication)
            dress(app, self.bridge.setting)

    # -- commands ---------------------------------------------------------------------------
    def _show_dock(self, kind: str, key: Key | None) -> None:
        dock = self.docking.show(kind)
        if key is not None:
            dock.pick(key)

    def _show_order(self, order_id: str) -> None:
        dock = self.hands.show_kind("orders")
        assert isinstance(dock, OrdersDock)
        dock.show_order(order_id)

    def _show_errors(self) -> None:
        """The log, with what went wrong."""
        dock = self.hands.show_kind("log")
        assert isinstance(dock, LogDock)
        dock.show_level("ERROR")

    def _notify(self, level: str, text: str) -> None:
        if self.tray is not None:
            self.tray.notify(level, text)

    def _on_opened(self, dock: Dock) -> None:
        self.marks.watch(dock)
        kind = kind_of(dock.name)
        if kind is not None and kind.id in NEVER_COVERED:
            trades_on_click(dock.body)

    # -- tray -------------------------------------------------------------------------------
    def start_tray(self) -> None:
        """The tray icon, where the desktop has a tray."""
        if self.tray is None and there_is_one():
            self.take_tray(Tray(self, self.bridge, self.sounds))

    def take_tray(self, tray: Tray) -> None:
        """Follow a tray icon."""
        self.tray = tray
        tray.show_wanted.connect(self.come_back)
        tray.flatten_wanted.connect(self._flatten_from_tray)
        tray.quit_wanted.connect(self._quit_from_tray)

    def keep_in_tray(self) -> None:
        """All windows go; prices, exits, strategies and the local API stay."""
        for window in (self, *self.workspaces.windows):
            window.hide()

    def come_back(self) -> None:
        """The windows again."""
        for window in self.workspaces.windows:
            self.lock_screen.bring(window)
        self.show()
        self.raise_()
        self.activateWindow()

    def _flatten_from_tray(self) -> None:
        """The review; while it is locked the lock screen, which has its own button."""
        self.come_back()
        if not self.bridge.lock.locked:
            self.actions_by_name["flatten"].trigger()

    def _quit_from_tray(self) -> None:
        self.come_back()
        self.close()

    def first_run(self) -> None:
        """The first steps, also when they were seen before."""
        self.commands.first_run(self.workplaces(), self.tour.start)

    def workplaces(self) -> Workplaces:
        """The workspaces to choose from."""
        spaces = self.workspaces
        return Workplaces(spaces.names(), spaces.about, lambda: spaces.current, spaces.switch)

    def _open_ticket_of(self, key: Key, action: Action) -> None:
        """Buy or Sell in a row: of that row's symbol, whether the ticket is linked or not."""
        instrument = self.ticket.instrument
        if instrument is None or instrument.key != key:
            self.ticket.show_symbol(key)
        self._open_ticket(action)

    def _open_ticket_wish(self, wish: TicketWish) -> None:
        """The ticket as a position, a chart or a ladder wants it; it is only shown."""
        self.ticket.show()
        self.ticket.raise_()
        self.ticket.take_wish(wish)

    def _add_to_basket(self, request: OrderRequest) -> None:
        """A line for the basket, which is shown with it; nothing is sent."""
        from openalgo_desktop.ui.rooms.orders.basket import BasketDock  # when it is first wanted

        basket = self.docking.show("basket")
        assert isinstance(basket, BasketDock)
        basket.add(request)

    def _open_ticket(self, action: Action) -> None:
        self.ticket.show()
        self.ticket.raise_()
        self.ticket.set_action(action)
        self.ticket.type_size()

    def _full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()
