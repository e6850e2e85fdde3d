"""The basket builder: lines, totals, files, names, sending, what stays of it when it is closed."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QPushButton

from openalgo_desktop.core.basket import (
    Basket,
    BasketMargin,
    LineState,
    read_csv,
    write_csv,
)
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product, Validity
from openalgo_desktop.core.errors import InsufficientFunds
from openalgo_desktop.core.model import Instrument, Key, OrderAck, OrderRequest
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.ui.kit.sending import sending_buttons
from openalgo_desktop.ui.kit.symbol_drag import keys_of, mime_of
from openalgo_desktop.ui.rooms.orders.basket import BasketDock
from openalgo_desktop.ui.rooms.orders.basket_totals import totals_text
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click
from tests.waiting import until

SBIN: Key = ("NSE", "SBIN")
INFY: Key = ("NSE", "INFY")
NIFTY: Key = ("NSE_INDEX", "NIFTY")


async def opened(session: Session) -> BasketDock:
    dock = session.window.docking.open("basket")
    assert isinstance(dock, BasketDock)
    dock.setFloating(True)
    dock.resize(1000, 500)
    await until(lambda: not dock.is_hidden(), "the dock on the screen")
    return dock


def option(session: Session, step: int, kind: str) -> Instrument:
    """An option ``step`` strikes from the middle of the second expiry: on the last day of the first
    all may be worth a tick."""
    bridge, table = session.bridge, session.terminal.instruments
    nifty = bridge.instrument(NIFTY)
    assert nifty is not None
    family = bridge.chains.family(nifty)
    assert family is not None
    day = bridge.chains.expiries(family)[1]
    strikes = table.strikes("NIFTY", "NFO", day)
    row = table.option("NIFTY", "NFO", day, strikes[len(strikes) // 2 + step], kind)
    assert row is not None
    return row


def spread(session: Session) -> list[OrderRequest]:
    """A sold call and the bought one that covers it."""
    return [
        OrderRequest(row.symbol, "NFO", action, row.lot_size, PriceType.MARKET, Product.NRML)
        for row, action in (
            (option(session, 1, "CE"), Action.SELL),
            (option(session, 4, "CE"), Action.BUY),
        )
    ]


def never_ask(session: Session) -> None:
    for name in ("value", "lots", "percent", "spread"):
        session.bridge.set_setting(f"confirm.{name}", 0)


async def answer(yes: bool) -> None:
    """Press a button of the question when it is there."""

    def asked() -> bool:
        dialog = QApplication.activeModalWidget()
        name = "dialog-confirm-yes" if yes else "dialog-confirm-no"
        button = dialog.findChild(QPushButton, name) if dialog is not None else None
        if isinstance(button, QPushButton) and button.isVisible():
            button.click()
            return True
        return False

    await until(asked, "the question")


def test_totals_as_they_are_read() -> None:
    margin = BasketMargin(24_850.0, 100_771.0, 30_000.0)
    text = totals_text(margin, 124.2, -6_500.0, 100_000.0).replace("\u00a0", " ")
    assert text == (
        "Margin ₹ 24,850.00  ·  benefit ₹ 75,921.00 of ₹ 1,00,771.00 apart  ·  "
        "most on the way ₹ 30,000.00  ·  charges ₹ 124.20  ·  premium paid ₹ 6,500.00  ·  "
        "free ₹ 1,00,000.00"
    )
    text = totals_text(BasketMargin(note="X tells no margin."), None, None, None)
    assert text.replace("\u00a0", " ") == "Margin –  ·  charges –  ·  X tells no margin."


def test_an_empty_basket_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        assert dock._empty.isVisible()
        assert "Drop symbols here" in dock._empty.text()
        assert not dock.send.isEnabled()
        dock.submit()
        assert session.bridge.books.orders == {}
        assert sending_buttons(dock) == [dock.send]

    drive(scenario)


def test_lines_are_edited_moved_copied_and_removed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        dock.add_keys([SBIN, INFY, NIFTY])  # an index cannot be traded
        assert [line.row.key for line in dock.lines] == [SBIN, INFY]
        first, second = dock.lines
        first.count.setValue(7)
        first.kind.setCurrentText("LIMIT")
        first.price.setValue(801.05)
        click(second.side)
        assert dock.basket().lines == (
            OrderRequest("SBIN", "NSE", Action.BUY, 7, PriceType.LIMIT, Product.MIS, 801.05),
            OrderRequest("INFY", "NSE", Action.SELL, 1, PriceType.MARKET, Product.MIS),
        )
        click(second.buttons["up"])
        assert [line.row.symbol for line in dock.lines] == ["INFY", "SBIN"]
        assert dock._column.indexOf(second) < dock._column.indexOf(first)
        click(second.buttons["up"])  # it is the first already
        click(first.buttons["clone"])
        assert [line.row.symbol for line in dock.lines] == ["INFY", "SBIN", "SBIN"]
        assert dock.lines[2].request() == first.request()
        click(dock.lines[1].buttons["delete"])
        assert [line.row.symbol for line in dock.lines] == ["INFY", "SBIN"]
        # The buy goes first: the numbers say so.
        assert [line.number.text() for line in dock.lines] == ["2", "1"]
        dock._turn_rule("buys_first")
        assert [line.number.text() for line in dock.lines] == ["1", "2"]

    drive(scenario)


def test_what_cannot_be_sent_is_said_at_its_line(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        dock.add_keys([SBIN])
        (line,) = dock.lines
        assert dock.send.isEnabled()
        line.kind.setCurrentText("LIMIT")
        line.price.setValue(800.03)
        assert "800.05" in line.note.text()
        assert line.note.isVisible()
        assert not dock.send.isEnabled()
        dock.submit()
        assert session.bridge.books.orders == {}
        line.price.setValue(800.05)
        assert not line.note.isVisible()
        assert dock.send.isEnabled()

    drive(scenario)


def test_no_wheel_changes_a_line(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        dock.add_keys([SBIN])
        (line,) = dock.lines
        before = line.request()
        for widget in (*line.inputs, line.side):
            middle = QPointF(widget.rect().center())
            event = QWheelEvent(
                middle,
                widget.mapToGlobal(middle),
                QPoint(),
                QPoint(0, 120),
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            )
            QApplication.sendEvent(widget, event)
        assert line.request() == before

    drive(scenario)


def test_the_whole_costs_less_than_its_lines_apart(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("sandbox.margin_model", "span")
        dock = await opened(session)
        for request in spread(session):
            dock.add(request)

        def told() -> str:
            return dock.totals.text().replace("\u00a0", " ")

        await until(lambda: "premium received" in told(), "the totals")
        whole = told()
        assert all(words in whole for words in ("Margin ₹", "benefit ₹", "apart", "charges ₹"))
        dock.lines[1].count.setValue(3)
        await until(lambda: told() != whole, "other totals")

    drive(scenario)


def test_sending_in_order_with_what_came_of_each_line(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        never_ask(session)
        dock = await opened(session)
        bridge = session.bridge
        for request in spread(session):
            await bridge.snapshot(request.key)
            dock.add(request)
        assert dock.send.text() == "Send 2 orders to SANDBOX"
        click(dock.send)
        click(dock.send)  # once is enough
        assert not dock.send.isEnabled()
        await until(
            lambda: (
                [line.result.state if line.result else None for line in dock.lines]
                == [LineState.SENT] * 2
            ),
            "both lines sent",
        )
        await until(lambda: len(bridge.books.orders) == 2, "the orders in the book")
        actions = [order.action for order in bridge.books.orders.values()]
        assert sorted(actions) == [Action.BUY, Action.SELL]
        ids = {order.action: order.order_id for order in bridge.books.orders.values()}
        assert int(ids[Action.BUY][-6:]) < int(ids[Action.SELL][-6:])  # the hedge went first
        await until(lambda: "filled at" in dock.lines[0].note.text(), "the fill at its line")
        await until(lambda: not dock.sending.busy, "the end")
        # What is out cannot be edited nor sent once more.
        assert not dock.lines[0].count.isEnabled()
        assert not dock.send.isEnabled() and dock.send.text() == "All lines are out"
        assert dock.totals.text() == ""
        dock.submit()
        await asyncio.sleep(0)
        assert len(bridge.books.orders) == 2
        assert not dock.save_state()["basket"]["lines"]
        dock.start_over()
        assert dock.lines[0].count.isEnabled() and dock.send.isEnabled()

    drive(scenario)


def test_what_is_going_out_does_not_come_back_with_the_workspace(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sells wait for the buys, the workspace is left: the sells go out all the same, so the
    basket that comes back must not hold them as something to send."""

    async def scenario(session: Session) -> None:
        never_ask(session)
        dock = await opened(session)
        dock.add_keys([SBIN, INFY])
        go = asyncio.Event()

        async def place(request: OrderRequest, *_: object, **__: object) -> Placed:
            await go.wait()
            return Placed(request.symbol, Mode.SANDBOX, "")

        monkeypatch.setattr(session.terminal.desk, "place", place)
        assert len(dock.save_state()["basket"]["lines"]) == 2
        click(dock.send)
        await until(lambda: dock.lines[0].result is not None, "the first line on its way")
        assert not dock.save_state()["basket"]["lines"]
        go.set()
        await until(lambda: not dock.sending.busy, "the end")

    drive(scenario)


