"""What all docks share: title bar with link chip, empty state, frame turns, prices wanted, and the
end: a closed dock is gone, with everything that it asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QMenu,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from openalgo_desktop.core.enums import Action, FeedMode
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine import links
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import icons
from openalgo_desktop.ui.kit.dock_keys import Answer, DockKeys
from openalgo_desktop.ui.kit.exporting import png, write_bytes
from openalgo_desktop.ui.kit.fields import BORDER
from openalgo_desktop.ui.kit.kinds import groups_of
from openalgo_desktop.ui.kit.save_file import ask_path
from openalgo_desktop.ui.kit.symbol_drag import keys_of
from openalgo_desktop.ui.kit.title_bar import TitleBar
from openalgo_desktop.ui.kit.widgets import label, named, slug

T = TypeVar("T")


class Spawn(Protocol):
    """How parts of a dock start work: :meth:`Dock.spawn`."""

    def __call__(
        self, work: Coroutine[Any, Any, T], name: str, *, sends: bool = False
    ) -> asyncio.Task[T]: ...


class Holder(Protocol):
    """What parts of docks need of whoever they belong to: a dock, or a chart in one."""

    name: str
    bridge: Bridge

    @property
    def spawn(self) -> Spawn: ...


class Listener(Holder, Protocol):
    """One that hears signals of the bridge while it is there."""

    def listen(self, signal: SignalInstance, slot: Callable[..., object]) -> None: ...


class _Body(QScrollArea):
    """Holds what a dock shows. In a place that is too small it scrolls, so that no dock keeps the
    window wider than the screen."""

    def minimumSizeHint(self) -> QSize:
        return QSize(96, 48)

    def sizeHint(self) -> QSize:
        widget = self.widget()
        return widget.sizeHint() if widget is not None else super().sizeHint()


class _Content(QWidget):
    """What a dock shows. Where a text in it wraps, a scroll area would give it the height that it
    likes best and scroll, with tables in it that could be lower: it gets what it cannot do
    without, and grows from there."""

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        if layout is None or not layout.hasHeightForWidth():
            return -1
        return layout.totalMinimumHeightForWidth(width)


class Dock(QDockWidget):
    """Base of all docks and a :class:`FrameClient`.

    A dock says what it is (``name``, ``title``), asks for prices with :meth:`want`, stores ticks
    in :meth:`take`, repaints in :meth:`flush`, and hears the bridge through :meth:`listen`, so
    that nothing of it is left when it is closed.
    """

    name = ""
    title = ""
    linkable = False  # has a link group: shows its symbol, or gives it one
    links_interval = False  # may carry the interval of the group, too
    empty_text = ""
    priority = 1
    min_interval = 0.0
    menu_wanted = Signal(object, QPoint)  # the dock, and where on the screen
    gone = Signal(object)  # the dock: it was closed and has let go of everything

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        """``name`` tells docks of one kind apart; the first has that of its kind. In its
        ``parent``, the window where it will be, all that it is made of is styled once."""
        self.name = name or self.name
        number = self.name.removeprefix(type(self).name).removeprefix("-")
        title = f"{self.title} {number}".rstrip()
        super().__init__(title, parent)
        self.title = title
        self.bridge = bridge
        self.dirty = False
        self._group = links.MAIN if self.linkable else links.NONE
        self._interval_linked = False
        self._heard: list[tuple[SignalInstance, Callable[..., object]]] = []
        self._released = False
        self._disposed = False
        self._reads: set[asyncio.Task[Any]] = set()
        self._writes: set[asyncio.Task[Any]] = set()
        self.hotkeys = DockKeys(groups_of(self.name), self)  # while it has the focus; F1 shows them
        named(self, f"dock-{self.name}", self.title)
        self.setAllowedAreas(Qt.DockWidgetArea.AllDockWidgetAreas)
        self.title_bar = TitleBar(self, self.title, self.linkable)
        self.setTitleBarWidget(self.title_bar)
        self.body = named(_Content(), f"dock-{self.name}-body", f"{self.title}, content")
        # A click into an empty panel, or on its title, makes it the one that keys are for.
        self.body.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.title_bar.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.title_bar.setFocusProxy(self.body)
        self.content = QVBoxLayout(self.body)
        self.content.setContentsMargins(0, 0, 0, 0)
        self.content.setSpacing(0)
        self._empty = label(self.empty_text, f"dock-{self.name}-empty", "empty")
        self._empty.setParent(self)  # also where it is never shown: it goes with the dock
        self._empty.hide()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        area = named(_Body(), f"dock-{self.name}-area", f"{self.title}, content")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self.body)
        self.setWidget(area)
        self.title_bar.show_group(self._group)
        bridge.frames.add(self, self.title)
        if self.linkable:
            self.setAcceptDrops(True)
            self.title_bar.link.setMenu(self._link_menu())
            self.listen(bridge.links.symbol_changed, self._on_selected)

    # -- life -------------------------------------------------------------------------------
    def listen(self, signal: SignalInstance, slot: Callable[..., object]) -> None:
        """Hear a signal of the bridge or its doors for as long as the dock is open."""
        signal.connect(slot)
        self._heard.append((signal, slot))

    def release(self) -> None:
        """Let go of everything outside: frames, prices, signals. Docks that hold more (a
        subscription, a task) extend it. Once is enough; more does no harm."""
        if self._released:
            return
        self._released = True
        self.bridge.frames.remove(self)
        self.bridge.forget(self.objectName())
        for signal, slot in self._heard:
            signal.disconnect(slot)
        self._heard.clear()
        for task in self._reads:
            task.cancel()

    def spawn(
        self, work: Coroutine[Any, Any, T], name: str, *, sends: bool = False
    ) -> asyncio.Task[T]:
        """Run a coroutine for this dock; a failure becomes a notice. It is cancelled when the
        dock is closed, unless it ``sends`` something: that goes on to its answer, and the dock
        is deleted after it."""
        task = self.bridge.spawn(work, name)
        if self._released and not sends:  # a timer that had been set before
            task.cancel()
            return task
        tasks = self._writes if sends else self._reads
        tasks.add(task)
        task.add_done_callback(partial(self._ended, tasks))
        return task

    def _ended(self, tasks: set[asyncio.Task[Any]], task: asyncio.Task[Any]) -> None:
        tasks.discard(task)
        if self._disposed:
            self._delete_when_idle()

    def dispose(self) -> None:
        """Delete the dock once nothing of it runs any more."""
        self.release()
        self._disposed = True
        # A further window would take all that is in it along; and a window that is asked for its
        # children while one of them is going keeps its Python half for good.
        self.setParent(None)
        self._delete_when_idle()

    def _delete_when_idle(self) -> None:
        if not self._reads and not self._writes and isValid(self):
            self.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if event.isAccepted():
            self.gone.emit(self)

    def set_locked(self, locked: bool) -> None:
        """Whether it stays where it is and open."""
        feature = QDockWidget.DockWidgetFeature
        self.setFeatures(
            feature.NoDockWidgetFeatures
            if locked
            else feature.DockWidgetMovable
            | feature.DockWidgetFloatable
            | feature.DockWidgetClosable
        )
        self.title_bar.float_button.setEnabled(not locked)
        self.title_bar.close_button.setEnabled(not locked)

    # -- linked symbol ----------------------------------------------------------------------
    @property
    def group(self) -> int:
        """The link group, 0 when it is in none."""
        return self._group

    @property
    def linked(self) -> bool:
        """Whether this dock follows a group."""
        return self._group != links.NONE

    @property
    def interval_linked(self) -> bool:
        """Whether the interval of the group counts here."""
        return self.linked and self._interval_linked

    def set_group(self, group: int) -> None:
        """Join a group (0: none) and show what it shows."""
        self._group = group
        self.title_bar.show_group(group)
        key = self.bridge.links.key(group)
        if key is not None:
            self.show_symbol(key)
        if self.interval_linked:
            self.follow_interval()

    def link_interval(self, wanted: bool) -> None:
        """Whether the interval goes with the group as well."""
        self._interval_linked = wanted
        if self.interval_linked:
            self.follow_interval()

    def follow_interval(self) -> None:
        """Show the interval of the group; docks with intervals implement it."""

    def pick(self, key: Key) -> None:
        """A symbol was chosen here: the docks of the group show it. A dock in no group leads
        nobody and shows it alone."""
        if self.linked:
            self.bridge.select(key, self._group)
        else:
            self.show_symbol(key)

    def _on_selected(self, key: Key, group: int) -> None:
        if self.linked and group == self._group:
            self.show_symbol(key)

    def show_symbol(self, key: Key) -> None:
        """Show ``key``; docks of one symbol implement it."""

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._dropped(event.mimeData()) is not None:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """A symbol that is dropped on a panel is shown there, and by the panels of its group."""
        if (key := self._dropped(event.mimeData())) is not None:
            event.setDropAction(Qt.DropAction.CopyAction)  # it stays in the list it came from
            event.accept()
            self.pick(key)

    def _dropped(self, data: QMimeData) -> Key | None:
        found = (key for key in keys_of(data) if self.bridge.instrument(key) is not None)
        return next(found, None)

    # -- keys -------------------------------------------------------------------------------
    def answer_keys(self, surface: QWidget, answers: Mapping[str, Answer]) -> None:
        """Do this at the keys of the dock's kind, by their ids, while ``surface`` has the focus."""
        common: dict[str, Answer] = {
            action.value.lower(): partial(self._trade_here, action) for action in Action
        }
        shared = {ident: call for ident, call in common.items() if self.hotkeys.has(ident)}
        self.hotkeys.serve(surface, shared | dict(answers))

    @property
    def shows_own(self) -> bool:
        """Whether it came back with what no symbol is (arithmetic): that of the group may wait
        until another is picked."""
        return False

    def symbol_now(self) -> Key | None:
        """The instrument that a key means here; docks with one of their own say which."""
        return self.bridge.links.key(self._group)

    def _trade_here(self, side: Action) -> bool:
        """The ticket on that side; nothing is sent. False where there is nothing to trade."""
        key = self.symbol_now()
        row = self.bridge.instrument(key) if key is not None else None
        if key is None or row is None or row.is_index:
            return False
        self.pick(key)
        self.bridge.trade_wanted.emit(key, side)
        return True

    def set_subject(self, text: str, tip: str = "") -> None:
        """What the dock shows, beside its title; ``tip`` is for hovering over it."""
        self.title_bar.subject.show_text(text, tip)

    def _link_menu(self) -> QMenu:
        menu = named(QMenu(self), f"dock-{self.name}-link-menu", f"Link group of {self.title}")
        choices = QActionGroup(menu)
        for group in (links.NONE, *links.GROUPS):
            action = QAction(f"Group &{group}" if group else "&None", menu)
            action.setCheckable(True)
            action.setData(group)
            action.triggered.connect(lambda _checked=False, to=group: self.set_group(to))
            choices.addAction(action)
            menu.addAction(action)
        interval = QAction("&Interval too", menu)
        interval.setCheckable(True)
        interval.toggled.connect(self.link_interval)
        if self.links_interval:
            menu.addSeparator()
            menu.addAction(interval)

        def refresh() -> None:
            for action in choices.actions():
                action.setChecked(action.data() == self._group)
                if group := action.data():
                    icons.put(action, "link", f"link-{group}")
            interval.setChecked(self._interval_linked)

        menu.aboutToShow.connect(refresh)
        return menu

    # -- empty state ------------------------------------------------------------------------
    def place_empty_over(self, target: QWidget) -> None:
        """Show the empty text in the place of ``target`` while :meth:`set_empty` says so."""
        self._empty_target = target
        self.content.insertWidget(self.content.indexOf(target), self._empty, 1)
        self._empty.hide()

    def pin_foot(self, frame: QWidget, foot: QWidget) -> None:
        """Put what the dock shows into ``frame``, over a ``foot`` that stays where it is: in a low
        place the content scrolls, and what sends is never below the fold."""
        body = self.widget()
        column = QVBoxLayout(frame)
        column.setContentsMargins(BORDER + 2, BORDER + 2, BORDER + 2, BORDER + 2)
        column.setSpacing(4)
        column.addWidget(body, 1)
        column.addWidget(foot)
        self.setWidget(frame)

    def set_empty(self, empty: bool, text: str = "") -> None:
        """Swap content and empty text."""
        if text:
            self._empty.setText(text)
        self._empty.setVisible(empty)
        self._empty_target.setVisible(not empty)

    # -- prices -----------------------------------------------------------------------------
    def want(self, keys: Mapping[Key, FeedMode]) -> None:
        """Ask for live prices of ``keys`` instead of the ones before; a closed dock gets none."""
        if self._released:
            return
        self.bridge.prices.want(self.objectName(), keys)

    def take(self, ticks: Ticks) -> None:
        """Store prices; docks with prices implement it."""

    def is_hidden(self) -> bool:
        """Whether nobody can see it: closed, behind another tab, or minimised."""
        return self.visibleRegion().isEmpty()

    def wants_flush(self) -> bool:
        """Dirty, and somebody can see it."""
        return self.dirty and not self.is_hidden()

    def flush(self) -> None:
        """Repaint; docks with prices implement it and call this."""
        self.dirty = False

    # -- giving away ------------------------------------------------------------------------
    def exports(self) -> list[tuple[str, Callable[[], object]]]:
        """What of it can be saved: text of a menu, and what it starts."""
        return [("Save as picture…", lambda: self.spawn(self._save_picture(), "save picture"))]

    def file_name(self) -> str:
        """What a file of it is called at first, without an ending."""
        return f"{self.name}-{self.bridge.now():%Y-%m-%d}"

    def said(self, text: str) -> None:
        """Tell the user in a notice."""
        self.bridge.notice.emit("info", text)

    async def _save_picture(self) -> None:
        await self.save_picture_of(self.body)

    async def save_picture_of(
        self, part: QWidget, dressed: AbstractContextManager[None] | None = None
    ) -> None:
        """Ask for a file and save what ``part`` of the dock looks like, ``dressed`` for it."""
        path = await ask_path(self, "Save as picture", "Pictures", "png", f"{self.file_name()}.png")
        if path is not None:
            with dressed or nullcontext():
                image = part.grab().toImage()
            await write_bytes(path, lambda: png(image))
            self.said(f"Picture saved as {path}.")

    # -- menus and state --------------------------------------------------------------------
    def menu(self) -> QMenu:
        """A context menu that deletes itself; open it with ``popup``. A change of the mode or the
        account closes it: its items may mean orders and positions of the one that was."""
        menu = named(QMenu(self), f"dock-{self.name}-menu", f"{self.title} menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.bridge.mode_changed.connect(menu.close)
        self.bridge.account_changed.connect(menu.close)
        return menu

    def add_item(self, menu: QMenu, text: str, call: Callable[[], object]) -> QAction:
        """One item of a context menu."""
        action = menu.addAction(text)
        action.setObjectName(f"{self.name}-menu-{slug(text)}")
        action.triggered.connect(lambda _checked=False: call())
        return action

    def add_check(
        self, menu: QMenu, text: str, checked: bool, call: Callable[[], object]
    ) -> QAction:
        """One item that is ticked while it holds."""
        action = self.add_item(menu, text, call)
        action.setCheckable(True)
        action.setChecked(checked)
        return action

    def save_state(self) -> dict[str, Any]:
        """What the workspace remembers of this dock (JSON values)."""
        if not self.linkable:
            return {}
        return {"group": self._group, "interval_linked": self._interval_linked}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """The other way round; unknown values are ignored."""
        group = state.get("group")
        if isinstance(linked := state.get("linked"), bool):  # until version 3
            group = links.MAIN if linked else links.NONE
        if self.linkable and isinstance(group, int) and group in (links.NONE, *links.GROUPS):
            self._group = group
            self.title_bar.show_group(group)
        self._interval_linked = state.get("interval_linked") is True
