"""Every button that sends: marked as such, safe against held keys and releases elsewhere."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton

from openalgo_desktop.ui.kit.hold_button import HoldButton
from openalgo_desktop.ui.kit.kinds import kinds
from openalgo_desktop.ui.kit.sending import sending_buttons
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.scene import dialogs, place_some
from tests.ui.driving import Drive, priced

#: Names of buttons that send an order, a change, a cancellation or an exit.
SENDING = re.compile(
    r"(ticket-send|orders-(modify|cancel)|positions-close(-all)?|approvals-approve"
    r"|toolbar-(cancel-all|flatten|kill)|dialog-modify-save|api-builder-send"
    r"|basket-send|triggers-.*(delete|cancel)|lock-emergency-.*)$"
)
#: Those that only open a window or a review.
OPENS = {"orders-modify", "positions-close-all"}


def held(button: QAbstractButton, kind: QEvent.Type, repeat: bool) -> None:
    event = QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ", repeat)
    QApplication.sendEvent(button, event)


def test_every_button_that_sends_is_safe(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        await place_some(session)
        window = session.window
        orders = len(await session.terminal.desk.read.orders())
        for kind in kinds():
            if not window.docking.of_kind(kind):
                window.docking.open(kind)
        roots = [window, *await dialogs(session)]
        found = [b for root in roots for b in root.findChildren(QAbstractButton)]
        marked = {id(b) for root in roots for b in sending_buttons(root)}
        named = [b for b in found if SENDING.fullmatch(b.objectName())]
        assert len(named) >= 8
        unmarked = {b.objectName() for b in named if id(b) not in marked} - OPENS
        assert unmarked == set()
        for button in [b for b in found if id(b) in marked]:
            name = button.objectName()
            assert not button.autoRepeat(), name
            if isinstance(button, QPushButton):
                assert not button.isDefault() and not button.autoDefault(), name
            if isinstance(button, HoldButton):
                continue
            clicks: list[str] = []
            button.clicked.connect(lambda _=False, name=name, to=clicks: to.append(name))
            button.setEnabled(True)
            # press, leave, release: nothing is pressed any more, and nothing was clicked
            QTest.mousePress(button, Qt.MouseButton.LeftButton)
            away = QPoint(-50, -50)
            QTest.mouseMove(button, away)
            QTest.mouseRelease(button, Qt.MouseButton.LeftButton, pos=away)
            assert not button.isDown(), name
            for _ in range(5):
                held(button, QEvent.Type.KeyPress, True)
                held(button, QEvent.Type.KeyRelease, True)
            assert clicks == [] and not button.isDown(), name
        assert len(await session.terminal.desk.read.orders()) == orders

    drive(scenario)
