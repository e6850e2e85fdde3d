"""Commands ask as the settings want it."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.enums import Action, Mode, PriceType
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks()

BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10)


def question(session: Session) -> ConfirmDialog | None:
    found = session.window.findChildren(ConfirmDialog)
    return next((dialog for dialog in found if dialog.isVisible()), None)


async def resting(session: Session) -> None:
    last = session.bridge.latest(SBIN).ltp  # type: ignore[union-attr]
    order = OrderRequest("SBIN", "NSE", Action.BUY, 1, PriceType.LIMIT, price=round(last * 0.97, 0))
    await session.bridge.desk.place(order, Mode.SANDBOX)
    await until(lambda: session.bridge.books.working_count == 1, "the order rests")


@pytest.mark.parametrize("asking", ["above limits", "never"])
def test_cancelling_everything_takes_one_key(drive: Drive, asking: str) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("confirm.cancel_all", asking)
        await priced(session)
        await resting(session)
        session.window.ending.cancel_all()
        await until(lambda: session.bridge.books.working_count == 0, "the cancellation")

    drive(scenario)


def test_who_wants_to_be_asked_before_cancelling_is(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("confirm.cancel_all", "always")
        await priced(session)
        await resting(session)
        session.window.ending.cancel_all()
        await until(lambda: question(session), "the question")
        click(question(session).no)  # type: ignore[union-attr]
        await until(lambda: question(session) is None, "its end")
        assert session.bridge.books.working_count == 1

    drive(scenario)


@pytest.mark.parametrize(("asking", "asked"), [("always", True), ("above limits", False)])
def test_flattening_shows_its_list_unless_told_otherwise(
    drive: Drive, asking: str, asked: bool
) -> None:
    async def scenario(session: Session) -> None:
        assert session.bridge.setting("confirm.flatten") == "always"
        session.bridge.set_setting("confirm.flatten", asking)
        await priced(session)
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        await until(lambda: session.bridge.books.positions, "the position")
        session.window.ending.flatten()
        if asked:
            await until(lambda: question(session), "the list")
            assert session.bridge.books.positions[0].quantity == 10
            click(question(session).yes)  # type: ignore[union-attr]
        await until(lambda: not session.bridge.books.positions[0].quantity, "flat")

    drive(scenario)


@pytest.mark.parametrize(("asking", "asked"), [("always", True), ("above limits", False)])
def test_a_small_position_is_reversed_by_one_key(drive: Drive, asking: str, asked: bool) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("confirm.reverse", asking)
        await priced(session)
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        await until(lambda: session.bridge.books.positions, "the position")
        session.window.ending.reverse_symbol()
        if asked:
            await until(lambda: question(session), "the question")
            click(question(session).yes)  # type: ignore[union-attr]
        await until(lambda: session.bridge.books.positions[0].quantity == -10, "the other side")

    drive(scenario)
