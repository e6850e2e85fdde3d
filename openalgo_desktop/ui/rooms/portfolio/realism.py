"""The question, asked once, how real an older paper account shall be from now on."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.widgets import label, named, push_button

TEXT = (
    "Shall the sandbox margin futures and options as an exchange does (SPAN-like, with hedge "
    "benefit), and take brokerage and taxes? Open positions are margined anew."
)


class RealismStrip(QWidget):
    """A line over the sandbox dock while there is something to answer; in nobody's way."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        named(self, "sandbox-realism", "How real the sandbox is")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 10, 6)
        question = label(TEXT, "sandbox-realism-text", "warning")
        question.setWordWrap(True)
        row.addWidget(question, 1)
        self.yes = push_button(
            "Yes, as in reality",
            "sandbox-realism-yes",
            "Real margins and charges",
            lambda: self._answer(True),
        )
        self.no = push_button(
            "No, keep it simple",
            "sandbox-realism-no",
            "Leverage table, no charges",
            lambda: self._answer(False),
        )
        row.addWidget(self.yes)
        row.addWidget(self.no)
        self.setVisible(False)
        bridge.paper.changed.connect(self._on_changed)

    def _on_changed(self, asks: bool) -> None:
        if asks and self.isHidden():
            self._bridge.notice.emit(
                "info", "The sandbox can have real margins and charges: see the Sandbox panel."
            )
        self.setVisible(asks)

    def _answer(self, real: bool) -> None:
        self._bridge.spawn(self._bridge.paper.answer(real), "sandbox realism")
