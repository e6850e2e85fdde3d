"""GTT / triggers: what waits for a price, ours and the broker's; forms, keys, faults."""

from __future__ import annotations

import gc
from decimal import Decimal

import msgspec
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel

from openalgo_desktop.core.enums import Action, FeedMode, GttType, Mode, PriceType, Product
from openalgo_desktop.core.errors import NetTimeout
from openalgo_desktop.core.exits import (
    ExitPlan,
    ExitSpec,
    Offset,
    PlanState,
    ResultExit,
    Steps,
    Target,
    Trigger,
    TriggerLeg,
    Unit,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.orders.exits_dialog import ExitsDialog
from openalgo_desktop.ui.rooms.orders.result_dialog import ACCOUNT, ResultDialog
from openalgo_desktop.ui.rooms.orders.trigger_dialog import BROKERS, PAIR, TriggerDialog
from openalgo_desktop.ui.rooms.orders.triggers import TriggersDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until

BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10)
WHERE = ("SBIN", "NSE", Product.MIS, Mode.SANDBOX)


async def opened(session: Session) -> TriggersDock:
    await priced(session)
    dock = session.window.docking.open("triggers")
    assert isinstance(dock, TriggersDock)
    dock.setFloating(True)
    dock.resize(1200, 400)
    await until(lambda: not dock.is_hidden(), "the dock on the screen")
    return dock


async def shown(dock: TriggersDock, count: int) -> None:
    await until(lambda: len(dock.rows) == count, f"{count} rows, there are {dock.rows}")
    await until(lambda: not dock.dirty, "painted")


def texts(dock: TriggersDock, row: int) -> dict[str, str]:
    cells = dock.model.store.cells(row)
    return {column.key: text for column, text in zip(dock.columns, cells.texts, strict=True)}


async def trigger(session: Session, price: float = 300.0, below: bool = True) -> Trigger:
    leg = TriggerLeg(Decimal(str(price)), below, BUY)
    return await session.bridge.watch.add_trigger((leg,), Mode.SANDBOX)


def form(session: Session) -> TriggerDialog:
    (found,) = [d for d in session.window.findChildren(TriggerDialog) if d.isVisible()]
    return found


