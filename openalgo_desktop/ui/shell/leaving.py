"""Leaving the program while something is at work: what stays behind, and a question."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.engine.work import AtWork
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.widgets import label, named, push_button

NAME = "dialog-leave"
STAY, TRAY, QUIT = "stay", "tray", "quit"


def _count(number: int, what: str, more: str = "") -> str:
    return f"{number} {what if number == 1 else more or what + 's'}"


def what_is_left(at: AtWork, account: str) -> list[str]:
    """A sentence for each thing that is left behind; ``account`` is the broker account's name."""
    lines = []
    for mode, positions, orders in (
        (Mode.LIVE, at.live_positions, at.live_orders),
        (Mode.SANDBOX, at.paper_positions, at.paper_orders),
    ):
        parts = [
            _count(number, what)
            for number, what in ((positions, "open position"), (orders, "working order"))
            if number
        ]
        if not parts:
            continue
        what = " and ".join(parts)
        if mode is Mode.LIVE:
            verb = "stays" if positions + orders == 1 else "stay"
            lines.append(f"LIVE: {what} {verb} at {account}, with real money.")
        else:
            verb = "stands" if positions + orders == 1 else "stand"
            lines.append(f"Sandbox: {what} {verb} still until the next start.")
    if at.unsettled:
        lines.append(
            f"{_count(at.unsettled, 'order')} without a known state: nobody checks on until the "
            "next start."
        )
    if at.exits:
        plans = _count(at.exits, "exit or trigger of ours", "exits and triggers of ours")
        verb = "is" if at.exits == 1 else "are"
        lines.append(f"{plans} {verb} NOT watched while the program is not running.")
    if at.runners:
        shown = ", ".join(at.runners[:4]) + (", …" if len(at.runners) > 4 else "")
        lines.append(
            f"{_count(len(at.runners), 'strategy', 'strategies')} will not trade: {shown}."
        )
    if at.clients:
        lines.append(
            f"{_count(at.clients, 'script')} lose their connection."
            if at.clients > 1
            else "1 script loses its connection."
        )
    return lines


class LeaveDialog(QDialog):
    """``choice`` is :data:`STAY`, :data:`TRAY` or :data:`QUIT`; Escape and Enter stay."""

    def __init__(self, parent: QWidget, lines: Sequence[str], tray: bool) -> None:
        super().__init__(parent)
        self.choice = STAY
        self.setWindowTitle("Leave the terminal?")
        self.setMinimumWidth(look.px(620))
        named(self, NAME, "Leave the terminal?")
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addWidget(label("This is still at work:", f"{NAME}-title", "heading"))
        self.rows = PlainList.to_read(f"{NAME}-rows", "What is left behind", lines)
        column.addWidget(self.rows)
        if tray:
            note = label(
                "In the tray everything goes on: prices, exits, strategies and the local API.",
                f"{NAME}-note",
                "muted",
            )
            note.setWordWrap(True)
            column.addWidget(note)
        row = QHBoxLayout()
        self.quit = push_button("Quit", f"{NAME}-quit", "Quit", lambda: self._choose(QUIT))
        self.quit.setProperty("role", "danger")
        self.quit.setAutoDefault(False)
        row.addWidget(self.quit)
        row.addStretch(1)
        self.tray = push_button(
            "Keep in the tray", f"{NAME}-tray", "Keep in the tray", lambda: self._choose(TRAY)
        )
        self.tray.setAutoDefault(False)
        self.tray.setVisible(tray)
        row.addWidget(self.tray)
        self.stay = push_button("Stay", f"{NAME}-stay", "Stay", self.reject)
        self.stay.setProperty("role", "primary")
        self.stay.setDefault(True)
        row.addWidget(self.stay)
        column.addLayout(row)
        self.stay.setFocus()

    def _choose(self, choice: str) -> None:
        self.choice = choice
        self.accept()


async def ask_to_leave(parent: QWidget, lines: Sequence[str], tray: bool) -> str:
    """What the user wants."""
    dialog = LeaveDialog(parent, lines, tray)
    await ask(dialog)
    return dialog.choice
