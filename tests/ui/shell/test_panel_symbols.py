"""How a panel gets its symbol: it has the focus while something is searched, or one is dropped."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.kit.symbol_drag import mime_of
from openalgo_desktop.ui.rooms.market.ladder import LadderDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, ended, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist", "orders", "positions")

INFY = ("NSE", "INFY")
COPY, LEFT, PLAIN = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0)


def drop(dock: LadderDock, keys: list[Key]) -> bool:
    """Whether it was taken."""
    data = mime_of(keys)
    enters = QDragEnterEvent(QPoint(5, 5), COPY, data, LEFT, PLAIN)
    enters.ignore()
    QApplication.sendEvent(dock, enters)
    if not enters.isAccepted():
        return False
    QApplication.sendEvent(dock, QDropEvent(QPointF(5, 5), COPY, data, LEFT, PLAIN))
    return True


def test_search_and_drop_are_for_the_panel_they_are_made_in(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        window, bridge = session.window, session.bridge
        window.workspaces.switch("Scalper")
        await until(lambda: "ladder-2" in window.docks, "the second ladder")
        ladder = window.docks["ladder-2"]
        assert isinstance(ladder, LadderDock) and ladder.group == 2
        window.activateWindow()
        await until(lambda: QApplication.activeWindow() is window, "the focus")
        QTest.mouseClick(ladder.title_bar, LEFT, pos=QPoint(20, 5))
        assert window.hands.focused_dock() is ladder
        palette = window.hands.palette
        palette.open()
        palette.field.setText("SBIN")
        palette.search_now()
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        await until(lambda: bridge.links.key(2) == SBIN, "the symbol of group 2")
        first = bridge.selected
        assert drop(ladder, [("NSE", "NO SUCH"), INFY])
        assert bridge.links.key(2) == INFY and bridge.selected == first  # group 1 is left alone
        assert not drop(ladder, [("NSE", "NO SUCH")])

    drive(scenario)


def test_the_kill_switch_works_again_below_its_report(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        window, kills = session.window, 0
        kill = session.bridge.safety.kill

        async def counted() -> object:
            nonlocal kills
            kills += 1
            return await kill()

        session.bridge.safety.kill = counted  # type: ignore[method-assign, assignment]
        for expected in (1, 2):
            window.commands.kill()
            await until(lambda: kills == expected, "the switch")  # noqa: B023
            reports = "dialog-kill"
            await until(
                lambda: any(
                    w.isVisible() and w.objectName().startswith(reports)  # noqa: B023
                    for w in QApplication.topLevelWidgets()
                ),
                "the report",
            )
            await ended(session, "kill switch")
        assert QApplication.activeModalWidget() is None
        click(window.top_bar.kill)  # still there; a click is no hold
        for widget in QApplication.topLevelWidgets():
            if widget.objectName().startswith(reports):
                widget.close()

    drive(scenario)
