"""The one memory of positions that were told to leave: by mode, until the books show it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import RejectedByBroker
from openalgo_desktop.core.events import Bus, ModeChanged
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.engine.books import Books
from openalgo_desktop.ui.engine.leaving import Leaving
from tests.ui.engine.test_books import Desk, Market, order, settled
from tests.waiting import until


def held(units: int) -> Position:
    return Position("SBIN", "NSE", Product.MIS, units, 800.0)


async def test_another_mode_forgets_nothing(qapp: object) -> None:
    """The switch is moved and comes back while an order is under way: the books are empty until
    they are read, and that proves nothing."""
    desk, bus, parent = Desk(), Bus(), QObject()
    desk.book, desk.net = [order("1")], [held(10)]
    books = Books(desk, Market(), bus, parent)
    leaving = Leaving(books, lambda: desk.mode, str, lambda key: key[1], parent)
    task = await settled(books)
    with leaving.sending(held(10), Act.REVERSE, Mode.SANDBOX) as told:
        assert "SBIN is being turned already" in leaving.why_not(held(10))
        assert not leaving.why_not(held(10), whole=True)  # an exit always gets out
        told.ids = ("1",)
    assert leaving.why_not(held(10)) and not leaving.why_not(held(10), whole=True)
    for mode in (Mode.LIVE, Mode.SANDBOX):
        desk.mode = mode
        bus.publish(ModeChanged(mode, "test"))
        await until(lambda mode=mode: books.shows(mode) and bool(books.positions))  # type: ignore[misc]
        assert bool(leaving.why_not(held(10))) is (mode is Mode.SANDBOX)
    desk.net = [held(-10)]
    books.recheck()
    await until(lambda: not leaving.why_not(held(10)))
    task.cancel()


async def test_slices_that_went_out_before_one_was_refused_count(qapp: object) -> None:
    desk, parent = Desk(), QObject()
    books = Books(desk, Market(), Bus(), parent)
    leaving = Leaving(books, lambda: desk.mode, str, lambda key: key[1], parent)
    for sent in ((), ("1", "2")):
        error = RejectedByBroker("no")
        error.sent = sent
        with pytest.raises(RejectedByBroker), leaving.sending(held(10), Act.CLOSE, desk.mode):
            raise error
        assert bool(leaving.why_not(held(10))) is bool(sent)
