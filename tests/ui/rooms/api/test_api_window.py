"""The window and scripts on the same terminal: orders both ways, keys, monitor, builder."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QMenu

from openalgo_desktop.core.enums import KeyRights, OrderStatus
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.ui.engine.api_request import PLACEHOLDER, ApiCall, send
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.kit.widgets import controls
from openalgo_desktop.ui.rooms.api.api_keys import ApiKeysDialog
from openalgo_desktop.ui.rooms.api.api_monitor import ApiMonitorDock
from openalgo_desktop.ui.rooms.automation.webhooks import WebhooksDialog
from openalgo_desktop.ui.rooms.orders.orders import OrdersDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.whole_layout

ORDER = {
    "strategy": "script",
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "product": "MIS",
    "pricetype": "MARKET",
    "quantity": "7",
}


async def post(session: Session, endpoint: str, key: Secret | None = None, **body: Any) -> Any:
    """What a script would get; over the wire."""
    key = key or await session.bridge.api.default_key()
    assert key is not None
    url = f"{session.bridge.api.state()[0]}/api/v1/{endpoint}"
    answer = await send(ApiCall("POST", url, body), key)
    return json.loads(answer.text) | {"http": answer.status}


def monitor(session: Session) -> ApiMonitorDock:
    dock = session.window.docks["api-monitor"]
    assert isinstance(dock, ApiMonitorDock)
    dock.raise_()
    return dock


def test_a_clicked_order_is_there_over_rest_at_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = session.window.ticket
        ticket.units.setValue(12)
        click(ticket.send)
        await until(lambda: "sent" in ticket.result.text(), "the answer in the ticket")
        book = await post(session, "orderbook")
        assert book["http"] == 200
        orders = book["data"]["orders"]
        assert [(o["symbol"], int(o["quantity"]), o["action"]) for o in orders] == [
            ("SBIN", 12, "BUY")
        ]
        assert orders[0]["orderid"] in ticket.result.text()

    drive(scenario)


def test_an_order_of_a_script_is_in_the_window_at_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock = session.window.docks["orders"]
        assert isinstance(dock, OrdersDock)
        dock.raise_()
        answer = await post(session, "placeorder", **ORDER)
        assert answer["status"] == "success"
        await until(
            lambda: [
                row
                for row in dock.rows
                if row.order_id == answer["orderid"] and row.status is OrderStatus.COMPLETE
            ],
            "the order of the script in the window",
            10.0,
        )
        assert dock.rows[0].source == "api:default"

    drive(scenario)


def test_a_limit_order_of_the_window_is_cancelled_by_a_script(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = session.window.ticket
        click(ticket.price_type.button("LIMIT"))
        ticket.price.setValue(round(ticket.price.value() * 0.95, 0))
        click(ticket.send)
        await until(session.bridge.books.working, "the resting order")
        order = session.bridge.books.working()[0]
        answer = await post(session, "cancelorder", orderid=order.order_id, strategy="script")
        assert answer["status"] == "success"
        await until(lambda: not session.bridge.books.working(), "the cancellation in the window")

    drive(scenario)


def test_the_monitor_lists_requests_without_secrets(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = monitor(session)
        await post(session, "funds")
        await post(session, "quotes", symbol="NOSUCH", exchange="NSE")
        await post(session, "funds", Secret("f" * 64))
        await until(lambda: len(dock.requests.store.rows) == 3, "three requests in the monitor")
        rows = dock.requests.store.rows
        assert [row.endpoint for row in rows] == ["funds", "quotes", "funds"]
        assert rows[0].status == 403
        assert rows[2].status == 200
        assert rows[2].key == "default"
        assert 0 < rows[2].total < 5_000
        assert rows[2].queue <= rows[2].total
        text = dock.requests.as_text()
        key = await session.bridge.api.default_key()
        assert key is not None
        assert key.reveal() not in text
        assert "f" * 64 not in text

    drive(scenario)


def test_a_request_of_a_script_is_copied_and_asked_again(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock = monitor(session)
        key = await session.bridge.api.default_key()
        assert key is not None
        await post(session, "placeorder", **ORDER)
        await until(lambda: bool(session.bridge.books.orders), "the order of the script")
        dock.flush()
        row = session.bridge.api.recent(1)[0]
        assert row.body == ORDER  # as it came, without the key
        point = dock.request_view.visualRect(dock.requests.index(0, 1)).center()
        dock.request_view.customContextMenuRequested.emit(point)
        (menu,) = [one for one in dock.findChildren(QMenu) if one.isVisible()]
        items = {action.text(): action for action in menu.actions() if action.text()}
        assert list(items) == [
            "Copy as curl", "Copy as Python", "Ask again in the builder",
            "Copy row", "Copy table", "Save as CSV…", "Save as picture…",
        ]  # fmt: skip
        items["Copy as curl"].trigger()
        copied = QApplication.clipboard().text()
        assert '"quantity": "7"' in copied and "/api/v1/placeorder" in copied
        assert PLACEHOLDER in copied and key.reveal() not in copied
        items["Ask again in the builder"].trigger()
        menu.close()
        assert dock.page.value() == "Builder"
        assert json.loads(dock.builder.body.toPlainText()) == ORDER
        assert len(session.bridge.books.orders) == 1  # nothing was sent by looking
        click(dock.builder.send_button)
        await until(lambda: len(session.bridge.books.orders) == 2, "the same order again")

    drive(scenario)


def test_an_unknown_caller_and_a_long_body_are_not_remembered(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await post(session, "placeorder", Secret("not-a-key"), **ORDER)
        assert session.bridge.api.recent(1)[0].body is None
        await post(session, "placeorder", **ORDER | {"strategy": "s" * 5000})
        assert session.bridge.api.recent(1)[0].body is None

    drive(scenario)


def test_the_builder_sends_and_copies(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        builder = monitor(session).builder
        monitor(session).page.choose("Builder")
        builder.endpoint.setCurrentIndex(builder.endpoint.findData("quotes"))
        builder._on_endpoint()
        body = json.loads(builder.body.toPlainText())
        assert set(body) == {"symbol", "exchange"}
        builder.body.setPlainText('{"symbol": "SBIN", "exchange": "NSE"}')
        click(builder.send_button)
        await until(lambda: "ms" in builder.result.text(), "the answer")
        assert builder.result.text().startswith("200")
        assert json.loads(builder.answer.toPlainText())["data"]["ltp"] > 0
        assert builder.history[0][0] == "quotes"
        await builder._copy("curl")
        copied = QApplication.clipboard().text()
        assert copied.startswith("curl ")
        assert PLACEHOLDER in copied
        process = await asyncio.create_subprocess_exec(
            "sh", "-n", "-c", copied, stderr=asyncio.subprocess.PIPE
        )
        assert await process.wait() == 0
        await builder._copy("python")
        compile(QApplication.clipboard().text(), "copied", "exec")
        builder.body.setPlainText("{oops")
        click(builder.send_button)
        await until(lambda: "not JSON" in builder.result.text(), "the complaint")

    drive(scenario)


def test_keys_are_made_limited_and_revoked_in_the_window(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        session.window.actions_by_name["api-keys"].trigger()
        await until(lambda: session.window.findChildren(ApiKeysDialog), "the dialog")
        dialog = session.window.findChildren(ApiKeysDialog)[0]
        await until(lambda: dialog.table.rowCount() == 1, "the default key")
        dialog.name.setText("reader")
        dialog.rights.setCurrentIndex(dialog.rights.findData(KeyRights.READ))
        dialog._create()
        await until(lambda: dialog.table.rowCount() == 2, "the new key")
        key = Secret(dialog.made.field.text())
        assert len(key.reveal()) >= 32
        assert (await post(session, "quotes", key, symbol="SBIN", exchange="NSE"))["http"] == 200
        assert (await post(session, "placeorder", key, **ORDER))["http"] == 403
        unnamed = [c for c in controls(dialog) if not (c.objectName() and c.accessibleName())]
        assert unnamed == []
        dialog.table.selectRow(1)
        click(dialog.revoke_button)
        await until(lambda: dialog.findChildren(ConfirmDialog), "the question")
        click(dialog.findChildren(ConfirmDialog)[0].yes)
        await until(lambda: dialog.table.rowCount() == 1, "the revocation")
        assert (await post(session, "funds", key))["http"] == 403
        dialog.accept()

    drive(scenario)


def test_a_webhook_strategy_made_in_the_window_trades(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        session.window.actions_by_name["webhooks"].trigger()
        await until(lambda: session.window.findChildren(WebhooksDialog), "the dialog")
        dialog = session.window.findChildren(WebhooksDialog)[0]
        await until(dialog.isVisible, "the dialog in sight")
        click(dialog.save_button)
        await until(lambda: "symbol" in dialog.message.text(), "the complaint about symbols")
        dialog._add_symbol(SBIN)
        click(dialog.save_button)
        await until(lambda: "name" in dialog.message.text(), "the complaint about the name")
        assert dialog.mode.currentText() == "Long only"
        dialog.kind.setCurrentText("Chartink scan")
        assert "/chartink/webhook/" in dialog.address.text()
        dialog.kind.setCurrentIndex(0)
        assert "/strategy/webhook/" in dialog.address.text()
        dialog.name.setText("Breakout")
        dialog.intraday.setChecked(False)
        click(dialog.save_button)
        await until(lambda: dialog.list.count() == 1, "the stored strategy")
        await asyncio.gather(dialog.load(), dialog.load())  # two at once
        assert dialog.list.count() == 1
        unnamed = [c for c in controls(dialog) if not (c.objectName() and c.accessibleName())]
        assert unnamed == []
        alert = ApiCall("POST", dialog.address.text(), {"symbol": "SBIN", "action": "BUY"})
        answer = await send(alert, Secret("no-key-needed"))
        assert answer.status == 200, answer.text
        await until(
            lambda: [o for o in session.bridge.books.orders.values() if o.symbol == "SBIN"],
            "the order of the alert",
        )
        order = next(iter(session.bridge.books.orders.values()))
        assert order.source == "webhook:Breakout"
        click(dialog.delete_button)
        await until(lambda: dialog.findChildren(ConfirmDialog), "the question")
        click(dialog.findChildren(ConfirmDialog)[0].yes)
        await until(lambda: dialog.list.count() == 0, "the deletion")
        assert (await send(alert, Secret("x"))).status >= 400
        dialog.accept()

    drive(scenario)


def test_the_ticket_says_what_margin_the_order_needs(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = session.window.ticket
        margin = ticket.facts._rows["margin"][1]
        ticket.units.setValue(1_000)
        await until(lambda: margin.text().startswith("₹"), "the margin")
        small = float(margin.text().split()[1].replace(",", ""))
        price = session.bridge.latest(SBIN)
        assert price is not None
        assert small == pytest.approx(1_000 * price.ltp / 5, rel=0.2)
        ticket.units.setValue(90_000)
        await until(lambda: margin.property("tone") == "down", "the warning that it is too much")

    drive(scenario)
