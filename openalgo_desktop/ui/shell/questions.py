"""A question that is open was asked for one order account. What follows a yes checks the mode by
itself; when live orders go to another account meanwhile, the question is withdrawn."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.confirm import ConfirmDialog


class Questions(QObject):
    """Belongs to the main window; looks only when an account has changed."""

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._account = self._orders_account()
        bridge.account_changed.connect(self._look)

    def _orders_account(self) -> str:
        return self._bridge.accounts.orders_status().account_id

    def _look(self, _status: object) -> None:
        now = self._orders_account()
        if now == self._account:
            return
        self._account = now
        open_ones = [
            widget
            for widget in QApplication.topLevelWidgets()
            if isinstance(widget, ConfirmDialog) and widget.isVisible()
        ]
        for question in open_ones:
            question.reject()
        if open_ones:
            self._bridge.notice.emit(
                "warning", "Live orders go to another account now: the open question is withdrawn."
            )
