"""What gets a trader out of the market works while a dialog is open."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.settings import SettingsDialog
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks()


def test_cancel_flatten_and_kill_have_their_keys_in_dialogs(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge, window = session.bridge, session.window

        async def order(kind: PriceType, price: float = 0.0) -> None:
            request = OrderRequest("SBIN", "NSE", Action.BUY, 5, kind, Product.MIS, price=price)
            await bridge.desk.place(request, bridge.mode)

        last = (await bridge.snapshot(SBIN)).ltp
        await order(PriceType.MARKET)
        await order(PriceType.LIMIT, round(last * 0.95))
        await until(lambda: bridge.books.working_count == 1, "a resting order")
        await until(lambda: any(p.quantity for p in bridge.books.positions), "a position")
        window.actions_by_name["settings"].trigger()
        await until(lambda: window.findChildren(SettingsDialog), "the settings")
        (dialog,) = window.findChildren(SettingsDialog)
        dialog.activateWindow()
        QTest.keyClick(dialog.search, Qt.Key.Key_F12, Qt.KeyboardModifier.ControlModifier)
        assert window.top_bar.kill.progress > 0.0  # it has to be held
        QTest.keyClick(dialog.search, Qt.Key.Key_F7)
        await until(lambda: not bridge.books.working_count, "the cancellation")
        QTest.keyClick(dialog.search, Qt.Key.Key_F6)
        await until(lambda: window.findChildren(ConfirmDialog), "the review")
        (review,) = window.findChildren(ConfirmDialog)
        click(review.yes)
        await until(lambda: not any(p.quantity for p in bridge.books.positions), "flat books")
        assert dialog.isVisible()  # what was typed there is still there
        dialog.reject()
        await until(lambda: not window.findChildren(SettingsDialog), "the dialog's end")

    drive(scenario)
