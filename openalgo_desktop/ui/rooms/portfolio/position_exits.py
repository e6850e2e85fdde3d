"""Exits of positions by hand: opens the editor under a row, and gives what was set to the door of
the watched exits."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.exits import ExitPlan, Unit
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.rooms.portfolio.exit_editor import ExitEditor, Leg, Wanted
from openalgo_desktop.ui.rooms.portfolio.position_rows import Line, LineId, whole_plan

_MENU = ((Leg.STOP, "Stop…"), (Leg.TARGET, "Target…"), (Leg.TRAIL, "Trailing stop…"))


class PositionExits:
    """One editor at a time."""

    def __init__(self, dock: TableDock[Line]) -> None:
        self._dock = dock
        self._bridge = dock.bridge
        self.editor: ExitEditor | None = None
        self._row: LineId | None = None

    # -- the editor -------------------------------------------------------------------------
    def edit(self, row: Position, leg: Leg) -> None:
        """Open the editor of a leg under its position."""
        self.leave()
        instrument = self._bridge.instrument(row.key)
        if instrument is None or not row.quantity:
            return
        mode = self._bridge.mode
        identity = (row.key, row.product.value)
        place = self._dock.view_row_of(identity)
        view = self._dock.view
        name = self._bridge.name(row.key)
        editor = ExitEditor(view, row, leg, instrument, mode, name, self._now(row, leg, mode))
        editor.wanted.connect(self._set)
        editor.removed.connect(self._remove)
        editor.closed.connect(self._forget)
        self.editor, self._row = editor, identity
        top = 0 if place is None else view.rowViewportPosition(place) + view.row_height
        head = view.horizontalHeader().height()
        editor.open_at(view.width(), top + head)

    def leave(self) -> None:
        """Close the editor without a change."""
        if self.editor is not None:
            self.editor.leave()

    def check(self) -> None:
        """The book changed: what is edited may be flat, or another size."""
        if self.editor is None or self._row is None:
            return
        line = self._dock.row_of(self._row)
        row = None if line is None else line.position
        if row is None or not row.quantity:
            self.leave()
            self._bridge.notice.emit("info", "The position is closed: there is nothing to protect.")
        else:
            self.editor.follow(row)

    def _forget(self) -> None:
        self.editor = self._row = None
        self._dock.view.setFocus()

    def _plan(self, row: Position, mode: Mode) -> ExitPlan | None:
        return whole_plan(
            self._bridge.watch.of_position(row.symbol, row.exchange, row.product, mode)
        )

    def _now(self, row: Position, leg: Leg, mode: Mode) -> float | None:
        """What a leg is set to; None where it is not there."""
        watch, place = self._bridge.watch, (row.symbol, row.exchange, row.product, mode)
        if leg is Leg.STOP:
            found = watch.stop_price(*place)
        elif leg is Leg.TARGET:
            found = watch.target_price(*place)
        else:
            plan = self._plan(row, mode)
            trail = None if plan is None else plan.spec.trail
            found = trail.value if trail is not None and trail.unit is Unit.POINTS else None
        return None if found is None else float(found)

    # -- sending ----------------------------------------------------------------------------
    def _set(self, wanted: Wanted) -> None:
        self._dock.spawn(self._carry_out(wanted), f"set {wanted.leg.value}", sends=True)

    async def _carry_out(self, wanted: Wanted) -> None:
        row, watch = wanted.row, self._bridge.watch
        place = (row.symbol, row.exchange, row.product, wanted.mode)
        if wanted.leg is Leg.STOP:
            await watch.set_stop(*place, wanted.value)
        elif wanted.leg is Leg.TARGET:
            await watch.move_target(*place, wanted.value)
        else:
            await watch.set_trail(*place, wanted.value)

    def _remove(self, wanted: Wanted) -> None:
        self._dock.spawn(self._take_away(wanted), f"remove {wanted.leg.value}", sends=True)

    async def _take_away(self, wanted: Wanted) -> None:
        """From each plan that has it: a bracket's stop that stayed would still go out."""
        row = wanted.row
        gone: dict[Leg, dict[str, Any]] = {
            # A stop that trails is the stop, too: what stayed of it would still go out.
            Leg.STOP: {"stop": None, "trail": None, "break_even": None},
            Leg.TARGET: {"targets": ()},
            Leg.TRAIL: {"trail": None},
        }
        watch = self._bridge.watch
        for plan in watch.of_position(row.symbol, row.exchange, row.product, wanted.mode):
            spec = msgspec.structs.replace(plan.spec, **gone[wanted.leg])
            if not plan.held or plan.label or spec == plan.spec:
                continue
            if spec.empty:
                await watch.delete(plan.plan_id, wanted.mode)
            else:
                await watch.change(plan.plan_id, spec, wanted.mode)

    def break_even(self, row: Position) -> None:
        """Move the stop to the entry price."""
        mode = self._bridge.mode
        self._dock.spawn(self._break_even(row, mode), "stop at the entry price", sends=True)

    async def _break_even(self, row: Position, mode: Mode) -> None:
        await self._bridge.watch.break_even(row.symbol, row.exchange, row.product, mode)

    # -- menu -------------------------------------------------------------------------------
    def fill_menu(self, menu: QMenu, row: Position) -> None:
        """What protects the position."""
        for leg, text in _MENU:
            self._dock.add_item(menu, text, partial(self.edit, row, leg))
        self._dock.add_item(menu, "Stop at entry price", lambda: self.break_even(row))
