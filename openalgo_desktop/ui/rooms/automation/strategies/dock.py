"""Strategies: what trades without a hand, and in which mode each does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING
from openalgo_desktop.core.strategies.hosted import HostedView
from openalgo_desktop.core.strategies.ports import StrategyNotFound
from openalgo_desktop.core.strategies.rows import RunEvent
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.rows import WebhookStrategy
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.kit.widgets import label, named, push_button
from openalgo_desktop.ui.rooms.automation.strategies.columns import columns
from openalgo_desktop.ui.rooms.automation.strategies.detail import Detail
from openalgo_desktop.ui.rooms.automation.strategies.editor import StrategyDialog, show_editor
from openalgo_desktop.ui.rooms.automation.strategies.hooks import of_hook
from openalgo_desktop.ui.rooms.automation.strategies.made_acts import MadeActs
from openalgo_desktop.ui.rooms.automation.strategies.program_acts import ProgramActs
from openalgo_desktop.ui.rooms.automation.strategies.rows import (
    ALL,
    MADE,
    PAGES,
    PROGRAMS,
    SCRIPTS,
    StrategyRow,
    made_row,
    program_row,
    script_row,
    webhook_row,
)
from openalgo_desktop.ui.rooms.automation.webhooks import WebhooksDialog

EMPTY = (
    "No strategies.\n"
    "New makes one of legs and rules, hosts a Python program, or follows alerts of TradingView "
    "or Chartink. Python files can be dropped here."
)


class StrategiesDock(TableDock[StrategyRow]):
    """Made strategies, hosted programs and webhooks."""

    name = "strategies"
    title = "Strategies"
    empty_text = EMPTY
    priority = 1

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.columns = columns(bridge)
        super().__init__(bridge, name, parent)
        self._reading = False
        self._unread = False
        self._wanted = ""  # the row to choose when it is there
        self._names: set[str] = set()  # of all rows, shown or not
        self._told: set[int] = set()  # made strategies of which something was told
        self._telling = False
        self.made, self.programs = MadeActs(self), ProgramActs(self)
        self.page = Segments("strategies-kind", "Show strategies", PAGES, compact=True)
        self.page.changed.connect(lambda _: self.refresh())
        self.new_button = named(QPushButton("New"), "strategies-new", "New strategy")
        self.new_button.setMenu(self._new_menu())
        self.edit_button = self._button("Edit…", "edit", "Edit the strategy", self.edit)
        self.start_button = self._button("Start…", "start", "Start the strategy", self.start)
        self.stop_button = self._button("Stop…", "stop", "Stop the strategy", self.stop)
        self.add_head(
            (self.page,), self.new_button, self.edit_button, self.start_button, self.stop_button
        )
        self.new_button.setEnabled(True)
        self.hint = label(
            "Each run keeps the mode in which it was started, whatever the switch says; "
            f"rules work {ONLY_WHILE_RUNNING}.",
            "strategies-hint",
            "muted",
        )
        self.hint.setWordWrap(True)
        self.hint.setContentsMargins(10, 3, 10, 3)
        self.view.setMinimumHeight(look.px(100))  # some rows, whatever is shown below
        self.detail = Detail(self)
        self.detail.hide()
        self.content.addWidget(self.detail, 1)
        self.content.addWidget(self.hint)
        self.setAcceptDrops(True)
        self.listen(bridge.strategies.changed, self._on_made)
        self.listen(bridge.strategies.told, self._on_told)
        self.listen(bridge.strategies.booked, self._on_book)
        self.listen(bridge.programs.changed, self._on_program)
        self.listen(bridge.programs.removed, lambda _: self.news())
        self.selection_changed.connect(self._on_selection)
        self.refresh()

    def _button(
        self, text: str, name: str, title: str, call: Callable[[StrategyRow], object]
    ) -> QPushButton:
        def pressed() -> None:
            if (row := self.selected_row()) is not None:
                call(row)

        return push_button(text, f"strategies-{name}", title, pressed)

    def _new_menu(self) -> QMenu:
        menu = named(QMenu(self), "strategies-new-menu", "New strategy")
        self.add_item(menu, "Strategy of legs and rules…", self.new)
        self.programs.fill_new(menu)
        self.add_item(menu, "Webhook strategy…", lambda: self._webhook(""))
        return menu

    # -- rows ---------------------------------------------------------------------------------
    def row_id(self, row: StrategyRow) -> str:
        return row.ident

    def reload(self) -> None:
        """Read all of them anew."""
        self._unread = True
        if not self._reading:
            self._reading = True
            self.spawn(self._read(), "read strategies")

    async def _read(self) -> None:
        try:
            while self._unread:
                self._unread = False
                rows = await self._all_rows()
                self._names = {row.name for row in rows}
                shown = self.page.value()
                self.set_rows([row for row in rows if shown in (ALL, row.page)])
                self._count(rows)
                if self._wanted and self.choose_row(self._wanted):
                    self._wanted = ""
                self._on_selection()
        finally:
            self._reading = False

    async def _all_rows(self) -> list[StrategyRow]:
        door = self.bridge.strategies
        made = [made_row(one, door.view(one.strategy_id)) for one in await door.made()]
        webhooks = [webhook_row(one) for one in await self.bridge.safety.webhooks()]
        rows = [*made, *map(program_row, self.bridge.programs.all()), *webhooks]
        return [*rows, *self._scripts({row.name for row in rows})]

    def _scripts(self, known: set[str]) -> list[StrategyRow]:
        """Names that only orders of the current mode bear."""
        books, mode = self.bridge.strategies.books, self.bridge.mode
        names = [name for name in books.strategies(mode) if name not in known]
        return [script_row(name, books.summary(name, mode)) for name in names]

    def _count(self, rows: list[StrategyRow]) -> None:
        running = sum(row.mode is not None for row in rows)
        live = sum(row.mode is Mode.LIVE for row in rows)
        text = f"{running} running" if running else ""
        self.set_subject(f"{text}, {live} LIVE" if live else text)

    def news(self) -> None:
        """Rows came, went or changed."""
        self.reload_soon()

    def choose_later(self, ident: str) -> None:
        """Select a row as soon as it is there."""
        self._wanted = ident
        self.news()

    def _on_made(self, strategy_id: int) -> None:
        """While it runs, its numbers: the row alone. What else changes of one that runs is told
        as an event."""
        row = self.row_of(f"made:{strategy_id}")
        view = self.bridge.strategies.view(strategy_id)
        if self.is_hidden() or view is None or row is None or row.made is None or not row.runs:
            self.news()
            return
        fresh = made_row(row.made, view)
        self.replace_row(fresh, True)
        if self.detail.ident == fresh.ident and self.detail.isVisible():
            self.detail.again()

    def _on_told(self, event: RunEvent) -> None:
        """Something happened to one: it is read again, and no other."""
        if self.is_hidden():
            self.news()
            return
        self._told.add(event.strategy_id)
        if not self._telling:
            self._telling = True
            self.spawn(self._read_told(), "read a strategy")

    async def _read_told(self) -> None:
        door = self.bridge.strategies
        try:
            while self._told:
                strategy_id = self._told.pop()
                row = self.row_of(f"made:{strategy_id}")
                if row is None or row.runs != (door.view(strategy_id) is not None):
                    self.news()  # it came, went, began or ended
                    continue
                made = await door.get(strategy_id)
                self.replace_row(made_row(made, door.view(strategy_id)), True)
                if self.detail.ident == row.ident:
                    self._on_selection()
        except StrategyNotFound:
            self.news()
        finally:
            self._telling = False

    def _on_program(self, view: HostedView) -> None:
        fresh = program_row(view)
        row = self.row_of(fresh.ident)
        if self.is_hidden() or row is None or row.runs != fresh.runs:
            self.news()
            return
        self.replace_row(fresh, True)
        if self.detail.ident == fresh.ident:
            self.detail.show_row(fresh)

    def _on_book(self, mode: Mode, names: frozenset[str]) -> None:
        self.detail.booked(mode, names)
        if mode is self.bridge.mode and not names <= self._names:
            self.news()  # a script that was not there before

    def flush(self) -> None:
        super().flush()
        self.detail.flush()

    def _on_selection(self) -> None:
        row = self.selected_row()
        trades = row is not None and row.page in (MADE, PROGRAMS)
        self.edit_button.setEnabled(row is not None and row.page != SCRIPTS)
        self.start_button.setEnabled(trades and row is not None and not row.runs)
        self.stop_button.setEnabled(trades and row is not None and row.runs)
        self.detail.setVisible(row is not None)
        self.hint.setVisible(row is None)
        if row is not None:
            self.detail.show_row(row)
        else:
            self.detail.leave()
        self.dirty = True

    def release(self) -> None:
        self.detail.leave()
        super().release()

    # -- interaction --------------------------------------------------------------------------
    def activated(self, row: StrategyRow) -> None:
        self.edit(row)

    def act(self, row: StrategyRow, name: str) -> None:
        {"start": self.start, "stop": self.stop, "edit": self.edit}[name](row)

    def row_keys(self) -> Mapping[str, Callable[[StrategyRow], object]]:
        return {"edit": self.edit, "delete": self.delete}

    def fill_menu(self, menu: QMenu, row: StrategyRow) -> None:
        if row.made is not None:
            self.made.fill_menu(menu, row.made, paused=row.paused)
        elif row.program is not None:
            self.programs.fill_menu(menu, row.program)
        elif row.webhook is not None:
            hook = row.webhook
            self.add_item(menu, "Edit…", lambda: self.edit(row))
            self.add_item(menu, "What to paste…", lambda: self._paste(hook))

    def _paste(self, hook: WebhookStrategy) -> None:
        async def shown() -> None:
            await ask(of_hook(self, self.bridge, hook))
            self.news()

        self.spawn(shown(), "what to paste")

    def new(self) -> StrategyDialog:
        """The form of a new strategy."""
        return show_editor(self, self.bridge)

    def edit(self, row: StrategyRow) -> None:
        """The form of a row, or the text of a program."""
        if row.made is not None:
            self.made.edit(row.made)
        elif row.program is not None:
            self.programs.edit(row.program)
        elif row.webhook is not None:
            self._webhook(row.webhook.webhook_id)

    def start(self, row: StrategyRow) -> None:
        """Ask in which mode, then start."""
        if row.made is not None:
            self.made.start(row.made)
        elif row.program is not None:
            self.programs.start(row.program)

    def stop(self, row: StrategyRow) -> None:
        """Ask, then stop."""
        if row.made is not None:
            self.made.stop(row.made)
        elif row.program is not None:
            self.programs.stop(row.program)

    def delete(self, row: StrategyRow) -> None:
        """Ask, then forget."""
        if row.made is not None:
            self.made.delete(row.made)
        elif row.program is not None:
            self.programs.remove(row.program)

    def do(self, work: Awaitable[object], name: str) -> None:
        """Do what needs no question."""

        async def done() -> None:
            await work
            self.news()

        self.spawn(done(), name, sends=True)

    def _webhook(self, webhook_id: str) -> None:
        self.spawn(self._show_webhook(webhook_id), "show webhook strategy")

    async def _show_webhook(self, webhook_id: str) -> None:
        dialog = WebhooksDialog(self, self.bridge)
        await dialog.load()
        dialog.choose(webhook_id)
        await ask(dialog)
        self.news()

    # -- dropped files ------------------------------------------------------------------------
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.programs.dropped(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if paths := self.programs.dropped(event.mimeData()):
            event.acceptProposedAction()
            self.programs.add_dropped(paths)