def test_empty_and_what_it_says(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        assert dock.rows == [] and "Nothing waits" in dock._empty.text()
        assert dock._empty.isVisible() and "only while the program runs" in dock.hint.text()
        dock.filter.choose("Ended")
        assert dock._empty.text() == "Nothing has ended lately."
        assert not dock.delete_button.isEnabled() and dock.new_button.isEnabled()

    drive(scenario)


def test_rows_of_every_kind(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock, watch = await opened(session), session.bridge.watch
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        spec = ExitSpec(
            stop=Offset.of(5, Unit.PERCENT),
            targets=(
                Target(Offset.of(5, Unit.PERCENT), 50),
                Target(Offset.of(9, Unit.PERCENT), 50),
            ),
        )
        plan = await watch.protect(*WHERE, spec)
        await trigger(session)
        await watch.add_trigger(
            (TriggerLeg(Decimal(300), True, BUY), TriggerLeg(Decimal(3000), False, BUY)),
            Mode.SANDBOX,
        )
        await watch.add_result(Mode.SANDBOX, loss=5000)
        request = GttRequest(
            GttType.SINGLE, "SBIN", "NSE", Action.BUY, 3, price=300.0, trigger_below=300.0
        )
        await watch.place_gtt(request, Mode.SANDBOX)
        session.bridge.gtts.read()
        await shown(dock, 5)
        kinds = [row.kind for row in dock.rows]
        assert kinds == ["Day result", "OCO", "Trigger", "Exits", "GTT"]
        assert dock.title_bar.subject.text() == "5 waiting"
        exits = texts(dock, 3)
        assert exits["does"] == "SELL 10 at market" and exits["keeper"] == "this app"
        assert exits["below"].endswith("stop") and exits["above"].endswith("tgt 50 %")
        assert exits["also"] == "1 more target"
        assert texts(dock, 4)["keeper"] == "broker"
        await until(lambda: dock.rows[2].distance is not None, "a price")
        away = dock.rows[2].distance
        assert away is not None and 40 < away < 80
        # A change touches one row; its end takes the row away.
        await watch.change(plan.plan_id, ExitSpec(stop=Offset.of(6, Unit.PERCENT)), Mode.SANDBOX)
        assert dock.rows[3].above is None
        await watch.delete(plan.plan_id, Mode.SANDBOX)
        await shown(dock, 4)
        dock.filter.choose("Ended")
        await shown(dock, 1)
        assert texts(dock, 0)["state"] == "Cancelled"

    drive(scenario)


def test_books_that_cannot_be_read(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        await trigger(session)

        async def broken() -> None:
            raise NetTimeout("no answer")

        monkeypatch.setattr(session.bridge.watch, "gtts", broken)
        session.bridge.gtts.read()
        await until(dock.problem.isVisible)
        assert "cannot be read: no answer" in dock.problem.text()
        assert [row.kind for row in dock.rows] == ["Trigger"]  # ours are there all the same

    drive(scenario)


def test_keys_and_links(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        made = await trigger(session)
        await shown(dock, 1)
        dock.select_row(made.plan_id)
        click(dock.pause_button)
        for word in ("Resume", "Pause"):
            await until(
                lambda word=word: (
                    dock.pause_button.isEnabled() and dock.pause_button.text() == word
                ),
                word,
            )
            if word == "Resume":
                click(dock.pause_button)
        held = QKeyEvent(
            QEvent.Type.KeyPress, Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier, "", True
        )
        QApplication.sendEvent(dock.view, held)  # a key that is held deletes nothing
        assert not dock._busy
        dock.view.setFocus()
        QTest.keyClick(dock.view, Qt.Key.Key_Delete)
        await shown(dock, 0)
        assert session.terminal.watch.plan(made.plan_id).state is PlanState.CANCELLED

    drive(scenario)


def test_a_new_trigger_by_the_form(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        click(dock.new_button)
        dialog = form(session)
        assert "SBIN" in dialog.heading.text() and "SANDBOX" in dialog.windowTitle()
        click(dialog.save)
        await until(dialog._fields["trigger_price"].error, "no price: said at the field")
        dialog.side.choose("SELL")
        dialog.units.setValue(25)
        dialog.trigger.setValue(300.0)
        assert dialog.save.text() == "Save: SELL 25" and "falls to 300.00" in dialog.hint.text()
        click(dialog.save)
        await shown(dock, 1)
        plan = dock.rows[0].plan
        assert isinstance(plan, Trigger) and plan.legs[0].below
        assert (plan.legs[0].request.action, plan.legs[0].request.quantity) == (Action.SELL, 25)
        await until(lambda: not dock._dialogs, "the form closed")
        dock.edit(dock.rows[0])
        dialog = form(session)
        assert dialog.trigger.value() == 300.0 and dialog.search.isHidden()
        dialog.trigger.setValue(310.0)
        click(dialog.save)
        await until(lambda: dock.rows[0].below == Decimal(310))

    drive(scenario)


def test_a_pair_and_a_gtt_by_the_form(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        await until(lambda: [row for row in session.bridge.books.positions if row.quantity])
        dock.new(SBIN)
        dialog = form(session)
        dialog.kind.choose(PAIR)
        assert (dialog.side.value(), dialog.units.value()) == ("SELL", 10)  # leaves what is held
        dialog.price_type.choose(PriceType.LIMIT.value)
        for editor, value in (
            (dialog.trigger, 300.0),
            (dialog.price, 299.0),
            (dialog.upper, 2000.0),
            (dialog.upper_price, 2001.0),
        ):
            editor.setValue(value)
        click(dialog.save)
        await shown(dock, 1)
        plan = dock.rows[0].plan
        assert isinstance(plan, Trigger) and plan.is_oco
        assert [leg.request.price for leg in plan.legs] == [299.0, 2001.0]
        await until(lambda: not dock._dialogs, "the form closed")
        dock.new(SBIN)
        dialog = form(session)
        dialog.keeper.choose(BROKERS)
        assert dialog.product.button("MIS").isHidden()  # a GTT is for longer than a day
        dialog.price_type.choose(PriceType.LIMIT.value)
        dialog.trigger.setValue(300.0)
        dialog.price.setValue(300.0)
        click(dialog.save)
        await shown(dock, 2)
        assert [row.kind for row in dock.rows] == ["OCO", "GTT"]
        dock.delete(dock.rows[1])
        await shown(dock, 1)

    drive(scenario)


def test_the_form_of_stop_and_targets(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        dialog = ExitsDialog.of_position(session.window, session.bridge, SBIN, Product.MIS)
        dialog.show()
        dialog.stop.value.setValue(99_999.0)  # above the price of a long position
        click(dialog.save)
        await until(dialog.stop.field.error, "said at the field")
        assert "must be below the price" in dialog.stop.field.error()
        dialog.stop.put(Offset.of(5, Unit.PERCENT))
        dialog.trail.put(Offset.of(4, Unit.PERCENT))
        dialog.targets[0].put(Offset.of(6, Unit.PERCENT))
        dialog.parts[0].setValue(50)
        click(dialog.save)
        await shown(dock, 1)
        plan = dock.rows[0].plan
        assert isinstance(plan, ExitPlan)
        assert plan.spec.targets == (Target(Offset.of(6.0, Unit.PERCENT), 50),)
        assert plan.spec.trail == Offset.of(4.0, Unit.PERCENT)
        await until(lambda: not dialog.isVisible())
        dialog.deleteLater()
        dock.edit(dock.rows[0])
        (edit,) = [d for d in session.window.findChildren(ExitsDialog) if d.isVisible()]
        assert edit.spec() == plan.spec
        edit.targets[0].value.setValue(0.0)
        click(edit.save)
        await until(lambda: dock.rows[0].above is None)

    drive(scenario)


def test_another_mode_is_another_book(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        await trigger(session)
        await shown(dock, 1)
        dialog = TriggerDialog(session.window, session.bridge, SBIN)
        dialog.show()
        dialog.trigger.setValue(300.0)
        await session.bridge.set_mode(Mode.LIVE)
        await shown(dock, 0)
        click(dialog.save)
        await until(dialog.answer.text, "refused: it was for the other mode")
        assert "mode was switched" in dialog.answer.text()
        dialog.close()

    drive(scenario)


def test_with_something_in_it_opened_and_closed_leaves_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        await trigger(session)
        bridge, docking = session.bridge, session.window.docking
        docking.open("triggers").close()
        await until(lambda: not session.window.findChildren(TriggersDock), "the first one closed")
        gc.collect()
        served, children = bridge.frames.served, len(bridge.children())
        handlers = session.terminal.bus.handler_count()
        for _ in range(10):
            dock = docking.open("triggers")
            assert isinstance(dock, TriggersDock)
            dock.new(SBIN)
            dock.close()
        assert bridge.frames.served == served
        await until(lambda: not session.window.findChildren(TriggersDock), "the docks gone")
        await until(lambda: not session.window.findChildren(QDialog), "their forms gone")
        assert session.terminal.bus.handler_count() == handlers
        assert len(bridge.children()) <= children

    drive(scenario)


def test_what_guards_a_position_is_deleted_after_a_question(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        await until(lambda: bool(session.bridge.books.positions), "the position")
        stop = round(session.bridge.latest(SBIN).ltp * 0.9)  # type: ignore[union-attr]
        watch = session.bridge.watch
        await watch.set_stop(SBIN[1], SBIN[0], Product.MIS, Mode.SANDBOX, stop)
        await shown(dock, 1)

        def asked() -> ConfirmDialog | None:
            found = dock.findChildren(ConfirmDialog)
            return next((one for one in found if one.isVisible()), None)

        for answer, left in (("no", 1), ("yes", 0)):
            dock.delete(dock.rows[0])
            await until(lambda: asked() is not None, "the question")
            question = asked()
            assert question is not None
            click(question.no if answer == "no" else question.yes)
            await until(lambda: asked() is None and not dock._busy, "the answer")
            await shown(dock, left)

    drive(scenario)


def test_a_stop_that_is_refused_after_its_form_was_closed_is_told(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await opened(session)
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        told: list[tuple[str, str]] = []
        session.bridge.notice.connect(lambda level, text: told.append((level, text)))
        dialog = ExitsDialog.of_position(session.window, session.bridge, SBIN, Product.MIS)
        dialog.show()
        dialog.stop.value.setValue(99_999.0)  # above the price of a long position
        click(dialog.save)
        dialog.close()
        dialog.deleteLater()
        await until(lambda: any(level == "error" for level, _ in told), "the refusal")
        (text,) = [text for level, text in told if level == "error"]
        assert "must be below the price" in text

    drive(scenario)


def test_the_form_keeps_all_targets_of_a_plan(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await opened(session)
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        await until(lambda: bool(session.bridge.books.positions), "the position")
        parts = tuple(Target(Offset.of(gain, Unit.PERCENT), 20) for gain in (3, 4, 5, 6, 7))
        steps = Steps(Offset.of(2, Unit.PERCENT), Offset.of(1, Unit.PERCENT))
        spec = ExitSpec(stop=Offset.of(5, Unit.PERCENT), targets=parts, steps=steps)
        await session.bridge.watch.protect(SBIN[1], SBIN[0], Product.MIS, Mode.SANDBOX, spec)
        dialog = ExitsDialog.of_position(session.window, session.bridge, SBIN, Product.MIS)
        assert dialog.spec() == spec  # with what has no fields here, which is told
        assert dialog.beside is not None
        told = dialog.findChild(QLabel, "dialog-exits-beside-text")
        assert told is not None and told.text() == "stop moves by 1 % for every 2 % won"
        dialog.show()
        click(dialog.beside)
        assert dialog.spec() == msgspec.structs.replace(spec, steps=None)
        dialog.deleteLater()

    drive(scenario)


def test_a_form_that_closes_takes_no_prices_from_another(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        first = await trigger(session)
        await shown(dock, 1)
        dock.new(("NSE", "TCS"))
        dock.edit(dock.rows[0])
        forms = [d for d in session.window.findChildren(TriggerDialog) if d.isVisible()]
        assert len(forms) == 2
        assert len({form._owner for form in forms}) == 2
        edited = next(form for form in forms if form._key == first.key)
        edited.close()
        wanted = session.bridge.prices._wanted
        (left,) = [form for form in forms if form is not edited]
        assert ("NSE", "TCS") in wanted[left._owner] and edited._owner not in wanted

    drive(scenario)


def result_form(session: Session) -> ResultDialog:
    (found,) = [d for d in session.window.findChildren(ResultDialog) if d.isVisible()]
    return found


def test_an_exit_at_the_days_result_by_the_form(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        bought = msgspec.structs.replace(BUY, strategy="breakout")
        await session.bridge.desk.place(bought, Mode.SANDBOX)
        await until(lambda: bool(session.bridge.books.positions), "the position")
        click(dock.result_button)
        form = result_form(session)
        assert [form.whose.itemText(n) for n in range(form.whose.count())] == [ACCOUNT, "breakout"]
        click(form.save)
        await until(form.fields["loss"].error, "the refusal")
        assert "Give a loss" in form.fields["loss"].error() and session.bridge.watch.plans() == []
        form.whose.setCurrentText("breakout")
        form.editors["loss"].setValue(5000.0)
        form.editors["trail"].setValue(2500.0)
        click(form.save)
        await shown(dock, 1)
        (plan,) = session.bridge.watch.plans(Mode.SANDBOX)
        assert isinstance(plan, ResultExit)
        assert (plan.label, plan.loss, plan.profit, plan.trail) == (
            "breakout",
            Decimal(5000),
            None,
            Decimal(2500),
        )
        # Its limits are changed, never its strategy; one that is paused is watched again.
        await session.bridge.watch.pause(plan.plan_id, Mode.SANDBOX)
        dock.edit(dock.rows[0])
        form = result_form(session)
        assert not form.whose.isEnabled() and form.editors["loss"].value() == 5000.0
        assert "saving watches it again" in form.hint.text()
        form.editors["loss"].setValue(6000.0)
        form.editors["trail"].setValue(0.0)
        click(form.save)
        await until(lambda: not session.window.findChildren(ResultDialog), "the answer")
        (after,) = session.bridge.watch.plans(Mode.SANDBOX)
        assert isinstance(after, ResultExit)
        assert (after.plan_id, after.loss, after.trail) == (plan.plan_id, Decimal(6000), None)
        assert after.state is PlanState.ACTIVE

    drive(scenario)


def test_a_result_that_is_reached_already_closes_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        await session.bridge.desk.place(BUY, Mode.SANDBOX)
        await until(lambda: bool(session.bridge.books.positions), "the position")
        hub = session.terminal.hub
        assert hub._source is not None
        hub._source.set_sink(lambda tick: None)  # the market is what the test says
        hub.publish(Tick("SBIN", "NSE", 100.0, FeedMode.QUOTE, bid=99.9, ask=100.1))
        dock.new_result()
        form = result_form(session)
        await until(lambda: "-" in form.now.text() or "−" in form.now.text(), "the result")
        form.editors["loss"].setValue(1.0)
        click(form.save)
        await until(form.fields["loss"].error, "the refusal")
        assert "is reached already" in form.fields["loss"].error()
        assert session.bridge.watch.plans() == [] and session.bridge.books.positions[0].quantity
        form.close()

    drive(scenario)


def test_what_guards_the_account_is_deleted_after_a_question(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        await session.bridge.watch.add_result(Mode.SANDBOX, loss=5000)
        await shown(dock, 1)
        for answer, left in (("no", 1), ("yes", 0)):
            dock.delete(dock.rows[0])
            await until(lambda: dock.findChildren(ConfirmDialog), "the question")
            (question,) = dock.findChildren(ConfirmDialog)
            click(question.no if answer == "no" else question.yes)
            await until(lambda: not dock._busy and not dock.findChildren(ConfirmDialog), "over")
            await shown(dock, left)

    drive(scenario)
