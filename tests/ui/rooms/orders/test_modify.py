"""A change of an order is asked about like an order, and refused in words."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from shiboken6 import isValid

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Action, FeedMode, Mode, PriceType
from openalgo_desktop.core.errors import RejectedByBroker
from openalgo_desktop.core.model import ModifyRequest, OrderRequest
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.orders.modify import ModifyDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until


async def opened(session: Session) -> tuple[ModifyDialog, float]:
    """A resting BUY, 3 % below the market, in its dialog."""
    await priced(session)
    bridge = session.bridge
    last = bridge.latest(SBIN).ltp  # type: ignore[union-attr]
    price = round(last * 0.97, 0)
    await bridge.desk.place(
        OrderRequest("SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, price=price), Mode.SANDBOX
    )
    await until(bridge.books.working, "the order")
    dialog = ModifyDialog(session.window, bridge, bridge.books.working()[0])
    dialog.show()
    return dialog, last


def test_a_price_far_through_the_market_is_asked_about(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog, last = await opened(session)
        dialog.price.setValue(round(last * 1.08, 0))
        click(dialog.save)
        await until(lambda: dialog.findChildren(ConfirmDialog), "the question")
        click(dialog.findChildren(ConfirmDialog)[0].no)
        await until(lambda: not dialog._sending, "the end of the question")
        (order,) = session.bridge.books.working()
        assert order.price == round(last * 0.97, 0)
        dialog.close()
        dialog.deleteLater()

    drive(scenario)


def test_a_stop_on_the_wrong_side_is_refused_under_its_field(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog, last = await opened(session)
        dialog.price_type.choose("SL-M")
        click(dialog.save)
        field = dialog._fields["trigger_price"]
        await until(field.error, "the sentence")
        assert field.error() == "Enter a trigger price: SL-M waits for it."
        dialog.trigger.setValue(round(last * 0.9, 0))
        click(dialog.save)
        await until(lambda: "BUY stop must be above" in field.error(), "the refusal")
        assert session.bridge.books.working()[0].price_type is PriceType.LIMIT
        dialog.close()
        dialog.deleteLater()

    drive(scenario)


@pytest.mark.parametrize("refused", [False, True])
def test_an_answer_after_the_dialog_was_closed_is_told_in_its_own_words(
    drive: Drive, refused: bool
) -> None:
    """A change that was done must not be called failed because its window is gone."""

    async def scenario(session: Session) -> None:
        dialog, _ = await opened(session)
        bridge, answer = session.bridge, asyncio.Event()
        told: list[tuple[str, str]] = []
        bridge.notice.connect(lambda level, text: told.append((level, text)))

        async def modify(change: ModifyRequest, mode: Mode) -> None:
            await answer.wait()
            if refused:
                raise RejectedByBroker("RMS: no margin")

        bridge.desk.modify = modify  # type: ignore[method-assign, assignment]
        click(dialog.save)
        dialog.close()
        dialog.deleteLater()
        await until(lambda: not isValid(dialog), "the dialog gone")
        answer.set()
        await until(lambda: told, "the answer")
        ((level, text),) = told
        assert ("no margin" in text, level) == (refused, "error" if refused else "info")

    drive(scenario)


def test_a_disclosed_quantity_is_changed_and_never_taken_away(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge = session.bridge
        last = bridge.latest(SBIN).ltp  # type: ignore[union-attr]
        request = OrderRequest(
            "SBIN", "NSE", Action.BUY, 100, PriceType.LIMIT, price=round(last * 0.97, 0),
            disclosed_quantity=20,
        )  # fmt: skip
        await bridge.desk.place(request, Mode.SANDBOX)
        await until(bridge.books.working, "the order")
        dialog = ModifyDialog(session.window, bridge, bridge.books.working()[0])
        dialog.show()
        assert dialog.disclosed.value() == 20
        field = dialog._fields["disclosed_quantity"]
        for value, words in ((5, "At least 10 % must be disclosed"), (0, "cannot be taken away")):
            dialog.disclosed.setValue(value)
            click(dialog.save)
            await until(lambda words=words: words in field.error(), "the refusal")
        assert bridge.books.working()[0].disclosed_quantity == 20
        dialog.disclosed.setValue(50)
        click(dialog.save)
        await until(lambda: bridge.books.working()[0].disclosed_quantity == 50, "the change")
        dialog.deleteLater()

    drive(scenario)


def test_a_working_order_has_a_price_to_be_compared_with(drive: Drive) -> None:
    """Whatever panels are open: else a change far through the market would not be asked about, or
    every change would be."""

    async def scenario(session: Session) -> None:
        bridge, tcs = session.bridge, ("NSE", "TCS")
        last = (await bridge.snapshot(tcs)).ltp
        price = round(last * 0.97, 0)
        order = OrderRequest("TCS", "NSE", Action.BUY, 5, PriceType.LIMIT, price=price)
        await bridge.desk.place(order, Mode.SANDBOX)
        await until(lambda: bridge.prices._wanted.get("orders") == {tcs: FeedMode.LTP}, "its price")
        await until(lambda: bridge.orders.fresh(tcs) is not None, "a tick of it")
        near = msgspec.structs.replace(order, price=round(last * 0.98, 0))
        assert bridge.orders.why_ask(Act.MODIFY, [near], Mode.SANDBOX) == ()
        (working,) = bridge.books.working()
        await bridge.desk.cancel(working.order_id, Mode.SANDBOX)
        await until(lambda: not bridge.prices._wanted["orders"], "nothing works")

    drive(scenario)
