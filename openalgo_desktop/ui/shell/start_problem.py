"""Why the program cannot start, with the ways out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.widgets import label, named, push_button

#: Button and the settings that it changes for this run. They help when a port cannot be had.
WAYS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("Use free ports this time", {"api.rest_port": 0, "api.ws_port": 0}),
    ("Start without the API", {"api.enabled": False}),
)
PORT_SETTINGS = ("api.rest_port", "api.ws_port", "api.host")


def ways_out(error: AppError) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """What can be tried after ``error`` besides quitting."""
    return WAYS if any(name in error.message for name in PORT_SETTINGS) else ()


class StartProblemDialog(QDialog):
    """``chosen`` holds the settings for another try; None when the user gives up."""

    def __init__(self, error: AppError) -> None:
        super().__init__()
        self.chosen: Mapping[str, Any] | None = None
        self.setWindowTitle("OpenAlgo Desktop cannot start")
        self.setMinimumWidth(look.px(520))
        named(self, "dialog-start-problem", "The program cannot start")
        column = QVBoxLayout(self)
        column.setSpacing(14)
        column.addWidget(label("OpenAlgo Desktop cannot start", "start-problem-title", "heading"))
        text = label(error.message, "start-problem-text")
        text.setWordWrap(True)
        column.addWidget(text)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(push_button("Quit", "start-problem-quit", "Quit", self.reject))
        self.ways: list[QPushButton] = []
        for index, (caption, settings) in enumerate(ways_out(error)):
            button = push_button(
                caption,
                f"start-problem-way-{index}",
                caption,
                lambda settings=settings: self._choose(settings),  # type: ignore[misc]
            )
            if not index:
                button.setProperty("role", "primary")
                button.setDefault(True)
            self.ways.append(button)
            row.addWidget(button)
        column.addLayout(row)

    def _choose(self, settings: Mapping[str, Any]) -> None:
        self.chosen = settings
        self.accept()


async def ask_way_out(error: AppError) -> Mapping[str, Any] | None:
    """Show the problem; the settings for another try, or None."""
    dialog = StartProblemDialog(error)
    await ask(dialog)
    return dialog.chosen
