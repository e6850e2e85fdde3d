"""Alerts on figures, results, times and orders, and alerts that act: what stands in the form is the
wish, both ways, and what moves money is asked."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal

import msgspec
import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from openalgo_desktop.automation.alerts.webhook import SCOPE
from openalgo_desktop.core.alert_acts import PostTo, RunStrategy, SendOrder, StopStrategy
from openalgo_desktop.core.alert_subjects import (
    Edge,
    Figure,
    OfCombination,
    OfGreek,
    OfOrders,
    OfResult,
    OfTime,
    OrderNews,
    ResultOf,
)
from openalgo_desktop.core.alerts import AlertWhen, AlertWish, OfStudy, Pace
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.automation.alerts import AlertsDock
from openalgo_desktop.ui.rooms.automation.deed_dialog import DeedDialog
from openalgo_desktop.ui.rooms.automation.deed_lines import LINES, fits, values_of, wish_of
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("orders")

CHANNELS = ("toast",)
ORDER = SendOrder(
    OrderRequest("SBIN", "NSE", Action.SELL, 50, product=Product.CNC), Mode.LIVE, "live:1", 3
)


def account(mode: Mode) -> str:
    return f"{mode.value}:1"


WISHES = (
    AlertWish(*SBIN, AlertWhen.ABOVE, Decimal("812.5"), channels=CHANNELS, acts=(ORDER,),
              again=True, pace=Pace.EVERY),
    AlertWish(*SBIN, AlertWhen.ENTERS, Decimal(10), upper=Decimal(20), channels=CHANNELS,
              subject=OfGreek(Figure.IV), again=True, pace=Pace.BAR, span="5m"),
    AlertWish(*SBIN, AlertWhen.CROSSES_UP, Decimal("1.5"), channels=CHANNELS,
              subject=OfCombination("NSE:SBIN / NSE:INFY"),
              acts=(PostTo("https://example.com/x", '{"a":1}'),)),
    AlertWish(*SBIN, AlertWhen.ABOVE, Decimal(900), channels=CHANNELS,
              acts=(PostTo("https://example.com/x", secret="mine", header="X-Key"),)),
    AlertWish("", "", AlertWhen.BELOW, Decimal(-5000), channels=CHANNELS,
              subject=OfResult(Mode.LIVE, "live:1", ResultOf.STRATEGY, "ORB"),
              acts=(StopStrategy("ORB"),), note="enough", message="over"),
    AlertWish("", "", AlertWhen.HAPPENS, channels=CHANNELS, subject=OfTime(daily=time(9, 20)),
              acts=(RunStrategy("ORB", Mode.SANDBOX),)),
    AlertWish("", "", AlertWhen.HAPPENS, channels=CHANNELS,
              subject=OfTime(edge=Edge.CLOSE, minutes=-15, calendar="MCX")),
    AlertWish("", "", AlertWhen.HAPPENS, channels=CHANNELS,
              subject=OfTime(at=datetime(2026, 12, 31, 9, 20, tzinfo=IST))),
    AlertWish("", "", AlertWhen.HAPPENS, channels=CHANNELS, again=True, pace=Pace.EVERY,
              subject=OfOrders(Mode.SANDBOX, (OrderNews.REJECTED,), "ORB", "sandbox:1")),
    AlertWish("", "", AlertWhen.HAPPENS, channels=CHANNELS, subject=OfTime(daily=time(9, 20)),
              acts=(RunStrategy("ORB", Mode.LIVE, "live:1"),)),
)  # fmt: skip


@pytest.mark.parametrize("wish", WISHES, ids=range(len(WISHES)))
def test_a_wish_is_the_same_again(wish: AlertWish) -> None:
    values = {line.name: "" for line in LINES} | {"mode": "sandbox", "act_mode": "sandbox"}
    values |= values_of(wish)
    assert set(values) == {line.name for line in LINES}
    assert fits(wish)
    assert wish_of(values, wish.key, CHANNELS, account) == wish


def test_what_the_form_has_no_lines_for_is_left_alone() -> None:
    wish = WISHES[0]
    assert not fits(AlertWish(*SBIN, AlertWhen.ABOVE, subject=OfStudy("sma", "line"), span="5m"))
    two = AlertWish(*SBIN, AlertWhen.ABOVE, wish.level, acts=(ORDER, StopStrategy("ORB")))
    assert not fits(two)


def test_times_and_symbols_that_are_missing_are_named() -> None:
    values = {line.name: "" for line in LINES} | {"mode": "sandbox", "act_mode": "sandbox"}
    late = values | values_of(WISHES[7]) | {"at": "tomorrow"}
    with pytest.raises(InvalidOrder, match="2026-12-31 09:20"):
        wish_of(late, ("", ""), CHANNELS, account)
    with pytest.raises(InvalidOrder, match="pick the one"):
        wish_of(values | values_of(WISHES[1]), ("", ""), CHANNELS, account)
    with pytest.raises(InvalidOrder, match="pick the symbol"):
        wish_of(values | values_of(WISHES[4]) | {"act": "order", "side": "BUY", "quantity": 1,
                "product": "MIS"}, ("", ""), CHANNELS, account)  # fmt: skip


def test_an_alert_that_orders_is_asked_and_sends_nothing_by_being_made(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock = session.window.docking.open("alerts")
        assert isinstance(dock, AlertsDock)
        form = dock.new_deed()
        assert form.heading.text().startswith("SBIN")
        form.form.show_values({"level": 90_000, "act": "order", "quantity": 5, "side": "BUY"})
        click(form.save)

        def asked() -> list[ConfirmDialog]:
            return [one for one in form.findChildren(ConfirmDialog) if one.isVisible()]

        await until(asked, "the question")
        question = asked()[0]
        assert "in the sandbox without a further question" in question.question.text()
        assert question.review is not None
        assert question.review.item(0).text() == "BUY 5 SBIN (sandbox)"
        click(question.no)
        await until(form.save.isEnabled, "it is open still")
        assert session.bridge.alerts.all() == []
        click(form.save)
        await until(asked, "the question")
        click(asked()[0].yes)
        await until(session.bridge.alerts.all, "the alert")
        (made,) = session.bridge.alerts.all()
        (act,) = made.wish.acts
        assert isinstance(act, SendOrder)
        assert (act.mode, act.account) == (Mode.SANDBOX, session.bridge.alerts.account_of(act.mode))
        assert session.bridge.books.orders == {}
        await until(lambda: dock.rows, "its row")
        dock.edit(dock.rows[0])
        await until(
            lambda: [d for d in dock.findChildren(DeedDialog) if d.isVisible() and d.old],
            "its form",
        )

    drive(scenario)


def test_the_secret_of_a_post_goes_to_the_vault_and_is_shown_nowhere(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock = session.window.docking.open("alerts")
        assert isinstance(dock, AlertsDock)
        form = dock.new_deed()
        address = {"level": 90_000, "act": "post", "url": "https://example.com/hook"}
        form.form.show_values({**address, "secret": "mine"})
        click(form.save)
        error = form.form.fields["secret_value"].message
        await until(lambda: "mine is not in the vault" in error.text(), "the refusal")
        assert session.bridge.alerts.all() == []
        await until(form.save.isEnabled)
        line = form.form.editor("secret_value")
        assert isinstance(line, QLineEdit)
        QTest.keyClicks(line, "s3cret-of-the-post")
        assert line.echoMode() is QLineEdit.EchoMode.Password
        assert "s3cret" not in form.hint.text()
        click(form.save)
        await until(session.bridge.alerts.all, "the alert")
        (made,) = session.bridge.alerts.all()
        assert made.wish.acts == (PostTo("https://example.com/hook", secret="mine"),)
        assert b"s3cret" not in msgspec.json.encode(made.wish, enc_hook=str)
        kept = await session.terminal.vault.get(SCOPE + "mine")
        assert kept is not None and kept.reveal() == "s3cret-of-the-post"
        # Its form has the name and not the secret; saved as it is the secret stays.
        await until(lambda: dock.rows, "its row")
        dock.edit(dock.rows[0])
        found: list[DeedDialog] = []
        await until(lambda: found.extend(
            d for d in dock.findChildren(DeedDialog) if d.isVisible() and d.old
        ) or found, "its form")  # fmt: skip
        values = found[0].form.values()
        assert (values["secret"], values["secret_value"]) == ("mine", "")
        click(found[0].save)
        await until(lambda: not dock.findChildren(DeedDialog), "it is saved")
        assert await session.bridge.alerts.keeps("mine")

    drive(scenario)
