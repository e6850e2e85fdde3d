"""GTT and triggers: what waits for a price. The broker's good-till-triggered orders, and what this
program watches itself: triggers, stops and targets of positions, exits at a result of the day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping

from PySide6.QtWidgets import QDialog, QMenu, QWidget

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.exits import AnyPlan, ExitPlan, PlanState, ResultExit, Trigger
from openalgo_desktop.core.gtt import Gtt
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import come_up
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.kit.widgets import (
    copy_text,
    label,
    name_inner_controls,
    push_button,
)
from openalgo_desktop.ui.rooms.orders.exits_dialog import ExitsDialog
from openalgo_desktop.ui.rooms.orders.result_dialog import ResultDialog
from openalgo_desktop.ui.rooms.orders.trigger_dialog import TriggerDialog
from openalgo_desktop.ui.rooms.orders.trigger_rows import OURS, Rows, WatchRow, columns

FILTERS: dict[str, Callable[[WatchRow], bool]] = {
    "Waiting": lambda row: row.open,
    "Ended": lambda row: not row.open,
    "All": lambda row: True,
}
HINT = "Kept by this app: works only while the program runs. The broker keeps a GTT without it."


class TriggersDock(TableDock[WatchRow]):
    """Rows of the current mode, newest first."""

    name = "triggers"
    title = "GTT / triggers"
    linkable = True
    empty_text = (
        "Nothing waits for a price.\n"
        "New trigger sends an order when a price comes; stops and targets of positions show here."
    )
    priority = 1

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.columns = columns(bridge)
        super().__init__(bridge, name, parent)
        self._make = Rows(bridge)
        self._busy: set[str] = set()
        self._dialogs: dict[str, QDialog] = {}
        self.filter = Segments("triggers-filter", "Show triggers", tuple(FILTERS), compact=True)
        self.filter.changed.connect(lambda _: self.refresh())
        self.new_button = push_button("New trigger…", "triggers-new", "New trigger", self.new)
        self.result_button = push_button(
            "Exit at result…", "triggers-result", "New exit at the day's result", self.new_result
        )
        self.edit_button = push_button(
            "Edit…", "triggers-edit", "Edit the selected row", lambda: self._selected(self.edit)
        )
        self.pause_button = push_button(
            "Pause",
            "triggers-pause",
            "Pause or resume the selected row",
            lambda: self._selected(self._toggle),
        )
        self.delete_button = sends(
            push_button(
                "Delete",
                "triggers-delete",
                "Delete the selected row",
                lambda: self._selected(self.delete),
            )
        )
        self.add_head(
            (self.filter,),
            self.new_button,
            self.result_button,
            self.edit_button,
            self.pause_button,
            self.delete_button,
        )
        for button in (self.new_button, self.result_button):
            button.setEnabled(True)
        self.hint = label(HINT, "triggers-hint", "muted")
        self.hint.setWordWrap(True)
        self.hint.setContentsMargins(10, 3, 10, 3)
        self.problem = label("", "triggers-problem", "warning")
        self.problem.setWordWrap(True)
        self.problem.setContentsMargins(10, 3, 10, 3)
        self.problem.hide()
        self.content.insertWidget(1, self.problem)
        self.content.addWidget(self.hint)
        self.listen(bridge.watch.changed, self._on_plan)
        self.listen(bridge.feed.aged, self._on_time)
        self.listen(bridge.mode_changed, lambda _: self.refresh())
        self.listen(bridge.gtts.changed, self._on_gtts)
        self.selection_changed.connect(self._on_selection)
        self._let_go = bridge.gtts.hold()
        self._on_gtts()

    def release(self) -> None:
        self._let_go()
        for dialog in tuple(self._dialogs.values()):
            dialog.close()
        super().release()

    # -- rows -------------------------------------------------------------------------------
    def row_id(self, row: WatchRow) -> str:
        return row.row_id

    def reload(self) -> None:
        """Show what waits now, through the filter."""
        keep = FILTERS[self.filter.value()]
        plans = self.bridge.watch.plans(self.bridge.mode)
        rows = [self._make.of_plan(plan) for plan in plans]
        ours = [row for row in rows if row.open]
        rows += [self._make.of_gtt(gtt) for gtt in self.bridge.gtts.rows]
        for row in rows:
            tick = self.bridge.latest(row.key) if row.key[1] else None
            row.ltp = tick.ltp if tick is not None and tick.ltp > 0 else None
        self.want({row.key: FeedMode.LTP for row in rows if row.open and row.key[1]})
        shown = [row for row in rows if keep(row)]
        self.set_rows(shown)
        ended = self.filter.value() == "Ended"
        self.set_empty(not shown, "Nothing has ended lately." if ended else self.empty_text)
        waiting = len(ours) + len(self.bridge.gtts.rows)
        self.set_subject(f"{waiting} waiting" if waiting else "")
        self._on_selection()

    def _on_plan(self, plan: AnyPlan) -> None:
        """One plan changed: its row alone is made anew, unless it comes or goes."""
        if plan.mode is not self.bridge.mode:
            return
        known = self.row_of(plan.plan_id)
        if known is None or self.is_hidden() or known.open is not plan.state.is_open:
            self.reload_soon()
            return
        row = self._make.of_plan(plan)
        row.ltp = known.ltp
        self.replace_row(row, FILTERS[self.filter.value()](row))
        self._on_selection()

    def _on_time(self) -> None:
        """What changes without a tick: the day's result, prices that grow old, a market that
        closes."""
        if self.is_hidden():
            return
        self.looks.start(self._looking())

    def _looking(self) -> Iterator[None]:
        yield from self.looks.ages()
        for row in list(self.rows):
            if row.plan is None or row.plan.state is not PlanState.ACTIVE:
                continue
            fresh = self._make.of_plan(row.plan)
            same = (fresh.state, fresh.also) == (row.state, row.also)
            if not same and self.row_of(row.row_id) is row:
                fresh.ltp = row.ltp
                self.replace_row(fresh, True)
            yield

    def take(self, ticks: Ticks) -> None:
        for row in self.looks.at(ticks.keys()):
            tick = ticks[row.key]
            if tick.ltp > 0 and tick.ltp != row.ltp:
                row.ltp = tick.ltp
                self.row_changed(row)

    def row_stale(self, row: WatchRow) -> bool:
        return bool(row.key[1]) and self.bridge.feed.is_stale(row.key)

    def _on_gtts(self, _keys: object = None) -> None:
        """The broker's book was read."""
        problem = self.bridge.clean(self.bridge.gtts.problem)
        self._say(f"The broker's GTTs cannot be read: {problem}" if problem else "")
        self.refresh()

    def _say(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def _on_selection(self) -> None:
        row = self.selected_row()
        is_open = row is not None and row.open and row.row_id not in self._busy
        self.edit_button.setEnabled(is_open)
        self.delete_button.setEnabled(is_open)
        state = row.plan.state if row is not None and row.plan is not None else None
        self.pause_button.setEnabled(
            is_open and state in (PlanState.ACTIVE, PlanState.PAUSED, PlanState.FAILED)
        )
        resumes = state in (PlanState.PAUSED, PlanState.FAILED)
        self.pause_button.setText("Resume" if resumes else "Pause")

    # -- interaction ------------------------------------------------------------------------
    def _selected(self, call: Callable[[WatchRow], object]) -> None:
        if (row := self.selected_row()) is not None:
            call(row)

    def activated(self, row: WatchRow) -> None:
        if row.key[1]:
            self.pick(row.key)

    def act(self, row: WatchRow, name: str) -> None:
        calls = {
            "edit": self.edit,
            "pause": self._toggle,
            "resume": self._toggle,
            "delete": self.delete,
        }
        calls[name](row)

    def row_keys(self) -> Mapping[str, Callable[[WatchRow], object]]:
        return {"delete": self.delete}

    def key_of(self, row: WatchRow) -> Key | None:
        return row.key if row.key[1] else None

    def fill_menu(self, menu: QMenu, row: WatchRow) -> None:
        if row.open:
            self.add_item(menu, "Edit…", lambda: self.edit(row))
            if row.plan is not None and row.plan.state is PlanState.ACTIVE:
                self.add_item(menu, "Pause", lambda: self._toggle(row))
            elif row.plan is not None and row.plan.state is PlanState.PAUSED:
                self.add_item(menu, "Resume", lambda: self._toggle(row))
            elif row.plan is not None and row.plan.state is PlanState.FAILED:
                self.add_item(menu, "Try again", lambda: self._toggle(row))
            self.add_item(menu, "Delete", lambda: self.delete(row))
            menu.addSeparator()
        if row.key[1]:
            self.add_item(menu, "New trigger…", lambda: self.new(row.key))
            self.add_item(menu, "Show in linked docks", lambda: self.pick(row.key))
            wanted = self.bridge.dock_wanted
            self.add_item(menu, "Show chart", lambda: wanted.emit("chart", row.key))
        self.add_item(menu, "Exit at the day's result…", self.new_result)
        self.add_item(menu, "Copy id", lambda: copy_text(row.row_id.removeprefix("gtt:")))

    def new(self, key: Key | None = None) -> None:
        """The form for a new trigger, for the symbol of the group unless one is given."""
        wanted = key or self.bridge.links.key(self.group)
        self._open("new", lambda: TriggerDialog(self, self.bridge, wanted))

    def new_result(self) -> None:
        """The form for an exit at the day's result."""
        self._open("new result", lambda: ResultDialog(self, self.bridge))

    def edit(self, row: WatchRow) -> None:
        """The form of a row."""
        if not row.open:
            return
        match row.plan or row.gtt:
            case ExitPlan() as plan:
                self._open(row.row_id, lambda: ExitsDialog(self, self.bridge, plan))
            case ResultExit() as result:
                self._open(row.row_id, lambda: ResultDialog(self, self.bridge, result))
            case (Trigger() | Gtt()) as old:
                self._open(row.row_id, lambda: TriggerDialog(self, self.bridge, old.key, old))

    def _open(self, name: str, make: Callable[[], QDialog]) -> None:
        """One form for each row; not modal."""
        dialog = self._dialogs.get(name)
        if dialog is None:
            dialog = self._dialogs[name] = make()
            dialog.finished.connect(lambda _: self._forget(name))
        name_inner_controls(dialog)
        come_up(dialog)

    def _forget(self, name: str) -> None:
        dialog = self._dialogs.pop(name, None)
        if dialog is not None:
            dialog.deleteLater()
            self.bridge.gtts.read()

    def _toggle(self, row: WatchRow) -> None:
        plan, watch = row.plan, self.bridge.watch
        if plan is None:
            return
        call = watch.pause if plan.state is PlanState.ACTIVE else watch.resume
        self._send(row, lambda: call(plan.plan_id, plan.mode))

    def delete(self, row: WatchRow) -> None:
        """End a row: takes nothing off the market but what waits for a price."""
        plan, gtt, watch, mode = row.plan, row.gtt, self.bridge.watch, self.bridge.mode
        if not row.open:
            return
        if isinstance(plan, ExitPlan | ResultExit):
            self._send(row, lambda: self._unprotect(row, plan))
        elif plan is not None:
            self._send(row, lambda: watch.delete(plan.plan_id, plan.mode))
        elif gtt is not None:
            self._send(row, lambda: watch.cancel_gtt(gtt.trigger_id, mode))

    async def _unprotect(self, row: WatchRow, plan: ExitPlan | ResultExit) -> None:
        """What guards a position is taken away after a question, as from the chart."""
        if isinstance(plan, ResultExit):
            text = f"{plan.label or 'The account'}: today's result is no longer watched"
            text += f" ({row.also})." if row.also else "."
        else:
            text = f"{self.bridge.name(row.key)}: stop, targets and trailing of this row are no "
            text += "longer watched. The position stays."
        if await confirm(self, "Take the protection away?", text, "Take away", danger=True):
            await self.bridge.watch.delete(plan.plan_id, plan.mode)

    def _send(self, row: WatchRow, call: Callable[[], Awaitable[object]]) -> None:
        if row.row_id not in self._busy:
            self._busy.add(row.row_id)
            self._on_selection()
            self.spawn(self._sent(row, call), "change trigger", sends=True)

    async def _sent(self, row: WatchRow, call: Callable[[], Awaitable[object]]) -> None:
        try:
            await call()
        finally:
            self._busy.discard(row.row_id)
            self._on_selection()
        if row.keeper != OURS:
            self.bridge.gtts.read()