def test_a_basket_does_not_go_on_in_another_account(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        never_ask(session)
        dock = await opened(session)
        dock.add_keys([SBIN, INFY])
        desk = session.terminal.desk
        placed: list[str] = []
        gateway = desk.gateway
        place = gateway.place

        async def once(request: OrderRequest, tag: str) -> OrderAck:
            placed.append(request.symbol)
            answer = await place(request, tag)
            monkeypatch.setattr(type(gateway), "account_id", "another")
            return answer

        monkeypatch.setattr(gateway, "place", once)
        click(dock.send)
        await until(lambda: not dock.sending.busy, "the end")
        assert placed == ["SBIN"]
        assert dock.lines[1].result.state is LineState.FAILED  # type: ignore[union-attr]
        assert "another" in dock.lines[1].result.text  # type: ignore[union-attr]
        monkeypatch.undo()

    drive(scenario)


def test_a_refused_line_keeps_the_rest_back_and_can_be_sent_later(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        never_ask(session)
        dock = await opened(session)
        dock.add_keys([SBIN, INFY])
        refuse = {"SBIN"}
        sent: list[str] = []

        async def place(request: OrderRequest, *_: object, **__: object) -> Placed:
            if request.symbol in refuse:
                raise InsufficientFunds("Not enough money.")
            sent.append(request.symbol)
            return Placed("1", Mode.SANDBOX)

        monkeypatch.setattr(session.terminal.desk, "place", place)
        click(dock.send)
        await until(lambda: dock.lines[1].result is not None and not dock.sending.busy, "the end")
        assert dock.lines[0].note.text() == "✕ Not enough money."
        assert "SBIN failed before it" in dock.lines[1].note.text()
        assert dock.problems.text() == "No order was sent."
        refuse.clear()
        dock.lines[1].show_result(None)
        click(dock.send)
        await until(lambda: sent == ["SBIN", "INFY"] and not dock.sending.busy, "both sent")
        assert not dock.problems.isVisible()

    drive(scenario)


def test_a_look_at_it_first_where_the_settings_want_one(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        never_ask(session)
        session.bridge.set_setting("confirm.basket", "always")
        dock = await opened(session)
        dock.add_keys([SBIN])
        click(dock.send)
        await answer(False)
        await until(lambda: not dock.sending.busy, "the end")
        assert session.bridge.books.orders == {}
        assert dock.lines[0].result is None
        click(dock.send)
        await answer(True)
        await until(lambda: session.bridge.books.orders, "the order")

    drive(scenario)


def test_a_switched_mode_sends_nothing(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(session: Session) -> None:
        never_ask(session)
        session.bridge.set_setting("confirm.basket", "always")
        dock = await opened(session)
        dock.add_keys([SBIN])
        click(dock.send)
        monkeypatch.setattr(session.terminal.desk, "_mode", Mode.LIVE)  # while it is looked at
        await answer(True)
        await until(lambda: not dock.sending.busy, "the end")
        assert "the mode was switched to LIVE" in dock.problems.text()
        monkeypatch.setattr(session.terminal.desk, "_mode", Mode.SANDBOX)
        assert session.bridge.books.orders == {}

    drive(scenario)


def test_files_are_taken_whole_or_not_at_all(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        lines = spread(session)
        good, bad = tmp_path / "condor.csv", tmp_path / "bad.csv"
        good.write_text(write_csv(lines), encoding="utf-8")
        dock.keeping.read_file(good)
        assert list(dock.basket().lines) == lines
        assert dock.name_field.text() == "condor"
        rows = ["symbol,exchange,action,quantity", "SBIN,NSE,BUY,1", *["XX,NSE,HOLD,1"] * 9]
        bad.write_text("\n".join(rows))
        dock.keeping.read_file(bad)
        assert list(dock.basket().lines) == lines
        told = dock.problems.text().splitlines()
        assert told[0] == "bad.csv was not taken."
        assert told[1].startswith("Line 3, symbol: XX is not in the symbol master")
        assert told[-1] == "… and 4 more."
        dock.keeping.read_file(tmp_path / "none.csv")
        assert "none.csv cannot be read" in dock.problems.text()
        (tmp_path / "picture.csv").write_bytes(b"\xff\xfe\x00\x80")
        dock.keeping.read_file(tmp_path / "picture.csv")
        assert "picture.csv cannot be read" in dock.problems.text()
        text = write_csv(dock.basket().lines)
        assert read_csv(text, session.bridge.instrument)[0] == lines

    drive(scenario)


def test_baskets_are_kept_by_name(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        dock.keeping.save()
        await until(lambda: "Give the basket a name" in dock.problems.text(), "the reason")
        for request in spread(session):
            dock.add(request)
        dock._turn_rule("stop")
        dock.name_field.setText("Bear call")
        dock.keeping.save()
        await until(lambda: dock.keeping.names == ["Bear call"], "the name")
        kept = dock.basket()
        dock.clear()
        assert dock.lines == [] and dock.keeping.current == ""
        dock.keeping.open_saved("Bear call")
        await until(lambda: dock.lines, "the lines")
        assert dock.basket() == kept
        # A contract that is not listed any more is left out and named.
        gone = msgspec.structs.replace(kept.lines[0], symbol="NIFTY01JAN2024500CE")
        await session.bridge.baskets.save("old", Basket((gone, kept.lines[1])))
        dock.keeping.open_saved("old")
        await until(lambda: dock.keeping.current == "old", "the other basket")
        assert len(dock.lines) == 1
        assert "NIFTY01JAN2024500CE" in dock.problems.text()
        dock.keeping.delete_saved()
        await answer(True)
        await until(lambda: dock.keeping.names == ["Bear call"], "the name gone")

    drive(scenario)


def test_symbols_are_dropped(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        data = mime_of([SBIN, INFY])
        none = Qt.KeyboardModifier.NoModifier
        copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        enter = QDragEnterEvent(QPoint(50, 50), copy, data, left, none)
        dock.dragEnterEvent(enter)
        assert enter.isAccepted()
        dock.dropEvent(QDropEvent(QPointF(50, 50), copy, data, left, none))
        assert [line.row.key for line in dock.lines] == [SBIN, INFY]
        other = QMimeData()
        other.setText("hello")
        assert keys_of(other) == []
        other.setText("nse:sbin\nNSE:SBIN\nNSE:INFY")
        assert keys_of(other) == [SBIN, INFY]

    drive(scenario)


def test_the_window_adds_to_it(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        request = spread(session)[0]
        session.bridge.basket_wanted.emit(request)
        session.bridge.basket_wanted.emit(request)
        (dock,) = session.window.docking.of_kind("basket")
        assert isinstance(dock, BasketDock)
        assert dock.basket().lines == (request, request)
        assert session.bridge.books.orders == {}

    drive(scenario)


def test_it_comes_back_after_a_restart(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        for request in spread(session):
            dock.add(request)
        dock._turn_rule("wait")
        state = dock.save_state()
        dock.clear()
        for damaged in ({}, {"basket": 3}, {"basket": {"lines": [7]}}):
            dock.restore_state(damaged)
        assert dock.lines == []
        dock.restore_state(state)
        assert dock.save_state() == state

    drive(scenario)


def test_with_something_in_it_opened_and_closed_leaves_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge, docking = session.bridge, session.window.docking
        docking.open("basket").close()
        await until(lambda: not session.window.findChildren(BasketDock), "the first one gone")
        gc.collect()
        served, tasks = bridge.frames.served, len(bridge._tasks)
        for _ in range(10):
            dock = docking.open("basket")
            assert isinstance(dock, BasketDock)
            if not dock.lines:
                dock.add_keys([SBIN, INFY])
            dock.close()
        assert bridge.frames.served == served
        # Two seconds of work; on a machine that is shared with others a multiple of that.
        await until(lambda: len(bridge._tasks) <= tasks, "its questions ended", 30)
        await until(lambda: not session.window.findChildren(BasketDock), "the docks gone", 30)
        wanted = set(bridge.prices._wanted)
        assert not [owner for owner in wanted if "basket" in owner]

    drive(scenario)


def test_a_line_of_a_long_basket_costs_what_one_of_a_short_one_does(drive: Drive) -> None:
    """Forty lines cost about eight times what five do, not sixty-four."""

    async def scenario(session: Session) -> None:
        dock = await opened(session)
        pair = tuple(spread(session))

        def spent(lines: int) -> float:
            began = time.thread_time()
            dock.fill(Basket((pair * 20)[:lines]))
            assert len(dock.lines) == lines
            return time.thread_time() - began

        spent(5)  # what is made once
        assert min(spent(40) for _ in range(2)) < 3 * 8 * max(spent(5) for _ in range(3))

    drive(scenario)


@pytest.mark.parametrize("scale", [100, 150])
def test_the_send_button_is_never_below_the_fold(drive: Drive, scale: int) -> None:
    """In the bottom strip of a small screen, with everything that takes room, and lower still."""

    async def scenario(session: Session) -> None:
        session.bridge.set_setting("ui.text_scale", scale)
        session.window.resize(1366, 768)
        dock = session.window.docking.open("basket")
        assert isinstance(dock, BasketDock)
        dock.raise_()
        await until(lambda: not dock.is_hidden(), "the dock on the screen")
        never_ask(session)
        dock.add_keys([SBIN, INFY] * 4)
        dock.show_problems(["What is wrong with a file. " * 4] * 6)
        await until(lambda: "Margin" in dock.totals.text(), "the totals")
        assert not dock.isFloating()

        def seen() -> bool:
            shown = dock.send.visibleRegion().boundingRect()
            return bool(shown == dock.send.rect()) and dock.send.height() > 0

        await until(seen, "all of the button")
        dock.setFloating(True)
        dock.resize(500, 150)
        await until(lambda: dock.height() <= 200, "a low dock")
        await until(seen, "all of the button in a low dock")

    drive(scenario)


def test_what_is_unusual_in_a_line_is_shown_kept_and_can_be_taken_away(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        limit = OrderRequest("SBIN", "NSE", Action.BUY, 100, PriceType.LIMIT, price=700.0)
        immediate = msgspec.structs.replace(limit, validity=Validity.IOC)
        iceberg = msgspec.structs.replace(limit, disclosed_quantity=20)
        for request in (limit, immediate, iceberg):
            session.bridge.basket_wanted.emit(request)
        plain, ioc, part = dock.lines
        assert not plain.terms.isVisibleTo(dock)
        assert (ioc.terms.text(), part.terms.text()) == ("IOC", "shows 20")
        assert dock.basket().lines == (limit, immediate, iceberg)
        read, problems = read_csv(write_csv(dock.basket().lines), session.bridge.instrument)
        assert (tuple(read), problems) == (dock.basket().lines, [])
        ioc.kind.setCurrentText("SL")
        ioc.trigger.setValue(690.0)
        assert "cannot be IOC" in ioc.problem
        click(ioc.terms)
        assert not ioc.terms.isVisibleTo(dock) and "IOC" not in ioc.problem
        click(part.terms)
        assert part.request() == limit

    drive(scenario)
