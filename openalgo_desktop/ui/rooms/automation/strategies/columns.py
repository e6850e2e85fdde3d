"""The columns of the strategies dock."""

from __future__ import annotations

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.table_dock import Col
from openalgo_desktop.ui.kit.tables import RowAction
from openalgo_desktop.ui.rooms.automation.strategies.rows import SCRIPTS, WEBHOOKS, StrategyRow


def _actions(row: StrategyRow) -> tuple[RowAction, ...]:
    if row.page == SCRIPTS:
        return ()
    if row.page == WEBHOOKS:
        return (RowAction("edit", "Edit"),)
    if row.runs:
        return (RowAction("stop", "Stop", "down"),)
    return (RowAction("start", "Start…"),)


def _mode(row: StrategyRow) -> str:
    return fmt.MISSING if row.mode is None else row.mode.value.upper()


def _mode_tone(row: StrategyRow) -> str:
    if row.mode is None:
        return "muted"
    return "down" if row.mode is Mode.LIVE else "warning"


def _result_tone(row: StrategyRow) -> str:
    return "" if not row.result else "up" if row.result > 0 else "down"


def columns(bridge: Bridge) -> tuple[Col[StrategyRow], ...]:
    """The dock's columns."""
    return (
        Col("name", "Name", 170, lambda r: r.name, numeric=False, elides=True),
        Col("kind", "Kind", 76, lambda r: r.kind, numeric=False),
        Col("state", "State", 120, lambda r: r.state, tone=lambda r: r.tone, numeric=False,
            tip=lambda r: bridge.clean(r.note)),
        Col("mode", "Mode", 80, _mode, numeric=False,
            tone=_mode_tone,
            tooltip="Where its orders go, whatever the switch of the window says"),
        Col("result", "P&L", 100, lambda r: r.result,
            lambda r: fmt.MISSING if r.result is None else fmt.signed_money(float(r.result)),
            tone=_result_tone, flash=True, tooltip="Of the run, or of today, as its rules see it"),
        Col("action", "", 64, lambda r: r.runs, numeric=False, actions=_actions),
        Col("holds", "Holds", 100, lambda r: r.holds, numeric=False),
        Col("cpu", "CPU", 60, lambda r: r.cpu,
            lambda r: fmt.MISSING if r.cpu is None else f"{r.cpu:.0f}%"),
        Col("memory", "Memory", 76, lambda r: r.memory,
            lambda r: fmt.MISSING if r.memory is None else f"{r.memory:.0f} MB"),
        Col("note", "Note", 260, lambda r: bridge.clean(r.note), numeric=False, elides=True),
    )  # fmt: skip
