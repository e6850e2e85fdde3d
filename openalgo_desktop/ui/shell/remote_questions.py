"""What a linked chat wants and a human here may allow: one question for each, gone when it is
settled elsewhere. It takes no keys from what is being typed, and *No* is where Enter is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.telegram import ConfirmRequest
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.confirm import ConfirmDialog


class RemoteQuestions(QObject):
    """Belongs to the main window."""

    def __init__(self, window: QWidget, bridge: Bridge) -> None:
        super().__init__(window)
        self._window, self._bridge = window, bridge
        self._open: dict[str, ConfirmDialog] = {}
        bridge.telegram.asked.connect(self._ask)
        bridge.telegram.settled.connect(self._over)
        bridge.lock.changed.connect(self._on_lock)

    def _ask(self, request: ConfirmRequest) -> None:
        if request.request_id in self._open or self._bridge.lock.locked:
            return  # (a locked window asks when it is opened)
        dialog = ConfirmDialog(
            self._window,
            f"Telegram: {request.chat}",
            f"The chat {request.chat} wants: {request.text}",
            "Allow",
            danger=True,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        dialog.setModal(False)
        self._open[request.request_id] = dialog
        dialog.accepted.connect(lambda: self._answer(request.request_id, True))
        dialog.rejected.connect(lambda: self._answer(request.request_id, False))
        dialog.show()

    def _answer(self, request_id: str, yes: bool) -> None:
        if self._open.pop(request_id, None) is None:
            return  # settled elsewhere
        try:
            text = self._bridge.telegram.confirm(request_id, yes)
        except AppError as error:
            self._bridge.notice.emit("warning", error.message)
        else:
            self._bridge.notice.emit("info", text)

    def _on_lock(self, locked: bool) -> None:
        """Nobody answers in front of a locked window: its questions go, and come again."""
        if locked:
            for request_id in tuple(self._open):
                self._over(request_id)
        else:
            for request in self._bridge.telegram.waiting():
                self._ask(request)

    def _over(self, request_id: str) -> None:
        dialog = self._open.pop(request_id, None)
        if dialog is not None:
            dialog.close()
