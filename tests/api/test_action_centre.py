"""Semi-auto through the real engine: an order over REST waits, survives a restart, is approved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import OrderError
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.trading.webhooks import SymbolMap, WebhookStrategy
from tests.waiting import until

ORDER = {
    "strategy": "semi",
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "quantity": 1,
    "pricetype": "LIMIT",
    "price": 10,
    "product": "MIS",
}


class Engine:
    """A terminal without a window, and a client for it."""

    def __init__(self, folder: Path, sources: str) -> None:
        self.terminal = Terminal(
            TerminalOptions(
                data_dir=folder,
                overrides={
                    "api.rest_port": 0,
                    "api.ws_port": 0,
                    "approvals.sources": sources,
                    "approvals.drift": 50,
                },
            )
        )

    async def __aenter__(self) -> Engine:
        await self.terminal.start()
        assert self.terminal.api is not None
        key = await self.terminal.keys.default()
        assert key is not None
        self._key = key.reveal()
        self._http = httpx.AsyncClient(base_url=self.terminal.api.rest_url, timeout=60)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self.terminal.stop()

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        url = path if path.startswith("/") else f"/api/v1/{path}"
        answer = await self._http.post(url, json={"apikey": self._key, **body})
        return answer.status_code, answer.json()

    async def orders(self) -> list[dict[str, Any]]:
        _, body = await self.post("orderbook")
        rows: list[dict[str, Any]] = body["data"]["orders"]
        return rows


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENALGO_VAULT", "file")


async def test_an_order_waits_over_a_restart_until_it_is_approved(tmp_path: Path) -> None:
    async with Engine(tmp_path, "api:*") as engine:
        status, body = await engine.post("placeorder", **ORDER)
        assert (status, body["mode"]) == (200, "semi_auto")
        assert "orderid" not in body
        pending = body["pending_order_id"]
        assert await engine.orders() == []
        _, body = await engine.post("basketorder", strategy="semi", orders=[_item(), _item()])
        basket = body["pending_order_id"]
    async with Engine(tmp_path, "api:*") as engine:
        approvals = engine.terminal.approvals
        assert [row.approval_id for row in approvals.pending()] == [pending, basket]
        answer = await approvals.approve(pending, "test")
        assert answer["status"] == "success"
        (row,) = await engine.orders()
        assert (row["orderid"], row["strategy"]) == (answer["orderid"], "semi")
        with pytest.raises(OrderError, match="decided before"):
            await approvals.approve(pending, "test")
        await approvals.reject(basket, "no", "test")
        assert len(await engine.orders()) == 1


async def test_a_paper_order_is_not_sent_live_by_a_switch_in_between(tmp_path: Path) -> None:
    async with Engine(tmp_path, "api:*") as engine:
        _, body = await engine.post("placeorder", **ORDER)
        await engine.terminal.desk.set_mode(Mode.LIVE, "test")
        with pytest.raises(Exception, match="queued in sandbox mode"):
            await engine.terminal.approvals.approve(body["pending_order_id"], "test")
        assert await engine.orders() == []


async def test_webhooks_wait_too_while_scripts_go_through(tmp_path: Path) -> None:
    async with Engine(tmp_path, "webhook:*") as engine:
        assert (await engine.post("placeorder", **ORDER))[1]["orderid"]
        assert engine.terminal.api is not None
        store = engine.terminal.api.dispatcher.services.webhooks
        strategy = WebhookStrategy(
            store.new_id(), "alerts", symbols=(SymbolMap("SBIN", "NSE", 2),), intraday=False
        )
        await store.save(strategy)
        status, _ = await engine.post(
            f"/strategy/webhook/{strategy.webhook_id}", symbol="SBIN", action="BUY"
        )
        assert status == 200
        approvals = engine.terminal.approvals
        await until(lambda: len(approvals.pending()) == 1)
        assert len(await engine.orders()) == 1
        answer = await approvals.approve(approvals.pending()[0].approval_id, "test")
        rows = {row["orderid"]: row for row in await engine.orders()}
        assert rows[answer["orderid"]]["quantity"] == 2


def _item() -> dict[str, Any]:
    return {name: value for name, value in ORDER.items() if name != "strategy"}
