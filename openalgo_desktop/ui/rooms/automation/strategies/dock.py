"""Strategies: what trades without a hand, and in which mode each does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING
from openalgo_desktop.core.strategies import describe
from openalgo_desktop.core.strategies.rows import LegView, MadeStrategy
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.confirm import ConfirmDialog, confirm
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.kit.widgets import label, named, push_button
from openalgo_desktop.ui.rooms.automation.strategies.columns import columns
from openalgo_desktop.ui.rooms.automation.strategies.detail import MadeDetail
from openalgo_desktop.ui.rooms.automation.strategies.editor import StrategyDialog, show_editor
from openalgo_desktop.ui.rooms.automation.strategies.rows import (
    ALL,
    PAGES,
    StrategyRow,
    made_row,
    program_row,
    webhook_row,
)
from openalgo_desktop.ui.rooms.automation.strategies.start import ask_start
from openalgo_desktop.ui.rooms.automation.webhooks import WebhooksDialog

EMPTY = (
    "No strategies.\n"
    "New strategy makes one of legs and rules; Add program hosts a Python file; "
    "webhooks follow alerts of TradingView or Chartink."
)
NO_OPT_IN = "switch it on for this strategy first (menu: Allow live)."


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
        self._news = False
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
        self.detail = MadeDetail(self)
        self.detail.hide()
        self.content.addWidget(self.detail, 1)
        self.content.addWidget(self.hint)
        self.listen(bridge.strategies.changed, self._on_made)
        self.listen(bridge.strategies.program_changed, lambda *_: self._on_news())
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
        self.add_item(menu, "Webhook strategy…", lambda: self._webhook(""))
        return menu

    # -- rows ---------------------------------------------------------------------------------
    def row_id(self, row: StrategyRow) -> str:
        return row.ident

    def reload(self) -> None:
        """Read all of them anew."""
        self._news = True
        if not self._reading:
            self._reading = True
            self.spawn(self._read(), "read strategies")

    async def _read(self) -> None:
        try:
            while self._news:
                self._news = False
                rows = await self._all_rows()
                shown = self.page.value()
                self.set_rows([row for row in rows if shown in (ALL, row.page)])
                running = sum(row.runs and row.mode is not None for row in rows)
                live = sum(row.mode is Mode.LIVE for row in rows)
                text = f"{running} running" if running else ""
                self.set_subject(f"{text}, {live} LIVE" if live else text)
                self._on_selection()
        finally:
            self._reading = False

    async def _all_rows(self) -> list[StrategyRow]:
        door = self.bridge.strategies
        made = [made_row(one, door.view(one.strategy_id)) for one in await door.made()]
        webhooks = [webhook_row(one) for one in await self.bridge.safety.webhooks()]
        return [*made, *map(program_row, door.programs()), *webhooks]

    def _on_news(self) -> None:
        self.reload_soon()

    def _on_made(self, strategy_id: int) -> None:
        """Its numbers changed, or its state: the row alone where it is known."""
        if self.is_hidden():
            self._on_news()
            return
        row = self.row_of(f"made:{strategy_id}")
        view = self.bridge.strategies.view(strategy_id)
        runs = view is not None
        if row is None or row.made is None or row.runs != runs:
            self._on_news()
            return
        self.replace_row(made_row(row.made, view), True)
        if self.detail.strategy_id == strategy_id:
            self.detail.again()

    def flush(self) -> None:
        super().flush()
        self.detail.flush()

    def _on_selection(self) -> None:
        row = self.selected_row()
        made = None if row is None else row.made
        self.edit_button.setEnabled(row is not None and row.program is None)
        self.start_button.setEnabled(row is not None and row.webhook is None and not row.runs)
        self.stop_button.setEnabled(row is not None and row.webhook is None and row.runs)
        self.detail.setVisible(made is not None)
        if made is not None:
            self.detail.show_strategy(made)
        self.dirty = True

    # -- interaction --------------------------------------------------------------------------
    def activated(self, row: StrategyRow) -> None:
        self.edit(row)

    def act(self, row: StrategyRow, name: str) -> None:
        {"start": self.start, "stop": self.stop, "edit": self.edit}[name](row)

    def row_keys(self) -> Mapping[str, Callable[[StrategyRow], object]]:
        return {"edit": self.edit, "delete": self.delete}

    def fill_menu(self, menu: QMenu, row: StrategyRow) -> None:
        if row.webhook is None:
            word, call = ("Stop…", self.stop) if row.runs else ("Start…", self.start)
            self.add_item(menu, word, lambda: call(row))
        if row.program is None:
            self.add_item(menu, "Edit…", lambda: self.edit(row))
        made = row.made
        if made is None:
            return
        self.add_item(menu, "Copy…", lambda: self._copy(made))
        self.add_check(menu, "Allow live", made.live_enabled, lambda: self._allow_live(made))
        if row.runs:
            paused = row.state == "Paused"
            self.add_item(
                menu,
                "Go on entering" if paused else "Pause entries",
                lambda: self._do(self.bridge.strategies.pause(made.strategy_id, not paused)),
            )
        menu.addSeparator()
        self.add_item(menu, "Delete…", lambda: self.delete(row))

    def new(self) -> StrategyDialog:
        """The form of a new strategy."""
        return show_editor(self, self.bridge)

    def edit(self, row: StrategyRow) -> None:
        """The form of a row."""
        if row.made is not None:
            show_editor(self, self.bridge, row.made)
        elif row.webhook is not None:
            self._webhook(row.webhook.webhook_id)

    def _webhook(self, webhook_id: str) -> None:
        self.spawn(self._show_webhook(webhook_id), "show webhook strategy")

    async def _show_webhook(self, webhook_id: str) -> None:
        dialog = WebhooksDialog(self, self.bridge)
        await dialog.load()
        dialog.choose(webhook_id)
        await ask(dialog)
        self._on_news()

    def _copy(self, made: MadeStrategy) -> None:
        draft = made.definition
        show_editor(
            self, self.bridge, draft=msgspec.structs.replace(draft, name=f"{draft.name} (copy)")
        )

    def _do(self, work: Awaitable[object]) -> None:
        async def done() -> None:
            await work
            self._on_news()

        self.spawn(done(), "change strategy", sends=True)

    # -- starting and stopping ----------------------------------------------------------------
    def start(self, row: StrategyRow) -> None:
        """Ask in which mode, then start."""
        self.spawn(self._start(row), "start strategy", sends=True)

    async def _start(self, row: StrategyRow) -> None:
        door, name = self.bridge.strategies, row.name
        account = self.bridge.desk.account_of(Mode.LIVE)
        if row.made is not None:
            rows = describe.lines(row.made.definition)
            no_live = "" if row.made.live_enabled else NO_OPT_IN
        elif row.program is not None:
            rows = [row.program.hosted.entry]
            no_live = "" if row.program.hosted.promoted_hash else "promote it first."
        else:
            return
        if not account:
            no_live = no_live or "no live account is connected."
        mode = await ask_start(self, name, rows, no_live, account)
        if mode is None:
            return
        if row.made is not None:
            answer = await door.start(row.made.strategy_id, mode)
            bad = [leg for leg in answer.legs if not leg.ok]
            for leg in bad:
                text = f"{name}, leg {leg.leg_id}: {leg.error}"
                self.bridge.notice.emit("warning", self.bridge.clean(text))
            if not bad:
                self.bridge.notice.emit("info", f"{name} runs in {mode.value.upper()}.")
        else:
            await door.start_program(name, mode)
        self._on_news()

    def stop(self, row: StrategyRow) -> None:
        """Ask, then stop."""
        self.spawn(self._stop(row), "stop strategy", sends=True)

    async def _stop(self, row: StrategyRow) -> None:
        door = self.bridge.strategies
        if row.made is not None:
            rows = self._held(row.made)
            where = row.mode.value.upper() if row.mode is not None else ""
            text = f"Its legs are closed at market in {where}." if rows else "It holds nothing."
            if await confirm(self, f"Stop {row.name}?", text, "Stop", rows, danger=bool(rows)):
                await door.stop(row.made.strategy_id)
        elif row.program is not None:
            dialog = ConfirmDialog(
                self,
                f"Stop {row.name}?",
                "The program is asked to end, and ended when it does not.",
                "Stop",
                option="Close what it holds, at market",
            )
            dialog.option.setChecked(False)
            if await ask(dialog):
                await door.stop_program(row.name, square_off=dialog.option.isChecked())
        self._on_news()

    def _held(self, made: MadeStrategy) -> list[str]:
        view = self.bridge.strategies.view(made.strategy_id)
        if view is None:
            return []
        return [
            f"{leg.leg_id}.  {self.bridge.name((leg.exchange, leg.symbol))}  {leg.units:+,}"
            for leg in view.legs
            if leg.units
        ]

    def close_leg(self, made: MadeStrategy, leg: LegView) -> None:
        """Close one leg at market."""
        self._do(self.bridge.strategies.close_leg(made.strategy_id, leg.leg_id))

    def _allow_live(self, made: MadeStrategy) -> None:
        self.spawn(self._live(made), "allow live", sends=True)

    async def _live(self, made: MadeStrategy) -> None:
        allowed = made.live_enabled
        if not allowed and not await confirm(
            self,
            f"Allow {made.definition.name} to trade live?",
            "It may then be started with real money: here, by the API, by its webhook and by its "
            "schedule.",
            "Allow live",
            describe.lines(made.definition),
            danger=True,
        ):
            return
        await self.bridge.strategies.enable_live(made.strategy_id, not allowed)
        self._on_news()

    def delete(self, row: StrategyRow) -> None:
        """Ask, then forget."""
        if row.made is not None:
            self.spawn(self._delete(row.made), "delete strategy", sends=True)

    async def _delete(self, made: MadeStrategy) -> None:
        name = made.definition.name
        if made.current_run_id is not None:
            raise AppError(f"{name} runs. Stop it first.")
        text = "Its legs and rules are gone; orders and trades stay in the journal."
        if await confirm(self, f"Delete {name}?", text, "Delete", danger=True):
            await self.bridge.strategies.delete(made.strategy_id)
            self._on_news()
