"""Trading through our own API in tests of the whole program over a broker's emulator."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.client import connect

from tests.e2e.driver import Program


def order(quantity: int = 1, **more: Any) -> dict[str, Any]:
    """A REST order; it rests far below the market unless told otherwise."""
    return {
        "strategy": "e2e",
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": "BUY",
        "product": "MIS",
        "pricetype": "LIMIT",
        "price": 500,
        "quantity": quantity,
        **more,
    }


def post(engine: Program, body: dict[str, Any]) -> tuple[int, Any]:
    """A REST order, whatever its answer."""
    with engine.http() as http:
        return http.post("/api/v1/placeorder", {"apikey": engine.api_key, **body})


def book(engine: Program) -> list[dict[str, Any]]:
    """The order book over REST."""
    rows = engine.call("orderbook")["data"]["orders"]
    assert isinstance(rows, list)
    return rows


async def stream(engine: Program, mode: int = 2) -> None:
    """Prices of the emulator over our own WebSocket."""
    async with connect(engine.ws_url) as socket, asyncio.timeout(60):
        await socket.send(json.dumps({"action": "authenticate", "api_key": engine.api_key}))
        symbols = [
            {"symbol": "SBIN", "exchange": "NSE"},
            {"symbol": "NIFTY", "exchange": "NSE_INDEX"},
        ]
        await socket.send(json.dumps({"action": "subscribe", "symbols": symbols, "mode": mode}))
        seen: set[str] = set()
        while seen != {"SBIN", "NIFTY"}:
            frame = json.loads(await socket.recv())
            if frame.get("type") == "market_data":
                assert frame["data"]["ltp"] > 0
                seen.add(frame["symbol"])


async def deep_book(engine: Program, levels: int) -> None:
    """A book of so many levels over our own WebSocket, every one of them with somebody in it."""
    async with connect(engine.ws_url) as socket, asyncio.timeout(60):
        await socket.send(json.dumps({"action": "authenticate", "api_key": engine.api_key}))
        symbol = f"SBIN:{levels}"
        asked = {"action": "subscribe", "symbol": symbol, "exchange": "NSE", "mode": 3}
        await socket.send(json.dumps(asked))
        while True:
            data = json.loads(await socket.recv()).get("data") or {}
            book = data.get("depth")
            if book and all(row["quantity"] for side in book.values() for row in side):
                assert {side: len(rows) for side, rows in book.items()} == {
                    "buy": levels,
                    "sell": levels,
                }
                return
