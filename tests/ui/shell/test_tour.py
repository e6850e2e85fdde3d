"""The tour: six hints at real parts of the window; none covers or presses what sends."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from openalgo_desktop.ui.kit.sending import sending_places
from openalgo_desktop.ui.shell.first_run import FirstRunDialog
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.tour import HINTS, Tour
from tests.ui.driving import Drive, click, ended, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist", "orders", "positions")


async def sized(session: Session, width: int, height: int) -> Tour:
    window = session.window
    window.showNormal()
    window.resize(width, height)
    await until(lambda: window.width() == width, "the size")
    for _ in range(20):
        QApplication.processEvents()
    return window.tour


@pytest.mark.whole_layout
@pytest.mark.parametrize("size", [(800, 600), (1366, 768), (1920, 1080)])
def test_no_hint_covers_what_sends_and_none_sends(drive: Drive, size: tuple[int, int]) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        window = session.window
        tour = await sized(session, *size)
        window.actions_by_name["tour"].trigger()
        for index in range(len(HINTS)):
            assert tour.index == index
            for _ in range(10):
                QApplication.processEvents()
            tour.place()
            assert tour.sheet.isVisible(), f"hint {index + 1} has no place"
            sheet = tour.sheet.geometry()
            assert window.rect().contains(sheet)
            assert not [place for place in sending_places(window) if place.intersects(sheet)]
            assert tour.text.height() >= tour.text.heightForWidth(tour.text.width())
            part = tour.part()
            assert part is not None and part == tour.frame.geometry()
            assert not part.contains(sheet) or part.width() > 2 * sheet.width() // 3
            QTest.keyClick(tour.next, Qt.Key.Key_Return)
        assert not tour.running and not tour.sheet.isVisible() and not tour.frame.isVisible()
        assert not session.bridge.books.orders

    drive(scenario)


def test_the_frame_takes_no_click_and_the_end_leaves_the_focus_with_nobody(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        tour = await sized(session, 1366, 768)
        tour.start()
        tour.go()  # at the switch of the mode
        assert tour.part() is not None
        assert session.window.childAt(tour.part().center()) is session.window.top_bar.mode
        QTest.keyClick(tour.next, Qt.Key.Key_Escape)
        assert not tour.running
        assert session.window.focusWidget() in (None, session.window)

    drive(scenario)


def test_a_closed_panel_is_told_of_and_the_tour_goes_on(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        tour = await sized(session, 1366, 768)
        for name in [dock.name for dock in session.window.docking.of_kind("watchlist")]:
            session.window.docks[name].close()
        tour.start()
        tour.go(2)
        assert HINTS[tour.index].part == "watchlist" and tour.part() is None
        assert "View, Watchlist opens it" in tour.note.text() and tour.sheet.isVisible()
        assert not tour.frame.isVisible()
        tour.go()
        session.window.ticket.close()  # closed while its hint is shown
        await until(lambda: not tour.frame.isVisible(), "the frame to go")
        tour.go()
        assert tour.running

    drive(scenario)


def test_a_hint_knows_that_it_was_tried(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        tour = await sized(session, 1366, 768)
        tour.start()
        assert not tour.note.isVisible()
        session.bridge.select(("NSE", "SBIN"))
        assert tour.note.isVisible() and tour.note.text().startswith("✓ Done")
        click(tour.next)
        assert not tour.note.isVisible()
        click(tour.back)
        assert tour.index == 0

    drive(scenario)


def test_the_first_steps_end_with_it_and_skipping_them_does_not(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        for key, running in ((Qt.Key.Key_Escape, False), (Qt.Key.Key_Return, True)):
            window.actions_by_name["first-run"].trigger()
            await until(lambda: window.findChildren(FirstRunDialog), "the first steps")
            dialog = window.findChildren(FirstRunDialog)[0]
            await until(dialog.isVisible, "them to be shown")
            dialog.show_step(4)
            QTest.keyClick(dialog, key)
            await until(lambda: not window.findChildren(FirstRunDialog), "the end")
            await until(lambda running=running: window.tour.running is running, "the tour")  # type: ignore[misc]
            await ended(session, "first steps")

    drive(scenario)


def test_a_panel_in_another_window_is_not_framed_here(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        tour = await sized(session, 1366, 768)
        tour.start()
        session.window.ticket.setFloating(True)  # another window: nothing to point at here
        tour.go(3)
        assert tour.part() is None and not tour.frame.isVisible() and tour.sheet.isVisible()

    drive(scenario)
